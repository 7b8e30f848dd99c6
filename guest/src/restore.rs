//! The restore plan: what a start comes up with, and why every other known snapshot is passed over.

mod choice;
mod explain;
mod kubernetes;
mod status;
mod words;

pub use choice::{Choice, Selection, Snapshots, Standing, is_unversioned, latest, same_place, select};

use crate::operation::{Action, Stage};
use crate::text::clean;

/// The annotation without which Ververica Platform passes a savepoint over (S2-8).
pub const SPEC_VERSION: &str = "com.dataartisans.appmanager.controller.deployment.spec.version";

/// How many candidates a plan lists.
const MAX_CANDIDATES: usize = 100;

/// The state that a start will come up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestorePlan {
    /// The platform's word for the strategy.
    pub strategy: String,
    /// What the job comes up with.
    pub basis: Basis,
    /// The snapshot that will be used.
    pub chosen: Option<String>,
    /// Why that one, or why none.
    pub reason: String,
    /// The known snapshots, the used one first; at most 100.
    pub candidates: Vec<Candidate>,
}

/// What a job comes up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A snapshot that exists.
    Snapshot,
    /// The state with which the job is, or was, stopped; its snapshot may have no name yet.
    Kept,
    /// No state.
    Empty,
    /// Nothing starts: the platform waits, refuses or fails.
    Nothing,
    /// It cannot be told.
    Unknown,
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

/// The plan of the stage's last start, as far as its snapshots are known.
#[inline(never)]
pub fn plan(stage: &Stage<'_>) -> Option<RestorePlan> {
    let Some((_, start)) = stage.starts().last() else {
        let opaque = stage.operations.iter().any(|operation| matches!(operation.action, Action::OpaqueStart));
        let reason = "the job graph is serialized: what it restores from cannot be read from outside";
        return opaque.then(|| finish("unknown", Told::new(Basis::Unknown, reason), Vec::new()));
    };
    Some(kubernetes::plan(stage, start).unwrap_or_else(|| explain::plan(stage, start)))
}

/// What a start comes up with, in words.
#[derive(Debug)]
struct Told {
    basis: Basis,
    chosen: Option<String>,
    reason: String,
}

impl Told {
    fn new(basis: Basis, reason: impl Into<String>) -> Self {
        Self { basis, chosen: None, reason: reason.into() }
    }

    fn chosen(self, snapshot: &str) -> Self {
        Self { basis: Basis::Snapshot, chosen: Some(snapshot.to_owned()), ..self }
    }
}

/// Puts a plan together: the used snapshot first, not too many, no text that a terminal would obey.
fn finish(strategy: &str, told: Told, mut candidates: Vec<Candidate>) -> RestorePlan {
    let used: Vec<_> = candidates.extract_if(.., |candidate| candidate.fate == Fate::Used).collect();
    candidates.splice(0..0, used);
    candidates.truncate(MAX_CANDIDATES);
    let Told { basis, chosen, reason } = told;
    let chosen = chosen.map(|chosen| clean(&chosen));
    RestorePlan { strategy: strategy.to_owned(), basis, chosen, reason: clean(&reason), candidates }
}

#[cfg(test)]
mod tests;
