//! `replay`: a real decision log, judged again with the same settings, with others, and when it is damaged.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use sluicegate::facts::NoSource;
use sluicegate::input::{Envelope, HttpHead};
use sluicegate::logged::settings_digest;
use sluicegate::server::decision_log::{DecisionLog, Entry, Options};
use sluicegate::server::door::{Door, Mode, Timings};
use sluicegate::server::metrics::Metrics;
use sluicegate::{Api, Fact, Limits, Policy, Settings, Source};

use crate::requests::JOB;
use crate::run::Folder;

const RESTART: &[u8] = b"intent: {restartPlanned: true}";

/// A log of a drain, a look, and a body that cannot be read, as the server would write it.
fn log(folder: &Folder) {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let metrics = Arc::new(Metrics::new("0.1.0", policy.digest()));
    let options = Options { path: folder.path().join("decisions.jsonl"), bytes: 1 << 20, keep: 1 };
    let log = DecisionLog::open(options, metrics).unwrap();
    let calls = [
        ("drain", "POST", format!("/jobs/{JOB}/stop"), b"{\"drain\": true}".to_vec()),
        ("look", "GET", "/jobs/overview".to_owned(), Vec::new()),
        ("odd", "POST", format!("/jobs/{JOB}/stop"), vec![0xff, 0x00, 0x81]),
    ];
    for (id, method, target, body) in calls {
        let head = HttpHead { api: Some(Api::FlinkRest), method: method.to_owned(), target, headers: Vec::new() };
        let request = sluicegate::input::Request { envelope: Envelope::Http(head), body: body.clone() };
        let facts = [Fact::declared(Source::Operator, RESTART)];
        let outcome = request.lend(None, |it| policy.decide(it, &facts, &Settings::default(), &NoSource));
        log.record(Entry {
            at: UNIX_EPOCH + Duration::from_secs(1_795_255_200),
            id: id.to_owned(),
            door: Door::Proxy(Api::FlinkRest),
            mode: Mode::Enforce,
            caller: None,
            envelope: request.envelope,
            body: Some(body.into()),
            live: None,
            declared: vec![(Source::Operator, RESTART.into())],
            observed: Vec::new(),
            settings: settings_digest(None).into(),
            policy: policy.digest().into(),
            outcome: outcome.map(|verdict| verdict.document).map_err(|error| error.to_string()),
            passed: false,
            timings: Timings::default(),
        });
    }
    log.close();
}

#[test]
fn the_same_policy_says_the_same() {
    let folder = Folder::with(&[]);
    log(&folder);
    let run = folder.run(&["replay", "decisions.jsonl"]);
    assert_eq!((run.code, run.out.as_str()), (0, "2 judged again, 0 differ, 1 left out\n"), "{}", run.err);
    assert!(run.err.contains("decisions.jsonl:3: left out: not all of it is in the log"), "{}", run.err);
}

#[test]
fn other_settings_are_named_and_what_they_change() {
    let folder = Folder::with(&[("soft.yaml", "rules: {drain-with-planned-restart: {level: warn}}\n")]);
    log(&folder);
    let run = folder.run(&["replay", "decisions.jsonl", "--settings", "soft.yaml"]);
    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(run.out.starts_with("decisions.jsonl:1  2026-11-21T10:00:00.000Z proxy drain\n"), "{}", run.out);
    for line in
        ["decision: deny before, allow now", "+ warn drain-with-planned-restart", "- deny drain-with-planned-restart"]
    {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(run.out.ends_with("2 judged again, 1 differ, 1 left out\n"), "{}", run.out);
    assert_eq!(run.err.matches("the settings then were shipped").count(), 1, "{}", run.err);
}

#[test]
fn a_damaged_line_stops_no_other() {
    let folder = Folder::with(&[]);
    log(&folder);
    let text = std::fs::read_to_string(folder.path().join("decisions.jsonl")).unwrap();
    folder.write("damaged.jsonl", format!("{{\"torn\n\n{text}").as_bytes());
    let run = folder.run(&["replay", "damaged.jsonl"]);
    assert_eq!((run.code, run.out.as_str()), (2, "2 judged again, 0 differ, 1 left out\n"));
    assert!(run.err.contains("damaged.jsonl:1: this is no line of a decision log"), "{}", run.err);
    assert_eq!(folder.run(&["replay", "gone.jsonl"]).code, 2);
}
