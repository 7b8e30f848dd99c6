//! A field without which the platform cannot carry out the request (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "required-field-missing",
    title: "required field is missing",
    family: "hygiene",
    why: "The platform refuses the request, or does something else than asked; a stop that does not happen is noticed late.",
    source: "ALI-SDK StopJob and StartJobWithParams; VVP-SW; REC (disposal without savepoint-path); V44",
    looks_at: &[
        (Dialect::Kubernetes, "session jobs without `spec.job`, updates without `spec`"),
        (Dialect::Ververica, "savepoints without `metadata.deploymentId`, PUT without `spec.state`"),
        (
            Dialect::Alibaba,
            "stops without `stopStrategy`, calls without `workspace`, starts and savepoints without `deploymentId`",
        ),
        (Dialect::FlinkRest, "`/savepoint-disposal` without `savepoint-path`"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::RequiredFieldMissing, stage, report);
}
