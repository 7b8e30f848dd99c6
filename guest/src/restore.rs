//! The restore plan: which snapshot a start will use, and why every other known one is passed over.

mod choice;

pub use choice::{Choice, Selection, Snapshots, Standing, latest, select};

use crate::facts::Savepoint;
use crate::operation::{Dialect, Restore, Stage, Start, StopMode};
use crate::text::clean;

/// The annotation without which Ververica Platform passes a savepoint over (S2-8).
pub const SPEC_VERSION: &str = "com.dataartisans.appmanager.controller.deployment.spec.version";

/// Why a suspended job of the operator comes back from where it does.
const LEFT_BY_STOP: &str = "the stop before left it (`status.jobStatus.upgradeSavepointPath`)";

/// How many candidates a plan lists.
const MAX_CANDIDATES: usize = 100;

/// The state that a start will come up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestorePlan {
    /// The platform's word for the strategy.
    pub strategy: String,
    /// The snapshot that will be used.
    pub chosen: Option<String>,
    /// Why that one, or why none.
    pub reason: String,
    /// Every known snapshot, the used one included.
    pub candidates: Vec<Candidate>,
}

/// A snapshot that a start may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: String,
    pub fate: Fate,
    pub reason: String,
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Used,
    Ignored,
}

/// The plan of the stage's last start, as far as its savepoints are known.
pub fn plan(stage: &Stage<'_>) -> Option<RestorePlan> {
    let (_, start) = stage.starts().last()?;
    let selection = select(stage, start);
    let (chosen, reason) = explain(stage, start, &selection);
    let used = match &selection.choice {
        Choice::One(savepoint) => Some(*savepoint),
        _ => None,
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for (savepoint, standing) in &selection.standings {
        let is_used = used.is_some_and(|used| std::ptr::eq(used, *savepoint));
        let candidate = Candidate {
            id: clean(savepoint.label()),
            fate: if is_used { Fate::Used } else { Fate::Ignored },
            reason: clean(&match is_used {
                true => reason.clone(),
                false => ignored(*standing, savepoint, start, &selection.choice),
            }),
        };
        match is_used {
            true => candidates.insert(0, candidate),
            false if candidates.len() <= MAX_CANDIDATES => candidates.push(candidate),
            false => {}
        }
    }
    candidates.truncate(MAX_CANDIDATES);
    let strategy = strategy(stage.platform, start).to_owned();
    Some(RestorePlan { strategy, chosen: chosen.map(|text| clean(&text)), reason: clean(&reason), candidates })
}

/// The platform's word for what a start restores from.
fn strategy(platform: Dialect, start: &Start<'_>) -> &'static str {
    match (&start.restore, platform) {
        (Restore::Empty, Dialect::FlinkRest | Dialect::Kubernetes) => "none",
        (Restore::Empty, _) => "NONE",
        (Restore::LatestState, Dialect::Kubernetes) => "last-state",
        (Restore::LatestState, _) => "LATEST_STATE",
        (Restore::LatestSavepoint, Dialect::Kubernetes) => "savepoint",
        (Restore::LatestSavepoint, _) => "LATEST_SAVEPOINT",
        (Restore::Savepoint(_), _) => "FROM_SAVEPOINT",
        (Restore::Location(_), Dialect::FlinkRest) => "savepointPath",
        (Restore::Location(_), Dialect::Kubernetes) => "initialSavepointPath",
        (Restore::Location(_), _) => "FROM_SAVEPOINT",
        (Restore::Stopped, _) => "the state of the stop before",
        (Restore::Unknown, _) => "unknown",
    }
}

/// What will be used, and why.
fn explain(stage: &Stage<'_>, start: &Start<'_>, selection: &Selection<'_, '_>) -> (Option<String>, String) {
    match &selection.choice {
        Choice::One(savepoint) => {
            let reason = match &start.restore {
                Restore::Savepoint(_) | Restore::Location(_) => "the request names it",
                Restore::Stopped if stage.current.stopped_at.is_some() => LEFT_BY_STOP,
                _ if savepoint.restore_candidate == Some(true) => "it is declared as the one that a restore would use",
                Restore::LatestSavepoint => "the newest completed savepoint that counts",
                _ => "the newest completed snapshot that counts, of any origin",
            };
            // A path is shown as the request has it.
            let named = match &start.restore {
                Restore::Location(location) => location.as_ref(),
                _ => savepoint.label(),
            };
            (Some(named.to_owned()), reason.to_owned())
        }
        Choice::Named(name) if start.restore == Restore::Stopped => {
            (Some((*name).to_owned()), format!("{LEFT_BY_STOP}; nothing more is known of it"))
        }
        Choice::Named(name) if name.trim().is_empty() => {
            (None, "the location that the request gives is blank: there is nothing to restore from".to_owned())
        }
        Choice::Named(name) => {
            (Some((*name).to_owned()), "the request names it; nothing more is known of it".to_owned())
        }
        Choice::OneOf { lacks, .. } => (None, format!("it cannot be told which one without {lacks}")),
        Choice::Empty if start.restore == Restore::Empty => {
            (None, "no state is asked for: the job starts empty".to_owned())
        }
        Choice::Empty => (None, "no known snapshot counts: the job starts empty, and nothing fails".to_owned()),
        Choice::Stopped => {
            let reason = match stage.stops().next() {
                Some((_, stop)) if stop.mode == StopMode::LastState => {
                    "the job comes back with its last checkpoint, which this request keeps"
                }
                Some(_) => "the job comes back with the state with which this request stops it",
                None => "the job comes back with the state with which it was stopped",
            };
            (None, reason.to_owned())
        }
        Choice::Unknown(lacks) => (None, format!("it cannot be told without {lacks}")),
    }
}

/// Why a snapshot is passed over.
fn ignored(standing: Standing, savepoint: &Savepoint<'_>, start: &Start<'_>, choice: &Choice<'_, '_>) -> String {
    match standing {
        Standing::NotAsked => match choice {
            Choice::Empty => "no state is asked for".to_owned(),
            Choice::Stopped => "the state of the stop is newer".to_owned(),
            Choice::Unknown(_) => "it cannot be told whether it is used".to_owned(),
            _ if start.restore == Restore::Stopped => "the stop before left another".to_owned(),
            _ => "the request names another".to_owned(),
        },
        Standing::NotCompleted => {
            format!("its state is {}, not COMPLETED", savepoint.state.as_deref().unwrap_or("unknown"))
        }
        Standing::OtherDeployment => "it belongs to another deployment".to_owned(),
        Standing::RetainedCheckpoint => "it is a retained checkpoint, and only savepoints are asked for".to_owned(),
        Standing::Unversioned => format!("it lacks the annotation `{SPEC_VERSION}`"),
        Standing::Counts | Standing::MayCount(_) => match choice {
            Choice::One(_) => "a newer one is used".to_owned(),
            Choice::OneOf { possible, .. } if possible.iter().any(|other| std::ptr::eq(*other, savepoint)) => {
                "it may be used: see the reason of the plan".to_owned()
            }
            Choice::OneOf { .. } => "a newer one counts".to_owned(),
            _ => "it cannot be told whether it is used".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
