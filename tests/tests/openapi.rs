//! The description that `serve` gives of itself, held against what it really answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use sluicegate::case::{self, Case};
use sluicegate::input::Lines;
use sluicegate::report::{self, Judged, Outcome, PolicyName, Report};
use sluicegate::{Limits, Policy};
use sluicegate_tests::{home, root};

fn description() -> Value {
    let file = root().join("host/src/server/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A schema of the description by its name.
fn schema(name: &str) -> jsonschema::Validator {
    let description = description();
    assert!(description["components"]["schemas"][name].is_object(), "{name}");
    let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": description["components"]});
    jsonschema::validator_for(&schema).unwrap()
}

fn faults(schema: &jsonschema::Validator, value: &Value) -> Vec<String> {
    schema.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, whole: &Value, count: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(whole.pointer(pointer).is_some(), "{reference}");
                    *count += 1;
                }
                members.values().for_each(|value| walk(value, whole, count));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, whole, count)),
            _ => {}
        }
    }
    let description = description();
    let mut count = 0;
    walk(&description, &description, &mut count);
    assert!(count > 30, "{count}");
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    for schema in description["components"]["schemas"].as_object().unwrap().values() {
        assert!(jsonschema::meta::is_valid(schema), "{schema}");
    }
}

#[test]
fn every_path_is_described_and_every_description_is_a_path() {
    let description = description();
    let paths: Vec<_> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/v1/check",
        "/v1/rules",
        "/validate",
        "/authz/{api}/{target}",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/metrics",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn reports_are_as_described() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let name = PolicyName { version: policy.describe().unwrap().version, digest: policy.digest().to_owned() };
    let schema = schema("CheckReport");
    let (mut restores, mut errors, mut findings) = (0, 0, 0);
    for (file, found) in case::find(&home().join("cases")).into_iter().step_by(7) {
        found.unwrap();
        let case = Case::open(&file).unwrap();
        let body = case.request.as_ref().map_or_else(|_| Vec::new(), |request| request.body.clone());
        let outcome = match case.judge(&policy) {
            Ok(verdict) => Outcome::of(verdict, &Lines::new(&body), Some(0)),
            Err(error) => Outcome::Error { message: error.to_string(), position: None, by_policy: false },
        };
        let judged = Judged { input: "-".to_owned(), document: 1, among_others: false, outcome };
        let mut text = Vec::new();
        report::json(&Report { policy: Some(name.clone()), results: vec![judged] }, &mut text).unwrap();
        let mut value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(faults(&schema, &value), Vec::<String>::new(), "{}: {value:#}", file.display());
        let result = &value["results"][0];
        restores += usize::from(result["restore"].is_object());
        errors += usize::from(result["error"].is_string());
        findings += result["findings"].as_array().unwrap().len();
        // It is no schema that takes everything.
        value["results"][0]["more"] = json!(1);
        assert!(!schema.is_valid(&value));
    }
    assert!(restores > 5 && errors > 0 && findings > 50, "{restores} restores, {errors} errors, {findings} findings");
    let mut text = Vec::new();
    report::json(&Report { policy: None, results: Vec::new() }, &mut text).unwrap();
    assert_eq!(faults(&schema, &serde_json::from_slice(&text).unwrap()), Vec::<String>::new());
}

#[test]
fn the_catalogue_is_as_described() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let mut catalogue = report::catalogue_json(&policy.describe().unwrap(), policy.digest());
    let schema = schema("RuleCatalogue");
    assert_eq!(faults(&schema, &catalogue), Vec::<String>::new());
    assert!(catalogue["rules"].as_array().unwrap().len() > 50);
    catalogue["rules"][0]["more"] = json!(1);
    assert!(!schema.is_valid(&catalogue));
}
