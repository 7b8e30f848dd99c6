//! The lifecycle over HTTP: Ververica Platform, Alibaba Cloud, Flink REST.

use serde_json::{Value, json};

use super::model::{Scenario, savepoint_sets, states};

const DRAIN: &str = "com.dataartisans.appmanager.controller.deployment.stop-with-drain";

fn call(method: &str, target: &str, body: Value) -> Value {
    json!({"http": {"method": method, "target": target, "body": body,
        "headers": {"content-type": "application/json", "workspace": "w"}}})
}

fn strategies(kinds: &[&str]) -> Vec<Value> {
    kinds.iter().map(|kind| json!({"kind": kind})).collect()
}

fn booleans() -> Vec<Value> {
    vec![json!(true), json!(false)]
}

/// PATCHes of a deployment.
pub fn ververica() -> Vec<Scenario> {
    let target = "/api/v1/namespaces/prod/deployments/0cb796fc-2641-488e-bde8-52b2199c5747";
    let template = json!({"spec": {"artifact": {"kind": "JAR", "jarUri": "s3://jars/orders-2.jar"}}});
    let wishes = [
        ("start", json!({"spec": {"state": "RUNNING"}})),
        ("suspend", json!({"spec": {"state": "SUSPENDED"}})),
        ("cancel", json!({"spec": {"state": "CANCELLED"}})),
        ("upgrade", json!({"spec": {"template": template}})),
        ("start without state", json!({"spec": {"state": "RUNNING", "restoreStrategy": {"kind": "NONE"}}})),
        ("suspend with drain", json!({"metadata": {"annotations": {DRAIN: "true"}}, "spec": {"state": "SUSPENDED"}})),
    ];
    let facts = || {
        vec![
            ("deployment.specState", states(&["RUNNING", "SUSPENDED", "CANCELLED"])),
            ("deployment.statusState", states(&["RUNNING", "SUSPENDED", "CANCELLED", "FAILED", "TRANSITIONING"])),
            ("deployment.restoreStrategy", strategies(&["LATEST_STATE", "LATEST_SAVEPOINT", "NONE"])),
            ("deployment.upgradeStrategy", strategies(&["STATEFUL", "STATELESS"])),
            ("savepoints", savepoint_sets()),
            ("intent.restartPlanned", booleans()),
        ]
    };
    let scenario = |(name, body): (&str, Value)| Scenario {
        name: format!("ververica {name}"),
        request: call("PATCH", target, body),
        facts: facts(),
    };
    wishes.into_iter().map(scenario).collect()
}

/// Stops, starts and savepoints.
pub fn alibaba() -> Vec<Scenario> {
    let base = "/api/v2/namespaces/prod";
    let jobs = &["RUNNING", "STARTING", "CANCELLING", "CANCELLED", "FINISHED", "FAILED"];
    let facts = || {
        vec![
            ("job.status", states(jobs)),
            ("intent.restartPlanned", booleans()),
            ("savepoints", savepoint_sets()),
            ("deployment.hasState", booleans()),
            (
                "caller.ramActions",
                vec![json!(["stream:GetJob"]), json!(["stream:StopJob", "stream:StartJobWithParams"])],
            ),
        ]
    };
    let mut all = Vec::new();
    for strategy in ["NONE", "STOP_WITH_SAVEPOINT", "STOP_WITH_DRAIN"] {
        all.push(Scenario {
            name: format!("alibaba stop {strategy}"),
            request: call("POST", &format!("{base}/jobs/5af6%3Astop"), json!({"stopStrategy": strategy})),
            facts: facts(),
        });
    }
    for kind in ["NONE", "LATEST_SAVEPOINT", "LATEST_STATE", "FROM_SAVEPOINT"] {
        let mut restore = json!({"kind": kind});
        if kind == "FROM_SAVEPOINT" {
            restore["savepointId"] = json!("a");
        }
        all.push(Scenario {
            name: format!("alibaba start {kind}"),
            request: call(
                "POST",
                &format!("{base}/jobs%3Astart"),
                json!({"deploymentId": "737d0921", "restoreStrategy": restore}),
            ),
            facts: facts(),
        });
    }
    all
}

/// Stops, cancels and starts.
pub fn flink_rest() -> Vec<Scenario> {
    let id = "42aedb6e5490ff65f60746294f1d1f35";
    let run = format!("/jars/{id}_orders.jar/run");
    let requests = [
        ("cancel", call("PATCH", &format!("/jobs/{id}?mode=cancel"), Value::Null)),
        ("stop", call("POST", &format!("/jobs/{id}/stop"), json!({"targetDirectory": "s3://b/sp"}))),
        ("drain", call("POST", &format!("/jobs/{id}/stop"), json!({"targetDirectory": "s3://b/sp", "drain": true}))),
        ("stop without directory", call("POST", &format!("/jobs/{id}/stop"), json!({}))),
        ("savepoint", call("POST", &format!("/jobs/{id}/savepoints"), json!({"target-directory": "s3://b/sp"}))),
        ("run", call("POST", &run, json!({}))),
        ("restore", call("POST", &run, json!({"savepointPath": "s3://b/a"}))),
        ("restore claiming", call("POST", &run, json!({"savepointPath": "s3://b/a", "claimMode": "CLAIM"}))),
    ];
    let jobs = &["RUNNING", "RESTARTING", "FAILED", "FINISHED", "CANCELED"];
    let retained = json!({"execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION"});
    let deleted = json!({"execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION",
        "state.savepoints.dir": "s3://b/sp"});
    let scenario = |(name, request): (&str, Value)| Scenario {
        name: format!("flink-rest {name}"),
        request,
        facts: vec![
            ("job.status", states(jobs)),
            ("intent.restartPlanned", booleans()),
            ("savepoints", savepoint_sets()),
            ("deployment.hasState", booleans()),
            ("platform.flinkConfiguration", vec![json!({}), retained.clone(), deleted.clone()]),
            ("platform.fileSystems", vec![json!(["file", "s3"]), json!(["file"])]),
        ],
    };
    requests.into_iter().map(scenario).collect()
}
