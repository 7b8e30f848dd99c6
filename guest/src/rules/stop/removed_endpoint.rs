//! Requests that Flink no longer carries out (DOMAIN 6.2).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "removed-endpoint",
    title: "endpoint was removed",
    family: "stop",
    why: "Flink answers 308 or 503 and the job goes on; a script that does not look believes it stopped or rescaled.",
    source: "REC R17; FLINK-12312",
    looks_at: &[(Dialect::FlinkRest, "`mode=stop`, `/yarn-stop`, `/rescaling`")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::RemovedEndpoint, stage, report);
}
