//! What Prometheus gets to see.

use std::time::{Duration, UNIX_EPOCH};

use super::Metrics;
use crate::server::door::{Door, Mode, Stage};
use crate::{Api, Decision, Dialect, Effect, Exempted, Finding, PolicyError, Unjudged, Verdict};

fn finding(rule: &str, overridden: bool) -> Finding {
    Finding {
        rule: rule.to_owned(),
        effect: if overridden { Effect::Warn } else { Effect::Deny },
        message: String::new(),
        place: None,
        observed: None,
        expected: None,
        remedy: String::new(),
        overridden: overridden.then(|| "reason".to_owned()),
    }
}

fn verdict(findings: Vec<Finding>) -> Verdict {
    Verdict {
        decision: Decision::Deny,
        passes: false,
        dialect: Dialect::FlinkRest,
        operations: Vec::new(),
        findings,
        unjudged: vec![Unjudged { rule: "lacking".to_owned(), lacks: String::new() }],
        exempted: vec![Exempted { rule: "exempt".to_owned(), reason: String::new(), until: None }],
        restore: None,
        document: String::new(),
    }
}

#[test]
fn every_metric_has_its_name_and_labels() {
    let metrics = Metrics::new("0.1.0", "sha256:1");
    metrics.policy("sha256:2");
    let door = Door::Proxy(Api::FlinkRest);
    metrics.decided(door, Mode::Enforce, &verdict(vec![finding("drain", false), finding("cancel", true)]));
    metrics.decided(door, Mode::Enforce, &verdict(vec![finding("drain", false)]));
    metrics.stage(door, Stage::Sandbox, Duration::from_micros(30));
    metrics.request(Door::Validate, Duration::from_millis(2));
    metrics.rejected(Door::Check, "overload");
    metrics.breach(&PolicyError::TimeExceeded { limit: Duration::from_millis(200) });
    metrics.reloaded("settings", false);
    metrics.certificate("tls.crt", UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    metrics.looked_up("flink-rest", "miss", Duration::from_millis(3));
    metrics.kubernetes("FlinkDeployment", 3, 4096);
    metrics.shadow_differs("drain");
    metrics.decision_log_failed();
    metrics.connection_refused("metrics");
    let open = metrics.connections("proxy");
    drop(metrics.connections("proxy"));
    let page = metrics.render();
    for line in [
        "sluicegate_decisions_total{door=\"proxy\",mode=\"enforce\",decision=\"deny\"} 2",
        "sluicegate_findings_total{rule=\"drain\",effect=\"deny\"} 2",
        "sluicegate_findings_total{rule=\"cancel\",effect=\"warn\"} 1",
        "sluicegate_unjudged_total{rule=\"lacking\"} 2",
        "sluicegate_overrides_total{rule=\"cancel\"} 1",
        "sluicegate_exempted_total{rule=\"exempt\"} 2",
        "sluicegate_sandbox_breaches_total{kind=\"time\"} 1",
        "sluicegate_stage_seconds_bucket{le=\"0.000025\",door=\"proxy\",stage=\"sandbox\"} 0",
        "sluicegate_stage_seconds_bucket{le=\"0.00005\",door=\"proxy\",stage=\"sandbox\"} 1",
        "sluicegate_request_seconds_count{door=\"validate\"} 1",
        "sluicegate_rejected_total{door=\"check\",reason=\"overload\"} 1",
        "sluicegate_rejected_total{door=\"metrics\",reason=\"connections\"} 1",
        "sluicegate_lookups_total{source=\"flink-rest\",outcome=\"miss\"} 1",
        "sluicegate_lookup_seconds_count{source=\"flink-rest\"} 1",
        "sluicegate_certificate_expiry_timestamp_seconds{file=\"tls.crt\"} 1800000000.0",
        "sluicegate_reloads_total{what=\"settings\",outcome=\"bad\"} 1",
        "sluicegate_shadow_differences_total{rule=\"drain\"} 1",
        "sluicegate_kubernetes_objects{kind=\"FlinkDeployment\"} 3",
        "sluicegate_kubernetes_bytes{kind=\"FlinkDeployment\"} 4096",
        "sluicegate_connections{door=\"proxy\"} 1",
        "sluicegate_build_info{version=\"0.1.0\",policy=\"sha256:2\"} 1",
        "sluicegate_decision_log_failures_total 1",
    ] {
        assert!(page.lines().any(|there| there == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("sha256:1\""), "the policy before is gone");
    assert!(page.ends_with("# EOF\n"));
    drop(open);
    assert!(metrics.render().contains("sluicegate_connections{door=\"proxy\"} 0"));
}

#[test]
fn a_policy_that_invents_rules_fills_no_memory() {
    let metrics = Metrics::new("0.1.0", "sha256:1");
    let invented = (0..2000).map(|number| finding(&format!("rule-{number}"), false)).collect();
    metrics.decided(Door::Validate, Mode::Warn, &verdict(invented));
    let odd = ["", "a\"b", "naïve", &"x".repeat(65)].map(|id| finding(id, false));
    metrics.decided(Door::Validate, Mode::Warn, &verdict(odd.to_vec()));
    let page = metrics.render();
    let series = page.lines().filter(|line| line.starts_with("sluicegate_findings_total")).count();
    assert!((400..=501).contains(&series), "{series}");
    assert!(page.contains("sluicegate_findings_total{rule=\"other\",effect=\"deny\"} 150"), "{page}");
}
