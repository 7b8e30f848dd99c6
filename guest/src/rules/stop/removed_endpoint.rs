//! Requests that Flink no longer carries out (DOMAIN 6.2).

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "removed-endpoint",
    title: "endpoint was removed",
    family: "stop",
    why: "Flink answers 308 or 503 and the job goes on; a script that does not look believes it stopped or rescaled.",
    source: "REC R17; FLINK-12312",
    dialects: &[Dialect::FlinkRest],
    effect: Effect::Deny,
    example: "PATCH /jobs/42aedb6e5490ff65f60746294f1d1f35?mode=stop",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::RemovedEndpoint, stage, report);
}
