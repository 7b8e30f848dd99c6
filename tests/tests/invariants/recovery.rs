//! What is never refused, whatever else is known or wrong (DESIGN section 1, promise 7; DOMAIN 6.0-1, 6.0-5).

use serde_json::{Value, json};
use sluicegate_policy::Decision;

use super::kubernetes::{Before, EDITS, deployments, review};
use super::model::{Known, Scenario, savepoint_sets};

/// Every combination of these facts, with strict settings too.
fn never_denied(name: &str, request: Value, facts: Vec<(&'static str, Vec<Value>)>) {
    let scenario = Scenario { name: name.to_owned(), request, facts };
    let strict = json!({"intent": {"assume": "restart"}});
    for known in scenario.combinations() {
        for settings in [&Value::Null, &strict] {
            let verdict = scenario.judge(&known, settings);
            assert!(
                verdict.decision == Decision::Allow,
                "{name} with {}: {}",
                scenario.document(&known),
                verdict.document
            );
        }
    }
}

fn some_facts() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("platform.flinkConfiguration", vec![json!({})]),
        ("intent.restartPlanned", vec![json!(true), json!(false)]),
        ("savepoints", savepoint_sets()),
    ]
}

/// A spec with old blemishes of every kind that rules look at.
fn blemished(before: Before) -> Value {
    let mut resource = before.resource();
    let configuration = &mut resource["spec"]["flinkConfiguration"];
    configuration["high-availability.type"] = json!("kubernetes");
    configuration["execution.checkpointing.dir"] = json!("file:///tmp/cp");
    configuration["kubernetes.operator.job.drain-on-savepoint-deletion"] = json!("true");
    configuration["pipeline.max-parallelism"] = json!("2");
    resource["spec"]["job"]["allowNonRestoredState"] = json!(true);
    resource
}

#[test]
fn a_rollback() {
    for before in deployments().into_iter().filter(|before| !before.job.is_empty()) {
        for (name, edit) in EDITS.iter().filter(|(name, _)| !matches!(*name, "restart" | "redeploy")) {
            let stable = blemished(before);
            let mut broken = stable.clone();
            edit(&mut broken);
            let stored = json!({"spec": stable["spec"]}).to_string();
            broken["status"]["reconciliationStatus"]["lastStableSpec"] = json!(stored);
            let mut back = broken.clone();
            back["spec"] = stable["spec"].clone();
            let request = review("UPDATE", Some(&back), Some(&broken), Value::Null);
            never_denied(&format!("rollback of {name}, {} {}", before.mode, before.job), request, some_facts());
        }
    }
}

#[test]
fn the_end_of_a_failed_job() {
    for before in deployments().into_iter().filter(|before| matches!(before.job, "FAILED" | "RESTARTING" | "")) {
        let resource = blemished(before);
        let request = review("DELETE", None, Some(&resource), Value::Null);
        never_denied(&format!("delete of a {} job {}", before.mode, before.job), request, some_facts());
    }
    let id = "42aedb6e5490ff65f60746294f1d1f35";
    let call = |method: &str, target: &str, body: Value| {
        json!({"http": {"method": method, "target": target, "body": body,
            "headers": {"workspace": "w", "content-type": "application/json"}}})
    };
    let cancels = [
        call("PATCH", &format!("/jobs/{id}?mode=cancel"), Value::Null),
        call("POST", "/api/v2/namespaces/prod/jobs/5af6%3Astop", json!({"stopStrategy": "NONE"})),
        call("PATCH", "/api/v1/namespaces/prod/deployments/0cb796fc", json!({"spec": {"state": "CANCELLED"}})),
    ];
    for request in cancels {
        for state in ["FAILED", "RESTARTING", "FAILING"] {
            let mut facts = some_facts();
            facts.push(("deployment.specState", vec![json!("RUNNING")]));
            facts.push(("deployment.hasState", vec![json!(true)]));
            let scenario = Scenario { name: format!("cancel, {state}"), request: request.clone(), facts };
            for known in scenario.combinations() {
                let mut document = scenario.document(&known);
                document["job"] = json!({"status": state});
                if state == "FAILED" {
                    document["deployment"]["statusState"] = json!("FAILED");
                }
                let fixed = Scenario {
                    name: scenario.name.clone(),
                    request: scenario.request.clone(),
                    facts: document
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(key, value)| (key.clone().leak() as &'static str, vec![value.clone()]))
                        .collect(),
                };
                let all = Known(vec![Some(0); fixed.facts.len()]);
                let verdict = fixed.judge(&all, &json!({"intent": {"assume": "restart"}}));
                assert_eq!(verdict.decision, Decision::Allow, "{document}: {}", verdict.document);
            }
        }
    }
}

#[test]
fn the_removal_of_a_finalizer_from_what_is_being_deleted() {
    for before in deployments() {
        let mut old = blemished(before);
        old["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
        let mut new = old.clone();
        new["metadata"]["finalizers"] = json!([]);
        let request = review("UPDATE", Some(&new), Some(&old), Value::Null);
        never_denied("finalizer removal", request, some_facts());
    }
}

#[test]
fn an_update_of_the_status() {
    for before in deployments().into_iter().filter(|before| !before.job.is_empty()) {
        let old = blemished(before);
        let mut new = old.clone();
        new["status"]["jobStatus"]["state"] = json!("FAILED");
        let request = review("UPDATE", Some(&new), Some(&old), json!({"subResource": "status"}));
        never_denied("status update", request, some_facts());
        let request = review("UPDATE", Some(&new), Some(&old), Value::Null);
        never_denied("update that leaves the spec alone", request, some_facts());
    }
}

#[test]
fn what_controllers_do() {
    let operator = json!({"userInfo": {"username": "system:serviceaccount:flink:flink-operator"}});
    let collector = json!({"userInfo": {"username": "system:serviceaccount:kube-system:generic-garbage-collector"}});
    for before in deployments() {
        let old = blemished(before);
        for who in [&operator, &collector] {
            never_denied("controller's delete", review("DELETE", None, Some(&old), who.clone()), some_facts());
        }
        for (name, edit) in EDITS {
            let mut new = old.clone();
            edit(&mut new);
            let request = review("UPDATE", Some(&new), Some(&old), operator.clone());
            never_denied(&format!("the operator's {name}"), request, some_facts());
        }
    }
}
