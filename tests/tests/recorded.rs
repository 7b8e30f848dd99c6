//! Requests recorded from a real Flink and a real Kubernetes API server, judged without any facts. The golden file
//! beside each says what becomes of every one of them: a false denial shows there.

use std::error::Error;
use std::fs;

use sluicegate::facts::NoSource;
use sluicegate::input::{self, Envelope, Found, Request};
use sluicegate::{CheckError, Limits, Policy, Settings};
use sluicegate_tests::{compare, home};

#[test]
fn flink_1_20() {
    judge("flink-1.20.5").unwrap();
}

#[test]
fn flink_2_3() {
    judge("flink-2.3.0").unwrap();
}

#[test]
fn kubernetes() {
    judge("kubernetes-1.36").unwrap();
}

fn judge(name: &str) -> Result<(), Box<dyn Error>> {
    let policy = Policy::embedded(Limits::default())?;
    let bytes = fs::read(home().join("recorded").join(format!("{name}.ndjson")))?;
    let mut lines = String::new();
    for input in input::read(&bytes, None)? {
        let number = input.number;
        let Found::Request(recognised) = input.found else {
            return Err(format!("{name}:{number} is no request").into());
        };
        let request = &recognised.request;
        let ending = ending(&policy, request).map_err(|error| format!("{name}:{number}: {error}"))?;
        let body = String::from_utf8_lossy(&request.body);
        let head = match &request.envelope {
            Envelope::Http(head) => format!("{} {} {}", head.method, head.target, body.replace(char::is_control, "␀")),
            _ => format!("document {number}"),
        };
        lines.push_str(&format!("{}\n  {ending}\n", head.trim_end()));
    }
    Ok(compare(&format!("recorded-{name}.txt"), &lines)?)
}

/// The decision, the rules behind it, and what the request would do; or why it cannot be judged.
fn ending(policy: &Policy, request: &Request) -> Result<String, CheckError> {
    request.lend(None, |lent| match policy.decide(lent, &[], &Settings::default(), &NoSource) {
        Ok(verdict) => {
            let finding = |finding: &sluicegate::Finding| format!("{} {}", word(&finding.effect), finding.rule);
            let rules: Vec<_> = verdict.findings.iter().map(finding).collect();
            let operations: Vec<_> = verdict.operations.iter().map(|operation| operation.summary.as_str()).collect();
            Ok(format!("{} [{}] {}", word(&verdict.decision), rules.join(", "), operations.join(", ")))
        }
        Err(CheckError::Unjudgeable(failure)) => Ok(format!("error: {}", failure.message)),
        Err(error) => Err(error),
    })
}

/// The last part of a variant's name: `deny` of `Decision::Deny`.
fn word(variant: &impl std::fmt::Debug) -> String {
    format!("{variant:?}").rsplit("::").next().unwrap_or_default().to_lowercase()
}
