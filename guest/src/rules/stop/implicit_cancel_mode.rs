//! A PATCH of a job that does not say what it wants, and cancels (DOMAIN 6.2).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "implicit-cancel-mode",
    title: "cancel is only the default mode",
    family: "stop",
    why: "A PATCH without mode cancels the job, without a savepoint; who forgets the parameter loses the job.",
    source: "REC R15",
    looks_at: &[(Dialect::FlinkRest, "PATCH `/jobs/:jobid` without `mode`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ImplicitCancelMode, stage, report);
}
