//! After AutoscalerValidatorTest and the autoscaler's tests of DefaultValidatorTest (DOMAIN 4.6).

use super::RULE;
use crate::finding::Effect;
use crate::rules::testing::{CLUSTER, SILENT, Says, deployment, of_manifest, of_update, only, session_job, unjudged};

const KNOWN: &str = "platform: {flinkConfiguration: {}}";
const ON: &str = "job.autoscaler.enabled: true";

fn says(settings: &str, facts: &str) -> Says {
    of_manifest(&RULE, &deployment(settings), facts)
}

/// With the autoscaler on.
fn on(settings: &str) -> Says {
    says(&format!("{ON}, {settings}"), KNOWN)
}

#[test]
fn every_option_has_its_range() {
    for (key, good, bad) in [
        ("scale-down.max-factor", vec!["0", "0.6", "7", "NaN"], vec!["-0.1", "abc", "''"]),
        ("scale-up.max-factor", vec!["0", "2.0", "1e9"], vec!["-1", "much"]),
        ("utilization.target", vec!["0", "0.7", "1", "1.0"], vec!["-0.1", "1.5", "70%"]),
        ("target.utilization", vec!["0.5"], vec!["-0.1", "1.5", "high"]),
        ("target.utilization.boundary", vec!["0", "0.3", "2"], vec!["-0.3", "wide"]),
        ("utilization.max", vec!["0.7", "1"], vec!["0.6", "1.1", "top"]),
        ("utilization.min", vec!["0", "0.7"], vec!["-0.1", "0.8", "low"]),
        ("memory.gc-pressure.threshold", vec!["0", "1"], vec!["-0.1", "1.1", "x"]),
        ("memory.heap-usage.threshold", vec!["0", "1"], vec!["-0.1", "1.1", "x"]),
        (
            "observed-scalability.enabled: true, job.autoscaler.observed-scalability.coefficient-min",
            vec!["0.01", "1"],
            vec!["0.001", "1.01", "x"],
        ),
        (
            "scaling.effectiveness.detection.enabled: true, job.autoscaler.scaling.effectiveness.threshold",
            vec!["0", "1"],
            vec!["-0.1", "1.1", "x"],
        ),
        (
            "memory.tuning.enabled: true, job.autoscaler.memory.tuning.overhead",
            vec!["0", "1"],
            vec!["-0.1", "1.1", "x"],
        ),
        (
            "excluded.periods",
            vec!["9:30-10:50", "'* * * ? * 2-6;9:30-10:50 && * * * ? * 2,5'", "['9:30-10:50']"],
            vec!["'9:30-10:50;never'", "10:50-9:30", "'* * * * *'"],
        ),
        ("metrics.window", vec!["60s", "15 min", "1 h", "PT2M", "60000"], vec!["59 s", "30000", "soon"]),
    ] {
        for good in good {
            assert_eq!(on(&format!("job.autoscaler.{key}: {good}")), SILENT, "{key}: {good}");
        }
        for bad in bad {
            let (settings, old) =
                (format!("job.autoscaler.{key}: {bad}"), format!("kubernetes.operator.job.autoscaler.{key}: {bad}"));
            assert_eq!(on(&settings), only(Effect::Deny), "{settings}");
            assert_eq!(on(&old), only(Effect::Deny), "{old}");
            assert_eq!(says(&settings, KNOWN), SILENT, "not on: {settings}");
            assert_eq!(says(&format!("job.autoscaler.enabled: false, {settings}"), KNOWN), SILENT, "off: {settings}");
        }
    }
}

#[test]
fn all_is_said_at_once() {
    let settings = "job.autoscaler: {scale-down.max-factor: -1, utilization.target: 2, metrics.window: 1s}";
    assert_eq!(says(&format!("{ON}, {settings}"), KNOWN).effects, [Effect::Deny; 3]);
}

#[test]
fn a_switch_of_their_own_lets_options_rest() {
    for option in ["observed-scalability.coefficient-min", "scaling.effectiveness.threshold", "memory.tuning.overhead"]
    {
        assert_eq!(on(&format!("job.autoscaler.{option}: 5")), SILENT, "{option}");
        assert_eq!(says(&format!("{ON}, job.autoscaler.{option}: 5"), "{}"), unjudged(), "{option}");
    }
}

#[test]
fn limits_are_relative_to_the_target() {
    let target = |rest: &str| on(&format!("job.autoscaler.utilization.target: 0.5, job.autoscaler.utilization.{rest}"));
    assert_eq!(target("max: 0.6"), SILENT);
    assert_eq!(target("min: 0.6"), only(Effect::Deny));
    let old = on("job.autoscaler.target.utilization: 0.5, job.autoscaler.utilization.max: 0.6");
    assert_eq!(old, SILENT, "the older name of the target counts");
    let unknown = |rest: &str| says(&format!("{ON}, job.autoscaler.utilization.{rest}"), "{}");
    assert_eq!(unknown("max: 0.6"), unjudged());
    assert_eq!(unknown("max: 1.6"), only(Effect::Deny), "whatever the target is");
}

#[test]
fn the_window_holds_two_looks() {
    assert_eq!(
        on("kubernetes.operator.reconcile.interval: 20 min"),
        only(Effect::Deny),
        "the default window is 15 min"
    );
    assert_eq!(on("kubernetes.operator.reconcile.interval: 15 min"), SILENT);
    assert_eq!(on("job.autoscaler.metrics.window: 30s, kubernetes.operator.reconcile.interval: 15s"), SILENT);
    assert_eq!(on("kubernetes.operator.reconcile.interval: often"), only(Effect::Deny));
    let defaults = "platform: {flinkConfiguration: {kubernetes.operator.reconcile.interval: 5 min}}";
    assert_eq!(says(&format!("{ON}, job.autoscaler.metrics.window: 3m"), defaults), only(Effect::Deny));
    assert_eq!(says(&format!("{ON}, job.autoscaler.metrics.window: 30s"), "{}"), unjudged());
    assert_eq!(says(&format!("{ON}, job.autoscaler.metrics.window: 3m"), "{}"), SILENT);
}

#[test]
fn unknown_defaults_may_turn_it_on() {
    assert_eq!(says("job.autoscaler.utilization.target: 1.5", "{}"), unjudged());
    assert_eq!(says("job.autoscaler.utilization.target: 0.5", "{}"), SILENT);
    assert_eq!(says("job.autoscaler.enabled: false, job.autoscaler.utilization.target: 1.5", "{}"), SILENT);
    assert_eq!(says(&format!("{ON}, job.autoscaler.utilization.target: 1.5"), "{}"), only(Effect::Deny));
    let defaults = format!("platform: {{flinkConfiguration: {{{ON}}}}}");
    assert_eq!(says("job.autoscaler.utilization.target: 1.5", &defaults), only(Effect::Deny));
    assert_eq!(says("job.autoscaler.enabled: yes please", "{}"), only(Effect::Deny));
    assert_eq!(
        says("kubernetes.operator.job.autoscaler.enabled: TRUE, job.autoscaler.scale-up.max-factor: -1", KNOWN),
        only(Effect::Deny)
    );
}

#[test]
fn newer_conditions_are_notes_to_an_older_operator() {
    let at = |version: &str, settings: &str| {
        let facts = format!("platform: {{operatorVersion: '{version}', flinkConfiguration: {{}}}}");
        says(&format!("{ON}, job.autoscaler.{settings}"), &facts)
    };
    for (settings, older, since) in [
        ("scale-up.max-factor: -1", None, "1.0"),
        ("utilization.target: 1.5", Some("1.10"), "1.11"),
        ("utilization.max: 0.1", Some("1.10"), "1.11"),
        ("memory.gc-pressure.threshold: 2", Some("1.15.1"), "1.16"),
        ("metrics.window: 1s", Some("1.15.1"), "1.16"),
        ("excluded.periods: never", Some("1.7"), "1.8"),
    ] {
        assert_eq!(at(since, settings), only(Effect::Deny), "{settings}");
        if let Some(older) = older {
            assert_eq!(at(older, settings), only(Effect::Note), "{settings}");
        }
    }
}

#[test]
fn an_old_blemish_is_a_warning() {
    let with = |settings: &str, parallelism: &str| deployment(settings).replace("parallelism: 2", parallelism);
    let bad = format!("{ON}, job.autoscaler.utilization.target: 1.5");
    let update =
        |old: &str, new: &str| of_update(&RULE, &with(new, "parallelism: 3"), &with(old, "parallelism: 2"), KNOWN);
    assert_eq!(update(&bad, &bad), only(Effect::Warn));
    assert_eq!(update(ON, &bad), only(Effect::Deny));
    assert_eq!(update("job.autoscaler.utilization.target: 1.5", &bad), only(Effect::Deny), "it is turned on");
    assert_eq!(update(&bad, ON), SILENT);
}

#[test]
fn a_session_job_is_looked_at_once_its_cluster_is_there() {
    let job = session_job("parallelism: 1")
        .replace("spec: {", &format!("spec: {{flinkConfiguration: {{{ON}, job.autoscaler.utilization.target: 1.5}}, "));
    let related = format!("platform: {{flinkConfiguration: {{}}}}\nrelated: [{CLUSTER}]");
    assert_eq!(of_manifest(&RULE, &job, &related), only(Effect::Deny));
    assert_eq!(of_manifest(&RULE, &job, KNOWN), unjudged());
    assert_eq!(of_manifest(&RULE, &job.replace("1.5", "0.5"), KNOWN), SILENT);
    let absent = "absent: [{kind: FlinkDeployment, namespace: prod, name: session}]";
    assert_eq!(of_manifest(&RULE, &job, absent), SILENT);
    let by_cluster = CLUSTER.replace("spec: {", &format!("spec: {{flinkConfiguration: {{{ON}}}, "));
    let own = job.replace(ON, "a: b");
    assert_eq!(of_manifest(&RULE, &own, &format!("related: [{by_cluster}]")), only(Effect::Deny));
}
