//! A field that the platform does not read: it is dropped without a word (DOMAIN 6.8).

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "unknown-lifecycle-field",
    title: "field not known to this request",
    family: "hygiene",
    why: "Unknown fields are dropped without a word: a misspelt savepoint path starts the job empty, a misspelt cancel leaves it running.",
    source: "REC R2, R3; VVPCTL (cancel sent spec.status); DOMAIN 3.3",
    dialects: &[Dialect::Kubernetes, Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest],
    effect: Effect::Deny,
    example: "POST /jars/orders.jar/run {\"savepoint_path\": \"s3://flink/savepoints/savepoint-4d502f\"}",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::UnknownLifecycleField, stage, report);
}
