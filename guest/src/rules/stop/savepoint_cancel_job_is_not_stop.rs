//! A savepoint that cancels the job is no stop with savepoint (DOMAIN 6.2).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-cancel-job-is-not-stop",
    title: "savepoint with cancel-job instead of a stop",
    family: "stop",
    why: "Between the savepoint and the cancel the job goes on, and no sink is told to commit: a restart from the savepoint \
          can repeat or lose output. A stop with savepoint ends the job exactly there.",
    source: "FLINK-21666, FLINK-13123; DOMAIN 3.4",
    looks_at: &[(Dialect::FlinkRest, "`cancel-job` of POST `/jobs/:jobid/savepoints`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::SavepointCancelJob, stage, report);
}
