//! What the requests of Alibaba's API come to.

use crate::dialect::decode;
use crate::document::{Document, Reading};
use crate::facts::{Declared, Observed, Voice};
use crate::gate::{Envelope, Failure, HttpHead, Request};
use crate::operation::{Action, OddityKind, Soft, Stage};
use crate::settings::Settings;

const NAMESPACE: &str = "/api/v2/namespaces/prod";

fn stage<R>(
    method: &str,
    target: &str,
    body: &str,
    facts: &str,
    then: impl FnOnce(&Stage<'_>) -> R,
) -> Result<R, Failure> {
    let headers = [("workspace".to_owned(), "a14bd5".to_owned())];
    let head = HttpHead { api: None, method, target, headers: &headers };
    let documents = [(Document::parse(facts.as_bytes(), Reading::JsonOrYaml).unwrap(), Voice::Trusted)];
    let declared = Declared::new(&documents).unwrap();
    let request = Request { envelope: Envelope::Http(head), body: body.as_bytes() };
    decode(&request, &declared, &Observed::default(), &Settings::default(), |decoded| then(&decoded.stages[0]))
}

/// The operations in words, with their target, and what was noticed.
fn words(stage: &Stage<'_>) -> (String, Vec<(OddityKind, Option<Soft>)>) {
    let word = |action: &Action<'_>| match action {
        Action::Stop(stop) => format!("{:?}", stop.mode),
        Action::Start(start) => format!("Start {:?}", start.restore),
        Action::Change(change) => format!("Change {} {:?}", change.content, change.reach),
        Action::Publish(reach) => format!("Publish {reach:?}"),
        Action::Nothing(_) => "Nothing".to_owned(),
        other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
    };
    let operations = stage.operations.iter().map(|operation| match operation.target.name.as_ref() {
        "" => word(&operation.action),
        name => format!("{} {name}", word(&operation.action)),
    });
    let oddities = stage.oddities.iter().map(|oddity| (oddity.kind, oddity.soft)).collect();
    (operations.collect::<Vec<_>>().join(", "), oddities)
}

fn post(path: &str, body: &str, facts: &str) -> (String, Vec<(OddityKind, Option<Soft>)>) {
    stage("POST", &format!("{NAMESPACE}/{path}"), body, facts, words).unwrap()
}

#[test]
fn stops() {
    use OddityKind::{RequiredFieldMissing, UnknownEnumValue, UnknownLifecycleField};
    let path = "jobs/5af6%3Astop";
    for (body, expected, kinds) in [
        (r#"{"stopStrategy":"NONE"}"#, "Cancel 5af6", vec![]),
        (r#"{"stopStrategy":"STOP_WITH_SAVEPOINT"}"#, "Savepoint 5af6", vec![]),
        (r#"{"stopStrategy":"STOP_WITH_DRAIN"}"#, "Drain 5af6", vec![]),
        (r#"{"stopStrategy":"NONE","stopStrategy":"STOP_WITH_DRAIN"}"#, "Drain 5af6", vec![]),
        (r#"{"stopStrategy":"stop_with_drain"}"#, "Unknown 5af6", vec![(UnknownEnumValue, None)]),
        (r#"{"stopStrategy":"DRAIN"}"#, "Unknown 5af6", vec![(UnknownEnumValue, None)]),
        (r#"{"stopStrategy":["NONE"]}"#, "Unknown 5af6", vec![(UnknownEnumValue, None)]),
        (r#"{"stopStrategy":null}"#, "Unknown 5af6", vec![(RequiredFieldMissing, None)]),
        ("", "Unknown 5af6", vec![(RequiredFieldMissing, None)]),
        (
            r#"{"stop_strategy":"NONE"}"#,
            "Unknown 5af6",
            vec![(UnknownLifecycleField, None), (RequiredFieldMissing, None)],
        ),
        (r#"{"stopStrategy":"NONE","reason":"x"}"#, "Cancel 5af6", vec![(UnknownLifecycleField, Some(Soft::Note))]),
    ] {
        assert_eq!(post(path, body, ""), (expected.to_owned(), kinds), "{body}");
    }
    assert_eq!(post("jobs/5af6:stop", r#"{"stopStrategy":"NONE"}"#, "").0, "Cancel 5af6");
    for body in ["[]", "null", "stopStrategy=NONE", "stopStrategy: NONE"] {
        assert!(stage("POST", &format!("{NAMESPACE}/{path}"), body, "", words).is_err(), "{body}");
    }
}

#[test]
fn starts() {
    use OddityKind::{RequiredFieldMissing, UnknownEnumValue};
    for (body, expected, kinds) in [
        (r#"{"deploymentId":"7"}"#, "Start Unknown 7", vec![]),
        (r#"{"deploymentId":"7","restoreStrategy":{"kind":"NONE"}}"#, "Start Empty 7", vec![]),
        (r#"{"deploymentId":"7","restoreStrategy":{"kind":"LATEST_STATE"}}"#, "Start LatestState 7", vec![]),
        (
            r#"{"deploymentId":"7","restoreStrategy":{"kind":"FROM_SAVEPOINT","savepointId":"35"}}"#,
            "Start Savepoint(Some(\"35\")) 7",
            vec![],
        ),
        (
            r#"{"deploymentId":"7","restoreStrategy":{"kind":"FROM_SAVEPOINT","savepointId":" "}}"#,
            "Start Savepoint(None) 7",
            vec![],
        ),
        (
            r#"{"deploymentId":"7","restoreStrategy":{"kind":"LATEST"}}"#,
            "Start Unknown 7",
            vec![(UnknownEnumValue, None)],
        ),
        (
            r#"{"deploymentId":"7","restoreStrategy":{"kind":"NONE","allowNonRestoredState":"true"}}"#,
            "Start Empty 7",
            vec![(UnknownEnumValue, None)],
        ),
        (r#"{"deploymentId":"7","restoreStrategy":"NONE"}"#, "Start Unknown 7", vec![(UnknownEnumValue, None)]),
        (r#"{"restoreStrategy":{"kind":"NONE"}}"#, "Start Empty", vec![(RequiredFieldMissing, None)]),
    ] {
        for path in ["jobs", "jobs%3Astart", "jobs:start"] {
            assert_eq!(post(path, body, ""), (expected.to_owned(), kinds.clone()), "{path} {body}");
        }
    }
    assert_eq!(post("jobs", r#"{"deploymentId":"7"}"#, "deployment: {executionMode: BATCH}").0, "Start Empty 7");
}

#[test]
fn changes_wait_for_a_restart() {
    let put = |path: &str, body: &str, facts: &str| {
        stage("PUT", &format!("{NAMESPACE}/{path}"), body, facts, words).unwrap().0
    };
    let engine = r#"{"engineVersion":"vvr-8.0.9-flink-1.17"}"#;
    assert_eq!(put("deployments/7", engine, "job: {status: RUNNING}"), "Change true NextStart 7");
    assert_eq!(put("deployments/7", engine, "job: {status: CANCELLED}"), "Change true Nothing 7");
    assert_eq!(put("deployments/7", engine, ""), "Change true Nothing 7");
    assert_eq!(put("deployments/7", r#"{"description":"x"}"#, "job: {status: RUNNING}"), "Change false Nothing 7");
    let by_name = "deployments/updateDeployment/byName?deploymentName=orders";
    assert_eq!(put(by_name, engine, "job: {status: RUNNING}"), "Change true NextStart orders");
    let publish = r#"{"deploymentDraftId":"d1"}"#;
    assert_eq!(post("deployment-drafts/async-deploy", publish, "job: {status: RUNNING}").0, "Publish NextStart d1");
    assert_eq!(post("deployments", r#"{"name":"orders"}"#, "").0, "Change true Nothing orders");
    let hot = |body: &str| post("jobs/5af6%3AhotUpdate", body, "").0;
    assert_eq!(hot(r#"{"rescaleJobParam":{"jobParallelism":8}}"#), "Rescale 5af6");
    assert_eq!(hot(r#"{"updateJobConfigParam":{"newFlinkConf":{"a":"b"}}}"#), "Change true Applied 5af6");
    assert_eq!(hot("{}"), "Nothing 5af6");
}

#[test]
fn other_requests() {
    let refused = || vec![(OddityKind::UnknownRequest, None)];
    for (method, target, expected) in [
        ("GET", format!("{NAMESPACE}/jobs"), "Nothing jobs"),
        ("GET", format!("{NAMESPACE}/savepoints?deploymentId=7"), "Nothing savepoints"),
        ("GET", format!("{NAMESPACE}/deployments/name/orders"), "Nothing orders"),
        ("GET", "/gateway/v2/namespaces/prod/members".to_owned(), "Nothing members"),
        ("POST", "/gateway/v2/namespaces/prod/members".to_owned(), "Nothing members"),
        ("GET", "/flink-ui/v2/proxy?flinkApiPath=%2Fjobs%2F5af6".to_owned(), "Nothing the Flink REST API"),
        ("GET", "/flink-ui/v2/proxy?flinkApiPath=%2Fjobs%2F5af6%2Fyarn-cancel".to_owned(), "Unknown"),
        ("GET", "/flink-ui/v2/proxy?flinkApiPath=%2Fjobs%2F5af6%2F%2579arn-cancel".to_owned(), "Unknown"),
        ("DELETE", format!("{NAMESPACE}/jobs/5af6"), "Delete 5af6"),
        ("DELETE", format!("{NAMESPACE}/deployments/7"), "Delete 7"),
        ("DELETE", format!("{NAMESPACE}/deployments/deleteDeployment/byName?deploymentName=orders"), "Delete orders"),
        ("DELETE", format!("{NAMESPACE}/savepoints/35"), "Dispose 35"),
        ("POST", format!("{NAMESPACE}/sessionclusters/dev%3Astop"), "Unknown"),
        ("POST", format!("{NAMESPACE}/jobs/5af6%3Acancel"), "Unknown"),
        ("POST", format!("{NAMESPACE}/jobs/%3Astop"), "Unknown"),
        ("GET", format!("{NAMESPACE}/jobs/5af6%3Astop"), "Unknown"),
        ("POST", format!("{NAMESPACE}/jobs/5af6%253Astop"), "Unknown"),
        ("POST", format!("{NAMESPACE}//jobs/5af6%3Astop"), "Unknown"),
    ] {
        let kinds = if expected == "Unknown" { refused() } else { vec![] };
        assert_eq!(stage(method, &target, "", "", words).unwrap(), (expected.to_owned(), kinds), "{method} {target}");
    }
    let missing = vec![(OddityKind::RequiredFieldMissing, None)];
    assert_eq!(post("savepoints", r#"{"nativeFormat":true}"#, ""), ("Trigger".to_owned(), missing.clone()));
    let by_name = format!("{NAMESPACE}/deployments/deleteDeployment/byName");
    assert_eq!(stage("DELETE", &by_name, "", "", words).unwrap(), ("Delete".to_owned(), missing));
}

#[test]
fn the_workspace_must_be_named() {
    let read = |method: &str, target: &str, workspace: Option<&str>| {
        let headers: Vec<_> = workspace.iter().map(|value| ("Workspace".to_owned(), (*value).to_owned())).collect();
        let head = HttpHead { api: None, method, target, headers: &headers };
        let request = Request { envelope: Envelope::Http(head), body: br#"{"stopStrategy":"NONE"}"# };
        decode(&request, &Declared::none(), &Observed::default(), &Settings::default(), |decoded| {
            words(&decoded.stages[0])
        })
        .unwrap()
        .1
    };
    let stop = format!("{NAMESPACE}/jobs/5af6%3Astop");
    assert_eq!(read("POST", &stop, None), [(OddityKind::RequiredFieldMissing, None)]);
    assert_eq!(read("POST", &stop, Some(" ")), [(OddityKind::RequiredFieldMissing, None)]);
    assert_eq!(read("POST", &stop, Some("a14bd5")), []);
    assert_eq!(read("GET", &format!("{NAMESPACE}/jobs"), None), []);
}
