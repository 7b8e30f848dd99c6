//! Creates and updates of FlinkDeployments.

use super::{RUNNING, SPEC, SUSPENDED, decoded, deployment, manifest, resource, review, updated, with};
use crate::operation::{Action, Operation};

#[test]
fn upgrades_follow_the_mode_and_the_state() {
    let image = ("flink:2.2", "flink:2.3");
    let drain =
        ("flinkConfiguration: {}", "flinkConfiguration: {kubernetes.operator.job.drain-on-savepoint-deletion: true}");
    let drained = SPEC.replace(drain.0, drain.1);
    let restarting = RUNNING.replace("RUNNING", "RESTARTING");
    let case = |old: &str, status: &str, changes: &[_]| updated(old, status, changes);
    assert_eq!(
        case(SPEC, RUNNING, &[image]),
        "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped"
    );
    assert_eq!(
        case(&drained, RUNNING, &[image]),
        "change prod/orders Applied; drain for upgrade prod/orders; restart prod/orders from Stopped"
    );
    assert_eq!(
        case(&drained, &restarting, &[image]),
        "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped"
    );
    let last_state = drained.replace("upgradeMode: savepoint", "upgradeMode: last-state");
    assert_eq!(
        case(&last_state, RUNNING, &[image]),
        "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped"
    );
    let stateless = drained.replace("upgradeMode: savepoint", "upgradeMode: stateless");
    assert_eq!(
        case(&stateless, RUNNING, &[image]),
        "change prod/orders Applied; cancel for upgrade prod/orders; restart prod/orders from Empty"
    );
    assert_eq!(case(SPEC, RUNNING, &[drain]), "change prod/orders Nothing, arms drain");
    assert_eq!(case(&drained, RUNNING, &[(drain.1, drain.0)]), "change prod/orders Nothing");
    assert_eq!(
        case(SPEC, RUNNING, &[drain, image]),
        "change prod/orders Applied; drain for upgrade prod/orders; restart prod/orders from Stopped"
    );
}

#[test]
fn suspends_and_resumes_keep_what_the_stored_mode_kept() {
    let suspend = ("upgradeMode: savepoint", "upgradeMode: savepoint, state: suspended");
    assert_eq!(updated(SPEC, RUNNING, &[suspend]), "change prod/orders Nothing; suspend prod/orders");
    let old = SPEC.replace(suspend.0, suspend.1);
    let resume = (suspend.1, suspend.0);
    assert_eq!(
        updated(&old, &SUSPENDED.replace("MODE", "savepoint"), &[resume]),
        "change prod/orders Applied; resume prod/orders from Stopped"
    );
    assert_eq!(
        updated(&old, &SUSPENDED.replace("MODE", "stateless"), &[resume]),
        "change prod/orders Applied; resume prod/orders from Empty"
    );
    assert_eq!(
        updated(&old, &SUSPENDED.replace("MODE", "savepoint"), &[(suspend.1, "upgradeMode: stateless")]),
        "change prod/orders Applied; resume prod/orders from Empty"
    );
    assert_eq!(
        updated(&old, &SUSPENDED.replace("MODE", "savepoint"), &[("flink:2.2", "flink:2.3")]),
        "change prod/orders Nothing"
    );
}

#[test]
fn nonces_and_scaling_do_what_they_say() {
    let add = |text: &'static str| ("upgradeMode: savepoint", text);
    let redeploy = add("upgradeMode: savepoint, savepointRedeployNonce: 1, initialSavepointPath: s3://a/b");
    assert_eq!(
        updated(SPEC, RUNNING, &[redeploy]),
        "change prod/orders Applied; cancel for upgrade prod/orders; redeploy prod/orders from Location(\"s3://a/b\")"
    );
    assert_eq!(
        updated(SPEC, RUNNING, &[add("upgradeMode: savepoint, savepointTriggerNonce: 1")]),
        "trigger savepoint of prod/orders"
    );
    assert_eq!(
        updated(SPEC, RUNNING, &[add("upgradeMode: savepoint, checkpointTriggerNonce: 1")]),
        "trigger checkpoint of prod/orders"
    );
    assert_eq!(
        updated(SPEC, RUNNING, &[("parallelism: 2", "parallelism: 4")]),
        "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped"
    );
    let adaptive = SPEC.replace("flinkConfiguration: {}", "flinkConfiguration: {jobmanager.scheduler: adaptive}");
    assert_eq!(
        updated(&adaptive, RUNNING, &[("parallelism: 2", "parallelism: 4")]),
        "change prod/orders Applied; rescale prod/orders"
    );
    let old_flink = adaptive.replace("v2_2", "v1_17");
    assert!(updated(&old_flink, RUNNING, &[("parallelism: 2", "parallelism: 4")]).contains("stop for upgrade"));
    let standalone = SPEC.replace("{image", "{mode: standalone, image");
    assert_eq!(
        updated(&standalone, RUNNING, &[("parallelism: 2", "parallelism: 4")]),
        "change prod/orders Applied; rescale prod/orders"
    );
}

#[test]
fn a_job_that_never_ran_only_changes() {
    assert_eq!(
        updated(SPEC, "{}", &[("flink:2.2", "flink:2.3")]),
        "change prod/orders Nothing; create and start prod/orders from Empty"
    );
}

#[test]
fn creates_start_from_their_path() {
    let create =
        |spec: &str| decoded(&review("FlinkDeployment", "CREATE", "jane", &deployment(spec, "null"), "null"), "{}");
    assert_eq!(create(SPEC), "change prod/orders Nothing; create and start prod/orders from Empty");
    let path = SPEC.replace("upgradeMode: savepoint", "initialSavepointPath: s3://a/b");
    assert_eq!(create(&path), "change prod/orders Nothing; create and start prod/orders from Location(\"s3://a/b\")");
    assert_eq!(create(&SPEC.replace("upgradeMode: savepoint", "state: suspended")), "change prod/orders Nothing");
    assert_eq!(create("{image: flink:2.2}"), "change prod/orders Nothing");
}

#[test]
fn blue_green_changes_take_a_savepoint_and_never_drain() {
    let spec = SPEC.replace(
        "flinkConfiguration: {}",
        "flinkConfiguration: {kubernetes.operator.job.drain-on-savepoint-deletion: true}",
    );
    let parent = |spec: &str| {
        let status = "{blueGreenState: ACTIVE_BLUE, lastReconciledSpec: x, jobStatus: {state: RUNNING}}";
        resource("FlinkBlueGreenDeployment", "", &format!("{{template: {{spec: {spec}}}}}"), status)
    };
    let update = |from: &str, to: &str| {
        let body =
            review("FlinkBlueGreenDeployment", "UPDATE", "jane", &parent(&spec.replace(from, to)), &parent(&spec));
        decoded(&body, "{}")
    };
    let upgrade = "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped";
    assert_eq!(update("flink:2.2", "flink:2.3"), upgrade);
    assert_eq!(update("upgradeMode: savepoint", "upgradeMode: last-state, entryClass: B"), upgrade);
}

#[test]
fn a_manifest_is_compared_with_the_live_object() {
    let live = deployment(SPEC, RUNNING);
    let applied = |spec: &str| {
        format!(
            "{{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {{name: orders}}, spec: {spec}}}"
        )
    };
    assert_eq!(manifest(&applied(SPEC), Some(&live)), "leave unchanged prod/orders");
    assert_eq!(
        manifest(&applied(&SPEC.replace("flink:2.2", "flink:2.3")), Some(&live)),
        "change prod/orders Applied; stop for upgrade prod/orders; restart prod/orders from Stopped"
    );
    assert_eq!(manifest(&applied(SPEC), None), "change orders Nothing; create and start orders from Empty");
    let other = live.replace("name: orders", "name: bills");
    assert!(manifest(&applied(SPEC), Some(&other)).contains("`bills`"));
    assert!(manifest("{apiVersion: v1, kind: Service, metadata: {name: a}}", None).contains("is no Flink resource"));
}

#[test]
fn a_resume_knows_where_the_stop_left_the_state() {
    let suspended = SPEC.replace("upgradeMode: savepoint", "upgradeMode: savepoint, state: suspended");
    let look = |mode: &str, path: &str, settings: &str| {
        let stored = format!("\"upgradeMode\": \"MODE\"}}, \"flinkConfiguration\": {{{settings}}}");
        let status = SUSPENDED
            .replace("\"upgradeMode\": \"MODE\"}", &stored)
            .replace("MODE", mode)
            .replace("{state: FINISHED}", &format!("{{state: FINISHED, upgradeSavepointPath: {path}}}"));
        let body =
            review("FlinkDeployment", "UPDATE", "jane", &deployment(SPEC, &status), &deployment(&suspended, &status));
        with(&body, "{}", |decoded| {
            let current = &decoded.stages.first().unwrap().current;
            (current.stopped_at.as_deref().map(str::to_owned), current.stopped_by_drain)
        })
    };
    let at = Some("s3://b/sp".to_owned());
    let drain = "\"kubernetes.operator.job.drain-on-savepoint-deletion\": \"true\"";
    assert_eq!(look("savepoint", "s3://b/sp", ""), (at.clone(), false));
    assert_eq!(look("savepoint", "s3://b/sp", drain), (at, true));
    assert_eq!(look("savepoint", "null", drain), (None, true));
    // The metadata of high availability is what counts.
    assert_eq!(look("last-state", "s3://b/sp", drain), (None, false));
    assert_eq!(look("savepoint", "KUBERNETES_OPERATOR_LAST_STATE", ""), (None, false));
}

#[test]
fn a_path_that_nothing_reads_is_stored() {
    let stored = |old: &str, new: &str| {
        let body = review("FlinkDeployment", "UPDATE", "jane", &deployment(new, RUNNING), &deployment(old, RUNNING));
        with(&body, "{}", |decoded| match decoded.stages.first().and_then(|stage| stage.operations.first()) {
            Some(Operation { action: Action::Change(change), .. }) => change.stores_location.is_some(),
            _ => false,
        })
    };
    let path = SPEC.replace("upgradeMode: savepoint", "upgradeMode: savepoint, initialSavepointPath: sp/1");
    assert!(stored(SPEC, &path));
    assert!(!stored(&path, &path.replace("flink:2.2", "flink:2.3")));
    assert!(!stored(SPEC, &path.replace("sp/1", "sp/1, savepointRedeployNonce: 1")));
    assert!(!stored(&path, SPEC));
}
