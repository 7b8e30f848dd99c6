//! What the gate may do in a cluster: read Flink's resources and namespaces, and nothing else.

use serde_json::{Value, json};

use crate::helm::{NAMESPACE, of_kind, render, sets, title};

#[test]
fn it_reads_what_it_watches_and_nothing_else() {
    for (set, _) in sets() {
        let documents = render(&set);
        for role in of_kind(&documents, "ClusterRole").into_iter().chain(of_kind(&documents, "Role")) {
            for rule in role["rules"].as_array().unwrap() {
                assert_eq!(rule["verbs"], json!(["get", "list", "watch"]), "{set}: {}", title(role));
                let allowed = match rule["apiGroups"].as_array().unwrap()[..] {
                    [Value::String(ref group)] if group == "flink.apache.org" => {
                        json!([
                            "flinkdeployments",
                            "flinksessionjobs",
                            "flinkstatesnapshots",
                            "flinkbluegreendeployments"
                        ])
                    }
                    [Value::String(ref group)] if group.is_empty() => json!(["namespaces"]),
                    _ => panic!("{set}: {rule}"),
                };
                assert_eq!(rule["resources"], allowed, "{set}: {}", title(role));
                assert!(rule.get("nonResourceURLs").is_none(), "{set}");
            }
        }
    }
}

#[test]
fn chosen_namespaces_get_roles_and_the_cluster_none_for_flink() {
    let documents = render("watch-namespaces");
    for kind in ["Role", "RoleBinding"] {
        let namespaces: Vec<_> =
            of_kind(&documents, kind).iter().map(|one| one["metadata"]["namespace"].clone()).collect();
        assert_eq!(namespaces, ["team-a", "team-b"], "{kind}");
    }
    let cluster = serde_json::to_string(&of_kind(&documents, "ClusterRole")).unwrap();
    assert!(!cluster.contains("flink.apache.org"), "{cluster}");
    assert!(of_kind(&render("default"), "Role").is_empty());
    assert!(of_kind(&render("gateway"), "ClusterRole").is_empty(), "what does not watch needs no rights");
}

#[test]
fn bindings_bind_the_account_that_the_pods_run_as() {
    for (set, _) in sets() {
        let documents = render(&set);
        for binding in of_kind(&documents, "ClusterRoleBinding").into_iter().chain(of_kind(&documents, "RoleBinding")) {
            let subject = &binding["subjects"][0];
            assert_eq!(subject["namespace"], NAMESPACE, "{set}");
            for deployment in of_kind(&documents, "Deployment") {
                let pod = &deployment["spec"]["template"]["spec"];
                assert_eq!(subject["name"], pod["serviceAccountName"], "{set}");
                assert_eq!(pod["automountServiceAccountToken"], true, "{set}");
            }
            let roles = of_kind(&documents, binding["roleRef"]["kind"].as_str().unwrap());
            let namespace = &binding["metadata"]["namespace"];
            assert!(
                roles.iter().any(|role| role["metadata"]["name"] == binding["roleRef"]["name"]
                    && &role["metadata"]["namespace"] == namespace),
                "{set}: {}",
                title(binding)
            );
        }
    }
    let deployment = &of_kind(&render("gateway"), "Deployment")[0]["spec"]["template"]["spec"].clone();
    assert_eq!(deployment["automountServiceAccountToken"], false, "what does not watch needs no token");
}

#[test]
fn the_network_lets_in_and_out_what_is_listed() {
    let documents = render("default");
    let policy = of_kind(&documents, "NetworkPolicy")[0];
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    let ports = |direction: &str, documents: &[Value]| -> Vec<Value> {
        let policy = of_kind(documents, "NetworkPolicy")[0];
        let rules = policy["spec"][direction].as_array().unwrap();
        rules
            .iter()
            .flat_map(|rule| rule["ports"].as_array().unwrap().iter().map(|port| port["port"].clone()))
            .collect()
    };
    assert_eq!(ports("ingress", &documents), [json!("https"), json!("metrics")]);
    assert_eq!(ports("egress", &documents), [53, 53, 443, 6443]);
    let all = render("everything");
    assert_eq!(ports("ingress", &all), [json!("https"), json!("metrics"), json!(8082), json!(8083)]);
    assert_eq!(ports("egress", &all), [53, 53, 6443, 8081]);
    for rule in of_kind(&all, "NetworkPolicy")[0]["spec"]["ingress"].as_array().unwrap() {
        assert!(rule["from"].as_array().is_some_and(|from| !from.is_empty()), "{rule}");
    }
}
