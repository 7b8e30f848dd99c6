//! The restore plan: which snapshot a start will use, and why every other known one is passed over.

use crate::operation::Stage;

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

/// The plan of the stage's start, as far as its savepoints are known.
pub fn plan(_stage: &Stage<'_>) -> Option<RestorePlan> {
    None
}
