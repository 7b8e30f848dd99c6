//! Deletes of the kinds that run jobs, and what amounts to one: taking the operator's finalizer or adding the canary
//! label (DOMAIN 6.0-2, 6.0-9).

use super::current;
use super::request::Ask;
use crate::configuration::{Configuration, SAVEPOINT_ON_DELETION};
use crate::document::Node;
use crate::facts::Facts;
use crate::instant::Instant;
use crate::operation::{Action, Deletion, Dependent, JobState, Operation, Place, Skipped, Stage, Target};
use crate::operation::{Kind, Resource};

/// Seconds since 1970.
fn seconds(time: &str) -> Option<i64> {
    Instant::parse(time).map(Instant::seconds)
}

/// A delete of the resource.
pub(super) fn delete<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, deployed: Option<bool>) {
    let Some(old) = ask.old else {
        // The request does not show what it deletes.
        let deletion = Deletion {
            savepoint_first: None,
            stateful: None,
            deployed: None,
            place: Place::Request,
            restore_point: None,
            savepoint_age: None,
            skipped: None,
        };
        push(stage, ask, deletion, Place::Request);
        return;
    };
    let skipped = match ask.kind.finalizer() {
        _ if old.canary().is_some() => Some(Skipped::Canary),
        Some(name) if !old.has_finalizer(name) => Some(Skipped::Finalizer),
        _ => None,
    };
    let cleaned = skipped.is_none();
    let on_deletion = current::switch(&stage.current.configuration, SAVEPOINT_ON_DELETION).is_some();
    let entry = stage.current.configuration.entry(SAVEPOINT_ON_DELETION);
    let place = match cleaned {
        true => entry
            .and_then(|entry| current::place_in(old, entry))
            .or(old.spec(ask.kind).get("flinkConfiguration").map(Place::Body))
            .unwrap_or(Place::Body(old.node)),
        false => {
            let label = old.canary().or(old.metadata("finalizers")).or(old.node.get("metadata"));
            Place::Body(label.unwrap_or(old.node))
        }
    };
    if ask.kind == Kind::Deployment && old.spec(ask.kind).job().is_none() {
        stage.current.dependents = session_jobs(&stage.facts, ask, old);
    }
    let stateful = stage.current.stateful;
    let first = on_deletion && cleaned;
    let deletion = Deletion { skipped, ..deletion(&stage.facts, stateful, ask, old, first, deployed, place) };
    push(stage, ask, deletion, Place::Body(old.node));
}

/// An update after which the operator will not clean up behind a job that is there, or take its savepoint. Tells whether
/// there is one.
pub(super) fn abandon<'d>(
    stage: &mut Stage<'d>,
    ask: &Ask<'d>,
    deployed: Option<bool>,
    why: Skipped,
    place: Place<'d>,
) -> bool {
    let Some(old) = ask.old else { return false };
    let state = stage.current.state.as_ref();
    // Whoever switches the savepoint off while the resource is deleted knows of a job.
    let none = state.map_or(why != Skipped::SwitchedOff, JobState::is_over);
    if deployed == Some(false) || none {
        return false;
    }
    let stateful = stage.current.stateful;
    let deletion = deletion(&stage.facts, stateful, ask, old, false, deployed, place.clone());
    let deletion = Deletion { skipped: Some(why), ..deletion };
    push(stage, ask, deletion, place);
    true
}

fn push<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, deletion: Deletion<'d>, place: Place<'d>) {
    stage.operations.push(Operation { action: Action::Delete(deletion), target: ask.target.clone(), place });
}

/// The session jobs that are known to run on a cluster, each with what its own delete would do.
fn session_jobs<'d>(facts: &Facts<'d>, ask: &Ask<'d>, cluster: Resource<'d>) -> Vec<Dependent<'d>> {
    let namespace = &ask.target.namespace;
    let refers = |node: &&Node<'d>| {
        node.get("kind").is_some_and(|kind| kind.is(Kind::SessionJob.word()))
            && node.path(&["metadata", "namespace"]).is_none_or(|word| word.is(namespace))
            && node.path(&["spec", "deploymentName"]).is_some_and(|name| name.is(&ask.target.name))
    };
    let dependent = |node: &Node<'d>| {
        let job = Resource { node: *node };
        let name = job.metadata("name").and_then(|name| name.text()).unwrap_or_default();
        let spec = job.spec(Kind::SessionJob);
        let mut configuration = Configuration::default();
        let own = [cluster.spec(Kind::Deployment), spec].map(|spec| spec.get("flinkConfiguration"));
        facts
            .platform
            .configuration
            .into_iter()
            .chain(own.into_iter().flatten())
            .for_each(|map| configuration.overlay(map));
        let state = current::state(Some(job), &Facts::default());
        let reconciled = job.status(&["reconciliationStatus", "lastReconciledSpec"]).is_some();
        let deployed = Some(state.is_some() || reconciled);
        // The delete of a job that is being deleted was judged before.
        let first = job.is_terminating() || current::switch(&configuration, SAVEPOINT_ON_DELETION).is_some();
        let target = Target { namespace: namespace.clone(), name: name.clone() };
        let own = Ask {
            verb: ask.verb,
            kind: Kind::SessionJob,
            target,
            user: None,
            object: None,
            old: Some(job),
            bare: false,
        };
        let place = Place::Body(cluster.node);
        Dependent { name, state, deletion: deletion(facts, spec.keeps_state(), &own, job, first, deployed, place) }
    };
    facts.related.iter().filter(refers).map(dependent).collect()
}

fn deletion<'d>(
    facts: &Facts<'_>,
    stateful: Option<bool>,
    ask: &Ask<'d>,
    old: Resource<'d>,
    savepoint_first: bool,
    deployed: Option<bool>,
    place: Place<'d>,
) -> Deletion<'d> {
    let points = restore_points(facts, ask, old);
    let newest = points.iter().max_by_key(|point| (point.at.is_some(), point.at));
    let now = facts.now.as_deref().and_then(seconds);
    // What is dated ahead of the clock cannot be dated at all.
    let age = |point: &Point| now.zip(point.at).and_then(|(now, at)| u64::try_from(now - at).ok());
    // Without a job (a session cluster) there is no state of its own to lose.
    let stateful = match old.spec(ask.kind).job() {
        None => Some(false),
        Some(_) if !points.is_empty() => Some(true),
        Some(_) => stateful,
    };
    Deletion {
        savepoint_first: Some(savepoint_first),
        stateful,
        deployed,
        place,
        restore_point: newest.map(|point| point.words.clone()),
        savepoint_age: points.iter().filter(|point| point.savepoint).filter_map(age).min(),
        skipped: None,
    }
}

/// A snapshot that is known.
struct Point {
    words: String,
    savepoint: bool,
    /// Seconds since 1970.
    at: Option<i64>,
}

fn restore_points(facts: &Facts<'_>, ask: &Ask<'_>, old: Resource<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    for savepoint in facts.savepoints.iter().flatten() {
        let own = savepoint.deployment_id.as_deref().is_none_or(|owner| is_name_of(owner, ask, old));
        if own && savepoint.state.as_deref().is_none_or(|state| state == "COMPLETED") {
            let created = savepoint.created_at.as_deref();
            let words = format!("savepoint `{}`{}", savepoint.label(), of(created));
            points.push(Point { words, savepoint: savepoint.state.is_some(), at: created.and_then(seconds) });
        }
    }
    for snapshot in facts.related.iter().filter(|node| is_savepoint_of(node, ask)) {
        let created = snapshot.path(&["status", "resultTimestamp"]).and_then(|time| time.scalar());
        let location = snapshot.path(&["status", "path"]).and_then(|path| path.scalar()).unwrap_or_default();
        let words = format!("savepoint `{location}`{}", of(created.as_deref()));
        points.push(Point { words, savepoint: true, at: created.as_deref().and_then(seconds) });
    }
    if let Some(path) = old.status_text(&["jobStatus", "upgradeSavepointPath"]) {
        points.push(Point { words: format!("savepoint `{path}`"), savepoint: true, at: None });
    }
    for (info, name, word) in
        [("savepointInfo", "lastSavepoint", "savepoint"), ("checkpointInfo", "lastCheckpoint", "checkpoint")]
    {
        let Some(last) = old.status(&["jobStatus", info, name]) else { continue };
        let at = last.get("timeStamp").and_then(|time| time.scalar()).and_then(|time| time.parse::<i64>().ok());
        let location = last.get("location").and_then(|location| location.scalar());
        let words = match location {
            Some(location) => format!("{word} `{location}`"),
            None => format!("a {word} that the operator triggered"),
        };
        points.push(Point { words, savepoint: word == "savepoint", at: at.map(|milliseconds| milliseconds / 1_000) });
    }
    points
}

fn of(created: Option<&str>) -> String {
    created.map(|time| format!(" of {time}")).unwrap_or_default()
}

/// Whether a savepoint's owner is this resource, given by name or by uid.
fn is_name_of(owner: &str, ask: &Ask<'_>, old: Resource<'_>) -> bool {
    owner == ask.target.name || owner == ask.target.to_string() || old.metadata("uid").is_some_and(|uid| uid.is(owner))
}

/// A completed FlinkStateSnapshot of a savepoint of this job, as the cluster returns it.
fn is_savepoint_of(node: &Node<'_>, ask: &Ask<'_>) -> bool {
    let is = |path: &[&str], word: &str| node.path(path).is_some_and(|value| value.is(word));
    is(&["kind"], Kind::Snapshot.word())
        && node.path(&["metadata", "namespace"]).is_none_or(|namespace| namespace.is(&ask.target.namespace))
        && is(&["spec", "jobReference", "name"], &ask.target.name)
        && is(&["spec", "jobReference", "kind"], ask.kind.word())
        && is(&["status", "state"], "COMPLETED")
        && node.path(&["spec", "savepoint"]).is_some()
}
