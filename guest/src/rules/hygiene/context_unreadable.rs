//! Context that cannot be read: the operator's last reconciled spec (DOMAIN 6.8), or a platform's answer to a read.

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "context-unreadable",
    title: "context cannot be read",
    family: "hygiene",
    why: "What runs now is not known, so rules that compare with it can say nothing.",
    source: "DOMAIN 4.1 and 4.5 (lastReconciledSpec is a JSON text and can be broken); DESIGN 4",
    looks_at: &[
        (Dialect::Kubernetes, "`lastReconciledSpec` and `lastStableSpec` in the status, answers to reads"),
        (Dialect::Ververica, "answers to reads"),
        (Dialect::Alibaba, "answers to reads"),
        (Dialect::FlinkRest, "answers to reads"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ContextUnreadable, stage, report);
}
