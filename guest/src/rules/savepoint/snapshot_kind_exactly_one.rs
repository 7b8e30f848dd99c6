//! A snapshot resource that asks for both a savepoint and a checkpoint, or for neither (DOMAIN 4.5, V41).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::rules::operator::{self, SNAPSHOTS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot-kind-exactly-one",
    title: "snapshot of both kinds, or of none",
    family: "savepoint",
    why: "The operator refuses it: no snapshot is taken, and the upgrade that was to start from it has none.",
    source: "FKO V41",
    looks_at: &[(Dialect::Kubernetes, "`spec.savepoint` and `spec.checkpoint` of a FlinkStateSnapshot")],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Snapshot]) else { return };
    let kinds = |spec: Spec<'_>| (spec.get("savepoint").is_some(), spec.get("checkpoint").is_some());
    let (savepoint, checkpoint) = kinds(subject.spec);
    if savepoint != checkpoint {
        return;
    }
    let was = subject.old.is_some_and(|old| kinds(old) == (savepoint, checkpoint));
    let message = match savepoint {
        true => "the snapshot asks for a savepoint and a checkpoint at once: the operator refuses it",
        false => "the snapshot asks for neither a savepoint nor a checkpoint: the operator refuses it",
    };
    let place = Place::Body(subject.spec.get("checkpoint").or(subject.spec.node).unwrap_or(subject.object.node));
    if let Some(draft) = subject.refuse(report, SNAPSHOTS, was, &place, message) {
        draft.expected("either `spec.savepoint` or `spec.checkpoint`").remedy(match savepoint {
            true => "leave one of them out; for both, create two snapshots",
            false => "add `savepoint: {}`, or `checkpoint: {}`",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, of_manifest, of_update, only, snapshot};

    #[test]
    fn one_kind_it_must_be() {
        for (kinds, expected) in [
            ("savepoint: {}", SILENT),
            ("checkpoint: {}", SILENT),
            ("savepoint: {}, checkpoint: null", SILENT),
            ("savepoint: {}, checkpoint: {}", only(Effect::Deny)),
            ("backoffLimit: 1", only(Effect::Deny)),
        ] {
            assert_eq!(of_manifest(&RULE, &snapshot(kinds), "{}"), expected, "{kinds}");
        }
        let both = snapshot("savepoint: {}, checkpoint: {}");
        assert_eq!(of_manifest(&RULE, &both, "platform: {operatorVersion: 1.9.0}"), only(Effect::Note));
        assert_eq!(of_manifest(&RULE, &both, "platform: {operatorVersion: '1.10'}"), only(Effect::Deny));
        let patient = both.replace("checkpoint: {}", "checkpoint: {}, backoffLimit: 3");
        assert_eq!(of_update(&RULE, &patient, &both, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &both, &snapshot("savepoint: {}"), "{}"), only(Effect::Deny));
    }
}
