//! A PATCH of a job that does not say what it wants, and cancels (DOMAIN 6.2).

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "implicit-cancel-mode",
    title: "cancel is only the default mode",
    family: "stop",
    why: "A PATCH without mode cancels the job, without a savepoint; who forgets the parameter loses the job.",
    source: "REC R15",
    dialects: &[Dialect::FlinkRest],
    effect: Effect::Warn,
    example: "PATCH /jobs/42aedb6e5490ff65f60746294f1d1f35",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ImplicitCancelMode, stage, report);
}
