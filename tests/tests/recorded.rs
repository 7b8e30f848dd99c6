//! Requests recorded from a real Flink and a real Kubernetes API server, judged without any facts. The golden file
//! beside each says what becomes of every one of them: a false denial shows there.

use std::fmt::Write;
use std::fs;

use sluicegate::input::{self, Envelope, Found};
use sluicegate::{CheckError, Limits, Outcome, Policy, Settings};
use sluicegate_tests::{compare, home};

#[test]
fn flink_1_20() {
    judge("flink-1.20.5");
}

#[test]
fn flink_2_3() {
    judge("flink-2.3.0");
}

#[test]
fn kubernetes() {
    judge("kubernetes-1.36");
}

fn judge(name: &str) {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let bytes = fs::read(home().join("recorded").join(name).with_added_extension("ndjson")).unwrap();
    let mut lines = String::new();
    for input in input::read(&bytes, None).unwrap() {
        let Found::Request(recognised) = input.found else { panic!("{name}:{} is no request", input.number) };
        let request = &recognised.request;
        let ending = request.lend(None, |lent| match policy.check(lent, &[], &Settings::default()) {
            Ok(Outcome::Decided(verdict)) => {
                let rules: Vec<_> = verdict
                    .findings
                    .iter()
                    .map(|finding| format!("{} {}", word(&finding.effect), finding.rule))
                    .collect();
                let operations: Vec<_> =
                    verdict.operations.iter().map(|operation| operation.summary.as_str()).collect();
                format!("{} [{}] {}", word(&verdict.decision), rules.join(", "), operations.join(", "))
            }
            Ok(Outcome::Needs(_)) => panic!("{name}:{} asks for facts", input.number),
            Err(CheckError::Unjudgeable(failure)) => format!("error: {}", failure.message),
            Err(error) => panic!("{name}:{}: {error}", input.number),
        });
        let body = String::from_utf8_lossy(&request.body);
        let head = match &request.envelope {
            Envelope::Http(head) => format!("{} {} {}", head.method, head.target, body.replace(char::is_control, "␀")),
            _ => format!("document {}", input.number),
        };
        writeln!(lines, "{}\n  {ending}", head.trim_end()).unwrap();
    }
    compare(&format!("recorded-{name}.txt"), &lines).unwrap();
}

/// The last part of a variant's name: `deny` of `Decision::Deny`.
fn word(variant: &impl std::fmt::Debug) -> String {
    format!("{variant:?}").rsplit("::").next().unwrap_or_default().to_lowercase()
}
