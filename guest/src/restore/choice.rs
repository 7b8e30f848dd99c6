//! How a platform picks the snapshot of a start (DOMAIN 1.6, 2.3, 2.4), and how far the known facts tell its choice.

use crate::facts::Savepoint;
use crate::instant::Instant;
use crate::location;
use crate::operation::{Dialect, Restore, Retention, Stage, Start, StartCause, Stop, StopMode};
use crate::restore::SPEC_VERSION;
use crate::text::is_uuid;

/// What a start comes up with.
#[derive(Debug)]
pub enum Choice<'s, 'd> {
    /// This snapshot.
    One(&'s Savepoint<'d>),
    /// One of these, or with `or_empty` none; `lacks` is the fact that would tell.
    OneOf { possible: Vec<&'s Savepoint<'d>>, or_empty: bool, lacks: String },
    /// The snapshot of this id or location, which is not among the known ones.
    Named(&'s str),
    /// No state.
    Empty,
    /// The state with which the job was, or is being, stopped.
    Stopped,
    /// It cannot be told; the text is the fact that would.
    Unknown(&'static str),
}

/// What a start comes up with, and how every known snapshot stands.
#[derive(Debug)]
pub struct Selection<'s, 'd> {
    pub choice: Choice<'s, 'd>,
    pub standings: Vec<(&'s Savepoint<'d>, Standing)>,
}

/// How a snapshot stands in a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Counts,
    /// It counts if this fact, which is not known, says so.
    MayCount(Lack),
    NotCompleted,
    OtherDeployment,
    RetainedCheckpoint,
    /// It lacks the annotation of the spec version (Ververica, S2-8).
    Unversioned,
    /// The request does not look at it.
    NotAsked,
}

/// What is not known of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    State,
    Origin,
    Annotations,
}

impl Lack {
    fn words(self) -> &'static str {
        match self {
            Self::State => "the `state`",
            Self::Origin => "the `origin`",
            Self::Annotations => "the `annotations`",
        }
    }
}

/// Which snapshots a strategy looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshots {
    /// LATEST_STATE.
    All,
    /// LATEST_SAVEPOINT.
    Savepoints,
}

/// What this start comes up with.
pub fn select<'s, 'd>(stage: &'s Stage<'d>, start: &'s Start<'d>) -> Selection<'s, 'd> {
    let known = stage.facts.savepoints.as_deref().unwrap_or_default();
    let managed = matches!(stage.platform, Dialect::Ververica | Dialect::Alibaba);
    let new = managed && start.cause == StartCause::Create && stage.facts.savepoints.is_none();
    let leaves_savepoint = |stop: &Stop<'_>| !managed || matches!(stop.mode, StopMode::Savepoint | StopMode::Drain);
    let stopped = stage.stops().any(|(_, stop)| leaves_savepoint(stop));
    // A cancel whose checkpoint is retained leaves a newer snapshot than all known ones (DOMAIN 1.5, 3.6).
    let cancelled =
        stage.current.cancelled_by.is_some() || stage.stops().any(|(_, stop)| stop.mode == StopMode::Cancel);
    let retained = cancelled && stage.current.retention == Some(Retention::Kept);
    let choice = match &start.restore {
        Restore::Empty => Choice::Empty,
        Restore::Savepoint(None) => Choice::Unknown("the id of the savepoint, which the request leaves out"),
        Restore::Savepoint(Some(id)) => match known.iter().find(|savepoint| savepoint.id.as_ref() == Some(id)) {
            Some(savepoint) => Choice::One(savepoint),
            None => Choice::Named(id),
        },
        Restore::Location(wanted) => match lying_at(known, wanted) {
            Some(savepoint) => Choice::One(savepoint),
            None => Choice::Named(wanted),
        },
        // A new deployment has no snapshots yet.
        _ if new => Choice::Empty,
        Restore::LatestState | Restore::LatestSavepoint if stopped => Choice::Stopped,
        Restore::LatestState if managed && retained => Choice::Stopped,
        Restore::LatestState if managed => return latest(stage, Snapshots::All),
        Restore::LatestSavepoint if managed => return latest(stage, Snapshots::Savepoints),
        Restore::Stopped if stopped || managed => Choice::Stopped,
        Restore::Stopped if stage.current.stopped_at.is_some() => {
            let at = stage.current.stopped_at.as_deref().unwrap_or_default();
            match lying_at(known, at) {
                Some(savepoint) => Choice::One(savepoint),
                None => Choice::Named(at),
            }
        }
        Restore::Stopped | Restore::LatestState | Restore::LatestSavepoint => {
            match known.iter().find(|savepoint| savepoint.restore_candidate == Some(true)) {
                Some(savepoint) => Choice::One(savepoint),
                None => Choice::Stopped,
            }
        }
        Restore::Unknown => Choice::Unknown("the restore strategy of the deployment"),
    };
    Selection { choice, standings: known.iter().map(|savepoint| (savepoint, Standing::NotAsked)).collect() }
}

/// The known snapshot at a location. One without location counts if it is declared as the one that a restore would use.
fn lying_at<'s, 'd>(known: &'s [Savepoint<'d>], wanted: &str) -> Option<&'s Savepoint<'d>> {
    let there = |savepoint: &&Savepoint<'_>| savepoint.location.as_ref().is_some_and(|at| location::same(at, wanted));
    let declared =
        |savepoint: &&Savepoint<'_>| savepoint.location.is_none() && savepoint.restore_candidate == Some(true);
    known.iter().find(there).or_else(|| known.iter().find(declared))
}

/// The newest of the deployment's snapshots that counts (DOMAIN 1.6).
pub fn latest<'s, 'd>(stage: &'s Stage<'d>, wanted: Snapshots) -> Selection<'s, 'd> {
    let Some(known) = &stage.facts.savepoints else {
        let choice = Choice::Unknown("the savepoints of the deployment");
        return Selection { choice, standings: Vec::new() };
    };
    let standings: Vec<_> = known.iter().map(|savepoint| (savepoint, standing(stage, savepoint, wanted))).collect();
    let created = |savepoint: &Savepoint<'_>| savepoint.created_at.as_deref().and_then(Instant::parse);
    let counts = || standings.iter().filter(|(_, standing)| *standing == Standing::Counts);
    if let Some((savepoint, _)) = counts().find(|(savepoint, _)| savepoint.restore_candidate == Some(true)) {
        return Selection { choice: Choice::One(savepoint), standings };
    }
    // What is certain to count excludes everything that is known to be older.
    let newest = counts().filter_map(|(savepoint, _)| created(savepoint)).max();
    let mut possible = Vec::new();
    let mut doubt = None;
    for (savepoint, standing) in &standings {
        let lack = match standing {
            Standing::Counts => None,
            Standing::MayCount(lack) => Some(*lack),
            _ => continue,
        };
        let time = created(savepoint);
        if time.is_none() || newest.is_none() || time >= newest {
            possible.push(*savepoint);
            doubt = doubt.or(lack.map(|lack| format!("{} of `{}`", lack.words(), savepoint.label())));
        }
    }
    let or_empty = counts().next().is_none();
    let choice = match (possible.as_slice(), doubt) {
        ([], _) => Choice::Empty,
        ([one], None) => Choice::One(one),
        // Several resources of one Flink savepoint (S2-1): it does not matter which.
        ([one, others @ ..], None) if others.iter().all(|other| same_place(one, other)) => Choice::One(one),
        (_, doubt) => {
            let lacks = doubt.unwrap_or_else(|| "`createdAt` of every savepoint".to_owned());
            Choice::OneOf { possible, or_empty, lacks }
        }
    };
    Selection { choice, standings }
}

/// Whether both lie at one known location: they stand for one Flink savepoint (S2-1).
pub fn same_place(one: &Savepoint<'_>, other: &Savepoint<'_>) -> bool {
    let places = one.location.as_deref().zip(other.location.as_deref());
    places.is_some_and(|(one, other)| location::same(one, other))
}

fn standing(stage: &Stage<'_>, savepoint: &Savepoint<'_>, wanted: Snapshots) -> Standing {
    if savepoint.state.as_ref().is_some_and(|state| state != "COMPLETED") {
        return Standing::NotCompleted;
    }
    if belongs_elsewhere(stage, savepoint) {
        return Standing::OtherDeployment;
    }
    let origin = savepoint.origin.as_deref();
    if wanted == Snapshots::Savepoints && origin == Some("RETAINED_CHECKPOINT") {
        return Standing::RetainedCheckpoint;
    }
    let ververica = stage.platform == Dialect::Ververica;
    if ververica && is_unversioned(savepoint) == Some(true) {
        return Standing::Unversioned;
    }
    // A drain writes a savepoint, never a checkpoint.
    let lacks_origin = wanted == Snapshots::Savepoints && origin.is_none() && savepoint.drained != Some(true);
    // The platform annotates what it takes itself; only what was registered by hand can lack the annotation (S2-6).
    let lacks_annotations = ververica && savepoint.annotations.is_none() && origin.is_none_or(|it| it == "COPIED");
    if savepoint.state.is_none() {
        Standing::MayCount(Lack::State)
    } else if lacks_annotations {
        Standing::MayCount(Lack::Annotations)
    } else if lacks_origin {
        Standing::MayCount(Lack::Origin)
    } else {
        Standing::Counts
    }
}

/// Whether the annotation of the spec version is absent or blank; `None`: not known.
pub fn is_unversioned(savepoint: &Savepoint<'_>) -> Option<bool> {
    let version = savepoint.annotations?.get(SPEC_VERSION).and_then(|version| version.scalar());
    Some(version.is_none_or(|version| version.trim().is_empty()))
}

/// Whether both name their deployment by id, and differ. A target may also be given by name.
pub(super) fn belongs_elsewhere(stage: &Stage<'_>, savepoint: &Savepoint<'_>) -> bool {
    let Some(owner) = &savepoint.deployment_id else { return false };
    stage
        .starts()
        .last()
        .is_some_and(|(operation, _)| is_uuid(&operation.target.name) && operation.target.name != *owner)
}
