//! The operator's table of changed fields, line by line.

use super::{Difference, is_rollback_to};
use crate::document::{Document, Reading};
use crate::operation::Spec;

const OLD: &str = "
image: flink:2.2
restartNonce: 1
mode: native
flinkConfiguration: {a.b: 1, kubernetes.operator.x: y, taskmanager.numberOfTaskSlots: 2}
taskManager: {replicas: 2, resource: {cpu: 1}}
job: {parallelism: 2, upgradeMode: savepoint, savepointTriggerNonce: 1, savepointRedeployNonce: 1, entryClass: A}";

/// Applies `change` to the text of the old spec, and names the categories that it falls into.
fn categories(change: (&str, &str)) -> String {
    let new = OLD.replace(change.0, change.1);
    assert_ne!(new, OLD, "{change:?} changes nothing");
    compare(OLD, &new)
}

fn compare(old: &str, new: &str) -> String {
    let parse = |text| Document::parse(text, Reading::JsonOrYaml).unwrap();
    let (old, new) = (parse(old.as_bytes()), parse(new.as_bytes()));
    let found = Difference::between(Spec::at(Some(old.root())), Spec::at(Some(new.root())));
    let name = |found: Option<_>, name: &'static str| found.map(|_| name);
    [
        name(found.upgrade, "upgrade"),
        name(found.scale, "scale"),
        name(found.ignored, "ignored"),
        name(found.redeploy, "redeploy"),
        name(found.savepoint, "savepoint"),
        name(found.checkpoint, "checkpoint"),
        name(found.state, "state"),
        found.cluster_type.then_some("cluster-type"),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" ")
}

#[test]
fn each_field_has_the_effect_that_the_operator_gives_it() {
    for (change, expected) in [
        (("flink:2.2", "flink:2.3"), "upgrade"),
        (("restartNonce: 1", "restartNonce: 2"), "upgrade"),
        (("restartNonce: 1\n", ""), "ignored"),
        (("mode: native", "mode: standalone"), "upgrade"),
        (("a.b: 1", "a.b: 2"), "upgrade"),
        (("a.b: 1, ", ""), "upgrade"),
        (("a.b: 1, ", "a.b: 1, job.autoscaler.enabled: true, "), "ignored"),
        (("a.b: 1, ", "a.b: 1, parallelism.default: 4, "), "ignored"),
        (("a.b: 1, ", "a.b: 1, pipeline.jobvertex-parallelism-overrides: 'x:2', "), "scale"),
        (("kubernetes.operator.x: y", "kubernetes.operator.x: z"), "ignored"),
        (("kubernetes.operator.x: y, ", ""), "ignored"),
        (("replicas: 2", "replicas: 3"), "upgrade"),
        (("mode: native\nflinkConf", "mode: native\nnew: 1\nflinkConf"), "upgrade"),
        (("parallelism: 2", "parallelism: 4"), "scale"),
        (("upgradeMode: savepoint", "upgradeMode: stateless"), "ignored"),
        (("upgradeMode: savepoint, ", ""), "ignored"),
        (("entryClass: A", "entryClass: A, initialSavepointPath: s3://a/b"), "ignored"),
        (("entryClass: A", "entryClass: A, allowNonRestoredState: true"), "ignored"),
        (("entryClass: A", "entryClass: A, autoscalerResetNonce: 3"), "ignored"),
        (("entryClass: A", "entryClass: B"), "upgrade"),
        (("savepointTriggerNonce: 1", "savepointTriggerNonce: 2"), "savepoint"),
        (("savepointTriggerNonce: 1, ", ""), "ignored"),
        (("entryClass: A", "entryClass: A, checkpointTriggerNonce: 3"), "checkpoint"),
        (("savepointRedeployNonce: 1", "savepointRedeployNonce: 2"), "redeploy"),
        (("savepointRedeployNonce: 1, ", ""), "ignored"),
        (("entryClass: A", "entryClass: A, state: suspended"), "state"),
    ] {
        assert_eq!(categories(change), expected, "{change:?}");
    }
    assert_eq!(compare(OLD, OLD.split("job:").next().unwrap()), "ignored cluster-type");
}

#[test]
fn another_spelling_of_the_same_spec_is_no_change() {
    for change in [
        ("a.b: 1", "a: {b: 1}"),
        ("a.b: 1", "a.b: '1'"),
        ("entryClass: A", "entryClass: A, state: running"),
        ("entryClass: A", "entryClass: A, args: []"),
        ("entryClass: A", "entryClass: A, initialSavepointPath: null"),
    ] {
        assert_eq!(categories(change), "", "{change:?}");
    }
}

#[test]
fn standalone_clusters_scale_by_replicas() {
    let old = OLD.replace("native", "standalone");
    assert_eq!(compare(&old, &old.replace("replicas: 2", "replicas: 3")), "scale");
    assert_eq!(compare(&old, &old.replace("cpu: 1", "cpu: 2")), "upgrade");
}

#[test]
fn a_rollback_is_told_from_a_change() {
    let back = |new: &str| {
        let parse = |text| Document::parse(text, Reading::JsonOrYaml).unwrap();
        let (stable, new) = (parse(OLD.as_bytes()), parse(new.as_bytes()));
        is_rollback_to(Spec::at(Some(stable.root())), Spec::at(Some(new.root())))
    };
    assert!(back(OLD));
    assert!(back(
        &OLD.replace("restartNonce: 1", "restartNonce: 9").replace("upgradeMode: savepoint", "upgradeMode: last-state")
    ));
    assert!(back(&OLD.replace("entryClass: A", "entryClass: A, args: [], state: running")));
    assert!(!back(&OLD.replace("a.b: 1", "a.b: 2")));
    assert!(!back(&OLD.replace("flink:2.2", "flink:2.3")));
    assert!(!back(&OLD.replace("entryClass: A", "entryClass: A, state: suspended")));
}

#[test]
fn what_the_operator_reads_alike_is_no_change() {
    let old = "jobManager: {resource: {cpu: 1, memory: 2048m}}
podTemplate: {spec: {containers: [{resources: {limits: {cpu: 1}}}]}}
job: {parallelism: 2}";
    let new = "jobManager: {replicas: 1, resource: {cpu: 1.0, memory: 2048m}}
podTemplate: {spec: {containers: [{resources: {limits: {cpu: '1'}}}]}}
job: {parallelism: 2}";
    assert_eq!(compare(old, new), "");
    assert_eq!(compare(new, old), "");
    for (from, to) in [("replicas: 1", "replicas: 2"), ("cpu: 1.0", "cpu: 1.5"), ("cpu: '1'", "cpu: '2'")] {
        assert_eq!(compare(old, &new.replace(from, to)), "upgrade", "{to}");
    }
}
