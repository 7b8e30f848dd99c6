//! Deletes, what amounts to one, and who is never denied.

use super::{RUNNING, SPEC, decoded, deployment, resource, review, with};

#[test]
fn deletes_say_what_is_lost() {
    let delete = |spec: &str, status: &str, facts: &str| {
        decoded(&review("FlinkDeployment", "DELETE", "jane", "null", &deployment(spec, status)), facts)
    };
    let plain = "delete prod/orders first Some(false), stateful Some(true), deployed Some(true), fresh false";
    assert_eq!(delete(SPEC, RUNNING, "{}"), plain);
    let first = SPEC.replace(
        "flinkConfiguration: {}",
        "flinkConfiguration: {kubernetes.operator.job.savepoint-on-deletion: 'true'}",
    );
    assert_eq!(delete(&first, RUNNING, "{}"), plain.replace("first Some(false)", "first Some(true)"));
    let defaults = "{platform: {flinkConfiguration: {kubernetes.operator.job.savepoint-on-deletion: true}}}";
    assert_eq!(delete(SPEC, RUNNING, defaults), plain.replace("first Some(false)", "first Some(true)"));
    let stateless = SPEC.replace("savepoint", "stateless");
    assert_eq!(delete(&stateless, RUNNING, "{}"), plain.replace("stateful Some(true)", "stateful Some(false)"));
    let known = RUNNING.replace("state: RUNNING", "state: RUNNING, upgradeSavepointPath: s3://a/b");
    assert_eq!(delete(&stateless, &known, "{}"), plain);
    assert_eq!(delete(SPEC, "{}", "{}"), plain.replace("deployed Some(true)", "deployed Some(false)"));
    for (created, fresh) in [("2026-11-21T09:50:00Z", true), ("2026-11-21T09:40:00Z", false), ("soon", false)] {
        let facts = format!(
            "{{now: '2026-11-21T10:00:00Z', savepoints: [{{location: s3://a/b, state: COMPLETED, createdAt: '{created}'}}]}}"
        );
        assert_eq!(delete(SPEC, RUNNING, &facts), plain.replace("fresh false", &format!("fresh {fresh}")), "{created}");
    }
    let bare = resource("FlinkDeployment", "", &first, RUNNING);
    assert_eq!(decoded(&review("FlinkDeployment", "DELETE", "jane", "null", &bare), "{}"), plain);
}

#[test]
fn taking_finalizer_or_adding_canary_of_a_running_job_is_a_delete() {
    let old = deployment(SPEC, RUNNING);
    let lost = "delete prod/orders first Some(false), stateful Some(true), deployed Some(true), fresh false";
    let update = |object: &str, old: &str| decoded(&review("FlinkDeployment", "UPDATE", "jane", object, old), "{}");
    let without = resource("FlinkDeployment", "", SPEC, RUNNING);
    assert_eq!(update(&without, &old), lost);
    let over = RUNNING.replace("RUNNING", "FINISHED");
    assert_eq!(
        update(&resource("FlinkDeployment", "", SPEC, &over), &deployment(SPEC, &over)),
        "remove finalizer of prod/orders"
    );
    let canary = old.replace("finalizers:", "labels: {flink.apache.org/canary: 'true'}, finalizers:");
    assert_eq!(update(&canary, &old), lost);
    assert_eq!(
        update(&without.replace("namespace: prod, ", "namespace: prod, labels: {a: b}"), &without),
        "leave unchanged prod/orders"
    );
}

#[test]
fn controllers_and_rollbacks_are_never_denied() {
    let reason =
        |body: &str| with(body, "{}", |decoded| decoded.stages.first().and_then(|stage| stage.leniency).is_some());
    let old = deployment(SPEC, RUNNING);
    for (user, expected) in [
        ("jane", false),
        ("system:serviceaccount:kube-system:generic-garbage-collector", true),
        ("system:serviceaccount:flink:flink-operator", true),
        ("system:serviceaccount:flink:flink", false),
    ] {
        assert_eq!(reason(&review("FlinkDeployment", "DELETE", user, "null", &old)), expected, "{user}");
    }
    let owned_by = |api: &str| {
        let owner = format!("{{apiVersion: {api}, kind: FlinkBlueGreenDeployment, controller: true}}");
        let child = old.replace("finalizers:", &format!("ownerReferences: [{owner}], finalizers:"));
        reason(&review("FlinkDeployment", "DELETE", "jane", "null", &child))
    };
    assert!(owned_by("flink.apache.org/v1beta1") && !owned_by("example.org/v1beta1"));

    let stable = "reconciliationStatus: {lastStableSpec: '{\"spec\": {\"image\": \"flink:2.2\", \"flinkVersion\": \"v2_2\", \"restartNonce\": null, \"flinkConfiguration\": {}, \"job\": {\"jarURI\": \"local:///a.jar\", \"parallelism\": 2, \"upgradeMode\": \"stateless\", \"args\": [], \"state\": \"running\"}}}',";
    let status = RUNNING.replace("reconciliationStatus: {", stable);
    let broken = SPEC.replace("flink:2.2", "flink:broken");
    let update = |new: &str, old: &str| {
        reason(&review("FlinkDeployment", "UPDATE", "jane", &deployment(new, &status), &deployment(old, &status)))
    };
    assert!(update(SPEC, &broken));
    assert!(!update(&broken, SPEC));
    let nonce = SPEC.replace("upgradeMode: savepoint", "upgradeMode: savepoint, savepointRedeployNonce: 1");
    assert!(!update(&nonce, &broken));
    // A restart of what runs well is no way back.
    assert!(!update(&SPEC.replace("{image", "{restartNonce: 5, image"), SPEC));
}

#[test]
fn a_delete_is_asked_for_once() {
    let terminating =
        deployment(SPEC, RUNNING).replace("finalizers:", "deletionTimestamp: '2026-11-21T10:00:00Z', finalizers:");
    let body = review("FlinkDeployment", "DELETE", "jane", "null", &terminating);
    assert_eq!(decoded(&body, "{}"), "repeat the delete of prod/orders");
}
