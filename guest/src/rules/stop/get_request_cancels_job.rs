//! The hidden GET that cancels a job (DOMAIN 6.2, 6.12). The cancel itself is judged by the other rules.

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "get-request-cancels-job",
    title: "a GET cancels the job",
    family: "stop",
    why: "Links, crawlers and prefetching send GETs: a job can be cancelled, without a savepoint, by looking at it.",
    source: "REC R16; Flink's own web page cancels this way",
    dialects: &[Dialect::FlinkRest],
    effect: Effect::Warn,
    example: "GET /jobs/42aedb6e5490ff65f60746294f1d1f35/yarn-cancel",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::GetRequestCancelsJob, stage, report);
}
