//! Standby JobManagers without high availability (DOMAIN 4.5, V26).

use crate::configuration::HIGH_AVAILABILITY;
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "standby-jobmanager-needs-ha",
    title: "standby JobManagers without high availability",
    family: "configuration",
    why: "Without high availability nobody elects a leader, and each JobManager would run the job: the operator \
        refuses the deployment.",
    source: "FKO V26",
    looks_at: &[(
        Dialect::Kubernetes,
        "`spec.jobManager.replicas` beside `high-availability.type` of a FlinkDeployment",
    )],
    facts: &["platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let Some(replicas) = standby(subject.spec) else { return };
    if stage.current.configuration.is_highly_available() == Some(true) {
        return;
    }
    let was = subject.old.is_some_and(|old| standby(old).is_some())
        && subject.before(|it| it.is_highly_available() != Some(true));
    if !subject.settles(HIGH_AVAILABILITY) {
        return subject.lacks_configuration(report, ALWAYS, was);
    }
    let message = "more than one JobManager needs high availability, which is off: the operator refuses the deployment";
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &Place::Body(replicas), message) {
        draft.observed(replicas.source()).expected("high-availability.type").remedy(
            "set `high-availability.type: kubernetes` with `high-availability.storageDir`, or \
             `spec.jobManager.replicas: 1`",
        );
    }
}

/// The number of JobManagers, if it is more than one.
fn standby<'d>(spec: Spec<'d>) -> Option<Node<'d>> {
    let replicas = spec.get("jobManager")?.get("replicas")?;
    replicas.integer().is_some_and(|number| number > 1).then_some(replicas)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only, unjudged};

    const KNOWN: &str = "platform: {flinkConfiguration: {}}";

    fn standby(settings: &str) -> String {
        deployment(settings).replace("jobManager: {", "jobManager: {replicas: 2, ")
    }

    #[test]
    fn a_second_jobmanager_needs_high_availability() {
        assert_eq!(of_manifest(&RULE, &standby(""), KNOWN), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &standby(""), "{}"), unjudged());
        assert_eq!(of_manifest(&RULE, &standby("high-availability.type: NONE"), "{}"), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &standby("high-availability.type: kubernetes"), "{}"), SILENT);
        assert_eq!(of_manifest(&RULE, &standby("").replace("replicas: 2", "replicas: 1"), KNOWN), SILENT);
        assert_eq!(of_manifest(&RULE, &deployment(""), KNOWN), SILENT);
        assert_eq!(of_update(&RULE, &standby("a: b"), &standby(""), KNOWN), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &standby(""), &deployment(""), KNOWN), only(Effect::Deny));
    }
}
