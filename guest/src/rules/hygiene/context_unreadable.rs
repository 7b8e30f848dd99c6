//! Stored context of the request that cannot be read, such as the operator's last reconciled spec (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "context-unreadable",
    title: "context cannot be read",
    family: "hygiene",
    why: "What runs now is not known, so rules that compare with it can say nothing.",
    source: "DOMAIN 4.1 and 4.5 (lastReconciledSpec is a JSON text and can be broken)",
    looks_at: &[(Dialect::Kubernetes, "`status.reconciliationStatus.lastReconciledSpec` and `lastStableSpec`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ContextUnreadable, stage, report);
}
