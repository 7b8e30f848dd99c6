//! What is known of a job before the request, and the configuration that applies to it after.

use std::borrow::Cow;

use super::request::Ask;
use super::resource::{Kind, Resource, Spec};
use crate::configuration::{Configuration, Entry, Key, RETENTION};
use crate::document::Node;
use crate::facts::Facts;
use crate::operation::{Current, JobState, Place, Retention};

/// Fills what the resource and the facts tell.
pub(super) fn of<'d>(ask: &Ask<'d>, facts: &Facts<'d>) -> Current<'d> {
    let before = ask.before();
    let old = ask.old.map(|old| old.spec(ask.kind));
    let knows_state = before.is_some_and(|before| before.knows_state()) || facts.deployment.has_state == Some(true);
    let stateful = match old.and_then(|old| old.keeps_state()) {
        _ if knows_state => Some(true),
        kept => kept,
    };
    let spec = ask.resource().map(|resource| resource.spec(ask.kind));
    let (configuration, configuration_complete) = configuration(ask.kind, &ask.target.namespace, spec, facts);
    Current {
        state: state(before, facts),
        desired: None,
        transition: before.and_then(|before| transition(before)),
        stateful,
        retention: Some(retention(&configuration)),
        savepoint_always: ask.kind == Kind::BlueGreen,
        configuration,
        configuration_complete,
    }
}

/// The job's state: the resource's own word, else the declared one.
pub(super) fn state(before: Option<Resource<'_>>, facts: &Facts<'_>) -> Option<JobState> {
    let own = before.and_then(|before| before.status_text(&["jobStatus", "state"]));
    let state = own.as_deref().or(facts.job_status.as_deref()).map(JobState::read);
    let suspended =
        before.and_then(|before| before.status(&["lifecycleState"])).is_some_and(|word| word.is("SUSPENDED"));
    match state {
        // After a last-state suspend the job's own state is a leftover of the cluster that was torn down.
        Some(state) if suspended && !state.is_over() => Some(JobState::Suspended),
        None if suspended => Some(JobState::Suspended),
        state => state,
    }
}

fn transition<'d>(before: Resource<'d>) -> Option<Cow<'d, str>> {
    let reconciling = before
        .status_text(&["reconciliationStatus", "state"])
        .filter(|word| matches!(word.as_ref(), "UPGRADING" | "ROLLING_BACK"));
    reconciling.or_else(|| {
        let switching = |word: &str| word.starts_with("TRANSITIONING_") || word.starts_with("SAVEPOINTING_");
        before.status_text(&["blueGreenState"]).filter(|word| switching(word))
    })
}

/// The operator's defaults, the session cluster's settings for a session job, and on top the resource's own; and
/// whether all of these are known.
pub(super) fn configuration<'d>(
    kind: Kind,
    namespace: &str,
    spec: Option<Spec<'d>>,
    facts: &Facts<'d>,
) -> (Configuration<'d>, bool) {
    let mut configuration = Configuration::default();
    let mut complete = facts.platform.configuration.is_some();
    if let Some(defaults) = facts.platform.configuration {
        configuration.overlay(defaults);
    }
    if kind == Kind::SessionJob {
        let name = spec.and_then(|spec| spec.get("deploymentName")).and_then(|name| name.text());
        let cluster = name.and_then(|name| related(facts, "FlinkDeployment", namespace, &name));
        complete &= cluster.is_some();
        if let Some(settings) = cluster.and_then(|cluster| cluster.spec(Kind::Deployment).get("flinkConfiguration")) {
            configuration.overlay(settings);
        }
    }
    if let Some(settings) = spec.and_then(|spec| spec.get("flinkConfiguration")) {
        configuration.overlay(settings);
    }
    (configuration, complete)
}

/// The operator injects RETAIN_ON_CANCELLATION where nothing is said (DOMAIN 4.2-13).
pub(super) fn retention(configuration: &Configuration<'_>) -> Retention {
    match configuration.present(RETENTION) {
        None => Retention::Kept,
        Some(value) if value.trim().eq_ignore_ascii_case("RETAIN_ON_CANCELLATION") => Retention::Kept,
        Some(_) => Retention::Deleted,
    }
}

/// A declared resource, as the cluster returns it.
pub(super) fn related<'d>(facts: &Facts<'d>, kind: &str, namespace: &str, name: &str) -> Option<Resource<'d>> {
    let fits = |node: &Node<'d>| {
        node.get("kind").is_some_and(|word| word.is(kind))
            && node.path(&["metadata", "name"]).is_some_and(|word| word.is(name))
            && node.path(&["metadata", "namespace"]).is_none_or(|word| word.is(namespace))
    };
    facts.related.iter().copied().find(fits).map(|node| Resource { node })
}

/// Where a key stands, if that is in the request: the operator's defaults are another document.
pub(super) fn place_in<'d>(resource: Resource<'d>, entry: &Entry<'d>) -> Option<Place<'d>> {
    let body = resource.node.source().as_bytes().as_ptr_range();
    body.contains(&entry.node.source().as_ptr()).then_some(Place::Body(entry.node))
}

/// Whether a switch of the operator is on, and where the request says so. Absent means off (DOMAIN 4.3).
pub(super) fn switch<'c, 'd>(configuration: &'c Configuration<'d>, key: Key) -> Option<&'c Entry<'d>> {
    configuration.entry(key).filter(|_| configuration.is_on(key) == Some(true))
}

/// Major and minor version: of the resource, of a session job's cluster, or as declared.
pub(super) fn flink_version(ask: &Ask<'_>, spec: Spec<'_>, facts: &Facts<'_>) -> Option<(u32, u32)> {
    let cluster = || {
        let name = spec.get("deploymentName")?.text()?;
        let cluster = related(facts, "FlinkDeployment", &ask.target.namespace, &name)?;
        cluster.spec(Kind::Deployment).get("flinkVersion")?.text()
    };
    let own = spec.get("flinkVersion").and_then(|version| version.text());
    let word: Cow<'_, str> = own.or_else(cluster).or_else(|| facts.platform.flink_version.clone())?;
    let mut parts = word.trim_start_matches('v').split(['_', '.']).map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next()??))
}
