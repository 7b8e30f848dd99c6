//! Which requests the API server would send to the gate: the registration matched, as the API server does it, against
//! every AdmissionReview that a real one sent, and against what must not come.

use serde_json::{Value, json};

use crate::helm::{NAMESPACE, of_kind, render, sets};

/// The reviews that a Kubernetes 1.36 API server sent: the `request` of each.
pub fn recorded() -> Vec<Value> {
    let text = std::fs::read_to_string(sluicegate_tests::home().join("recorded/kubernetes-1.36.ndjson")).unwrap();
    let requests: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["request"].take()).collect();
    assert!(requests.len() >= 13, "where are the recordings?");
    requests
}

/// The webhooks that a set registers.
pub fn webhooks(set: &str) -> Vec<Value> {
    let documents = render(set);
    let configurations = of_kind(&documents, "ValidatingWebhookConfiguration");
    configurations.iter().flat_map(|one| one["webhooks"].as_array().unwrap().clone()).collect()
}

/// Whether rules and selectors let this request through to the webhook. `labels`: those of its namespace, beside the one
/// that the API server puts on each.
fn covers(webhook: &Value, request: &Value, labels: &Value) -> bool {
    assert!(webhook.get("objectSelector").is_none(), "an object could leave the gate's sight");
    let resource = &request["resource"];
    let path = match request["subResource"].as_str() {
        None | Some("") => resource["resource"].as_str().unwrap().to_owned(),
        Some(sub) => format!("{}/{sub}", resource["resource"].as_str().unwrap()),
    };
    let ruled = webhook["rules"].as_array().unwrap().iter().any(|rule| {
        let holds = |list: &str, value: &str| rule[list].as_array().unwrap().iter().any(|it| it == "*" || it == value);
        holds("apiGroups", resource["group"].as_str().unwrap())
            && holds("apiVersions", resource["version"].as_str().unwrap())
            && holds("operations", request["operation"].as_str().unwrap())
            && rule["resources"].as_array().unwrap().contains(&json!(path))
            && rule["scope"] == "Namespaced"
    });
    let namespace = &request["namespace"];
    ruled
        && webhook["namespaceSelector"]["matchExpressions"].as_array().unwrap().iter().all(|expression| {
            let value = match expression["key"].as_str().unwrap() {
                "kubernetes.io/metadata.name" => namespace,
                key => &labels[key],
            };
            let listed = expression["values"].as_array().unwrap().contains(value);
            match expression["operator"].as_str().unwrap() {
                "In" => listed,
                "NotIn" => !listed,
                other => panic!("{other}"),
            }
        })
}

/// The names of the webhooks that see this request.
fn seen_by(set: &str, request: &Value, labels: &Value) -> Vec<String> {
    let webhooks = webhooks(set);
    let seen = webhooks.iter().filter(|webhook| covers(webhook, request, labels));
    seen.map(|webhook| webhook["name"].as_str().unwrap().to_owned()).collect()
}

fn with(request: &Value, changes: Value) -> Value {
    let mut request = request.clone();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Object(members) => members.iter().for_each(|(member, value)| request[key][member] = value.clone()),
            value => request[key] = value.clone(),
        }
    }
    request
}

/// The sets that register a webhook for all namespaces.
const EVERYWHERE: [&str; 6] = ["default", "observe", "trial", "existing-secret", "issuer", "everything"];

#[test]
fn every_recorded_request_is_seen_by_one_webhook() {
    for set in EVERYWHERE {
        for request in recorded() {
            assert_eq!(seen_by(set, &request, &json!({})).len(), 1, "{set}: {}", request["uid"]);
        }
    }
}

#[test]
fn what_was_not_recorded_is_seen_as_well() {
    let request = &recorded()[1];
    for changes in [
        json!({"subResource": "scale", "kind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}}),
        json!({"resource": {"resource": "flinkbluegreendeployments"}}),
        json!({"resource": {"resource": "flinkbluegreendeployments"}, "operation": "DELETE"}),
        json!({"resource": {"resource": "flinkstatesnapshots"}, "operation": "DELETE"}),
        json!({"resource": {"resource": "flinksessionjobs"}, "operation": "UPDATE"}),
        json!({"resource": {"version": "v1"}}),
        json!({"operation": "DELETE", "userInfo": {"username": "system:serviceaccount:kube-system:namespace-controller"}}),
    ] {
        for set in EVERYWHERE {
            assert_eq!(seen_by(set, &with(request, changes.clone()), &json!({})).len(), 1, "{set}: {changes}");
        }
    }
}

#[test]
fn nothing_else_is_held_up() {
    let request = &recorded()[1];
    for changes in [
        json!({"subResource": "status"}),
        json!({"resource": {"resource": "flinksessionjobs"}, "subResource": "status"}),
        json!({"resource": {"resource": "flinkstatesnapshots"}, "subResource": "status"}),
        json!({"resource": {"resource": "flinkbluegreendeployments"}, "subResource": "status"}),
        json!({"resource": {"group": "apps", "resource": "deployments"}}),
        json!({"resource": {"group": "", "resource": "configmaps"}}),
        json!({"operation": "CONNECT"}),
        json!({"namespace": NAMESPACE}),
        json!({"namespace": "kube-system"}),
    ] {
        for (set, _) in sets() {
            assert_eq!(
                seen_by(&set, &with(request, changes.clone()), &json!({})),
                Vec::<String>::new(),
                "{set}: {changes}"
            );
        }
    }
}

#[test]
fn namespaces_count_as_the_values_say() {
    let request = &recorded()[1];
    let seen =
        |set: &str, namespace: &str| seen_by(set, &with(request, json!({"namespace": namespace})), &json!({})).len();
    assert_eq!(seen("watch-namespaces", "team-a"), 1);
    assert_eq!(seen("watch-namespaces", "team-b"), 1);
    assert_eq!(seen("watch-namespaces", "default"), 0);
    assert_eq!(seen("everything", "playground"), 0);
}

#[test]
fn a_trial_denies_where_the_label_is_and_observes_elsewhere() {
    let request = &recorded()[1];
    assert_eq!(seen_by("trial", request, &json!({"example.com/gated": "true"})), ["lifecycle.sluicegate.dev"]);
    assert_eq!(seen_by("trial", request, &json!({"example.com/gated": "false"})), ["observed.sluicegate.dev"]);
    assert_eq!(seen_by("trial", request, &json!({})), ["observed.sluicegate.dev"]);

    // Each webhook calls a service, whose pods run in the mode that the webhook stands for.
    let documents = render("trial");
    for (webhook, mode) in webhooks("trial").iter().zip(["--mode=enforce", "--mode=warn"]) {
        let name = &webhook["clientConfig"]["service"]["name"];
        let service = of_kind(&documents, "Service").into_iter().find(|one| &one["metadata"]["name"] == name).unwrap();
        let deployments = of_kind(&documents, "Deployment");
        let selector = service["spec"]["selector"].as_object().unwrap();
        let picked = deployments.iter().filter(|one| {
            let labels = &one["spec"]["template"]["metadata"]["labels"];
            selector.iter().all(|(key, value)| &labels[key] == value)
        });
        let modes: Vec<bool> = picked.map(|one| crate::helm::arguments(one).contains(&mode)).collect();
        assert_eq!(modes, [true], "{name}");
    }
}

#[test]
fn stages_fail_as_they_should() {
    for (set, policy, modes) in [
        ("observe", "Ignore", vec!["--mode=warn"]),
        ("trial", "Ignore", vec!["--mode=enforce", "--mode=warn"]),
        ("default", "Fail", vec!["--mode=enforce"]),
        ("everything", "Ignore", vec!["--mode=enforce"]),
    ] {
        assert!(webhooks(set).iter().all(|webhook| webhook["failurePolicy"] == policy), "{set}");
        let documents = render(set);
        let found: Vec<&str> = of_kind(&documents, "Deployment")
            .into_iter()
            .flat_map(crate::helm::arguments)
            .filter(|argument| argument.starts_with("--mode="))
            .collect();
        assert_eq!(found, modes, "{set}");
    }
}

#[test]
fn the_registration_is_one_that_the_api_server_takes() {
    let mut seen = 0;
    for (set, _) in sets() {
        let documents = render(&set);
        for webhook in webhooks(&set) {
            seen += 1;
            assert!(webhook["name"].as_str().unwrap().split('.').count() >= 3, "{set}");
            assert!((1..=5).contains(&webhook["timeoutSeconds"].as_u64().unwrap()), "{set}");
            assert_eq!(webhook["sideEffects"], "None", "{set}");
            assert_eq!(webhook["matchPolicy"], "Equivalent", "{set}");
            assert_eq!(webhook["admissionReviewVersions"], json!(["v1"]), "{set}");
            let service = &webhook["clientConfig"]["service"];
            assert_eq!((&service["path"], &service["port"]), (&json!("/validate"), &json!(443)), "{set}");
            // The certificate must carry the name that the API server calls.
            let host = format!("{}.{NAMESPACE}.svc", service["name"].as_str().unwrap());
            let trusted = webhook["clientConfig"].get("caBundle").is_some()
                || of_kind(&documents, "Certificate").iter().any(|certificate| {
                    let names = &certificate["spec"]["dnsNames"];
                    names.as_array().is_some_and(|names| names.contains(&json!(host)))
                });
            assert!(trusted, "{set}: {host}");
        }
        for configuration in of_kind(&documents, "ValidatingWebhookConfiguration") {
            let from = &configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"];
            let certificates = of_kind(&documents, "Certificate");
            let named = certificates.iter().any(|one| {
                *from == format!("{NAMESPACE}/{}", one["metadata"]["name"].as_str().unwrap())
                    && one["spec"]["dnsNames"].is_array()
            });
            assert_eq!(from.is_string(), named, "{set}: the CA comes from a certificate that is not there");
        }
    }
    assert!(seen >= 8);
}
