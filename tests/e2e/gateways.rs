//! Envoy and nginx, with the configurations as shipped, before the real Flink: they ask the gate, and do what it says.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::flink::{drained, jar_file, text, upload};
use crate::gate::{Gate, SETTINGS};
use crate::gateway::{Gateway, Kind};
use crate::http::{self, Reply, digest};
use crate::place::classes;
use crate::tap::Tap;
use crate::{Named, World, named};

/// The tests of this file.
pub fn trials() -> Vec<Named> {
    let trials = Kind::ALL.map(|kind| {
        [
            named(&format!("{}: asks, and does what the gate says", kind.name()), move |world| judged(world, kind)),
            named(&format!("{}: believes no name but its own", kind.name()), move |world| callers(world, kind)),
            named(&format!("{}: nothing passes when the gate is gone", kind.name()), move |world| gone(world, kind)),
        ]
    });
    trials.into_iter().flatten().collect()
}

fn judged(world: &World, kind: Kind) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let tap = Tap::open(flink.authority())?;
    let gateway = Gateway::start("judged", kind, gate.main, tap.address, None)?;
    let url = gateway.url();
    let job = flink.job(json!({}))?;
    let stop = format!("{url}/jobs/{job}/stop");

    // A jar of three megabytes streams past, and the jar that Flink stores is the same.
    let jar = classes().join("BigJob.jar");
    let uploaded = upload(&url, &jar)?.well()?;
    ensure!(uploaded.decision().starts_with("allow"), "decision `{}`", uploaded.decision());
    ensure!(digest(&fs::read(jar_file(&uploaded)?)?) == digest(&fs::read(&jar)?), "the jar arrived changed");
    let list = http::get(&format!("{url}/jobs"))?.well()?;
    ensure!(list.text().contains(&job), "{}", list.text());
    tap.take();

    // Refused, in Flink's own form: a drain, the same in UTF-16 (which Flink parses), and a body too long to be judged.
    let wide: Vec<u8> = r#"{"drain":true}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let padded = format!(r#"{{"drain":true,"x":"{}"}}"#, "x".repeat(3 << 20));
    for (what, body, status) in [
        ("a drain", &br#"{"drain":true}"#[..], 403),
        ("a drain in UTF-16", &wide, 403),
        ("a long body", padded.as_bytes(), 413),
    ] {
        let refused = http::call("POST", &stop, &[("content-type", "application/json")], Some(body))?;
        ensure!(refused.status == status, "{what}: {} {}", refused.status, refused.text());
        let reason = refused.error()?;
        let rule = status == 413 || reason.contains("drain-with-planned-restart");
        ensure!(rule && !reason.is_empty(), "{what}: `{reason}`");
        ensure!(tap.take().is_empty(), "{what} reached Flink");
    }
    ensure!(flink.state(&job)? == "RUNNING" && flink.savepoints_of(&job)? == 0, "a refused request left traces");

    let passed = http::post(&stop, &json!({"drain": false}))?;
    ensure!(passed.decision().starts_with("allow"), "decision `{}`", passed.decision());
    let savepoint = flink.operation(&job, &passed)?;
    flink.wait(&job, "FINISHED")?;
    ensure!(!drained(&savepoint)?, "{savepoint} is drained");
    Ok(())
}

fn callers(world: &World, kind: Kind) -> Result<()> {
    let (flink, gate) = (world.flink()?, world.gate()?);
    let tap = Tap::open(flink.authority())?;
    let job = flink.job(json!({}))?;
    // What a caller forges: a name, and that its body need not be looked at.
    let forged = [
        ("x-sluicegate-principal", "ops"),
        ("x-sluicegate-intent", "final"),
        ("x-sluicegate-body", "withheld"),
        ("x-sluicegate-override", "drain-with-planned-restart"),
    ];
    let drain = |gateway: &Gateway| -> Result<Reply> {
        http::call("POST", &format!("{}/jobs/{job}/stop", gateway.url()), &forged, Some(br#"{"drain":true}"#))
    };

    let plain = Gateway::start("plain", kind, gate.main, tap.address, None)?;
    let refused = drain(&plain)?;
    ensure!(refused.status == 403, "{} {}", refused.status, refused.text());
    ensure!(tap.take().is_empty() && flink.state(&job)? == "RUNNING", "a refused drain reached Flink");
    drop(plain);

    // The same gateway, now one that has authenticated its caller as `ops`.
    let naming = Gateway::start("naming", kind, gate.main, tap.address, Some("ops"))?;
    let passed = drain(&naming)?;
    let savepoint = flink.operation(&job, &passed)?;
    ensure!(drained(&savepoint)?, "{savepoint} is not drained");
    let seen = String::from_utf8_lossy(&tap.take()).to_ascii_lowercase();
    ensure!(seen.contains(&job) && !seen.contains("x-sluicegate"), "headers of the gate reached Flink: {seen}");
    Ok(())
}

fn gone(world: &World, kind: Kind) -> Result<()> {
    let flink = world.flink()?;
    let tap = Tap::open(flink.authority())?;
    let name = format!("gone-{}", kind.name());
    let mut gate = Gate::start(&name, SETTINGS, flink.authority(), &flink.url, &flink.savepoints)?;
    let gateway = Gateway::start("gone", kind, gate.main, tap.address, None)?;
    ensure!(http::get(&format!("{}/overview", gateway.url()))?.status == 200, "nothing passes while the gate is there");
    tap.take();

    gate.kill();
    let url = gateway.url();
    let any = "00000000000000000000000000000000";
    for reply in [
        http::post(&format!("{url}/jobs/{any}/stop"), &json!({"drain": false}))?,
        http::call("PATCH", &format!("{url}/jobs/{any}"), &[], None)?,
        upload(&url, &classes().join("StatefulJob.jar"))?,
        http::get(&format!("{url}/jobs"))?,
    ] {
        ensure!(reply.status == 503, "{} {}", reply.status, reply.text());
        ensure!(text(&reply.json()?, "/errors/0")?.contains("sluicegate"), "{}", reply.text());
    }
    ensure!(tap.take().is_empty(), "something reached Flink");
    Ok(())
}
