//! A resource whose namespace is not that of the path it is sent to (DOMAIN 6.7).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "namespace-mismatch",
    title: "body names another namespace than the path",
    family: "permission",
    why: "Permissions and checks go by the path. A body made for another namespace is a copy for the wrong place, or an \
          attempt to reach over.",
    source: "DOMAIN 6.7 (inferred)",
    looks_at: &[(Dialect::Ververica, "`metadata.namespace`"), (Dialect::Alibaba, "`namespace` of a deployment")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::NamespaceMismatch, stage, report);
}
