//! The `flink` command line client, pointed at the proxy door as people point it at Flink.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::flink::{BOUND, drained};
use crate::place::{classes, flink_home, workplace};
use crate::process::{run, until};
use crate::{Named, World, named};

/// The tests of this file.
pub fn trials() -> Vec<Named> {
    vec![
        named("client: run, list, savepoint, stop", life),
        named("client: a refused `flink stop --drain` shows the reason", refused),
        named("client: `flink run -s` passes with its warning", restore),
    ]
}

/// Runs `flink` with `-m` the door; whether it went well, and its screen.
fn flink(world: &World, name: &str, verb: &str, rest: &[&str]) -> Result<(bool, String)> {
    let (home, work) = (flink_home()?, workplace(&format!("client-{name}"))?);
    let mut command = Command::new("bash");
    command
        .arg(home.join("bin/flink"))
        .args([verb, "-m", &world.gate()?.door.to_string()])
        .args(rest)
        .env("FLINK_CONF_DIR", home.join("conf"))
        .env("FLINK_LOG_DIR", &work);
    run(&format!("flink {verb}"), &mut command, &work.join("output"), Duration::from_secs(300))
}

fn submitted(screen: &str) -> Result<String> {
    let after = screen.split("JobID ").nth(1).with_context(|| screen.to_owned())?;
    Ok(after.chars().take(32).collect())
}

fn life(world: &World) -> Result<()> {
    let direct = world.flink()?;
    let jar = classes().join("StatefulJob.jar").display().to_string();
    let (well, screen) = flink(world, "run", "run", &["-d", &jar])?;
    ensure!(well, "{screen}");
    let job = submitted(&screen)?;
    direct.checkpointed(&job)?;

    let (well, screen) = flink(world, "list", "list", &[])?;
    ensure!(well && screen.contains(&job), "{screen}");

    let (well, screen) = flink(world, "savepoint", "savepoint", &[&job])?;
    ensure!(well && screen.contains("Savepoint completed"), "{screen}");

    let (well, screen) = flink(world, "stop", "stop", &[&job])?;
    ensure!(well && screen.contains("Savepoint completed"), "{screen}");
    direct.wait(&job, "FINISHED")?;
    let savepoint = screen.split("Path: ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    ensure!(!drained(savepoint)?, "{savepoint} is drained");
    Ok(())
}

fn refused(world: &World) -> Result<()> {
    let direct = world.flink()?;
    let job = direct.job(json!({}))?;
    let (well, screen) = flink(world, "drain", "stop", &["--drain", &job])?;
    ensure!(!well, "the client thinks that all went well: {screen}");
    // Rule, reason and remedy stand on the screen.
    for text in ["drain-with-planned-restart", "closes all windows", "x-sluicegate-intent: final"] {
        ensure!(screen.contains(text), "`{text}` is not on the screen:\n{screen}");
    }
    ensure!(direct.state(&job)? == "RUNNING" && direct.savepoints_of(&job)? == 0, "a refused drain left traces");
    direct.give_up(&job)
}

fn restore(world: &World) -> Result<()> {
    let direct = world.flink()?;
    let first = direct.job(json!({}))?;
    let stopped = crate::http::post(&format!("{}/jobs/{first}/stop", direct.url), &json!({"drain": false}))?;
    let savepoint = direct.operation(&first, &stopped)?;

    let jar = classes().join("StatefulJob.jar").display().to_string();
    let (well, screen) = flink(world, "restore", "run", &["-d", "-s", &savepoint, &jar])?;
    ensure!(well, "{screen}");
    let job = submitted(&screen)?;
    direct.checkpointed(&job)?;
    ensure!(direct.restored_from(&job)?.is_some(), "{job} started empty");

    // The client does not show response headers; that the start was judged as one nobody can read, the gate has logged.
    until("warning of the opaque start", BOUND, || {
        let warned = |decision: &Value| decision.to_string().contains("opaque-start");
        Ok(world.gate()?.decisions()?.iter().any(warned).then_some(()))
    })?;
    direct.give_up(&job)
}
