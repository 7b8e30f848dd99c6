//! Automatic rollback without high availability (DOMAIN 4.5, V08).

use crate::configuration::{Configuration, HIGH_AVAILABILITY, ROLLBACK};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "rollback-needs-ha",
    title: "rollback without high availability",
    family: "configuration",
    why: "A rollback restores from the metadata of high availability: without it the operator refuses the deployment.",
    source: "FKO V08",
    looks_at: &[(
        Dialect::Kubernetes,
        "`kubernetes.operator.deployment.rollback.enabled` beside `high-availability.type` of a FlinkDeployment",
    )],
    facts: &["platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let lacks = |it: &Configuration<'_>| it.is_on(ROLLBACK) == Some(true) && it.is_highly_available() != Some(true);
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]).filter(|_| lacks(&stage.current.configuration))
    else {
        return;
    };
    let was = subject.before(lacks);
    if !subject.settles(HIGH_AVAILABILITY) {
        return subject.lacks_configuration(report, ALWAYS, was);
    }
    let message = "rollback is on, and high availability is not: the operator refuses the deployment";
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &subject.place(ROLLBACK), message) {
        draft.expected("high-availability.type").remedy(
            "set `high-availability.type: kubernetes` with `high-availability.storageDir`, or take \
             `kubernetes.operator.deployment.rollback.enabled` out",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only, unjudged};

    const KNOWN: &str = "platform: {flinkConfiguration: {}}";
    const ON: &str = "kubernetes.operator.deployment.rollback.enabled: true";

    #[test]
    fn rollback_needs_high_availability() {
        let with = |settings: &str| of_manifest(&RULE, &deployment(&format!("{ON}, {settings}")), KNOWN);
        for off in
            ["a: b", "high-availability.type: NONE", "high-availability: none", "high-availability.type: standalone"]
        {
            assert_eq!(with(off), only(Effect::Deny), "{off}");
        }
        for on in [
            "high-availability.type: kubernetes",
            "high-availability: zookeeper",
            "high-availability.type: ''",
            "high-availability: {type: org.example.Factory}",
        ] {
            assert_eq!(with(on), SILENT, "{on}");
        }
        assert_eq!(of_manifest(&RULE, &deployment(&ON.replace("true", "false")), KNOWN), SILENT);
        assert_eq!(of_manifest(&RULE, &deployment(""), KNOWN), SILENT);
    }

    #[test]
    fn the_defaults_may_bring_it() {
        assert_eq!(of_manifest(&RULE, &deployment(ON), "{}"), unjudged());
        let none = deployment(&format!("{ON}, high-availability.type: NONE"));
        assert_eq!(of_manifest(&RULE, &none, "{}"), only(Effect::Deny));
        let defaults = "platform: {flinkConfiguration: {high-availability.type: kubernetes}}";
        assert_eq!(of_manifest(&RULE, &deployment(ON), defaults), SILENT);
        let edited = deployment(&format!("{ON}, a: b"));
        assert_eq!(of_update(&RULE, &edited, &deployment(ON), KNOWN), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &edited, &deployment(ON), "{}"), SILENT, "at most a warning");
    }
}
