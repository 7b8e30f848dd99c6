//! A request that could change something, but that no decoder knows (DOMAIN 6.12).

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "unknown-request",
    title: "request not known on this platform",
    family: "hygiene",
    why: "What it does to the job cannot be told, and a path or encoding that is read differently on the way can hide a stop from the gate.",
    source: "DOMAIN 6.12 and 8 (spellings recorded on Flink 1.20.5 and 2.3.0)",
    dialects: &[Dialect::Kubernetes, Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest],
    effect: Effect::Deny,
    example: "POST /jobs/42ae%2fstop {\"drain\": true}",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::UnknownRequest, stage, report);
}
