//! The dashboard and the alerts: they ask for metrics that the gate has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::helm::{chart, of_kind, render};

/// What `/metrics` gives out, with the labels of each.
const METRICS: [(&str, &[&str]); 21] = [
    ("sluicegate_build_info", &["version", "policy"]),
    ("sluicegate_certificate_expiry_timestamp_seconds", &["file"]),
    ("sluicegate_connections", &["door"]),
    ("sluicegate_decision_log_failures_total", &[]),
    ("sluicegate_decisions_total", &["door", "mode", "decision"]),
    ("sluicegate_exempted_total", &["rule"]),
    ("sluicegate_findings_total", &["rule", "effect"]),
    ("sluicegate_kubernetes_bytes", &["kind"]),
    ("sluicegate_kubernetes_objects", &["kind"]),
    ("sluicegate_let_through_total", &["door", "reason"]),
    ("sluicegate_lookup_seconds", &["source"]),
    ("sluicegate_lookups_total", &["source", "outcome"]),
    ("sluicegate_outdated", &["what"]),
    ("sluicegate_overrides_total", &["rule"]),
    ("sluicegate_rejected_total", &["door", "reason"]),
    ("sluicegate_reloads_total", &["what", "outcome"]),
    ("sluicegate_request_seconds", &["door"]),
    ("sluicegate_sandbox_breaches_total", &["kind"]),
    ("sluicegate_shadow_differences_total", &["rule"]),
    ("sluicegate_stage_seconds", &["door", "stage"]),
    ("sluicegate_unjudged_total", &["rule"]),
];

/// Labels that Prometheus adds.
const ADDED: [&str; 3] = ["namespace", "pod", "le"];

/// The metrics that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let metrics = words.filter(|word| word.starts_with("sluicegate_"));
    metrics.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned()).collect()
}

/// Holds an expression against the list: each metric is in it, and has the labels that are asked for.
fn check(expression: &str) -> BTreeSet<String> {
    let metrics = named(expression);
    assert!(!metrics.is_empty(), "asks for nothing of the gate: {expression}");
    let known: BTreeSet<&str> = metrics
        .iter()
        .flat_map(|name| {
            let known = METRICS.iter().find(|(known, _)| known == name);
            known.unwrap_or_else(|| panic!("no such metric: {name} in {expression}")).1.iter().copied()
        })
        .chain(ADDED)
        .collect();
    for label in labels(expression) {
        assert!(known.contains(label.as_str()), "no such label: {label} in {expression}");
    }
    let depth = |open, close| expression.matches(open).count() == expression.matches(close).count();
    assert!(depth('(', ')') && depth('{', '}') && depth('[', ']'), "{expression}");
    metrics
}

/// The labels that an expression selects or groups by.
fn labels(expression: &str) -> Vec<String> {
    let mut labels = Vec::new();
    for part in expression.split('{').skip(1) {
        let matchers = part.split('}').next().unwrap();
        labels.extend(matchers.split(", ").map(|it| it.split(['=', '!']).next().unwrap().to_owned()));
    }
    for part in expression.split(" by (").skip(1) {
        labels.extend(part.split(')').next().unwrap().split(", ").map(str::to_owned));
    }
    labels
}

fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string(chart().join("dashboards/sluicegate.json")).unwrap()).unwrap()
}

#[test]
fn the_dashboard_asks_for_what_is_there_and_shows_all_of_it() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()));
        for target in panel["targets"].as_array().into_iter().flatten() {
            shown.extend(check(target["expr"].as_str().unwrap()));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            check(variable["definition"].as_str().unwrap());
        }
    }
    let all: BTreeSet<String> = METRICS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(shown, all, "a metric that no panel shows");
}

#[test]
fn panels_do_not_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let place = |panel: &Value| ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
    for (i, one) in panels.iter().enumerate() {
        let [x, y, w, h] = place(one);
        assert!(x + w <= 24, "{}", one["title"]);
        for other in &panels[..i] {
            let [a, b, c, d] = place(other);
            let apart = x >= a + c || a >= x + w || y >= b + d || b >= y + h;
            assert!(apart, "{} and {}", one["title"], other["title"]);
        }
    }
}

#[test]
fn the_dashboard_is_shipped_as_it_is() {
    let documents = render("everything");
    let shipped = of_kind(&documents, "ConfigMap").into_iter().find_map(|one| one["data"]["sluicegate.json"].as_str());
    assert_eq!(serde_json::from_str::<Value>(shipped.unwrap()).unwrap(), dashboard());
    assert!(of_kind(&render("default"), "ConfigMap").is_empty(), "optional parts are off");
}

#[test]
fn alerts_ask_for_what_is_there_and_say_what_to_do() {
    let documents = render("everything");
    let rules = of_kind(&documents, "PrometheusRule")[0]["spec"]["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 6);
    for rule in rules {
        check(rule["expr"].as_str().unwrap());
        for text in ["summary", "description"] {
            let text = rule["annotations"][text].as_str().unwrap();
            assert!(text.len() > 10 && !text.ends_with('.') && !text.contains('\n'), "{text}");
            assert_eq!(text.matches("{{").count(), text.matches("}}").count(), "{text}");
        }
        assert!(["critical", "warning", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()));
    }
}
