//! The hidden GET that cancels a job (DOMAIN 6.2, 6.12). The cancel itself is judged by the other rules.

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "get-request-cancels-job",
    title: "a GET cancels the job",
    family: "stop",
    why: "Links, crawlers and prefetching send GETs: a job can be cancelled, without a savepoint, by looking at it.",
    source: "REC R16; Flink's own web page cancels this way",
    looks_at: &[(Dialect::FlinkRest, "GET `/jobs/:jobid/yarn-cancel`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::GetRequestCancelsJob, stage, report);
}
