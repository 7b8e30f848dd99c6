//! A snapshot of a job that does not exist (DOMAIN 4.5, V43).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage, Verb, Want};
use crate::rules::operator::{self, Referred, SNAPSHOTS};
use crate::rules::savepoint::snapshot_job_reference::exists_already;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot-target-missing",
    title: "snapshot of a job that does not exist",
    family: "savepoint",
    why: "The operator refuses it: no snapshot is taken, and the upgrade that was to start from it has none.",
    source: "FKO V43",
    looks_at: &[(Dialect::Kubernetes, "the resource that `spec.jobReference` of a FlinkStateSnapshot names")],
    facts: &["related", "absent", "platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Snapshot]) else { return };
    // The operator asks until the snapshot was triggered, and not where it is only made known.
    let waits = subject.declaration.verb == Verb::Create
        || match subject.object.node.get("status") {
            None => true,
            Some(status) => status.get("state").is_some_and(|state| state.is("TRIGGER_PENDING")),
        };
    if !waits || exists_already(subject.spec) {
        return;
    }
    let Some(reference) = subject.spec.get("jobReference") else { return };
    let Some(name) = reference.get("name").and_then(|name| name.scalar()).filter(|name| !name.is_empty()) else {
        return;
    };
    let kind = Kind::of_job(Some(reference)).word();
    let was = subject.old.and_then(|old| old.get("jobReference")).is_some_and(|old| old.same(&reference));
    match subject.find(kind, &name) {
        Referred::Absent => {}
        Referred::Unknown if !was && !subject.is_newer(SNAPSHOTS) => {
            return report.lacks(Want::Cluster, format!("whether the {kind} `{name}` exists (`related`, `absent`)"));
        }
        Referred::Unknown | Referred::Found(_) => return,
    }
    let message = format!("there is no {kind} `{name}` to take a snapshot of: the operator refuses it");
    if let Some(draft) = subject.refuse(report, SNAPSHOTS, was, &subject.field("jobReference"), &message) {
        draft.observed(format!("{kind} {name}")).expected("a resource of this namespace").remedy(
            "check kind and name of `spec.jobReference`; to make a savepoint known whose job is gone, set \
             `savepoint: {alreadyExists: true, path: …}`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, of_manifest, of_update, only, snapshot, unjudged};

    const ABSENT: &str = "absent: [{kind: FlinkDeployment, namespace: prod, name: job}]";

    #[test]
    fn the_job_must_be_there() {
        let whole = snapshot("savepoint: {}");
        assert_eq!(of_manifest(&RULE, &whole, ABSENT), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &whole, "{}"), unjudged());
        let known = "related: [{kind: FlinkDeployment, metadata: {name: job, namespace: prod}, spec: {}}]";
        assert_eq!(of_manifest(&RULE, &whole, known), SILENT);
        let session = whole.replace("kind: FlinkDeployment", "kind: FlinkSessionJob");
        assert_eq!(of_manifest(&RULE, &session, ABSENT), unjudged(), "another kind");
        assert_eq!(of_manifest(&RULE, &session, &ABSENT.replace("Deployment", "SessionJob")), only(Effect::Deny));
        let registered = whole.replace("savepoint: {}", "savepoint: {alreadyExists: true, path: 's3://b/s'}");
        assert_eq!(of_manifest(&RULE, &registered, ABSENT), SILENT);
    }

    #[test]
    fn once_triggered_nobody_asks() {
        let with = |kind: &str, status: &str| snapshot(kind).replacen("spec: {", &format!("{status}spec: {{"), 1);
        let update = |status: &str| {
            let old = with("savepoint: {}", status).replace("name: job", "name: other");
            of_update(&RULE, &with("savepoint: {}", status), &old, ABSENT)
        };
        assert_eq!(update(""), only(Effect::Deny));
        assert_eq!(update("status: {state: TRIGGER_PENDING}, "), only(Effect::Deny));
        for done in ["status: {}, ", "status: {state: IN_PROGRESS}, ", "status: {state: COMPLETED}, "] {
            assert_eq!(update(done), SILENT, "{done}");
        }
        let (old, new) = (with("savepoint: {}", ""), with("savepoint: {}, backoffLimit: 2", ""));
        assert_eq!(of_update(&RULE, &new, &old, ABSENT), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &new, &old, "{}"), SILENT, "at most a warning");
    }
}
