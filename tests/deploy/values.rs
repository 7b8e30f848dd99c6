//! The values: closed by their schema, so that what is misspelt is refused instead of dropped.

use serde_json::Value;

use crate::helm::{chart, template};

fn schema() -> Value {
    serde_json::from_str(&std::fs::read_to_string(chart().join("values.schema.json")).unwrap()).unwrap()
}

#[test]
fn a_misspelt_value_is_refused_by_name() {
    for (set, named) in [
        ("rollot=observe", "rollot"),
        ("rollout=off", "rollout"),
        ("webhook.timeoutSecond=3", "timeoutSecond"),
        ("webhook.timeoutSeconds=31", "timeoutSeconds"),
        ("webhook.failurePolicy=fail", "failurePolicy"),
        ("image.tagg=1", "tagg"),
        ("image.digest=sha256:12", "digest"),
        ("tls.certManager.enable=true", "enable"),
        ("tls.caBundle=bm8gUEVN", "caBundle"),
        ("limits.deadlin=3", "deadlin"),
        ("kubernetes.watchNamespaces[0]=Team_A", "watchNamespaces"),
        ("operator.accounts[0]=system:serviceaccount:*:flink-operator", "accounts"),
        ("operator.accounts[0]=flink-operator", "accounts"),
        ("settings.kind=Settings", "settings"),
        ("controlPlanes[0].api=flink", "controlPlanes"),
        ("proxies[0].api=alibaba", "proxies"),
        ("proxies[0].api=flink-rest", "upstream"),
        ("runAsUser=0", "runAsUser"),
        ("replicas=0", "replicas"),
        ("drainTime=soon", "drainTime"),
    ] {
        let said = template(&["--set", set]).expect_err(set);
        assert!(said.contains("don't meet the specifications of the schema") && said.contains(named), "{set}: {said}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_with_a_way_out() {
    for (set, says) in [
        ("tls.certManager.enabled=false", "tls.existingSecret with tls.caBundle"),
        ("tls.existingSecret=mine", "exclude each other"),
        ("tls.existingSecret=mine,tls.certManager.enabled=false", "--set-file tls.caBundle"),
        ("callers.principalHeader=x-principal", "need each other"),
    ] {
        let said = template(&["--set", set]).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn the_schema_knows_the_values_and_no_others() {
    let values = sluicegate::yaml::parse(&std::fs::read_to_string(chart().join("values.yaml")).unwrap()).unwrap();
    compare("", &values, &schema());
}

/// Holds the names of each object against those of the schema. What Kubernetes or the policy defines, and lists whose
/// items have a form of their own, have no names here.
fn compare(place: &str, values: &Value, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else { return };
    assert_eq!(schema["additionalProperties"], false, "{place}: not closed");
    let values = values.as_object().unwrap_or_else(|| panic!("{place}: no object"));
    // A value that is nothing by default is an empty object.
    if values.is_empty() && !place.is_empty() {
        return;
    }
    for name in properties.keys() {
        // Helm's own, on every chart.
        let given = values.contains_key(name) || (place.is_empty() && name == "global");
        assert!(given, "{place}/{name} is in the schema, not in values.yaml");
    }
    for (name, value) in values {
        let schema = properties.get(name).unwrap_or_else(|| panic!("{place}/{name} is not in the schema"));
        compare(&format!("{place}/{name}"), value, schema);
    }
}

#[test]
fn every_object_of_the_schema_is_closed_or_says_who_defines_it() {
    fn walk(place: &str, schema: &Value) {
        if schema["type"] == "object" {
            let open = schema.get("additionalProperties").is_none();
            let outside = schema.get("description").is_some() || place.ends_with("/items");
            assert!(!open || outside, "{place} takes anything");
        }
        for (name, part) in schema.as_object().into_iter().flatten() {
            if part.is_object() && name != "not" {
                walk(&format!("{place}/{name}"), part);
            }
        }
    }
    walk("", &schema());
}
