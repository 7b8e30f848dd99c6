//! Every document that is rendered, read by the typed API. A field that the type does not know, which a cluster would
//! drop or refuse, shows when the typed value is written again. Kinds that are not Kubernetes' own are read as the small
//! types at the end, which hold what the chart uses of them and refuse all else.

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::helm::{render, sets, title};

/// What is wrong with a document, if anything is.
pub fn faults(document: &Value) -> Option<String> {
    let (version, kind) = (document["apiVersion"].as_str().unwrap_or(""), document["kind"].as_str().unwrap_or(""));
    match (version, kind) {
        ("v1", "ConfigMap") => same::<ConfigMap>(document),
        ("v1", "Namespace") => same::<Namespace>(document),
        ("v1", "Service") => same::<Service>(document),
        ("v1", "ServiceAccount") => same::<ServiceAccount>(document),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration") => {
            same::<ValidatingWebhookConfiguration>(document)
        }
        ("apps/v1", "Deployment") => same::<Deployment>(document),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => same::<HorizontalPodAutoscaler>(document),
        ("networking.k8s.io/v1", "NetworkPolicy") => same::<NetworkPolicy>(document),
        ("policy/v1", "PodDisruptionBudget") => same::<PodDisruptionBudget>(document),
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => same::<ClusterRole>(document),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => same::<ClusterRoleBinding>(document),
        ("rbac.authorization.k8s.io/v1", "Role") => same::<Role>(document),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => same::<RoleBinding>(document),
        ("scheduling.k8s.io/v1", "PriorityClass") => same::<PriorityClass>(document),
        ("cert-manager.io/v1", "Certificate") => same::<extensions::Certificate>(document),
        ("cert-manager.io/v1", "Issuer") => same::<extensions::Issuer>(document),
        ("monitoring.coreos.com/v1", "ServiceMonitor") => same::<extensions::ServiceMonitor>(document),
        ("monitoring.coreos.com/v1", "PrometheusRule") => same::<extensions::PrometheusRule>(document),
        _ => Some(format!("`{version}` `{kind}` is a kind that no test reads")),
    }
}

fn same<T: DeserializeOwned + Serialize>(document: &Value) -> Option<String> {
    let typed: T = match serde_json::from_value(document.clone()) {
        Ok(typed) => typed,
        Err(error) => return Some(error.to_string()),
    };
    difference("", document, &serde_json::to_value(typed).unwrap())
}

/// Where two values differ first.
fn difference(place: &str, rendered: &Value, typed: &Value) -> Option<String> {
    match (rendered, typed) {
        (Value::Object(rendered), Value::Object(typed)) => rendered.keys().chain(typed.keys()).find_map(|key| {
            let value = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
            difference(&format!("{place}/{key}"), &value(rendered), &value(typed))
        }),
        (Value::Array(rendered), Value::Array(typed)) if rendered.len() == typed.len() => rendered
            .iter()
            .zip(typed)
            .enumerate()
            .find_map(|(i, (rendered, typed))| difference(&format!("{place}/{i}"), rendered, typed)),
        _ if rendered == typed => None,
        _ => Some(format!("{place}: rendered {rendered}, read as {typed}")),
    }
}

#[test]
fn every_document_is_what_its_type_says() {
    for (set, _) in sets() {
        for document in render(&set) {
            assert_eq!(faults(&document), None, "{set}: {}", title(&document));
        }
    }
}

#[test]
fn an_unknown_field_is_found() {
    let mut documents = render("everything");
    for document in &mut documents {
        document["metadata"]["lables"] = Value::from("x");
        let found = faults(document).unwrap_or_default();
        assert!(found.contains("lables"), "{}: {found}", title(document));
    }
    for (kind, pointer) in [
        ("Deployment", "/spec/template/spec/containers/0/readinessProbe/httpGet"),
        ("ValidatingWebhookConfiguration", "/webhooks/0/clientConfig/service"),
        ("Certificate", "/spec"),
        ("ServiceMonitor", "/spec/endpoints/0"),
        ("PrometheusRule", "/spec/groups/0/rules/0"),
    ] {
        let mut document = render("everything").into_iter().find(|document| document["kind"] == kind).unwrap();
        document.pointer_mut(pointer).unwrap()["pathh"] = Value::from("x");
        assert!(faults(&document).unwrap_or_default().contains("pathh"), "{kind}");
    }
}

/// What the chart uses of other people's kinds, from their published definitions: cert-manager.io/v1 and
/// monitoring.coreos.com/v1.
mod extensions {
    use std::collections::BTreeMap;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
    use serde::{Deserialize, Serialize};

    macro_rules! strict {
        ($($name:ident { $($field:ident: $type:ty),* $(; $($optional:ident: $optional_type:ty),*)? })*) => {$(
            #[derive(Deserialize, Serialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub struct $name {
                $($field: $type,)*
                $($(#[serde(default, skip_serializing_if = "Option::is_none")] $optional: Option<$optional_type>,)*)?
            }
        )*};
    }

    strict! {
        Certificate { api_version: String, kind: String, metadata: ObjectMeta, spec: CertificateSpec }
        CertificateSpec { secret_name: String, issuer_ref: IssuerRef, private_key: PrivateKey;
            duration: String, renew_before: String, usages: Vec<String>, dns_names: Vec<String>, common_name: String,
            is_c_a: bool }
        IssuerRef { group: String, kind: String, name: String }
        PrivateKey { algorithm: String, size: u32; rotation_policy: String }
        Issuer { api_version: String, kind: String, metadata: ObjectMeta, spec: IssuerSpec }
        IssuerSpec { ; self_signed: SelfSigned, ca: Ca }
        SelfSigned { }
        Ca { secret_name: String }
        ServiceMonitor { api_version: String, kind: String, metadata: ObjectMeta, spec: ServiceMonitorSpec }
        ServiceMonitorSpec { selector: LabelSelector, namespace_selector: NamespaceSelector, endpoints: Vec<Endpoint> }
        NamespaceSelector { match_names: Vec<String> }
        Endpoint { port: String, path: String, scheme: String, interval: String }
        PrometheusRule { api_version: String, kind: String, metadata: ObjectMeta, spec: PrometheusRuleSpec }
        PrometheusRuleSpec { groups: Vec<Group> }
        Group { name: String, rules: Vec<Alert> }
        Alert { alert: String, expr: String, labels: BTreeMap<String, String>, annotations: BTreeMap<String, String>;
            r#for: String }
    }
}
