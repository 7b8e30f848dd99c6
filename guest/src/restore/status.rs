//! The snapshots that the resources of the Flink Kubernetes Operator know of (DOMAIN 4.1): FlinkStateSnapshots, and what
//! the status of the job's own resource lists.

use std::borrow::Cow;

use crate::document::Node;
use crate::facts::Savepoint;
use crate::location;
use crate::operation::{Declaration, Kind, Resource, Stage};

/// How much of the status's history is read: the operator keeps 10.
const MAX_HISTORY: usize = 50;

/// The name of the last checkpoint of the status, which has no path.
pub(super) const LAST_CHECKPOINT: &str = "lastCheckpoint";

/// A known snapshot.
pub(super) struct Known<'s, 'd> {
    pub(super) savepoint: Cow<'s, Savepoint<'d>>,
    /// The job that it is of, in words, where that is another one.
    pub(super) elsewhere: Option<String>,
}

/// What the facts, the snapshot resources and the status tell, each snapshot once.
pub(super) fn known<'s, 'd>(stage: &'s Stage<'d>, declaration: &Declaration<'d>) -> Vec<Known<'s, 'd>> {
    let own = |savepoint| Known { savepoint, elsewhere: None };
    let mut known: Vec<_> =
        stage.facts.savepoints.iter().flatten().map(|savepoint| own(Cow::Borrowed(savepoint))).collect();
    let declared = known.len();
    for node in
        stage.facts.related.iter().filter(|node| node.get("kind").is_some_and(|kind| kind.is(Kind::Snapshot.word())))
    {
        let snapshot = Resource::at(*node);
        let (savepoint, job) = resource(snapshot);
        let again = |other: &Known<'_, '_>| savepoint.id.is_some() && other.savepoint.id == savepoint.id;
        if !known.iter().take(declared).any(again) {
            let ours = stage.operations.first().is_some_and(|it| snapshot.is_snapshot_of(declaration.kind, &it.target));
            let kind = Kind::of_job(node.path(&["spec", "jobReference"])).word();
            let elsewhere = job.filter(|_| !ours).map(|job| format!("{kind} `{job}`"));
            known.push(Known { savepoint: Cow::Owned(savepoint), elsewhere });
        }
    }
    for savepoint in declaration.before().into_iter().flat_map(|resource| status(resource.node)) {
        let there = |other: &Known<'_, '_>| match (&other.savepoint.location, &savepoint.location) {
            (Some(theirs), Some(ours)) => location::same(theirs, ours),
            _ => false,
        };
        if !known.iter().any(there) {
            known.push(own(Cow::Owned(savepoint)));
        }
    }
    known
}

/// A FlinkStateSnapshot, and the name of the job that it is of.
fn resource<'d>(snapshot: Resource<'d>) -> (Savepoint<'d>, Option<Cow<'d, str>>) {
    let node = snapshot.node;
    let text = |path: &[&str]| node.path(path).and_then(|value| value.scalar()).filter(|text| !text.trim().is_empty());
    let checkpoint = node.path(&["spec", "checkpoint"]).is_some();
    // Otherwise the path is only the directory for it.
    let exists = snapshot.is_registration();
    let trigger = text(&["metadata", "labels", "snapshot.trigger-type"]);
    let savepoint = Savepoint {
        id: text(&["metadata", "name"]),
        location: text(&["status", "path"]).or_else(|| text(&["spec", "savepoint", "path"]).filter(|_| exists)),
        origin: if checkpoint { Some("CHECKPOINT".into()) } else { trigger },
        // Without a status it is still to be taken.
        state: Some(text(&["status", "state"]).unwrap_or("TRIGGER_PENDING".into())),
        created_at: snapshot.taken_at().or_else(|| text(&["metadata", "creationTimestamp"]).filter(|_| !exists)),
        ..Savepoint::default()
    };
    (savepoint, text(&["spec", "jobReference", "name"]))
}

/// `status.jobStatus`: the last savepoint and those before it, the last checkpoint, and the path of the next upgrade.
fn status(resource: Node<'_>) -> Vec<Savepoint<'_>> {
    let Some(job) = resource.path(&["status", "jobStatus"]) else { return Vec::new() };
    let mut found = Vec::new();
    found.extend(job.path(&["savepointInfo", "lastSavepoint"]).map(|node| completed(node, None)));
    if let Some(history) = job.path(&["savepointInfo", "savepointHistory"]) {
        let older = history.elements().count().saturating_sub(MAX_HISTORY);
        found.extend(history.elements().skip(older).map(|node| completed(node, None)));
    }
    found.extend(job.path(&["checkpointInfo", "lastCheckpoint"]).map(|node| completed(node, Some(LAST_CHECKPOINT))));
    found
}

/// An entry of the status. A checkpoint has no path: it is given a name.
fn completed<'d>(node: Node<'d>, id: Option<&'static str>) -> Savepoint<'d> {
    let text = |name: &str| node.get(name).and_then(|value| value.scalar()).filter(|text| !text.trim().is_empty());
    Savepoint {
        id: id.map(Cow::Borrowed),
        location: text("location"),
        origin: if id.is_some() { Some("CHECKPOINT".into()) } else { text("triggerType") },
        state: Some("COMPLETED".into()),
        created_at: text("timeStamp"),
        ..Savepoint::default()
    }
}
