//! What the requests of Ververica's API come to, with and without facts.

use crate::dialect::decode;
use crate::document::{Document, Reading};
use crate::facts::{Declared, Observed, Voice};
use crate::gate::{Envelope, Failure, HttpHead, Request};
use crate::operation::{Action, Oddity, OddityKind, Reach, Restart, Retention, Soft, Stage};
use crate::settings::Settings;

const DEPLOYMENT: &str = "/api/v1/namespaces/default/deployments/0cb796fc";
const DRAIN: &str = "com.dataartisans.appmanager.controller.deployment.stop-with-drain";
const RUNS: &str = "deployment: {specState: RUNNING, statusState: RUNNING, upgradeStrategy: {kind: STATEFUL}}";

fn stage<R>(
    (method, target): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
    facts: &str,
    then: impl FnOnce(&Stage<'_>) -> R,
) -> Result<R, Failure> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let head = HttpHead { api: None, method, target, headers: &headers };
    let documents = [(Document::parse(facts.as_bytes(), Reading::JsonOrYaml).unwrap(), Voice::Trusted)];
    let declared = Declared::new(&documents).unwrap();
    let request = Request { envelope: Envelope::Http(head), body: body.as_bytes() };
    decode(&request, &declared, &Observed::default(), &Settings::default(), |decoded| then(&decoded.stages[0]))
}

/// The operations in words.
fn words(stage: &Stage<'_>) -> String {
    let word = |action: &Action<'_>| match action {
        Action::Stop(stop) => format!("{:?} {:?}", stop.cause, stop.mode),
        Action::Start(start) => format!("Start {:?} {:?}", start.cause, start.restore),
        Action::Change(change) => match (change.arms_drain.is_some(), change.content) {
            (true, _) => "Change arms drain".to_owned(),
            (false, false) => "Change settings".to_owned(),
            (false, true) if change.reach == Reach::Nothing => "Change".to_owned(),
            (false, true) => format!("Change {:?}", change.reach),
        },
        Action::Nothing(_) => "Nothing".to_owned(),
        other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
    };
    stage.operations.iter().map(|operation| word(&operation.action)).collect::<Vec<_>>().join(", ")
}

fn oddities(stage: &Stage<'_>) -> Vec<(OddityKind, Option<Soft>)> {
    stage.oddities.iter().map(|oddity: &Oddity<'_>| (oddity.kind, oddity.soft)).collect()
}

fn patch(body: &str, facts: &str) -> String {
    stage(("PATCH", DEPLOYMENT), &[], body, facts, |stage| {
        assert!(stage.oddities.is_empty(), "{body} {:?}", stage.oddities);
        words(stage)
    })
    .unwrap()
}

#[test]
fn desired_states() {
    for (body, facts, expected) in [
        ("spec:\n  state: SUSPENDED\n", RUNS, "Suspend Savepoint"),
        ("{\"spec\": {\"state\": \"CANCELLED\"}}", RUNS, "Request Cancel"),
        ("spec:\n  state: CANCELLED\n", "", "Request Cancel"),
        ("spec:\n  state: CANCELLED\n", "deployment: {specState: CANCELLED}", "Request Cancel"),
        ("spec:\n  state: SUSPENDED\n", "deployment: {specState: SUSPENDED}", "Nothing"),
        ("spec:\n  state: RUNNING\n", RUNS, "Nothing"),
        ("spec:\n  state: RUNNING\n", "", "Start Resume Unknown"),
        (
            "spec:\n  state: RUNNING\n",
            "deployment: {specState: CANCELLED, restoreStrategy: {kind: LATEST_STATE}}",
            "Start Resume LatestState",
        ),
        (
            "spec:\n  state: RUNNING\n  restoreStrategy: {kind: NONE}\n",
            "deployment: {specState: SUSPENDED, restoreStrategy: {kind: LATEST_STATE}}",
            "Change settings, Start Resume Empty",
        ),
        ("status:\n  state: CANCELLED\n", RUNS, "Nothing"),
        ("metadata:\n  labels: {team: payments}\n", RUNS, "Change settings"),
    ] {
        assert_eq!(patch(body, facts), expected, "{body} {facts}");
    }
}

#[test]
fn template_changes_follow_the_upgrade_strategy() {
    let body = "spec:\n  template:\n    spec: {parallelism: 4}\n";
    let facts = |kind: &str| {
        format!(
            "deployment: {{specState: RUNNING, upgradeStrategy: {{kind: {kind}}}, restoreStrategy: {{kind: NONE}}}}"
        )
    };
    assert_eq!(patch(body, RUNS), "Change Applied, Upgrade Savepoint, Start Upgrade Stopped");
    assert_eq!(patch(body, &facts("STATEFUL")), "Change Applied, Upgrade Savepoint, Start Upgrade Empty");
    assert_eq!(patch(body, &facts("STATELESS")), "Change Applied, Upgrade Cancel, Start Upgrade Empty");
    assert_eq!(patch(body, &facts("NONE")), "Change NextStart");
    assert_eq!(patch(body, "deployment: {specState: RUNNING}"), "Change");
    assert_eq!(patch(body, "deployment: {specState: SUSPENDED, upgradeStrategy: {kind: STATEFUL}}"), "Change");
    assert_eq!(patch(body, ""), "Change");
    let failed = "deployment: {specState: RUNNING, statusState: FAILED, upgradeStrategy: {kind: STATEFUL}}";
    assert_eq!(patch(body, failed), "Change Applied, Start Upgrade Unknown");
    let both = "spec:\n  state: CANCELLED\n  template:\n    spec: {parallelism: 4}\n";
    assert_eq!(patch(both, RUNS), "Change, Request Cancel");
    assert_eq!(patch("spec:\n  template: {spec: {}}\n", RUNS), "Nothing");
    assert_eq!(patch("spec:\n  template: null\n", &facts("NONE")), "Change NextStart");
}

#[test]
fn a_known_template_that_stays_is_no_change() {
    let facts = format!(
        "{RUNS}\nrelated:\n- kind: Deployment\n  metadata: {{id: 0cb796fc}}\n  spec:\n    template:\n      spec: \
         {{parallelism: 4, flinkConfiguration: {{taskmanager.numberOfTaskSlots: '2'}}}}\n"
    );
    let body = |parallelism: &str, slots: &str| {
        format!(
            "spec:\n  template:\n    spec:\n      parallelism: {parallelism}\n      flinkConfiguration: \
             {{taskmanager.numberOfTaskSlots: {slots}}}\n"
        )
    };
    assert_eq!(patch(&body("4", "2"), &facts), "Nothing");
    assert!(patch(&body("8", "2"), &facts).starts_with("Change Applied"));
    assert!(patch(&body("4", "null"), &facts).starts_with("Change Applied"));
}

#[test]
fn the_drain_switch_is_sticky() {
    let annotation = |value: &str| format!("metadata:\n  annotations:\n    {DRAIN}: {value}\n");
    let suspend = "spec:\n  state: SUSPENDED\n";
    let armed = format!("{RUNS}\n").replace("}}", &format!("}}, annotations: {{{DRAIN}: 'true'}}}}"));
    assert_eq!(patch(&annotation("'true'"), RUNS), "Change arms drain");
    assert_eq!(patch(&annotation("true"), RUNS), "Change arms drain");
    assert_eq!(patch(&annotation("'true'"), &armed), "Change settings");
    assert_eq!(patch(&annotation("'false'"), &armed), "Change settings");
    assert_eq!(patch(suspend, &armed), "Suspend Drain");
    assert_eq!(patch(&format!("{}{suspend}", annotation("'true'")), RUNS), "Change settings, Suspend Drain");
    for off in ["null", "'false'"] {
        assert_eq!(patch(&format!("{}{suspend}", annotation(off)), &armed), "Change settings, Suspend Savepoint");
    }
    assert_eq!(patch(&format!("metadata:\n  annotations: null\n{suspend}"), &armed), "Suspend Savepoint");
    let cancel = format!("{}spec:\n  state: CANCELLED\n", annotation("'true'"));
    assert_eq!(patch(&cancel, RUNS), "Change arms drain, Request Cancel");
    let upgrade = "spec:\n  template: {spec: {parallelism: 4}}\n";
    assert_eq!(patch(upgrade, &armed), "Change Applied, Upgrade Drain, Start Upgrade Stopped");
}

#[test]
fn a_put_is_the_whole_resource() {
    let put = |body: &str, facts: &str| stage(("PUT", DEPLOYMENT), &[], body, facts, words).unwrap();
    let suspended = "metadata: {name: orders}\nspec:\n  state: SUSPENDED\n  template: {spec: {parallelism: 1}}\n";
    let armed = format!("deployment: {{specState: RUNNING, annotations: {{{DRAIN}: 'true'}}}}");
    assert_eq!(put(suspended, &armed), "Change, Suspend Savepoint");
    let running = suspended.replace("SUSPENDED", "RUNNING");
    assert_eq!(put(&running, RUNS), "Change", "the strategy is gone with the old resource");
    let known = "absent: [{kind: Deployment, namespace: default, name: 0cb796fc}]";
    assert_eq!(put(&running, known), "Change, Start Create Unknown");
    assert_eq!(put(suspended, known), "Change");
    assert_eq!(put("spec: {template: {spec: {parallelism: 1}}}", RUNS), "Change");
}

#[test]
fn what_applies_afterwards_is_known_as_far_as_the_facts_go() {
    let current = |method: &str, body: &str, facts: &str| {
        stage((method, DEPLOYMENT), &[], body, facts, |stage| {
            let directory = stage.current.configuration.present(crate::configuration::SAVEPOINT_DIRECTORY);
            (directory.map(str::to_owned), stage.current.configuration_complete, stage.current.retention)
        })
        .unwrap()
    };
    let facts = "deployment: {flinkConfiguration: {state.savepoints.dir: 's3://a', \
                 execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION}}";
    let body = |value: &str| {
        format!("spec: \n  template: {{spec: {{flinkConfiguration: {{state.savepoints.dir: {value}}}}}}}\n")
    };
    let kept = Some(Retention::Kept);
    assert_eq!(current("PATCH", "spec: {state: SUSPENDED}", facts), (Some("s3://a".to_owned()), true, kept));
    assert_eq!(current("PATCH", &body("'s3://b'"), facts), (Some("s3://b".to_owned()), true, kept));
    assert_eq!(current("PATCH", &body("null"), facts), (None, true, kept));
    assert_eq!(current("PATCH", &body("'s3://b'"), ""), (Some("s3://b".to_owned()), false, None));
    // What becomes of the checkpoint is a matter of what the job runs with.
    assert_eq!(current("PUT", &body("'s3://b'"), facts), (Some("s3://b".to_owned()), true, kept));
    assert_eq!(current("PUT", &body("'s3://b'"), ""), (Some("s3://b".to_owned()), true, None));
    assert_eq!(current("PATCH", "spec: {template: null}", facts), (None, true, kept));
    let stored = |facts: &str| current("PUT", &body("'s3://b'"), facts).2;
    assert_eq!(stored("deployment: {flinkConfiguration: {}}"), Some(Retention::DeletedByDefault));
    assert_eq!(stored("deployment: {artifactKind: SQLSCRIPT, flinkConfiguration: {}}"), Some(Retention::Deleted));
}

#[test]
fn look_alikes_are_refused_and_strangers_noted() {
    use OddityKind::{UnknownEnumValue, UnknownLifecycleField};
    for (body, expected) in [
        ("spec: {state: CANCELED}", vec![(UnknownEnumValue, None)]),
        ("spec: {state: cancelled}", vec![(UnknownEnumValue, None)]),
        ("spec: {state: 'RUNNING '}", vec![(UnknownEnumValue, None)]),
        ("spec: {state: 2}", vec![(UnknownEnumValue, None)]),
        ("spec: {state: null}", vec![(UnknownEnumValue, Some(Soft::Warn))]),
        ("spec: null", vec![(UnknownEnumValue, Some(Soft::Warn))]),
        ("spec: {state: HIBERNATED}", vec![(UnknownEnumValue, Some(Soft::Note))]),
        ("spec: {status: CANCELLED}", vec![(UnknownLifecycleField, None)]),
        ("state: CANCELLED", vec![(UnknownLifecycleField, None)]),
        ("spec: {upgrade-strategy: {kind: NONE}}", vec![(UnknownLifecycleField, None)]),
        ("spec: {upgradeStrategy: STATEFUL}", vec![(UnknownEnumValue, None)]),
        ("spec: {upgradeStrategy: {kind: STATEFULL}}", vec![(UnknownEnumValue, None)]),
        ("spec: {restoreStrategy: {kind: FROM_SAVEPOINT}}", vec![(UnknownEnumValue, Some(Soft::Note))]),
        ("spec: {restoreStrategy: {allowNonRestoredState: 'true'}}", vec![(UnknownEnumValue, None)]),
        ("spec: {somethingNew: 1}", vec![(UnknownLifecycleField, Some(Soft::Note))]),
        ("metadata: {lastModifiedBy: x}", vec![(UnknownLifecycleField, Some(Soft::Note))]),
        (
            "metadata: {annotations: {com.dataartisans.appmanager.controller.deployment.stop-with-drian: 'true'}}",
            vec![(UnknownLifecycleField, None)],
        ),
        (
            "metadata: {annotations: {com.dataartisans.appmanager.controller.deployment.stop-with-drain: 'TRUE'}}",
            vec![(UnknownEnumValue, None)],
        ),
        ("metadata: {annotations: {example.com/state: x}}\nstatus: {state: RUNNING}", vec![]),
    ] {
        assert_eq!(stage(("PATCH", DEPLOYMENT), &[], body, RUNS, oddities).unwrap(), expected, "{body}");
    }
}

#[test]
fn bodies_are_read_by_their_media_type() {
    let read = |media: &[&str], body: &str| {
        let headers: Vec<_> = media.iter().map(|media| ("Content-Type", *media)).collect();
        stage(("PATCH", DEPLOYMENT), &headers, body, RUNS, words)
    };
    let json = "{\"spec\":{\"state\":\"CANCELLED\"}}";
    for media in ["application/json; charset=utf-8", "application/merge-patch+json", "text/yaml", "APPLICATION/YAML"] {
        assert_eq!(read(&[media], json).unwrap(), "Request Cancel", "{media}");
    }
    assert_eq!(read(&["application/yaml"], "spec:\n  state: CANCELLED\n").unwrap(), "Request Cancel");
    assert!(read(&["application/json"], "spec:\n  state: CANCELLED\n").is_err());
    assert!(read(&["application/json-patch+json"], json).is_err());
    assert!(read(&["application/json", "application/yaml"], json).is_err());
    for body in ["[]", "null", "", "\"CANCELLED\"", "{"] {
        assert!(read(&[], body).is_err(), "{body}");
    }
    assert_eq!(read(&["multipart/form-data; boundary=x"], json).unwrap(), "Unknown");
}

#[test]
fn savepoints() {
    let post = |body: &str| {
        stage(("POST", "/api/v1/namespaces/default/savepoints"), &[], body, "", |stage| (words(stage), oddities(stage)))
            .unwrap()
    };
    let missing = vec![(OddityKind::RequiredFieldMissing, None)];
    let look_alike = vec![(OddityKind::UnknownLifecycleField, None)];
    for (body, expected) in [
        ("metadata: {deploymentId: 0cb7}", ("Trigger", vec![])),
        ("metadata: {deploymentId: 0cb7}\nspec: {savepointLocation: null}", ("Trigger", vec![])),
        ("metadata: {deploymentId: 0cb7}\nspec: {savepointLocation: 's3://a/b'}", ("Register", vec![])),
        ("metadata: {deploymentId: 0cb7}\nspec: {savepointLocation: ''}", ("Register", vec![])),
        ("metadata: {deploymentId: 0cb7}\nspec: {savepoint_location: 's3://a/b'}", ("Trigger", look_alike)),
        ("metadata: {deploymentId: ' '}", ("Trigger", missing.clone())),
        ("kind: Savepoint", ("Trigger", missing)),
    ] {
        assert_eq!(post(body), (expected.0.to_owned(), expected.1), "{body}");
    }
}

#[test]
fn other_requests() {
    let ns = "/api/v1/namespaces/default";
    for (method, target, expected) in [
        ("GET", format!("{ns}/deployments?labelSelector=a%3Db"), "Nothing"),
        ("HEAD", format!("{ns}/savepoints/c4e4"), "Nothing"),
        ("GET", format!("{ns}/jobs?deploymentId=0cb7"), "Nothing"),
        ("GET", "/api/v1/status/system-info".to_owned(), "Nothing"),
        ("GET", "/api/swagger.json".to_owned(), "Nothing"),
        ("POST", format!("{ns}/secret-values"), "Nothing"),
        ("DELETE", format!("{ns}/deployment-targets/vvp-jobs"), "Nothing"),
        ("POST", "/artifacts/v1/namespaces/default/artifacts%3Aupload".to_owned(), "Nothing"),
        ("DELETE", "/namespaces/v1/namespaces/old".to_owned(), "Nothing"),
        ("DELETE", format!("{ns}/deployments/0cb7"), "Delete"),
        ("DELETE", format!("{ns}/savepoints/c4e4?force=true"), "Dispose"),
        ("DELETE", format!("{ns}/sessionclusters/dev"), "ShutDown"),
        ("DELETE", format!("{ns}/jobs/0cb7"), "Unknown"),
        ("patch", format!("{ns}/deployments/0cb7"), "Unknown"),
        ("PUT", format!("{ns}/deployments"), "Unknown"),
        ("GET", format!("{ns}/deployments/0cb7/cancel"), "Unknown"),
        ("PATCH", format!("{ns}/deployments/0cb7/"), "Unknown"),
        ("PATCH", format!("{ns}/deployments%2F0cb7"), "Unknown"),
        ("PATCH", format!("{ns}/jobs/../deployments/0cb7"), "Unknown"),
        ("POST", "/namespaces/v1/other".to_owned(), "Unknown"),
    ] {
        let (words, kinds) = stage((method, &target), &[], "", "", |stage| (words(stage), oddities(stage))).unwrap();
        let refused = vec![(OddityKind::UnknownRequest, None)];
        assert_eq!(words, expected, "{method} {target}");
        assert_eq!(kinds, if expected == "Unknown" { refused } else { vec![] }, "{method} {target}");
    }
    let defaults = |body: &str| stage(("PATCH", &format!("{ns}/deployment-defaults")), &[], body, "", words).unwrap();
    assert_eq!(defaults("spec: {state: RUNNING, template: {spec: {parallelism: 2}}}"), "Change settings");
    assert_eq!(defaults(&format!("metadata: {{annotations: {{{DRAIN}: 'true'}}}}")), "Change arms drain");
    let cluster = |body: &str| stage(("PATCH", &format!("{ns}/sessionclusters/dev")), &[], body, "", words).unwrap();
    assert_eq!(cluster("spec: {state: STOPPED}"), "ShutDown");
    assert_eq!(cluster("spec: {numberOfTaskManagers: 2}"), "Nothing");
}

#[test]
fn intent_comes_from_the_header_or_an_annotation() {
    let restart = |header: &[(&str, &str)], body: &str| {
        stage(("PATCH", DEPLOYMENT), header, body, RUNS, |stage| (stage.intent.restart(), oddities(stage))).unwrap()
    };
    let suspend = "spec: {state: SUSPENDED}";
    assert_eq!(restart(&[], suspend).0, Restart::Unknown { refused: false });
    assert_eq!(restart(&[("X-Sluicegate-Intent", "final")], suspend).0, Restart::Unknown { refused: true });
    let planned = Restart::Planned("the request declares intent `restart`");
    let said = [("x-sluicegate-intent", "restart"), ("x-sluicegate-intent", "final")];
    assert_eq!(restart(&said, suspend).0, planned);
    assert_eq!(restart(&[], "metadata: {annotations: {sluicegate.dev/intent: restart}}").0, planned);
    let warned = vec![(OddityKind::UnknownEnumValue, Some(Soft::Warn))];
    assert_eq!(restart(&[("x-sluicegate-intent", "maybe")], suspend).1, warned);
}

#[test]
fn recovery_is_never_denied() {
    let lenient = |method: &str, body: &str, facts: &str| {
        stage((method, DEPLOYMENT), &[], body, facts, |stage| stage.leniency.is_some()).unwrap()
    };
    let failed = "deployment: {specState: RUNNING, statusState: FAILED}";
    assert!(lenient("PATCH", "spec: {state: CANCELLED}", failed));
    assert!(lenient("DELETE", "", failed));
    assert!(lenient("DELETE", "", "deployment: {neverStarted: true}"));
    assert!(!lenient("PATCH", "spec: {state: SUSPENDED}", failed));
    assert!(!lenient("PATCH", "spec: {state: CANCELLED}", RUNS));
    assert!(!lenient("PATCH", "spec: {state: CANCELED}", failed));
}
