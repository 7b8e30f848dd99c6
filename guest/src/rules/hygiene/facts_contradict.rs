//! A declared fact that the platform itself contradicts (DESIGN section 4): it is stale, or about another target.

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "facts-contradict",
    title: "declared fact that the platform contradicts",
    family: "hygiene",
    why: "A stale declaration makes every judgement that rests on it wrong, and nobody notices.",
    source: "DESIGN 4 (what can be observed is believed of the platform)",
    looks_at: &[
        (Dialect::Kubernetes, "declared facts, and the objects that were read"),
        (Dialect::Ververica, "declared facts, and the deployment, job and savepoints that were read"),
        (Dialect::Alibaba, "declared facts, and the deployment, jobs and savepoints that were read"),
        (Dialect::FlinkRest, "declared facts, and the job and cluster that were read"),
    ],
    facts: &["job", "deployment", "platform", "savepoints", "related"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::FactsContradict, stage, report);
}
