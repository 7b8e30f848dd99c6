//! A job or cluster with nothing to run on: parallelism or TaskManagers below one (DOMAIN 4.5, V16, V17, V28).

use crate::document::Node;
use crate::finding::Report;
use crate::number;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::rules::operator::{self, ALWAYS, Referred};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "parallelism-not-positive",
    title: "parallelism or TaskManagers below one",
    family: "operator",
    why: "The operator refuses it: a job with nothing to run on does not run.",
    source: "FKO V16, V17, V28",
    looks_at: &[(Dialect::Kubernetes, "`spec.job.parallelism` and `spec.taskManager.replicas`")],
    facts: &["related", "absent"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// What is too small.
struct Lack<'d> {
    /// `None`: absent, which counts as 0.
    value: Option<Node<'d>>,
    message: &'static str,
    remedy: &'static str,
}

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment, Kind::SessionJob]) else { return };
    let session_job = subject.declaration.kind == Kind::SessionJob;
    let Some(lack) = lack(subject.spec, session_job) else { return };
    let was = subject.old.is_some_and(|old| self::lack(old, session_job).is_some());
    match subject.cluster() {
        // Until the cluster is there, the operator does not look at the job.
        Some(Referred::Absent) => return,
        Some(Referred::Unknown) if !was => return subject.lacks_cluster(report),
        _ => {}
    }
    let place = Place::of(lack.value.or(subject.spec.job()).or(subject.spec.node));
    if let Some(draft) = subject.refuse(report, ALWAYS, was, &place, lack.message) {
        let observed = lack.value.map_or("none", |value| value.source());
        draft.observed(observed).expected("at least 1").remedy(lack.remedy);
    }
}

/// A number of TaskManagers stands for the parallelism. A session job runs on those of its cluster, whose number does
/// not count.
fn lack<'d>(spec: Spec<'d>, session_job: bool) -> Option<Lack<'d>> {
    let replicas = spec.get("taskManager").and_then(|it| it.get("replicas")).filter(|_| !session_job);
    if let Some(replicas) = replicas {
        return wrong(
            replicas,
            "`taskManager.replicas` is less than one: the operator refuses it",
            "`taskManager.replicas` is no whole number of 32 bits: it cannot be read",
        );
    }
    spec.job()?;
    match spec.of_job("parallelism") {
        Some(parallelism) => wrong(
            parallelism,
            "`job.parallelism` is less than one: the operator refuses it",
            "`job.parallelism` is no whole number of 32 bits: it cannot be read",
        ),
        None => Some(Lack {
            value: None,
            message: "`job.parallelism` is not set, which counts as 0: the operator refuses it",
            remedy: "set `spec.job.parallelism`",
        }),
    }
}

/// The cluster stores whole numbers of 64 bits, and those written `2.0`; the operator reads them into 32 bits, or fails.
fn wrong<'d>(node: Node<'d>, below: &'static str, unreadable: &'static str) -> Option<Lack<'d>> {
    let number = node.scalar().filter(|_| node.is_number()).and_then(|text| number::parse(&text));
    let lack = |message, remedy| Some(Lack { value: Some(node), message, remedy });
    match number {
        Some(number) if number.fract() != 0.0 || number.abs() > f64::from(i32::MAX) => {
            lack(unreadable, "write a whole number from 1 to 2147483647")
        }
        Some(number) if number < 1.0 => {
            lack(below, "set it to at least 1; to stop the job, set `spec.job.state: suspended`")
        }
        Some(_) => None,
        None => lack(unreadable, "write a whole number from 1 to 2147483647, without quotes"),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{CLUSTER, SILENT, deployment, of_manifest, of_update, only, session_job, unjudged};

    #[test]
    fn taskmanagers_stand_for_the_parallelism() {
        let with = |parallelism: &str, replicas: &str| {
            let spec = deployment("").replace("parallelism: 2", parallelism);
            of_manifest(&RULE, &spec.replace("taskManager: {", &format!("taskManager: {{{replicas}")), "{}")
        };
        assert_eq!(with("parallelism: 2", ""), SILENT);
        assert_eq!(with("parallelism: 0", ""), only(Effect::Deny));
        assert_eq!(with("parallelism: -1", ""), only(Effect::Deny));
        assert_eq!(with("entryClass: a.B", ""), only(Effect::Deny), "absent counts as 0");
        assert_eq!(with("parallelism: 0", "replicas: 1, "), SILENT);
        assert_eq!(with("parallelism: 2", "replicas: 0, "), only(Effect::Deny));
        let cluster =
            deployment("").replace("job: {jarURI: local:///a.jar, parallelism: 2, upgradeMode: stateless}", "");
        assert_eq!(of_manifest(&RULE, &cluster, "{}"), SILENT);
        let none = cluster.replace("taskManager: {", "taskManager: {replicas: 0, ");
        assert_eq!(of_manifest(&RULE, &none, "{}"), only(Effect::Deny), "V28");
    }

    #[test]
    fn the_operator_reads_whole_numbers_of_32_bits() {
        let with = |number: &str| {
            let spec = deployment("");
            let parallelism = spec.replace("parallelism: 2", &format!("parallelism: {number}"));
            let replicas = spec.replace("taskManager: {", &format!("taskManager: {{replicas: {number}, "));
            let judged = of_manifest(&RULE, &parallelism, "{}");
            assert_eq!(of_manifest(&RULE, &replicas, "{}"), judged, "{number}");
            judged
        };
        for number in ["1", "2147483647", "2.0", "2e3"] {
            assert_eq!(with(number), SILENT, "{number}");
        }
        let wrong =
            ["2147483648", "-3000000000", "99999999999999999999", "1e400", "2.5", "0.0", "'2'", "two", "true", "[2]"];
        for number in wrong {
            assert_eq!(with(number), only(Effect::Deny), "{number}");
        }
    }

    #[test]
    fn a_session_job_is_looked_at_once_its_cluster_is_there() {
        let job = session_job("parallelism: 0");
        let replicas = CLUSTER.replace("spec: {", "spec: {taskManager: {replicas: 3}, ");
        assert_eq!(of_manifest(&RULE, &job, &format!("related: [{replicas}]")), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &job, "{}"), unjudged());
        let absent = "absent: [{kind: FlinkDeployment, namespace: prod, name: session}]";
        assert_eq!(of_manifest(&RULE, &job, absent), SILENT);
        assert_eq!(of_manifest(&RULE, &session_job("parallelism: 1"), "{}"), SILENT);
        let renamed = job.replace("/a.jar", "/b.jar");
        assert_eq!(of_update(&RULE, &renamed, &job, &format!("related: [{CLUSTER}]")), only(Effect::Warn));
    }
}
