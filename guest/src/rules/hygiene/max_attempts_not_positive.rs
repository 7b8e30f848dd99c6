//! Limits of attempts that allow none (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "max-attempts-not-positive",
    title: "no attempts allowed",
    family: "hygiene",
    why: "With no attempt allowed a suspend would never take its savepoint, or a job would never be created.",
    source: "DOMAIN 6.8 (inferred); VVP events TOO_MANY_FAILED_SUSPENSION_ATTEMPTS, TOO_MANY_FAILED_JOB_CREATION_ATTEMPTS",
    looks_at: &[(Dialect::Ververica, "`maxSavepointCreationAttempts`, `maxJobCreationAttempts`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::MaxAttemptsNotPositive, stage, report);
}
