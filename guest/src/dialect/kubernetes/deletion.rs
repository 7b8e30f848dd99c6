//! Deletes of the kinds that run jobs, and what amounts to one: taking the operator's finalizer or adding the canary
//! label (DOMAIN 6.0-2, 6.0-9).

use super::current;
use super::request::Ask;
use crate::configuration::{Configuration, SAVEPOINT_ON_DELETION};
use crate::document::{Node, Slots};
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
    let entry = stage.current.configuration.entry(SAVEPOINT_ON_DELETION);
    let place = match cleaned {
        true => entry
            .and_then(|entry| current::place_in(old, entry))
            .or(old.spec(ask.kind).get("flinkConfiguration").map(Place::Body))
            .unwrap_or(Place::Body(old.node)),
        false => {
            let label = old.canary().or(old.metadata("finalizers")).or(old.whole_metadata());
            Place::Body(label.unwrap_or(old.node))
        }
    };
    if ask.kind == Kind::Deployment && old.spec(ask.kind).job().is_none() {
        stage.current.dependents = session_jobs(stage, ask, old);
    }
    let stateful = stage.current.stateful;
    let first = match cleaned {
        true => current::savepoint_on_deletion(&stage.current, old.spec(ask.kind)),
        false => Some(false),
    };
    let deletion = Deletion {
        skipped,
        place,
        ..deletion(&stage.facts, &stage.facts.related, stateful, ask, old, first, deployed)
    };
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
    let first = match (why, ask.object) {
        // Off by the job itself; its cluster may still have it on.
        (Skipped::SwitchedOff, Some(object)) => current::savepoint_on_deletion(&stage.current, object.spec(ask.kind)),
        _ => Some(false),
    };
    let deletion = deletion(&stage.facts, &stage.facts.related, stateful, ask, old, first, deployed);
    let deletion = Deletion { skipped: Some(why), place: place.clone(), ..deletion };
    push(stage, ask, deletion, place);
    true
}

fn push<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, deletion: Deletion<'d>, place: Place<'d>) {
    stage.operations.push(Operation { action: Action::Delete(deletion), target: ask.target.clone(), place });
}

/// The session jobs that are known to run on a cluster, each with what its own delete would do.
fn session_jobs<'d>(stage: &Stage<'d>, ask: &Ask<'d>, cluster: Resource<'d>) -> Vec<Dependent<'d>> {
    let facts = &stage.facts;
    let on_by_cluster = stage.current.configuration.is_on(SAVEPOINT_ON_DELETION);
    let namespace = &ask.target.namespace;
    let refers = |node: &&Node<'d>| {
        node.get("kind").is_some_and(|kind| kind.is(Kind::SessionJob.word()))
            && node.path(&["metadata", "namespace"]).is_none_or(|word| word.is(namespace))
            && node.path(&["spec", "deploymentName"]).is_some_and(|name| name.is(&ask.target.name))
    };
    // Every list is walked once, however many jobs and snapshots there are.
    let (mut slots, mut snapshots) = (Slots::new(), Vec::<Vec<Node<'_>>>::new());
    for node in facts.related.iter().filter(|node| node.get("kind").is_some_and(|it| it.is(Kind::Snapshot.word()))) {
        if let Some(name) = node.path(&["spec", "jobReference", "name"]).and_then(|name| name.text()) {
            let next = snapshots.len();
            let at = *slots.entry(name).or_insert(next);
            match snapshots.get_mut(at) {
                Some(group) => group.push(*node),
                None => snapshots.push(vec![*node]),
            }
        }
    }
    let dependent = |node: &Node<'d>| {
        let job = Resource::at(*node);
        let name = job.metadata("name").and_then(|name| name.text()).unwrap_or_default();
        let spec = job.spec(Kind::SessionJob);
        let mut settings = Configuration::default();
        spec.get("flinkConfiguration").into_iter().for_each(|map| settings.overlay(map));
        let on = settings.is_on(SAVEPOINT_ON_DELETION).or(on_by_cluster) == Some(true);
        let state = current::state(Some(job), &Facts::default());
        let reconciled = job.status(&["reconciliationStatus", "lastReconciledSpec"]).is_some();
        let deployed = Some(state.is_some() || reconciled);
        // The delete of a job that is being deleted was judged before.
        let first = Some(job.is_terminating() || on);
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
        let snapshots = slots.get(&name).and_then(|at| snapshots.get(*at)).map_or(&[][..], Vec::as_slice);
        let deletion = deletion(facts, snapshots, spec.keeps_state(), &own, job, first, deployed);
        Dependent { name, state, deletion: Deletion { place: Place::Body(cluster.node), ..deletion } }
    };
    facts.related.iter().filter(refers).map(dependent).collect()
}

fn deletion<'d>(
    facts: &Facts<'_>,
    snapshots: &[Node<'_>],
    stateful: Option<bool>,
    ask: &Ask<'d>,
    old: Resource<'d>,
    savepoint_first: Option<bool>,
    deployed: Option<bool>,
) -> Deletion<'d> {
    let points = restore_points(facts, snapshots, ask, old);
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
        savepoint_first,
        stateful,
        deployed,
        place: Place::Request,
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

fn restore_points(facts: &Facts<'_>, snapshots: &[Node<'_>], ask: &Ask<'_>, old: Resource<'_>) -> Vec<Point> {
    let mut points = Vec::new();
    for savepoint in facts.savepoints.iter().flatten() {
        let own = savepoint.deployment_id.as_deref().is_none_or(|owner| is_name_of(owner, ask, old));
        if own && savepoint.state.as_deref().is_none_or(|state| state == "COMPLETED") {
            let created = savepoint.created_at.as_deref();
            let words = format!("savepoint `{}`{}", savepoint.label(), of(created));
            points.push(Point { words, savepoint: savepoint.state.is_some(), at: created.and_then(seconds) });
        }
    }
    for snapshot in snapshots.iter().map(|node| Resource::at(*node)) {
        if !snapshot.is_savepoint_of(ask.kind, &ask.target, "COMPLETED") {
            continue;
        }
        let created = snapshot.taken_at();
        let location = snapshot.status_text(&["path"]).unwrap_or_default();
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
