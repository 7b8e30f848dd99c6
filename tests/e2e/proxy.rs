//! Flink behind the proxy door: a job's whole life, refusals and what they spare, and what passes unchanged.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::flink::{drained, jar_file, text, upload};
use crate::gate::TRUSTED;
use crate::http::{self, digest};
use crate::place::{classes, sluicegate, workplace};
use crate::process::run;
use crate::{Named, World, named};

/// The tests of this file.
pub fn trials() -> Vec<Named> {
    vec![
        named("proxy: upload, run, savepoint, stop, and a restore as it was foretold", life),
        named("proxy: a drain is refused, and passes when the end is declared", drain),
        named("proxy: a restore from a drained savepoint is refused", drained_restore),
        named("proxy: a cancel that deletes the last checkpoint is refused, another passes", cancel),
        named("proxy: pages and large answers are the same as without it", unchanged),
    ]
}

fn life(world: &World) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let door = gate.url();

    // Three megabytes that do not compress, through the door and on Flink's disk: the same.
    let jar = classes().join("BigJob.jar");
    let uploaded = upload(&door, &jar)?.well()?;
    ensure!(digest(&fs::read(jar_file(&uploaded)?)?) == digest(&fs::read(&jar)?), "the jar arrived changed");

    let request = json!({"entryClass": "StatefulJob", "parallelism": 1});
    let answer = http::post(&format!("{door}/jars/{}/run", flink.jar), &request)?.well()?;
    ensure!(answer.decision().starts_with("allow"), "decision `{}`", answer.decision());
    let job = text(&answer.json()?, "/jobid")?;
    flink.checkpointed(&job)?;

    let taken = http::post(&format!("{door}/jobs/{job}/savepoints"), &json!({}))?;
    let savepoint = flink.operation(&job, &taken)?;
    ensure!(flink.state(&job)? == "RUNNING" && !drained(&savepoint)?, "a savepoint is no stop");

    let stopped = http::post(&format!("{door}/jobs/{job}/stop"), &json!({"drain": false}))?;
    let last = flink.operation(&job, &stopped)?;
    flink.wait(&job, "FINISHED")?;
    ensure!(!drained(&last)?, "{last} is drained");

    // What the gate foretells of a start, and what Flink then starts from.
    let start = json!({"entryClass": "StatefulJob", "parallelism": 1, "savepointPath": last});
    let target = format!("/jars/{}/run", flink.jar);
    let document = json!({
        "apiVersion": "sluicegate.dev/v1alpha1", "kind": "HttpRequest", "api": "flink-rest",
        "method": "POST", "target": target, "headers": {"content-type": "application/json"}, "body": start,
    });
    let told = http::post(&format!("http://{}/v1/check", gate.main), &document)?.well()?.json()?;
    let told = text(&told, "/results/0/restore/chosen")?;
    let work = workplace("restore")?;
    fs::write(work.join("start.json"), document.to_string())?;
    let mut command = Command::new(sluicegate());
    command.args(["restore", "--format", "json"]).arg(work.join("start.json"));
    let (_, printed) = run("sluicegate restore", &mut command, &work.join("output"), Duration::from_secs(20))?;
    ensure!(printed.contains(&told), "`restore` and /v1/check differ: {told} is not in {printed}");
    let answer = http::post(&format!("{door}{target}"), &start)?.well()?;
    let again = text(&answer.json()?, "/jobid")?;
    flink.checkpointed(&again)?;
    let real = flink.restored_from(&again)?.context("started empty")?;
    ensure!(same_place(&real, &told), "foretold {told}, restored from {real}");
    flink.give_up(&again)
}

fn drain(world: &World) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let job = flink.job(json!({}))?;
    let stop = format!("{}/jobs/{job}/stop", gate.url());
    let body = json!({"drain": true}).to_string();
    let final_ = ("x-sluicegate-intent", "final");

    // Without a word, and with the word of somebody who has no say: only the gateway may name the caller, and loopback is
    // the gateway here, so a caller without a name is nobody.
    for headers in [vec![], vec![final_], vec![final_, ("x-sluicegate-principal", "somebody")]] {
        let refused = http::call("POST", &stop, &headers, Some(body.as_bytes()))?;
        ensure!(refused.status == 403, "{headers:?}: {} {}", refused.status, refused.text());
        let reason = refused.error()?;
        ensure!(reason.contains("drain-with-planned-restart"), "no rule in `{reason}`");
        ensure!(refused.decision().starts_with("deny"), "decision `{}`", refused.decision());
    }
    ensure!(flink.state(&job)? == "RUNNING" && flink.savepoints_of(&job)? == 0, "a refused drain left traces");

    let passed = http::call("POST", &stop, &[final_, TRUSTED], Some(body.as_bytes()))?;
    let savepoint = flink.operation(&job, &passed)?;
    flink.wait(&job, "FINISHED")?;
    ensure!(drained(&savepoint)?, "{savepoint} is not drained");
    Ok(())
}

fn drained_restore(world: &World) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let savepoint = format!("file:{}", world.drained()?);
    let before = flink.jobs()?;

    // Only the file `_metadata` tells; the gate reads it below the prefix that it was given.
    let start = json!({"entryClass": "StatefulJob", "savepointPath": savepoint});
    let refused = http::post(&format!("{}/jars/{}/run", gate.url(), flink.jar), &start)?;
    ensure!(refused.status == 403, "{} {}", refused.status, refused.text());
    ensure!(refused.error()?.contains("restore-from-drained-savepoint"), "{}", refused.error()?);
    let restored = flink.jobs()?.difference(&before).find_map(|new| {
        let from = flink.restored_from(new).ok().flatten()?;
        same_place(&from, &savepoint).then(|| new.clone())
    });
    ensure!(restored.is_none(), "{restored:?} runs from {savepoint}");
    Ok(())
}

fn cancel(world: &World) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let retention = "execution.checkpointing.externalized-checkpoint-retention";
    let kept = flink.job(json!({ retention: "RETAIN_ON_CANCELLATION" }))?;
    let passed = http::call("PATCH", &format!("{}/jobs/{kept}?mode=cancel", gate.url()), &[], None)?;
    ensure!(passed.status == 202, "{} {}", passed.status, passed.text());
    flink.wait(&kept, "CANCELED")?;

    let lost = flink.job(json!({ retention: "DELETE_ON_CANCELLATION" }))?;
    for (method, path) in [("PATCH", "?mode=cancel"), ("PATCH", ""), ("GET", "/yarn-cancel")] {
        let refused = http::call(method, &format!("{}/jobs/{lost}{path}", gate.url()), &[], None)?;
        ensure!(refused.status == 403, "{method} {path}: {} {}", refused.status, refused.text());
        ensure!(refused.error()?.contains("cancel-deletes-checkpoints"), "{}", refused.error()?);
    }
    ensure!(flink.state(&lost)? == "RUNNING", "cancelled although refused");
    flink.give_up(&lost)
}

fn unchanged(world: &World) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let index = http::get(&format!("{}/", flink.url))?.well()?.text();
    let mut paths: BTreeSet<String> =
        ["/", "/config", "/jars", "/jobmanager/config", "/taskmanagers", "/favicon.ico"].map(str::to_owned).into();
    for attribute in ["src=\"", "href=\""] {
        let found = index.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
        paths.extend(found.filter(|path| !path.contains(':') && !path.starts_with('#')).map(|path| format!("/{path}")));
    }
    ensure!(paths.iter().any(|path| path.ends_with(".js")), "no scripts in {paths:?}");
    let mut largest = 0;
    for path in paths {
        let direct = http::get(&format!("{}{path}", flink.url))?;
        let through = http::get(&format!("{}{path}", gate.url()))?;
        ensure!(direct.status == through.status, "{path}: {} and {}", direct.status, through.status);
        // Task managers are alive: their heartbeats differ from one moment to the next.
        ensure!(path == "/taskmanagers" || direct.digest() == through.digest(), "{path} differs");
        for name in ["content-type", "cache-control", "last-modified"] {
            ensure!(direct.header(name) == through.header(name), "{path}: `{name}` differs");
        }
        largest = largest.max(through.body.len());
    }
    ensure!(largest > 300_000, "nothing large among them: {largest} bytes at most");
    Ok(())
}

/// Whether two spellings name the same folder.
fn same_place(a: &str, b: &str) -> bool {
    let plain =
        |location: &str| location.trim_start_matches("file:").trim_start_matches("//").trim_end_matches('/').to_owned();
    plain(a) == plain(b)
}
