//! Every odd spelling, sent to the real Flink through the proxy and through each gateway. Whatever effect Flink shows, the
//! gate has judged as just that and let pass; the rest never reached Flink, or Flink made nothing of it.

mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::flink::{Effect, Flink, drained, text};
use crate::gate::{Gate, SETTINGS};
use crate::gateway::{Gateway, Kind};
use crate::http;
use crate::place::parts;
use crate::process::until;
use crate::tap::Tap;
use crate::{Named, World, named};
use table::{Names, Spelling, table};

/// How long an effect may take to show.
const SHOWS: Duration = Duration::from_secs(60);

/// Settings under which a drain passes, so that it shows whether what drains was judged as a drain.
const DRAINS_PASS: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {assume: restart}\nrules:\n  \
                           drain-with-planned-restart: {level: warn}\n  restore-from-drained-savepoint: {level: warn}\n";

/// The tests of this file.
pub fn trials() -> Vec<Named> {
    let mut trials = vec![
        named("spellings: proxy", |world| sweep(world, "proxy", None, SETTINGS)),
        named("spellings: proxy, drains pass", |world| sweep(world, "proxy-drains", None, DRAINS_PASS)),
    ];
    trials.extend(Kind::ALL.map(|kind| {
        let name = format!("spellings: {}", kind.name());
        named(&name, move |world| sweep(world, kind.name(), Some(kind), SETTINGS))
    }));
    trials
}

/// What stands in the way to Flink.
struct Way<'w> {
    flink: &'w Flink,
    gate: Gate,
    tap: Tap,
    entrance: SocketAddr,
}

/// What one spelling came to.
struct Outcome {
    effect: Effect,
    /// Where a start took its state from.
    restored: Option<String>,
    reached: bool,
    status: Option<u16>,
}

fn sweep(world: &World, name: &str, kind: Option<Kind>, settings: &str) -> Result<()> {
    let flink = world.flink()?;
    let tap = Tap::open(flink.authority())?;
    let gate =
        Gate::start(&format!("spellings-{name}"), settings, &tap.address.to_string(), &flink.url, &flink.savepoints)?;
    let gateway = kind.map(|kind| Gateway::start("spellings", kind, gate.main, tap.address, None)).transpose()?;
    let entrance = gateway.as_ref().map_or(gate.door, |gateway| gateway.address);
    let way = Way { flink, gate, tap, entrance };

    let mut names = Names { job: flink.running()?, jar: flink.jar.clone(), savepoint: world.drained()?.to_owned() };
    let (mut wrong, mut report, mut counts) = (Vec::new(), String::new(), BTreeMap::new());
    let mut savepoints = 0;
    for spelling in table() {
        let logged = way.gate.decisions().map_or(0, |decisions| decisions.len());
        let outcome = way.send(&spelling, &names, &mut savepoints).with_context(|| spelling.name)?;
        let _ = writeln!(
            report,
            "{}\t{}\t{}\t{:?}{}",
            spelling.name,
            outcome.status.map_or_else(|| "closed".to_owned(), |status| status.to_string()),
            if outcome.reached { "reached Flink" } else { "held back" },
            outcome.effect,
            outcome.restored.as_deref().map(|from| format!(" from {from}")).unwrap_or_default(),
        );
        *counts.entry(format!("{:?}", outcome.effect)).or_insert(0) += 1;
        if outcome.effect == Effect::None {
            continue;
        }
        if let Err(error) = way.judged(&outcome, &names, logged) {
            wrong.push(format!("{}: {error:#}", spelling.name));
        }
        if !matches!(outcome.effect, Effect::Savepoint | Effect::Started) {
            (names.job, savepoints) = (flink.running()?, 0);
        }
    }
    fs::write(parts().join(format!("spellings-{name}.tsv")), &report)?;
    ensure!(wrong.is_empty(), "{}\n\nall of them:\n{report}", wrong.join("\n"));

    // Nothing came late, and the gate was no wall: what is harmless had its effect.
    ensure!(flink.state(&names.job)? == "RUNNING" && flink.savepoints_of(&names.job)? == savepoints, "a late effect");
    ensure!(counts.contains_key("Cancelled") && counts.contains_key("Stopped"), "nothing passed: {counts:?}");
    ensure!(counts.contains_key("Drained") == (settings == DRAINS_PASS), "{counts:?}\n{report}");
    flink.give_up(&names.job)
}

impl Way<'_> {
    /// Sends one and waits for what Flink makes of it.
    fn send(&self, spelling: &Spelling, names: &Names, savepoints: &mut u64) -> Result<Outcome> {
        let before = self.flink.jobs()?;
        self.tap.take();
        let answer = http::raw(self.entrance, &spelling.with(names))?;
        let seen = sent_on(&self.tap.take());
        let reached = !seen.is_empty();
        let status = http::status(&answer);
        let mut outcome = Outcome { effect: Effect::None, restored: None, reached, status };
        if !reached {
            return Ok(outcome);
        }
        if spelling.restores() {
            if status == Some(200) {
                let started =
                    until("started job", SHOWS, || Ok(self.flink.jobs()?.difference(&before).next().cloned()))?;
                let settled = self.flink.wait(&started, "RUNNING");
                outcome.effect = Effect::Started;
                outcome.restored = self.flink.restored_from(&started)?;
                self.flink.give_up(&started)?;
                settled?;
            }
            return Ok(outcome);
        }
        let job = &names.job;
        let over = || -> Result<Option<String>> {
            let state = self.flink.state(job)?;
            Ok(["CANCELED", "FINISHED", "FAILED"].contains(&state.as_str()).then_some(state))
        };
        let accepted = String::from_utf8_lossy(&answer).contains("HTTP/1.1 202") || status == Some(202);
        if let Some(trigger) = trigger(&answer) {
            // Whether it failed shows in what became of the job.
            let _ = self.flink.triggered(job, &trigger);
            // Any spelling of a stop ends the job, a plain savepoint does not.
            if !seen.contains("/savepoints") || seen.contains("cancel") {
                let _ = until("end", Duration::from_secs(3), over);
            }
        } else if accepted {
            let _ = until("end", SHOWS, over);
        } else {
            // Longer than Flink's answers may be old.
            sleep(Duration::from_millis(400));
        }
        outcome.effect = match over()?.as_deref() {
            Some("CANCELED") if self.flink.savepoints_of(job)? > *savepoints => Effect::SavedAndCancelled,
            Some("CANCELED") => Effect::Cancelled,
            Some("FINISHED") => {
                let last = until("savepoint of the stop", SHOWS, || {
                    let checkpoints = self.flink.get(&format!("/jobs/{job}/checkpoints"))?;
                    Ok(Some(text(&checkpoints, "/latest/savepoint/external_path")?))
                })?;
                if drained(&last)? { Effect::Drained } else { Effect::Stopped }
            }
            Some(other) => bail!("the job is {other}"),
            None => {
                let taken = self.flink.savepoints_of(job)?;
                let more = taken > *savepoints;
                *savepoints = taken;
                if more { Effect::Savepoint } else { Effect::None }
            }
        };
        Ok(outcome)
    }

    /// That the gate has let just this effect pass.
    fn judged(&self, outcome: &Outcome, names: &Names, logged: usize) -> Result<()> {
        let words = match outcome.effect {
            Effect::None => return Ok(()),
            Effect::Savepoint => "trigger savepoint of",
            // The gate has one word for both: the job is over, and its state is in a savepoint.
            Effect::Stopped | Effect::SavedAndCancelled => "stop with savepoint",
            Effect::Drained => "stop with drain",
            Effect::Cancelled => "cancel",
            Effect::Started => "start",
        };
        // The log is written behind the answer.
        until("judgement of this effect", Duration::from_secs(5), || {
            let decisions = self.gate.decisions()?;
            let new = decisions.get(logged..).unwrap_or_default();
            let passed = |entry: &&Value| entry.get("passed") == Some(&json!(true));
            let says = |entry: &&Value| operations(entry).iter().any(|operation| operation.starts_with(words));
            let about = |entry: &&Value| {
                let text = entry.to_string().to_ascii_lowercase();
                match &outcome.restored {
                    // The folder of the savepoint has a name of its own.
                    Some(from) => text.contains(from.rsplit('/').next().unwrap_or(from)),
                    None => outcome.effect == Effect::Started || text.contains(&names.job),
                }
            };
            if new.iter().filter(passed).filter(says).any(|entry| about(&entry)) {
                return Ok(Some(()));
            }
            let judged: Vec<_> = new.iter().map(|entry| (entry.get("passed").cloned(), operations(entry))).collect();
            bail!("Flink shows {:?} (from {:?}), the gate has judged {judged:?}", outcome.effect, outcome.restored)
        })
    }
}

/// What has come to Flink but for the gate's own questions, in lower case.
fn sent_on(seen: &[u8]) -> String {
    let seen = String::from_utf8_lossy(seen).to_ascii_lowercase();
    let heads = seen.split("\r\n\r\n").filter(|head| !head.is_empty() && !head.contains("user-agent: sluicegate/"));
    heads.collect::<Vec<_>>().join("\r\n\r\n")
}

/// What the gate took a request for, in its words.
fn operations(entry: &Value) -> Vec<String> {
    let operations =
        entry.pointer("/verdict/operations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let summary =
        |operation: &Value| Some(operation.as_str().or_else(|| operation.get("summary")?.as_str())?.to_owned());
    operations.iter().filter_map(summary).collect()
}

/// The id in an answer of Flink that something was begun.
fn trigger(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer).into_owned();
    Some(text.split("\"request-id\":\"").nth(1)?.split('"').next()?.to_owned())
}
