//! A field that the platform does not read: it is dropped without a word (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "unknown-lifecycle-field",
    title: "field not known to this request",
    family: "hygiene",
    why: "Unknown fields are dropped without a word: a misspelt savepoint path starts the job empty, a misspelt cancel leaves it running.",
    source: "REC R2, R3; VVPCTL (cancel sent spec.status); DOMAIN 3.3",
    looks_at: &[
        (Dialect::Kubernetes, "fields of `spec` and `spec.job`"),
        (Dialect::Ververica, "fields of the resource, `spec.status`"),
        (Dialect::Alibaba, "fields of the body"),
        (Dialect::FlinkRest, "fields of the body and query parameters"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::UnknownLifecycleField, stage, report);
}
