//! A request that could change something, but that no decoder knows (DOMAIN 6.12).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "unknown-request",
    title: "request not known on this platform",
    family: "hygiene",
    why: "What it does to the job cannot be told, and a path or encoding that is read differently on the way can hide a stop from the gate.",
    source: "DOMAIN 6.12 and 8 (spellings recorded on Flink 1.20.5 and 2.3.0)",
    looks_at: &[
        (Dialect::Kubernetes, "kinds, versions and subresources of `flink.apache.org`"),
        (Dialect::Ververica, "method and path"),
        (Dialect::Alibaba, "method and path"),
        (Dialect::FlinkRest, "method and path"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::UnknownRequest, stage, report);
}
