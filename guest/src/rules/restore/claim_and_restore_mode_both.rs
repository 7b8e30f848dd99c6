//! The claim mode under its new and its old name at once (DOMAIN 6.4).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "claim-and-restore-mode-both",
    title: "claim mode given under both its names",
    family: "restore",
    why: "`restoreMode` is the old name of `claimMode`. With both, one is dropped without a word, and with it the answer to \
          who may delete the savepoint.",
    source: "DOMAIN 3.1, 6.4",
    looks_at: &[(Dialect::FlinkRest, "`claimMode` and `restoreMode`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ClaimAndRestoreModeBoth, stage, report);
}
