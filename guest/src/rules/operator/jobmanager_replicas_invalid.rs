//! Fewer than one JobManager (DOMAIN 4.5, V25).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "jobmanager-replicas-invalid",
    title: "fewer than one JobManager",
    family: "operator",
    why: "The operator refuses the deployment: without a JobManager no job runs.",
    source: "FKO V25",
    looks_at: &[(Dialect::Kubernetes, "`spec.jobManager.replicas` of a FlinkDeployment")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let replicas = |spec: Spec<'_>| spec.get("jobManager").and_then(|it| it.get("replicas")?.integer());
    let invalid = |spec: Spec<'_>| replicas(spec).filter(|replicas| *replicas < 1);
    let Some(found) = invalid(subject.spec) else { return };
    let place = Place::of(subject.spec.get("jobManager").and_then(|it| it.get("replicas")));
    let was = subject.old.and_then(invalid).is_some();
    let message = "`jobManager.replicas` is less than one: the operator refuses it";
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &place, message) {
        draft.observed(found.to_string()).expected("at least 1").remedy(
            "set `spec.jobManager.replicas: 1`, or leave it out; to stop the job, set `spec.job.state: suspended`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only};

    #[test]
    fn one_is_the_least() {
        let with = |replicas: &str| deployment("").replace("jobManager: {", &format!("jobManager: {{{replicas}"));
        for (replicas, expected) in [
            ("replicas: 0, ", only(Effect::Deny)),
            ("replicas: -1, ", only(Effect::Deny)),
            ("replicas: 1, ", SILENT),
            ("", SILENT),
        ] {
            assert_eq!(of_manifest(&RULE, &with(replicas), "{}"), expected, "{replicas}");
        }
        let scaled = with("replicas: 0, ").replace("parallelism: 2", "parallelism: 4");
        assert_eq!(of_update(&RULE, &scaled, &with("replicas: 0, "), "{}"), only(Effect::Warn));
    }
}
