//! What requests decode to, from the bytes on: operations, what is known, leniency, oddities.

use crate::dialect::{self, kubernetes};
use crate::document::{Document, Reading};
use crate::facts::{Declared, Voice};
use crate::operation::{Action, Decoded, Stage};
use crate::settings::Settings;

const SPEC: &str = "{image: flink:2.2, flinkVersion: v2_2, flinkConfiguration: {}, job: {jarURI: local:///a.jar, parallelism: 2, upgradeMode: savepoint}}";
const RUNNING: &str = "{lifecycleState: STABLE, jobStatus: {state: RUNNING}, reconciliationStatus: {state: DEPLOYED, lastReconciledSpec: '{\"spec\": {\"job\": {}}}'}}";
const SUSPENDED: &str = "{lifecycleState: SUSPENDED, jobStatus: {state: FINISHED}, reconciliationStatus: {state: DEPLOYED, lastReconciledSpec: '{\"spec\": {\"job\": {\"state\": \"suspended\", \"upgradeMode\": \"MODE\"}}}'}}";

fn resource(kind: &str, metadata: &str, spec: &str, status: &str) -> String {
    format!(
        "{{apiVersion: flink.apache.org/v1beta1, kind: {kind}, metadata: {{name: orders, namespace: prod, {metadata}}}, spec: {spec}, status: {status}}}"
    )
}

/// A FlinkDeployment with the operator's finalizer.
fn deployment(spec: &str, status: &str) -> String {
    resource("FlinkDeployment", "finalizers: [flinkdeployments.flink.apache.org/finalizer]", spec, status)
}

fn review(kind: &str, operation: &str, user: &str, object: &str, old: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "{{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {{uid: u, kind: {{group: flink.apache.org, version: v1beta1, kind: {kind}}}, resource: {{group: flink.apache.org, version: v1beta1, resource: {plural}}}, operation: {operation}, name: orders, namespace: prod, userInfo: {{username: '{user}'}}, object: {object}, oldObject: {old}}}}}"
    )
}

fn with<R>(body: &str, facts: &str, look: impl FnOnce(&Decoded<'_>) -> R) -> R {
    // What starts with `{` would be read as JSON.
    let (body, facts) = (format!("--- {body}"), format!("--- {facts}"));
    let facts = [(Document::parse(facts.as_bytes(), Reading::JsonOrYaml).unwrap(), Voice::Trusted)];
    let declared = Declared::new(&facts).unwrap();
    let settings = Settings::default();
    let context = dialect::Context { declared: &declared, settings: &settings };
    let body = Document::parse(body.as_bytes(), Reading::JsonOrYaml).unwrap();
    kubernetes::review(body.root(), &context, look).unwrap()
}

/// All operations of a stage in words.
fn words(stage: &Stage<'_>) -> String {
    let detail = |action: &Action<'_>| match action {
        Action::Start(start) => format!(" from {:?}", start.restore),
        Action::Change(change) => {
            let armed = if change.arms_drain.is_some() { ", arms drain" } else { "" };
            format!(" {:?}{armed}", change.reach)
        }
        Action::Delete(deletion) => format!(
            " first {:?}, stateful {:?}, deployed {:?}, fresh {}",
            deletion.savepoint_first, deletion.stateful, deletion.deployed, deletion.fresh_savepoint
        ),
        _ => String::new(),
    };
    let all = stage.operations.iter().map(|operation| format!("{}{}", operation.summary(), detail(&operation.action)));
    all.collect::<Vec<_>>().join("; ")
}

fn decoded(body: &str, facts: &str) -> String {
    with(body, facts, |decoded| decoded.stages.iter().map(words).collect())
}

/// An update of a FlinkDeployment by a person: changes are replacements in the text of the spec.
fn updated(old: &str, status: &str, changes: &[(&str, &str)]) -> String {
    let mut new = old.to_owned();
    for (from, to) in changes {
        assert!(new.contains(from), "{from}");
        new = new.replace(from, to);
    }
    let body = review("FlinkDeployment", "UPDATE", "jane", &deployment(&new, status), &deployment(old, status));
    decoded(&body, "{}")
}

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
    let child = old
        .replace("finalizers:", "ownerReferences: [{kind: FlinkBlueGreenDeployment, controller: true}], finalizers:");
    assert!(reason(&review("FlinkDeployment", "DELETE", "jane", "null", &child)));

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
fn snapshots_are_taken_registered_and_disposed_of() {
    let snapshot = |operation: &str, spec: &str, status: &str| {
        let object = resource("FlinkStateSnapshot", "", spec, status);
        let (object, old) = if operation == "DELETE" { ("null", object.as_str()) } else { (object.as_str(), "null") };
        let facts = "{related: [{kind: FlinkDeployment, metadata: {name: orders-job, namespace: prod}, status: {jobStatus: {state: SUSPENDED}}}]}";
        with(&review("FlinkStateSnapshot", operation, "jane", object, old), facts, |decoded| {
            let stage = decoded.stages.first().unwrap();
            format!("{} {:?}", words(stage), stage.current.state.as_ref().map(|state| state.word().to_owned()))
        })
    };
    let job = "jobReference: {kind: FlinkDeployment, name: orders-job}";
    assert_eq!(
        snapshot("CREATE", &format!("{{{job}, savepoint: {{}}}}"), "null"),
        "trigger savepoint of prod/orders-job Some(\"SUSPENDED\")"
    );
    assert_eq!(
        snapshot("CREATE", &format!("{{{job}, checkpoint: {{}}}}"), "null"),
        "trigger checkpoint of prod/orders-job Some(\"SUSPENDED\")"
    );
    assert_eq!(
        snapshot("CREATE", "{savepoint: {alreadyExists: true, path: s3://a/b}}", "null"),
        "register savepoint for prod/orders None"
    );
    let done = "{state: COMPLETED, path: s3://a/b}";
    assert!(
        snapshot("DELETE", &format!("{{{job}, savepoint: {{}}}}"), done).starts_with("dispose savepoint prod/orders")
    );
    assert!(
        snapshot("DELETE", &format!("{{{job}, savepoint: {{disposeOnDelete: false}}}}"), done)
            .starts_with("delete only the record")
    );
}

#[test]
fn odd_words_are_told() {
    let odd = |spec: &str| {
        let body = review("FlinkDeployment", "CREATE", "jane", &deployment(spec, "null"), "null");
        with(&body, "{}", |decoded| {
            let oddities = decoded.stages.iter().flat_map(|stage| &stage.oddities);
            oddities
                .map(|oddity| format!("{:?} {:?}", oddity.kind, oddity.soft.unwrap()))
                .collect::<Vec<_>>()
                .join("; ")
        })
    };
    assert_eq!(odd(SPEC), "");
    assert_eq!(odd(&SPEC.replace("upgradeMode: savepoint", "upgradeMode: last_state")), "UnknownEnumValue Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode: savepoint", "state: [running]")), "UnknownEnumValue Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode", "upgrade-mode")), "UnknownLifecycleField Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode", "somethingElse")), "UnknownLifecycleField Note");
}

#[test]
fn broken_reviews_are_refused_in_plain_words() {
    let declared = Declared::none();
    let settings = Settings::default();
    let context = dialect::Context { declared: &declared, settings: &settings };
    let good = review("FlinkDeployment", "CREATE", "jane", &deployment(SPEC, "null"), "null");
    for (from, to) in [
        ("uid: u", "uid: ''"),
        ("admission.k8s.io/v1", "admission.k8s.io/v1beta1"),
        ("request:", "response:"),
        ("AdmissionReview", "Review"),
        ("operation: CREATE", "operation: UPDATE"),
        ("operation: CREATE", "operation: MELT"),
    ] {
        let body = format!("--- {}", good.replacen(from, to, 1));
        let document = Document::parse(body.as_bytes(), Reading::JsonOrYaml).unwrap();
        assert!(kubernetes::review(document.root(), &context, |_| ()).is_err(), "{to}");
    }
    for (from, to, expected) in [
        ("version: v1beta1, kind", "version: v2, kind", "unknown request prod/orders"),
        ("kind: FlinkDeployment}", "kind: FlinkThing}", "unknown request prod/orders"),
        (
            "name: orders, namespace: prod, userInfo",
            "subResource: status, name: orders, userInfo",
            "status update of prod/orders",
        ),
        (
            "name: orders, namespace: prod, userInfo",
            "subResource: exec, name: orders, userInfo",
            "unknown request prod/orders",
        ),
        ("operation: CREATE", "operation: CONNECT", "connect to prod/orders"),
        (
            "flink.apache.org, version: v1beta1, resource",
            "apps, version: v1, resource",
            "not a Flink resource: prod/orders",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(decoded(&good.replacen(from, to, 1), "{}"), expected, "{to}");
    }
}
