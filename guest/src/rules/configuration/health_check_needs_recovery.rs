//! A health check whose findings nobody may act on (DOMAIN 4.5, V09).

use crate::configuration::{Configuration, DEPLOYMENT_RECOVERY, HEALTH_CHECK};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, HEALTH_CHECKS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "health-check-needs-recovery",
    title: "health check without recovery",
    family: "configuration",
    why: "An unhealthy cluster is replaced as a lost one is: with recovery off the operator refuses the deployment.",
    source: "FKO V09",
    looks_at: &[(
        Dialect::Kubernetes,
        "`kubernetes.operator.cluster.health-check.enabled` beside `kubernetes.operator.jm-deployment-recovery.enabled` \
         of a FlinkDeployment",
    )],
    facts: &["platform.flinkConfiguration", "platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    // Recovery is on unless something says otherwise.
    let off = |it: &Configuration<'_>| it.is_on(DEPLOYMENT_RECOVERY) == Some(false);
    let asks = |it: &Configuration<'_>| it.is_on(HEALTH_CHECK) == Some(true);
    let now = &stage.current.configuration;
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]).filter(|_| asks(now)) else { return };
    let was = subject.before(|it| asks(it) && off(it) == off(now));
    if !subject.settles(DEPLOYMENT_RECOVERY) {
        return subject.lacks_configuration(report, HEALTH_CHECKS, was);
    }
    if !off(now) {
        return;
    }
    let message = "the health check is on, and recovery of the deployment is off: the operator refuses it";
    if let Some(draft) = subject.refuse(report, HEALTH_CHECKS, was, &subject.place(DEPLOYMENT_RECOVERY), message) {
        draft.expected("kubernetes.operator.jm-deployment-recovery.enabled: true").remedy(
            "take `kubernetes.operator.jm-deployment-recovery.enabled: false` out, or the health check with it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only, unjudged};

    const KNOWN: &str = "platform: {flinkConfiguration: {}}";
    const ON: &str = "kubernetes.operator.cluster.health-check.enabled: true";
    const OFF: &str = "kubernetes.operator.jm-deployment-recovery.enabled: false";

    #[test]
    fn recovery_must_not_be_off() {
        let both = deployment(&format!("{ON}, {OFF}"));
        assert_eq!(of_manifest(&RULE, &both, "{}"), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &both, "platform: {operatorVersion: '1.2'}"), only(Effect::Note));
        assert_eq!(of_manifest(&RULE, &deployment(ON), KNOWN), SILENT);
        assert_eq!(of_manifest(&RULE, &deployment(ON), "{}"), unjudged());
        assert_eq!(of_manifest(&RULE, &deployment(OFF), KNOWN), SILENT);
        assert_eq!(of_manifest(&RULE, &both.replace("false", "true"), KNOWN), SILENT);
        let defaults = format!("platform: {{flinkConfiguration: {{{OFF}}}}}");
        assert_eq!(of_manifest(&RULE, &deployment(ON), &defaults), only(Effect::Deny));
        assert_eq!(of_update(&RULE, &deployment(&format!("{ON}, {OFF}, a: b")), &both, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &both, &deployment(ON), KNOWN), only(Effect::Deny));
    }
}
