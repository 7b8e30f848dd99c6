//! Deletes, what amounts to one, and who is never denied.

use super::{RUNNING, SPEC, decoded, deployment, resource, review, with};
use crate::operation::{Action, Operation};

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
fn a_session_job_leaves_to_its_cluster_what_it_does_not_say() {
    const SWITCH: &str = "kubernetes.operator.job.savepoint-on-deletion";
    let first = |own: &str, facts: &str| {
        let spec =
            format!("{{deploymentName: cluster, flinkConfiguration: {{{own}}}, job: {{upgradeMode: savepoint}}}}");
        let finalizer = "finalizers: [flinksessionjobs.flink.apache.org/finalizer]";
        let old = resource("FlinkSessionJob", finalizer, &spec, RUNNING);
        let words = decoded(&review("FlinkSessionJob", "DELETE", "jane", "null", &old), facts);
        words.split_once("first ").and_then(|(_, rest)| rest.split_once(", stateful")).map(|(it, _)| it.to_owned())
    };
    let (on, off) = (format!("{SWITCH}: true"), format!("{SWITCH}: false"));
    let says =
        |own: &str, facts: &str, known: &str| assert_eq!(first(own, facts).as_deref(), Some(known), "{own} {facts}");
    let cluster = |settings: &str| {
        format!(
            "{{related: [{{kind: FlinkDeployment, metadata: {{name: cluster, namespace: prod}}, \
             spec: {{flinkConfiguration: {{{settings}}}}}}}]}}"
        )
    };
    let defaults = format!("{{platform: {{flinkConfiguration: {{{on}}}}}}}");
    says("", "{}", "None");
    says("", &defaults, "None");
    says("", &cluster(""), "Some(false)");
    says("", &cluster(&on), "Some(true)");
    says(&off, "{}", "Some(false)");
    says(&off, &cluster(&on), "Some(false)");
    says(&on, "{}", "Some(true)");
    says("", "{absent: [{kind: FlinkDeployment, namespace: prod, name: cluster}]}", "Some(false)");
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

/// An update of a resource that is being deleted.
fn terminating(new: &str, old: &str, status: &str) -> String {
    let stamp =
        |object: String| object.replace("finalizers:", "deletionTimestamp: '2026-11-21T10:00:00Z', finalizers:");
    let (new, old) = (stamp(deployment(new, status)), stamp(deployment(old, status)));
    review("FlinkDeployment", "UPDATE", "jane", &new, &old)
}

#[test]
fn nothing_restarts_while_it_is_deleted() {
    let settings = |text: &str| SPEC.replace("flinkConfiguration: {}", &format!("flinkConfiguration: {{{text}}}"));
    let drains = settings("kubernetes.operator.job.drain-on-savepoint-deletion: 'true'");
    assert_eq!(decoded(&terminating(&drains, SPEC, RUNNING), "{}"), "change prod/orders Nothing, arms drain");
    let image = drains.replace("flink:2.2", "flink:2.3");
    assert_eq!(decoded(&terminating(&image, &drains, RUNNING), "{}"), "change prod/orders Nothing");
    let suspended = drains.replace("upgradeMode: savepoint", "upgradeMode: savepoint, state: suspended");
    assert_eq!(decoded(&terminating(&suspended, &drains, RUNNING), "{}"), "change prod/orders Nothing");
}

#[test]
fn the_savepoint_on_deletion_switched_off_at_the_end_is_a_delete_without_one() {
    let on = SPEC.replace(
        "flinkConfiguration: {}",
        "flinkConfiguration: {kubernetes.operator.job.savepoint-on-deletion: 'true'}",
    );
    let lost = "delete prod/orders first Some(false), stateful Some(true), deployed Some(true), fresh false; change prod/orders Nothing";
    assert_eq!(decoded(&terminating(SPEC, &on, RUNNING), "{}"), lost);
    assert_eq!(decoded(&terminating(&on.replace("'true'", "'false'"), &on, RUNNING), "{}"), lost);
    assert_eq!(decoded(&terminating(&on, SPEC, RUNNING), "{}"), "change prod/orders Nothing");
    let over = RUNNING.replace("RUNNING", "FINISHED");
    assert_eq!(decoded(&terminating(SPEC, &on, &over), "{}"), "change prod/orders Nothing");
    let defaults = "{platform: {flinkConfiguration: {kubernetes.operator.job.savepoint-on-deletion: true}}}";
    assert_eq!(decoded(&terminating(SPEC, &on, RUNNING), defaults), "change prod/orders Nothing");
    // While it lives, the edit only arms.
    let drops = |new: &str, old: &str| {
        let body = review("FlinkDeployment", "UPDATE", "jane", &deployment(new, RUNNING), &deployment(old, RUNNING));
        with(&body, "{}", |decoded| match decoded.stages.first().and_then(|stage| stage.operations.first()) {
            Some(Operation { action: Action::Change(change), .. }) => change.drops_savepoint_on_delete.is_some(),
            _ => false,
        })
    };
    assert!(drops(SPEC, &on) && drops(&on.replace("'true'", "'false'"), &on));
    assert!(!drops(&on, SPEC) && !drops(&on.replace("flink:2.2", "flink:2.3"), &on));
}

#[test]
fn the_way_out_is_never_denied() {
    let lenient =
        |body: &str| with(body, "{}", |decoded| decoded.stages.first().and_then(|stage| stage.leniency).is_some());
    let suspended = SPEC.replace("upgradeMode: savepoint", "upgradeMode: savepoint, state: suspended");
    let upgraded = SPEC.replace("flink:2.2", "flink:2.3");
    for (state, expected) in [("RUNNING", false), ("FAILED", true), ("RESTARTING", true), ("FAILING", true)] {
        let status = RUNNING.replace("RUNNING", state);
        let old = deployment(SPEC, &status);
        assert_eq!(lenient(&review("FlinkDeployment", "DELETE", "jane", "null", &old)), expected, "{state}");
        let update = |new: &str| lenient(&review("FlinkDeployment", "UPDATE", "jane", &deployment(new, &status), &old));
        assert_eq!(update(&suspended), expected, "{state}");
        assert!(!update(&upgraded), "{state}");
    }
    let never = deployment(SPEC, "{}");
    assert!(lenient(&review("FlinkDeployment", "DELETE", "jane", "null", &never)));
    // Its finalizer is what a resource hangs on that is being deleted.
    let old = terminating(SPEC, SPEC, RUNNING);
    let (object, rest) = old.split_once("oldObject").unwrap();
    let taken = object.replace(", finalizers: [flinkdeployments.flink.apache.org/finalizer]", "");
    assert!(lenient(&format!("{taken}oldObject{rest}")));
}

#[test]
fn nobody_has_seen_a_job_run_whose_jobmanager_is_lost() {
    let state = |status: &str, facts: &str| {
        let body = review("FlinkDeployment", "DELETE", "jane", "null", &deployment(SPEC, status));
        with(&body, facts, |decoded| {
            let state = decoded.stages.first().and_then(|stage| stage.current.state.as_ref());
            state.map(|state| state.word().to_owned())
        })
    };
    for word in ["MISSING", "ERROR"] {
        let lost = RUNNING.replace("{lifecycleState", &format!("{{jobManagerDeploymentStatus: {word}, lifecycleState"));
        assert_eq!(state(&lost, "{}"), None, "{word}");
        assert_eq!(state(&lost.replace("RUNNING", "FAILED"), "{}").as_deref(), Some("FAILED"), "{word}");
        assert_eq!(state(&lost, "{job: {status: RUNNING}}").as_deref(), Some("RUNNING"), "{word}");
    }
    let there = RUNNING.replace("{lifecycleState", "{jobManagerDeploymentStatus: READY, lifecycleState");
    assert_eq!(state(&there, "{}").as_deref(), Some("RUNNING"));
}

#[test]
fn a_fresh_savepoint_of_another_job_does_not_count() {
    let fresh = |facts: &str| {
        let facts = format!("{{now: '2026-11-21T10:00:00Z', {facts}}}");
        let old = deployment(SPEC, RUNNING).replace("name: orders,", "name: orders, uid: u-1,");
        decoded(&review("FlinkDeployment", "DELETE", "jane", "null", &old), &facts).ends_with("fresh true")
    };
    let owned = |owner: &str| {
        fresh(&format!(
            "savepoints: [{{id: a, deploymentId: {owner}, state: COMPLETED, createdAt: '2026-11-21T09:50:00Z'}}]"
        ))
    };
    assert!(owned("orders") && owned("u-1") && owned("prod/orders"));
    assert!(!owned("payments") && !owned("u-2"));
    let snapshot = |namespace: &str| {
        fresh(&format!(
            "related: [{{kind: FlinkStateSnapshot, metadata: {{name: s, {namespace}}}, spec: {{jobReference: {{kind: FlinkDeployment, name: orders}}, savepoint: {{}}}}, status: {{state: COMPLETED, resultTimestamp: '2026-11-21T09:50:00Z'}}}}]"
        ))
    };
    assert!(snapshot("namespace: prod") && snapshot("labels: {}"));
    assert!(!snapshot("namespace: dev"));
}
