//! The registration's matchConditions, evaluated: they may let nothing past the gate that it could deny.

use std::sync::Arc;

use cel::{Context, Env};
use serde_json::{Value, json};

use crate::helm::sets;
use crate::webhook::{recorded, webhooks};

const OPERATOR: &str = "system:serviceaccount:flink-operator:flink-operator";

/// Whether the webhook would be called. An error is not taken for an answer.
fn called(webhook: &Value, request: &Value) -> bool {
    webhook["matchConditions"].as_array().into_iter().flatten().all(|condition| {
        let expression = condition["expression"].as_str().unwrap();
        let env = Arc::new(Env::stdlib());
        let program = env.compile(expression).unwrap_or_else(|error| panic!("{error:?} in {expression}"));
        let mut context = Context::with_env(env);
        context.add_variable("request", request).unwrap();
        context.add_variable("object", request.get("object").unwrap_or(&Value::Null)).unwrap();
        context.add_variable("oldObject", request.get("oldObject").unwrap_or(&Value::Null)).unwrap();
        match program.execute(&context).unwrap_or_else(|error| panic!("{error} in {expression} for {request}")) {
            cel::Value::Bool(bool) => bool,
            other => panic!("{other:?} from {expression}"),
        }
    })
}

fn shipped() -> Value {
    webhooks("default").remove(0)
}

fn by(user: &str, mut request: Value) -> Value {
    request["userInfo"] = json!({"username": user});
    request
}

fn find(kind: &str, operation: &str) -> Value {
    let found = recorded().into_iter().find(|it| it["kind"]["kind"] == kind && it["operation"] == operation);
    found.unwrap_or_else(|| panic!("no {operation} of a {kind} was recorded"))
}

#[test]
fn everyone_elses_requests_are_judged() {
    for (set, _) in sets() {
        for webhook in webhooks(&set) {
            for request in recorded() {
                for user in [
                    "kubernetes-admin",
                    "system:anonymous",
                    "system:serviceaccount:team-b:flink-operator",
                    "system:serviceaccount:flink-operator:flink",
                    "flink-operator",
                    "system:serviceaccount:kube-system:namespace-controller",
                    "system:serviceaccount:flink-operator:flink-operator ",
                ] {
                    assert!(called(&webhook, &by(user, request.clone())), "{set}: {user} {}", request["uid"]);
                }
                assert!(called(&webhook, &request), "{set}: {}", request["uid"]);
            }
        }
    }
}

#[test]
fn what_the_operator_changes_is_judged() {
    for request in recorded() {
        if request["kind"]["kind"] != "FlinkStateSnapshot" {
            let unchanged =
                request["operation"] == "UPDATE" && request["object"]["spec"] == request["oldObject"]["spec"];
            assert_eq!(called(&shipped(), &by(OPERATOR, request.clone())), !unchanged, "{}", request["uid"]);
        }
    }
    // Nothing to compare is not the same as nothing changed.
    for (object, old) in [(json!({}), json!({})), (json!({"spec": {}}), json!({})), (Value::Null, json!({"spec": {}}))]
    {
        let mut request = by(OPERATOR, find("FlinkDeployment", "UPDATE"));
        (request["object"], request["oldObject"]) = (object, old);
        request["operation"] = json!(if request["object"].is_null() { "DELETE" } else { "UPDATE" });
        assert!(called(&shipped(), &request), "{request}");
    }
}

#[test]
fn the_operator_never_waits_for_its_own_bookkeeping() {
    let snapshot = find("FlinkStateSnapshot", "CREATE");
    assert!(!called(&shipped(), &by(OPERATOR, snapshot.clone())));
    let mut deletion = by(OPERATOR, snapshot);
    deletion["operation"] = json!("DELETE");
    deletion["oldObject"] = deletion["object"].take();
    assert!(!called(&shipped(), &deletion));

    let mut finalizer = by(OPERATOR, find("FlinkDeployment", "UPDATE"));
    finalizer["object"]["spec"] = finalizer["oldObject"]["spec"].clone();
    finalizer["object"]["metadata"]["finalizers"] = json!([]);
    assert!(!called(&shipped(), &finalizer));
    finalizer["object"]["spec"]["job"]["upgradeMode"] = json!("stateless-to-be");
    assert!(called(&shipped(), &finalizer));
}

#[test]
fn names_are_well_formed_and_few() {
    for (set, _) in sets() {
        for webhook in webhooks(&set) {
            let conditions = webhook["matchConditions"].as_array().unwrap();
            assert!(conditions.len() <= 64, "{set}");
            for condition in conditions {
                let name = condition["name"].as_str().unwrap();
                assert!(
                    name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                    "{name}"
                );
            }
        }
    }
}
