//! A FlinkDeployment without a service account (DOMAIN 4.5, V48).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "service-account-missing",
    title: "deployment without a service account",
    family: "operator",
    why: "The operator refuses the deployment: its JobManager could not start TaskManagers.",
    source: "FKO V48",
    looks_at: &[(Dialect::Kubernetes, "`spec.serviceAccount` of a FlinkDeployment")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    if subject.spec.get("serviceAccount").is_some() {
        return;
    }
    let was = subject.old.is_some_and(|old| old.get("serviceAccount").is_none());
    let place = Place::Body(subject.spec.node.unwrap_or(subject.object.node));
    let message = "the deployment names no service account: the operator refuses it";
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &place, message) {
        draft.expected("spec.serviceAccount").remedy(
            "set `spec.serviceAccount`; the operator's Helm chart calls it `flink` unless `jobServiceAccount` says \
             otherwise",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only};

    #[test]
    fn a_deployment_needs_one() {
        let without = deployment("").replace("serviceAccount: flink, ", "");
        assert_eq!(of_manifest(&RULE, &without, "{}"), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &deployment(""), "{}"), SILENT);
        let empty = deployment("").replace("serviceAccount: flink", "serviceAccount: ''");
        assert_eq!(of_manifest(&RULE, &empty, "{}"), SILENT, "the operator takes an empty one");
        assert_eq!(of_update(&RULE, &without, &deployment(""), "{}"), only(Effect::Deny));
        let scaled = without.replace("parallelism: 2", "parallelism: 4");
        assert_eq!(of_update(&RULE, &scaled, &without, "{}"), only(Effect::Warn), "DOMAIN 6.0-4");
        let canary = without.replace("metadata: {", "metadata: {labels: {flink.apache.org/canary: 'true'}, ");
        assert_eq!(of_manifest(&RULE, &canary, "{}"), SILENT);
    }
}
