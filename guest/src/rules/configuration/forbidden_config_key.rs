//! Settings that belong to the operator: where the cluster lives, and its name (DOMAIN 4.5, V07).

use crate::configuration::Key;
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "forbidden-config-key",
    title: "setting that the operator keeps to itself",
    family: "configuration",
    why: "The operator refuses it: it names cluster and namespace itself, and a job under another name would not find \
        its own state.",
    source: "FKO V07",
    looks_at: &[(
        Dialect::Kubernetes,
        "`kubernetes.namespace`, `kubernetes.cluster-id`, `high-availability.cluster-id` of a FlinkDeployment",
    )],
    facts: &["platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// Older spellings are not looked at.
const FORBIDDEN: &[Key] = &[&["kubernetes.namespace"], &["kubernetes.cluster-id"], &["high-availability.cluster-id"]];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    for key in FORBIDDEN {
        let Some(entry) = stage.current.configuration.entry(key) else { continue };
        let was = subject.before(|before| before.entry(key).is_some());
        let message = format!("`{}` is the operator's to set: it refuses the deployment", entry.key);
        if let Some(draft) = subject.refuse(report, ALWAYS, was, &subject.place(key), &message) {
            draft
                .observed(entry.value.as_ref())
                .remedy("take it out of `spec.flinkConfiguration`: namespace and name of the resource say the same");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only, session_job};

    #[test]
    fn three_keys_are_forbidden() {
        for settings in [
            "kubernetes.namespace: prod",
            "kubernetes.cluster-id: orders",
            "high-availability.cluster-id: orders",
            "high-availability: {type: kubernetes, cluster-id: orders}",
        ] {
            assert_eq!(of_manifest(&RULE, &deployment(settings), "{}"), only(Effect::Deny), "{settings}");
        }
        for settings in
            ["", "random: config", "high-availability.zookeeper.path.namespace: a", "kubernetes: {cluster-id: null}"]
        {
            assert_eq!(of_manifest(&RULE, &deployment(settings), "{}"), SILENT, "{settings}");
        }
        let job =
            session_job("parallelism: 1").replace("job: {", "flinkConfiguration: {kubernetes.namespace: a}, job: {");
        assert_eq!(of_manifest(&RULE, &job, "{}"), SILENT, "the operator does not ask session jobs");
        let defaults = "platform: {flinkConfiguration: {kubernetes.cluster-id: x}}";
        assert_eq!(of_manifest(&RULE, &deployment(""), defaults), only(Effect::Deny));
        let (old, new) = (deployment("kubernetes.namespace: prod"), deployment("kubernetes.namespace: prod, a: b"));
        assert_eq!(of_update(&RULE, &new, &old, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &new, &deployment(""), "{}"), only(Effect::Deny));
    }
}
