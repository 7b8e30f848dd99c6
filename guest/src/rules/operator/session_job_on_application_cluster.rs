//! A session job whose cluster already runs a job of its own (DOMAIN 4.5, V45).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, ALWAYS, Referred};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "session-job-on-application-cluster",
    title: "session job on an application cluster",
    family: "operator",
    why: "A FlinkDeployment with a job of its own takes no other: the operator refuses the session job.",
    source: "FKO V45",
    looks_at: &[(Dialect::Kubernetes, "the FlinkDeployment that `spec.deploymentName` of a session job names")],
    facts: &["related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::SessionJob]) else { return };
    let Some(name) = subject.spec.get("deploymentName") else { return };
    let was = subject.old.and_then(|old| old.get("deploymentName")).is_some_and(|old| old.same(&name));
    match subject.cluster() {
        Some(Referred::Found(cluster)) if cluster.spec(Kind::Deployment).job().is_some() => {}
        Some(Referred::Unknown) if !was => return subject.lacks_cluster(report),
        _ => return,
    }
    let shown = name.text().unwrap_or_default();
    let message = format!("`{shown}` runs a job of its own, and takes no session job: the operator refuses it");
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &subject.field("deploymentName"), &message) {
        draft
            .observed(shown)
            .expected("a FlinkDeployment without `spec.job`")
            .remedy("name a session cluster in `spec.deploymentName`, or run the job as a FlinkDeployment");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{CLUSTER, SILENT, of_manifest, of_update, only, session_job, unjudged};

    #[test]
    fn the_cluster_must_have_no_job() {
        let job = session_job("parallelism: 1");
        let taken = format!("related: [{}]", CLUSTER.replace("spec: {", "spec: {job: {}, "));
        assert_eq!(of_manifest(&RULE, &job, &taken), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &job, &format!("related: [{CLUSTER}]")), SILENT);
        assert_eq!(of_manifest(&RULE, &job, "{}"), unjudged());
        let absent = "absent: [{kind: FlinkDeployment, namespace: prod, name: session}]";
        assert_eq!(of_manifest(&RULE, &job, absent), SILENT);
        let scaled = job.replace("parallelism: 1", "parallelism: 3");
        assert_eq!(of_update(&RULE, &scaled, &job, &taken), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &scaled, &job, "{}"), SILENT, "at most a warning");
    }
}
