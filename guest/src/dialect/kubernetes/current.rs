//! What is known of a job before the request, and the configuration that applies to it after.

use std::borrow::Cow;

use super::request::Ask;
use super::volumes;
use crate::configuration::{
    Configuration, DRAIN_ON_SAVEPOINT, Entry, Key, RETENTION, SAVEPOINT_ON_DELETION, STATE_DIRECTORIES,
};
use crate::document::Node;
use crate::facts::Facts;
use crate::operation::Verb;
use crate::operation::{Content, Current, JobState, Place, Retention, Stage};
use crate::operation::{Desired, Kind, LAST_STATE_PATH, Resource, Spec, UpgradeMode};

/// Fills what the resource and the facts tell. `last` is what the operator last ran.
pub(super) fn of<'d>(ask: &Ask<'d>, facts: &Facts<'d>, last: Option<Spec<'_>>) -> Current<'d> {
    let before = ask.before();
    let old = ask.old.map(|old| old.spec(ask.kind));
    let knows_state = before.is_some_and(|before| before.knows_state()) || facts.deployment.has_state == Some(true);
    let stateful = match old.and_then(|old| old.keeps_state()) {
        _ if knows_state => Some(true),
        kept => kept,
    };
    let spec = ask.resource().map(|resource| resource.spec(ask.kind));
    let (configuration, configuration_complete) = configuration(ask.kind, &ask.target.namespace, spec, facts);
    let namespace = &ask.target.namespace;
    // Without its cluster nothing runs, whatever the operator last wrote down, and nothing takes a savepoint.
    let gone = old.is_some_and(|old| is_gone(ask, old, facts));
    let found = spec.is_some_and(|spec| cluster_of(spec, namespace, facts).is_some());
    let cluster_unknown = ask.kind == Kind::SessionJob && !found && !gone;
    let before_update = old.filter(|_| ask.verb == Verb::Update);
    let before_configuration =
        before_update.map(|spec| self::configuration(ask.kind, &ask.target.namespace, Some(spec), facts).0);
    let local = STATE_DIRECTORIES.iter().any(|key| configuration.local_directory(key).is_some());
    let asked = spec.filter(|spec| local || spec.initial_savepoint().is_some());
    let mounts = asked.and_then(|spec| mounts(ask, spec, &configuration, facts));
    let mounts_before = match (before_update, &before_configuration) {
        (Some(spec), Some(before)) if asked.is_some() => self::mounts(ask, spec, before, facts),
        _ => None,
    };
    let ran_with = before_update.zip(before_configuration.as_ref()).map(|(old, before)| (Some(old), before));
    let (own, running) = ran_with.unwrap_or((spec, &configuration));
    let current = Current { cluster_unknown, ..Current::default() };
    let own = own.and_then(|spec| spec.get("flinkConfiguration"));
    let unsaid = current.is_left_to_cluster(running, RETENTION, own);
    Current {
        state: state(before, facts).filter(|state| !gone || *state != JobState::Running),
        desired: None,
        transition: before.and_then(|before| transition(before)),
        stateful,
        retention: (!unsaid).then(|| retention(running)),
        savepoint_always: ask.kind == Kind::BlueGreen,
        stopped_at: old.and_then(|old| stopped_at(before?, old, last)),
        stopped_by_drain: last.is_some_and(|last| stopped_by_drain(ask, last, facts)),
        before: before_configuration,
        deployed: None,
        dependents: Vec::new(),
        kept_state: before_update.and_then(|spec| spec.keeps_state()),
        mounts,
        mounts_before,
        configuration,
        configuration_complete,
        ..current
    }
}

/// The volumes of the pods that the job runs in: those of this spec, or of a session job's cluster.
fn mounts<'d>(
    ask: &Ask<'_>,
    spec: Spec<'d>,
    configuration: &Configuration<'_>,
    facts: &Facts<'d>,
) -> Option<Vec<Cow<'d, str>>> {
    let pods = match ask.kind {
        kind if kind.has_pods() => spec,
        _ => cluster_of(spec, &ask.target.namespace, facts)?,
    };
    volumes::mounts(pods, configuration)
}

/// The spec of a session job's cluster, if it is declared.
fn cluster_of<'d>(spec: Spec<'_>, namespace: &str, facts: &Facts<'d>) -> Option<Spec<'d>> {
    let name = spec.get("deploymentName")?.text()?;
    Some(related(facts, Kind::Deployment.word(), namespace, &name)?.spec(Kind::Deployment))
}

/// Whether a session job's cluster is known not to exist.
fn is_gone(ask: &Ask<'_>, spec: Spec<'_>, facts: &Facts<'_>) -> bool {
    let name = spec.get("deploymentName").and_then(|name| name.text());
    let absent = |name: &str| facts.is_absent(Kind::Deployment.word(), &ask.target.namespace, name);
    ask.kind == Kind::SessionJob && name.is_some_and(|name| absent(&name))
}

/// The savepoint that a suspended job comes back from (DOMAIN 4.2-5). After a last-state suspend the operator goes by
/// the metadata of high availability, and a path is a leftover.
pub(super) fn stopped_at<'d>(before: Resource<'d>, old: Spec<'d>, last: Option<Spec<'_>>) -> Option<Cow<'d, str>> {
    let kept_elsewhere = last.is_some_and(|last| last.upgrade_mode() == UpgradeMode::LastState);
    if old.desired() != Desired::Suspended || kept_elsewhere {
        return None;
    }
    before.status_text(&["jobStatus", "upgradeSavepointPath"]).filter(|path| path != LAST_STATE_PATH)
}

/// Whether the suspend that is stored took its savepoint with the drain switch on (DOMAIN 4.2-9).
fn stopped_by_drain(ask: &Ask<'_>, last: Spec<'_>, facts: &Facts<'_>) -> bool {
    last.desired() == Desired::Suspended
        && last.upgrade_mode() == UpgradeMode::Savepoint
        && ask.kind != Kind::BlueGreen
        && configuration(ask.kind, &ask.target.namespace, Some(last), facts).0.is_on(DRAIN_ON_SAVEPOINT) == Some(true)
}

/// The job's state: the resource's own word, else the declared one.
pub(super) fn state(before: Option<Resource<'_>>, facts: &Facts<'_>) -> Option<JobState> {
    let lost = |before: &Resource<'_>| {
        let manager = before.status(&["jobManagerDeploymentStatus"]);
        manager.is_some_and(|word| word.is("MISSING") || word.is("ERROR"))
    };
    // Without its JobManager nobody has seen the job run since.
    let own = before
        .and_then(|before| before.status_text(&["jobStatus", "state"]).map(|word| (before, word)))
        .filter(|(before, word)| word != "RUNNING" || !lost(before))
        .map(|(_, word)| word);
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
        let cluster = spec.and_then(|spec| cluster_of(spec, namespace, facts));
        complete &= cluster.is_some();
        if let Some(settings) = cluster.and_then(|cluster| cluster.get("flinkConfiguration")) {
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
    Retention::of(configuration.retains() != Some(false))
}

/// A declared resource, as the cluster returns it.
pub(super) fn related<'d>(facts: &Facts<'d>, kind: &str, namespace: &str, name: &str) -> Option<Resource<'d>> {
    facts.related(kind, namespace, name).map(Resource::at)
}

/// What a create or update says of the job's content.
pub(super) fn content<'d>(ask: &Ask<'d>) -> Content<'d> {
    let Some(object) = ask.object else { return Content::default() };
    let spec = object.spec(ask.kind);
    let old = ask.old.map(|old| old.spec(ask.kind)).unwrap_or(Spec::at(None));
    let changed = |after: Option<Node<'d>>, before: Option<Node<'d>>| {
        after.filter(|after| before.is_none_or(|before| !before.same(after)))
    };
    Content {
        configuration: spec.get("flinkConfiguration"),
        parallelism: spec.of_job("parallelism"),
        engine_version: spec.get("flinkVersion"),
        artifact: changed(spec.of_job("jarURI"), old.of_job("jarURI"))
            .or_else(|| changed(spec.get("image"), old.get("image")).filter(|_| spec.job().is_some())),
        native_format: None,
        restores: spec.keeps_state(),
        restores_latest_state: false,
    }
}

/// Where a key stands, if that is in the request: the operator's defaults are another document.
pub(super) fn place_in<'d>(resource: Resource<'d>, entry: &Entry<'d>) -> Option<Place<'d>> {
    resource.place_of(entry.node)
}

/// Whether a switch of the operator is on, and where the request says so. Absent means off (DOMAIN 4.3).
pub(super) fn switch<'c, 'd>(configuration: &'c Configuration<'d>, key: Key) -> Option<&'c Entry<'d>> {
    configuration.entry(key).filter(|_| configuration.is_on(key) == Some(true))
}

/// Whether the operator takes a savepoint before it deletes this; `None`: a session job's cluster may say so, and is not
/// known.
pub(super) fn savepoint_on_deletion(current: &Current<'_>, spec: Spec<'_>) -> Option<bool> {
    let configuration = &current.configuration;
    let open = current.is_left_to_cluster(configuration, SAVEPOINT_ON_DELETION, spec.get("flinkConfiguration"));
    (!open).then(|| switch(configuration, SAVEPOINT_ON_DELETION).is_some())
}

/// Where an update switches the savepoint on deletion off that a job would have had (DOMAIN 6.0-10).
pub(super) fn switched_off<'d>(stage: &Stage<'d>, resource: Resource<'d>, spec: Spec<'d>) -> Option<Place<'d>> {
    let was_on = stage.current.before.as_ref()?.is_on(SAVEPOINT_ON_DELETION) == Some(true);
    let is_on = stage.current.configuration.is_on(SAVEPOINT_ON_DELETION) == Some(true);
    if !was_on || is_on || spec.job().is_none() {
        return None;
    }
    let entry = stage.current.configuration.entry(SAVEPOINT_ON_DELETION);
    let settings = spec.get("flinkConfiguration").or(spec.node).unwrap_or(resource.node);
    Some(entry.and_then(|entry| place_in(resource, entry)).unwrap_or(Place::Body(settings)))
}

/// Major and minor version: of the resource, of a session job's cluster, or as declared.
pub(super) fn flink_version(ask: &Ask<'_>, spec: Spec<'_>, facts: &Facts<'_>) -> Option<(u32, u32)> {
    let cluster = || cluster_of(spec, &ask.target.namespace, facts)?.get("flinkVersion")?.text();
    let own = spec.get("flinkVersion").and_then(|version| version.text());
    let word: Cow<'_, str> = own.or_else(cluster).or_else(|| facts.platform.flink_version.clone())?;
    let mut parts = word.trim_start_matches('v').split(['_', '.']).map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next()??))
}
