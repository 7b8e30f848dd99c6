//! The plan where the platform or the request names snapshots: Ververica Platform, Alibaba, Flink's REST API, and change
//! plans. What is chosen is told by [`select`]; this is why.

use super::choice::belongs_elsewhere;
use super::words::{candidate, claim};
use super::{Basis, Candidate, Choice, Fate, RestorePlan, SPEC_VERSION, Selection, Snapshots, Standing, Told};
use super::{MAX_CANDIDATES, finish, latest, select};
use crate::facts::Savepoint;
use crate::instant::Instant;
use crate::operation::{Dialect, Place, Restore, Retention, Stage, Start, StartCause, StopMode};

pub(super) fn plan(stage: &Stage<'_>, start: &Start<'_>) -> RestorePlan {
    let selection = select(stage, start);
    let mut told = explain(stage, start, &selection);
    let candidates = candidates(stage, start, &selection, &told.reason);
    // The snapshot's own words stand in its reason; the plan's are the same.
    if let Some(used) = candidates.iter().find(|candidate| candidate.fate == Fate::Used) {
        told.reason.clone_from(&used.reason);
    }
    finish(&strategy(stage, start), told, candidates)
}

fn candidates(stage: &Stage<'_>, start: &Start<'_>, selection: &Selection<'_, '_>, reason: &str) -> Vec<Candidate> {
    let used = match &selection.choice {
        Choice::One(savepoint) => Some(*savepoint),
        _ => None,
    };
    // Without the strategy it is still told what no strategy would take.
    let managed = matches!(stage.platform, Dialect::Ververica | Dialect::Alibaba);
    let fallback = (managed && start.restore == Restore::Unknown).then(|| latest(stage, Snapshots::All));
    let standings = fallback.as_ref().map_or(&selection.standings, |latest| &latest.standings);
    let all = || standings.iter().map(|(savepoint, _)| *savepoint);
    let is_used = |savepoint: &Savepoint<'_>| used.is_some_and(|used| std::ptr::eq(used, savepoint));
    let first = standings.iter().filter(|(savepoint, _)| is_used(savepoint));
    let others = standings.iter().filter(|(savepoint, _)| !is_used(savepoint));
    let tell = |(savepoint, standing): &(&Savepoint<'_>, Standing)| match is_used(savepoint) {
        true => candidate(stage, savepoint, all(), Fate::Used, reason),
        false => {
            let words = ignored(stage, *standing, savepoint, start, &selection.choice);
            candidate(stage, savepoint, all(), Fate::Ignored, &words)
        }
    };
    first.chain(others).take(MAX_CANDIDATES).map(tell).collect()
}

/// The platform's word for what a start restores from.
fn strategy(stage: &Stage<'_>, start: &Start<'_>) -> String {
    let kubernetes = stage.platform == Dialect::Kubernetes;
    let word = match (&start.restore, stage.platform) {
        (Restore::Empty, Dialect::FlinkRest | Dialect::Kubernetes) => "none",
        (Restore::Empty, _) => "NONE",
        (Restore::LatestState, _) if kubernetes => "last-state",
        (Restore::LatestState, _) => "LATEST_STATE",
        (Restore::LatestSavepoint, _) if kubernetes => "savepoint",
        (Restore::LatestSavepoint, _) => "LATEST_SAVEPOINT",
        (Restore::Savepoint(_), _) => "FROM_SAVEPOINT",
        (Restore::Location(_), Dialect::FlinkRest) => "savepointPath",
        (Restore::Location(_), Dialect::Kubernetes) => "initialSavepointPath",
        (Restore::Location(_), _) => "FROM_SAVEPOINT",
        // A step of a plan keeps its word.
        (Restore::Stopped, _) => match &start.restore_place {
            Place::Body(node) if stage.in_plan && node.is("latest-state") => "LATEST_STATE",
            Place::Body(node) if stage.in_plan && node.is("latest-savepoint") => "LATEST_SAVEPOINT",
            _ => "the state of the stop before",
        },
        (Restore::Unknown, _) => "unknown",
    };
    word.to_owned()
}

/// What will be used, and why.
fn explain(stage: &Stage<'_>, start: &Start<'_>, selection: &Selection<'_, '_>) -> Told {
    match &selection.choice {
        Choice::One(savepoint) => {
            let mut reason = match &start.restore {
                Restore::Savepoint(_) | Restore::Location(_) => named(start).to_owned(),
                _ if savepoint.restore_candidate == Some(true) => "declared as the one that a restore uses".to_owned(),
                Restore::LatestSavepoint => "the newest savepoint that counts".to_owned(),
                _ => "the newest snapshot of any origin that counts".to_owned(),
            };
            if belongs_elsewhere(stage, savepoint) {
                reason.push_str(&format!(", of another deployment, {}", owner(savepoint)));
            }
            if let Some(state) = unfinished(savepoint) {
                reason.push_str(&format!(", but it is {state}, not COMPLETED: the start fails"));
            }
            if start.restore == Restore::LatestState && savepoint.origin.as_deref() != Some("RETAINED_CHECKPOINT") {
                reason.push_str(checkpoints(stage));
            }
            after_cancel(stage, start, &mut reason);
            // A path is shown as the request has it.
            let name = match &start.restore {
                Restore::Location(location) => {
                    owned(stage, start, &mut reason);
                    location.as_ref()
                }
                _ => savepoint.label(),
            };
            Told::new(Basis::Snapshot, reason).chosen(name)
        }
        Choice::Named(name) if name.trim().is_empty() => {
            Told::new(Basis::Nothing, "the location that the request gives is blank: there is nothing to restore from")
        }
        Choice::Named(name) => {
            let mut reason = format!("{}; nothing more is known of it", named(start));
            if matches!(start.restore, Restore::Location(_)) {
                owned(stage, start, &mut reason);
            }
            Told::new(Basis::Snapshot, reason).chosen(name)
        }
        Choice::OneOf { or_empty, lacks, .. } => {
            let empty = if *or_empty { ", nor whether the job starts empty," } else { "" };
            Told::new(Basis::Unknown, format!("it cannot be told which one{empty} without {lacks}"))
        }
        Choice::Empty => Told::new(Basis::Empty, nothing(stage, start)),
        Choice::Stopped => Told::new(Basis::Kept, kept(stage, start)),
        Choice::Unknown(lacks) => Told::new(Basis::Unknown, format!("it cannot be told without {lacks}")),
    }
}

/// Where the request names its snapshot.
fn named(start: &Start<'_>) -> &'static str {
    let key = match &start.restore_place {
        Place::Target => return "`savepointPath` in the query names it",
        Place::Body(node) => node.pointer(),
        Place::Header(_) | Place::Request => String::new(),
    };
    match key.contains("/flinkConfiguration") {
        true => "`flinkConfiguration` names it",
        false => "the request names it",
    }
}

fn owned(stage: &Stage<'_>, start: &Start<'_>, reason: &mut String) {
    if let Some(words) = claim(stage, start) {
        reason.push_str("; ");
        reason.push_str(words);
    }
}

/// Why a start comes up without state.
fn nothing(stage: &Stage<'_>, start: &Start<'_>) -> String {
    let managed = matches!(stage.platform, Dialect::Ververica | Dialect::Alibaba);
    if start.restore != Restore::Empty {
        let why = match &stage.facts.savepoints {
            None => "a new deployment has no snapshot yet: the job starts empty",
            Some(known) if known.is_empty() => "there is no snapshot: the job starts empty, and nothing fails",
            Some(_) => "no known snapshot counts: the job starts empty, and nothing fails",
        };
        return format!("{why}{}", if start.restore == Restore::LatestState { checkpoints(stage) } else { "" });
    }
    if managed && stage.facts.deployment.execution_mode.as_deref() == Some("BATCH") {
        return "a batch job has no state to restore: it starts empty".to_owned();
    }
    if stage.platform == Dialect::FlinkRest && !stage.in_plan {
        return "no `savepointPath` in body or query, and none in `flinkConfiguration`: the job starts empty"
            .to_owned();
    }
    let mut reason = "no state is asked for: the job starts empty".to_owned();
    if let Some(time) = start.start_time.and_then(|time| time.scalar()) {
        reason.push_str(&format!(", and sources that can read from `{time}` on"));
    }
    reason
}

/// The state with which the job is, or was, stopped.
fn kept(stage: &Stage<'_>, start: &Start<'_>) -> String {
    if let Some(step) = &stage.current.left_by {
        let mut reason = format!("the savepoint that {step} takes: newer than any that is known");
        if stage.current.stopped_by_drain {
            reason.push_str(", written by a drain");
        }
        after_cancel(stage, start, &mut reason);
        return reason;
    }
    let mut stops = stage.stops();
    let words = match (stops.next(), start.cause) {
        (Some((_, stop)), _) => match stop.mode {
            StopMode::Savepoint => "the savepoint with which this request stops the job",
            StopMode::Drain => "the savepoint with which this request stops the job, written by a drain",
            StopMode::LastState => "the last checkpoint, which this request keeps",
            StopMode::Cancel => "the checkpoint that the cancel retains (`RETAIN_ON_CANCELLATION`)",
        },
        (None, _) if stage.current.cancelled_by.is_some() => {
            "the checkpoint that the cancel before retains (`RETAIN_ON_CANCELLATION`)"
        }
        (None, StartCause::Redeploy) => "the request does not say from what",
        (None, _) => "the state with which the job was stopped",
    };
    words.to_owned()
}

/// LATEST_STATE finds checkpoints only where Flink keeps them when a job ends (DOMAIN 1.6).
fn checkpoints(stage: &Stage<'_>) -> &'static str {
    match (stage.platform, stage.current.retention) {
        (Dialect::Ververica, Some(Retention::Deleted | Retention::DeletedByDefault)) => {
            "; without RETAIN_ON_CANCELLATION no checkpoint outlives the job, so LATEST_STATE acts like LATEST_SAVEPOINT"
        }
        _ => "",
    }
}

/// An earlier step of the plan cancels: its last checkpoint may be newer than all.
fn after_cancel(stage: &Stage<'_>, start: &Start<'_>, reason: &mut String) {
    let Some(step) = &stage.current.cancelled_by else { return };
    let retained = match &start.restore {
        Restore::LatestState => true,
        Restore::Stopped => matches!(&start.restore_place, Place::Body(node) if node.is("latest-state")),
        _ => false,
    };
    reason.push_str(&match retained && stage.current.retention.is_none() {
        true => format!("; {step} cancels the job: if its last checkpoint is retained, that one is newer"),
        false => format!("; {step} cancels the job: what it computed since is lost"),
    });
}

/// Why a snapshot is passed over.
fn ignored(
    stage: &Stage<'_>,
    standing: Standing,
    savepoint: &Savepoint<'_>,
    start: &Start<'_>,
    choice: &Choice<'_, '_>,
) -> String {
    let open = matches!(choice, Choice::Stopped | Choice::Unknown(_));
    let words = match standing {
        Standing::NotAsked if open && unfinished(savepoint).is_some() => return not_completed(savepoint),
        Standing::NotAsked => match choice {
            Choice::Empty if stage.platform == Dialect::FlinkRest => "Flink restores only what a request names",
            Choice::Empty => "no state is asked for",
            Choice::Stopped => "older than the state of the stop",
            Choice::Unknown(_) => "it cannot be told whether it is used",
            Choice::One(_) if start.restore == Restore::Stopped => "the stop before left another",
            _ => "the request names another",
        },
        Standing::NotCompleted => return not_completed(savepoint),
        Standing::OtherDeployment => return format!("of another deployment, {}", owner(savepoint)),
        Standing::RetainedCheckpoint => "and only savepoints are asked for",
        Standing::Unversioned => return format!("without the annotation `{SPEC_VERSION}`, so passed over in silence"),
        Standing::Counts | Standing::MayCount(_) => match choice {
            Choice::One(used) => {
                let dated = |savepoint: &Savepoint<'_>| savepoint.created_at.as_deref().and_then(Instant::parse);
                let older = dated(savepoint).zip(dated(used)).is_some_and(|(ours, theirs)| ours < theirs);
                let word = if older { "older than" } else { "passed over for" };
                return format!("{word} `{}`", used.label());
            }
            Choice::OneOf { possible, .. } if possible.iter().any(|other| std::ptr::eq(*other, savepoint)) => {
                "perhaps used: see the reason of the plan"
            }
            Choice::OneOf { .. } => "older than others that count",
            _ => "it cannot be told whether it is used",
        },
    };
    words.to_owned()
}

fn unfinished<'s>(savepoint: &'s Savepoint<'_>) -> Option<&'s str> {
    savepoint.state.as_deref().filter(|state| *state != "COMPLETED")
}

pub(super) fn not_completed(savepoint: &Savepoint<'_>) -> String {
    format!("{}, not COMPLETED", savepoint.state.as_deref().unwrap_or_default())
}

fn owner(savepoint: &Savepoint<'_>) -> String {
    format!("`{}`", savepoint.deployment_id.as_deref().unwrap_or_default())
}
