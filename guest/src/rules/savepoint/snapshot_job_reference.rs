//! A snapshot resource that does not say of which job (DOMAIN 4.5, V42).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Spec, Stage};
use crate::rules::operator::{self, SNAPSHOTS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot-job-reference",
    title: "snapshot of no job",
    family: "savepoint",
    why: "The operator refuses it: no snapshot is taken, and the upgrade that was to start from it has none.",
    source: "FKO V42",
    looks_at: &[(Dialect::Kubernetes, "`spec.jobReference` of a FlinkStateSnapshot")],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Snapshot]) else { return };
    if !lacks(subject.spec) {
        return;
    }
    let was = subject.old.is_some_and(lacks);
    let message = "the snapshot names no job: the operator refuses it";
    if let Some(draft) = subject.refuse(report, SNAPSHOTS, was, &subject.field("jobReference"), message) {
        draft.expected("`spec.jobReference` with `kind` and `name`").remedy(
            "set `spec.jobReference: {kind: FlinkDeployment, name: …}`; only a savepoint with `alreadyExists: true` \
             needs none",
        );
    }
}

/// A reference without a name refers to nothing either.
fn lacks(spec: Spec<'_>) -> bool {
    let name = spec.get("jobReference").and_then(|reference| reference.get("name")).and_then(|name| name.scalar());
    !exists_already(spec) && name.is_none_or(|name| name.is_empty())
}

/// A savepoint that is only made known: the operator looks at nothing else.
pub(in crate::rules) fn exists_already(spec: Spec<'_>) -> bool {
    spec.get("savepoint").and_then(|it| it.get("alreadyExists")?.bool()) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, of_manifest, of_update, only, snapshot};

    const REFERENCE: &str = "jobReference: {kind: FlinkDeployment, name: job}, ";

    #[test]
    fn a_snapshot_names_its_job() {
        let whole = snapshot("savepoint: {}");
        assert_eq!(of_manifest(&RULE, &whole, "{}"), SILENT);
        let none = whole.replace(REFERENCE, "");
        assert_eq!(of_manifest(&RULE, &none, "{}"), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &whole.replace(", name: job", ""), "{}"), only(Effect::Deny));
        let known = none.replace("savepoint: {}", "savepoint: {alreadyExists: true, path: 's3://b/s'}");
        assert_eq!(of_manifest(&RULE, &known, "{}"), SILENT);
        let denied = none.replace("savepoint: {}", "savepoint: {alreadyExists: false, path: 's3://b/s'}");
        assert_eq!(of_manifest(&RULE, &denied, "{}"), only(Effect::Deny));
        let checkpoint = none.replace("savepoint: {}", "checkpoint: {}");
        assert_eq!(of_manifest(&RULE, &checkpoint, "{}"), only(Effect::Deny));
        assert_eq!(of_update(&RULE, &checkpoint, &none, "{}"), only(Effect::Warn));
    }
}
