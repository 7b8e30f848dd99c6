//! A field without which the platform cannot carry out the request (DOMAIN 6.8).

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "required-field-missing",
    title: "required field is missing",
    family: "hygiene",
    why: "The platform refuses the request, or does something else than asked; a stop that does not happen is noticed late.",
    source: "ALI-SDK StopJob and StartJobWithParams; VVP-SW; REC (disposal without savepoint-path); V44",
    dialects: &[Dialect::Kubernetes, Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest],
    effect: Effect::Deny,
    example: "POST /api/v2/namespaces/prod/jobs/5af6%3Astop {}  (no stopStrategy, no workspace header)",
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::RequiredFieldMissing, stage, report);
}
