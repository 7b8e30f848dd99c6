//! A value outside the closed list of its field: what the platform makes of it is not what the caller thinks (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "unknown-enum-value",
    title: "value not known for this field",
    family: "hygiene",
    why: "The platform refuses the value, or reads it in a way nobody expects; the job goes on, or ends in another way than meant.",
    source: "DOMAIN 3.3 and 8 (recorded on Flink 1.20.5, 2.2.0 and 2.3.0); VVP-SW enums",
    looks_at: &[
        (Dialect::Kubernetes, "`upgradeMode`, `job.state`, `mode`, `flinkVersion`, snapshot fields"),
        (Dialect::Ververica, "`spec.state`, strategies, annotations"),
        (Dialect::Alibaba, "`stopStrategy`, `restoreStrategy`"),
        (Dialect::FlinkRest, "every field and query parameter that decides"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::UnknownEnumValue, stage, report);
}
