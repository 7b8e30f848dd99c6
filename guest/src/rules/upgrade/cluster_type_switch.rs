//! A deployment turned into another type of cluster: with or without a job, native or standalone (DOMAIN 4.5, V36-V39).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Spec, Stage};
use crate::rules::operator::{self, ALWAYS, Last, STANDALONE, Since};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cluster-type-switch",
    title: "switch to another type of cluster",
    family: "upgrade",
    why: "The operator refuses the switch. Where its webhook is off it goes on with the spec it last ran, and no later \
        change reaches the job until the switch is taken back.",
    source: "FKO V36-V39; DOMAIN 4.2-12",
    looks_at: &[(
        Dialect::Kubernetes,
        "`spec.job` and `spec.mode` beside `status.reconciliationStatus.lastReconciledSpec`",
    )],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let last = match subject.last() {
        Last::Spec(last) => last,
        Last::Never => return,
        Last::Unknown => {
            if subject.old.is_some_and(|old| switches(old, subject.spec).next().is_some()) {
                report.unjudged(operator::LAST_SPEC);
            }
            return;
        }
    };
    for Switch { field, from, to, since } in switches(last, subject.spec) {
        let message = format!(
            "a {from} cannot become a {to}: the operator refuses it, or goes on with the spec it last ran and applies \
             no later change"
        );
        if let Some(draft) = subject.refuse(report, since, false, &subject.field(field), &message) {
            draft.observed(to).expected(from).remedy(format!(
                "leave `spec.{field}` as it was; for a {to}, take a savepoint, and create a deployment of another name"
            ));
        }
    }
}

struct Switch {
    field: &'static str,
    from: &'static str,
    to: &'static str,
    since: Since,
}

fn switches(last: Spec<'_>, new: Spec<'_>) -> impl Iterator<Item = Switch> {
    let kind = |spec: Spec<'_>| if spec.job().is_some() { "job cluster" } else { "session cluster" };
    // Without a mode it is native.
    let mode = |spec: Spec<'_>| if spec.is_standalone() { "standalone cluster" } else { "native cluster" };
    let fields = [("job", kind(last), kind(new), ALWAYS), ("mode", mode(last), mode(new), STANDALONE)];
    let switch = |(field, from, to, since)| (from != to).then_some(Switch { field, from, to, since });
    fields.into_iter().filter_map(switch)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, last_ran, of_manifest, of_update, only, unjudged};

    const JOB: &str = r#"{"job": {"parallelism": 2}, "mode": "native"}"#;
    const SESSION: &str = r#"{"job": null, "mode": null}"#;
    const STANDALONE: &str = r#"{"job": {}, "mode": "standalone"}"#;

    fn session() -> String {
        deployment("").replace("job: {jarURI: local:///a.jar, parallelism: 2, upgradeMode: stateless}", "")
    }

    fn standalone() -> String {
        deployment("").replace("spec: {", "spec: {mode: standalone, ")
    }

    #[test]
    fn all_four_switches_are_told() {
        for (manifest, last, expected) in [
            (deployment(""), SESSION, only(Effect::Deny)),
            (session(), JOB, only(Effect::Deny)),
            (standalone(), JOB, only(Effect::Deny)),
            (deployment(""), STANDALONE, only(Effect::Deny)),
            (deployment(""), JOB, SILENT),
            (session(), SESSION, SILENT),
            (standalone(), STANDALONE, SILENT),
        ] {
            assert_eq!(of_update(&RULE, &manifest, &last_ran(&manifest, last), "{}"), SILENT, "the spec stays");
            let live = last_ran(&manifest, last).replace("image: 'flink:2.2'", "image: 'flink:2.1'");
            assert_eq!(of_update(&RULE, &manifest, &live, "{}"), expected, "{last}");
        }
        let live = last_ran(&deployment(""), JOB);
        let old = "platform: {operatorVersion: '1.1'}";
        assert_eq!(of_update(&RULE, &standalone(), &live, old), only(Effect::Note));
        assert_eq!(of_update(&RULE, &session(), &live, old), only(Effect::Deny));
    }

    #[test]
    fn before_the_first_deployment_everything_goes() {
        let fresh = deployment("").replacen("spec: {", "status: {}, spec: {", 1);
        assert_eq!(of_update(&RULE, &session(), &fresh, "{}"), SILENT);
        assert_eq!(of_manifest(&RULE, &session(), "{}"), SILENT);
        assert_eq!(of_update(&RULE, &session(), &deployment(""), "{}"), unjudged(), "no status");
        assert_eq!(of_update(&RULE, &deployment("a: b"), &deployment(""), "{}"), SILENT);
    }
}
