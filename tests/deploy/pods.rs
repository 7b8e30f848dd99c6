//! What a cluster runs: pods that the restricted Pod Security level admits, two of them at least, which stop in order.

use serde_json::{Value, json};

use crate::helm::{arguments, of_kind, render, sets, title};

fn deployments(set: &str) -> Vec<Value> {
    of_kind(&render(set), "Deployment").into_iter().cloned().collect()
}

#[test]
fn the_gates_container_is_restricted() {
    for (set, _) in sets() {
        for deployment in deployments(&set) {
            let pod = &deployment["spec"]["template"]["spec"];
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{set}");
            assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{set}");
            for forbidden in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(pod.get(forbidden).is_none(), "{set}: {forbidden}");
            }
            let container = &pod["containers"][0];
            let expected = json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            });
            assert_eq!(container["securityContext"], expected, "{set}");
            assert!(container["ports"].as_array().unwrap().iter().all(|port| port.get("hostPort").is_none()), "{set}");
            for limit in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
                assert!(container["resources"].pointer(limit).is_some(), "{set}: {limit}");
            }
        }
    }
}

#[test]
fn volumes_are_of_kinds_that_the_restricted_level_admits_and_bounded() {
    for (set, _) in sets() {
        for deployment in deployments(&set) {
            let pod = &deployment["spec"]["template"]["spec"];
            let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
            for volume in pod["volumes"].as_array().unwrap() {
                let kind = volume.as_object().unwrap().keys().find(|key| *key != "name").unwrap();
                assert!(["configMap", "secret", "emptyDir"].contains(&kind.as_str()), "{set}: {volume}");
                let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).unwrap();
                // A single file is never updated.
                assert!(mount.get("subPath").is_none(), "{set}: {mount}");
                match kind.as_str() {
                    "emptyDir" => assert!(volume["emptyDir"]["sizeLimit"].is_string(), "{set}: {volume}"),
                    _ => assert_eq!(mount["readOnly"], true, "{set}: {mount}"),
                }
                if kind == "secret" {
                    assert_eq!(volume["secret"]["defaultMode"], 0o440, "{set}: {volume}");
                }
            }
        }
    }
}

#[test]
fn there_are_two_that_are_replaced_one_by_one() {
    for (set, _) in sets() {
        let documents = render(&set);
        for deployment in of_kind(&documents, "Deployment") {
            let replicas = deployment["spec"]["replicas"].as_u64().unwrap();
            assert!(replicas >= 2, "{set}");
            assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0, "{set}");
            let labels = &deployment["spec"]["template"]["metadata"]["labels"];
            let selects = |selector: &Value| {
                selector["matchLabels"].as_object().unwrap().iter().all(|(key, value)| &labels[key] == value)
            };
            assert!(selects(&deployment["spec"]["selector"]), "{set}");
            for spread in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array().unwrap() {
                assert!(selects(&spread["labelSelector"]), "{set}");
                assert_eq!(spread["whenUnsatisfiable"], "ScheduleAnyway", "{set}");
            }
            let scalers = of_kind(&documents, "HorizontalPodAutoscaler");
            if let Some(scaler) = scalers.iter().find(|one| one["metadata"]["name"] == deployment["metadata"]["name"]) {
                assert_eq!(scaler["spec"]["minReplicas"], replicas, "{set}");
                assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], deployment["metadata"]["name"], "{set}");
            } else {
                assert!(scalers.is_empty(), "{set}: {}", title(deployment));
            }
            let budgets = of_kind(&documents, "PodDisruptionBudget");
            assert_eq!(
                budgets.iter().filter(|one| selects(&one["spec"]["selector"])).count(),
                budgets.len().min(1),
                "{set}"
            );
        }
    }
}

#[test]
fn probes_ask_the_plain_port_and_stopping_outlasts_the_drain() {
    for (set, _) in sets() {
        for deployment in deployments(&set) {
            let pod = &deployment["spec"]["template"]["spec"];
            let container = &pod["containers"][0];
            for (probe, path) in
                [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
            {
                assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "metrics"}), "{set}");
            }
            let drain = arguments(&deployment).into_iter().find_map(|it| it.strip_prefix("--drain-time=")).unwrap();
            let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
            // What is in flight after the drain has 20 seconds.
            assert!(grace > drain.parse::<u64>().unwrap() + 20, "{set}");
        }
    }
}

#[test]
fn services_lead_to_ports_that_are_there() {
    for (set, _) in sets() {
        let documents = render(&set);
        for service in of_kind(&documents, "Service") {
            let selector = service["spec"]["selector"].as_object().unwrap();
            let behind: Vec<_> = of_kind(&documents, "Deployment")
                .into_iter()
                .map(|one| &one["spec"]["template"])
                .filter(|pod| selector.iter().all(|(key, value)| &pod["metadata"]["labels"][key] == value))
                .collect();
            assert!(!behind.is_empty(), "{set}: {}", title(service));
            for (port, pod) in service["spec"]["ports"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|port| behind.iter().map(move |pod| (port, pod)))
            {
                let ports = pod["spec"]["containers"][0]["ports"].as_array().unwrap();
                assert!(ports.iter().any(|one| one["name"] == port["targetPort"]), "{set}: {}: {port}", title(service));
            }
        }
    }
}

#[test]
fn settings_and_facts_arrive_as_the_policy_reads_them() {
    let documents = render("everything");
    let config =
        of_kind(&documents, "ConfigMap").into_iter().find(|one| one["data"]["settings.yaml"].is_string()).unwrap();
    let mut kinds = Vec::new();
    for (name, text) in config["data"].as_object().unwrap() {
        let text = text.as_str().unwrap();
        let document = sluicegate::yaml::parse(text).unwrap();
        assert_eq!(document["apiVersion"], "sluicegate.dev/v1alpha1", "{name}");
        kinds.push(document["kind"].as_str().unwrap().to_owned());
        if document["kind"] == "Settings" {
            assert_eq!(sluicegate_policy::compile_settings(text.as_bytes()).err(), None, "{name}");
        }
        let path = format!("/etc/sluicegate/config/{name}");
        let named = of_kind(&documents, "Deployment").into_iter().flat_map(arguments).any(|it| it.ends_with(&path));
        assert!(named, "{name} is not given to the gate");
    }
    kinds.sort();
    assert_eq!(kinds, ["Facts", "Facts", "Settings", "Settings"]);
}
