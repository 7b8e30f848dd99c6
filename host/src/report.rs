//! What came of a run of `check`, ready to be shown: as text for people, as JSON for scripts.

mod catalogue;
mod human;
mod json;
mod layout;
mod restore;

use crate::input::{InputError, Lines, Position};
use crate::{Decision, Effect, Failure, Place, Verdict};

pub use catalogue::{catalogue_json, explain, explained_json, list, markdown};
pub use human::{Page, human};
pub use json::json;
pub use layout::clean;
pub use restore::{restore, restore_json, restore_plan};

/// Everything that was judged.
#[derive(Clone, Debug)]
pub struct Report {
    /// The policy that judged; `None` when none could be loaded.
    pub policy: Option<PolicyName>,
    /// One result for each document, in order.
    pub results: Vec<Judged>,
}

/// What tells one policy from another.
#[derive(Clone, Debug)]
pub struct PolicyName {
    /// The version that it gives itself.
    pub version: String,
    /// `sha256:…` of the component.
    pub digest: String,
}

/// What came of one document.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file, as it was named; `-` is standard input.
    pub input: String,
    /// The document's place in the file, from 1.
    pub document: usize,
    /// Whether the file holds others.
    pub among_others: bool,
    /// The judgement.
    pub outcome: Outcome,
}

/// A judgement, or why there is none.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was judged.
    Verdict {
        /// What the policy says.
        verdict: Box<Verdict>,
        /// For each finding, where its place stands in the file, if it does.
        positions: Vec<Option<Position>>,
    },
    /// It was not.
    Error {
        /// What is wrong and what to do, for people.
        message: String,
        /// Where, if it stands in the file.
        position: Option<Position>,
        /// The document is fine as far as is known: the policy gave way.
        by_policy: bool,
    },
}

impl Outcome {
    /// A verdict, with its places found in the file. `offset`: where the body starts there, if it does.
    pub fn of(verdict: Verdict, file: &Lines<'_>, offset: Option<usize>) -> Self {
        let position = |place: &Option<Place>| match (place, offset) {
            (Some(Place::Body(span)), Some(offset)) => Some(file.position(offset + span.start as usize)),
            _ => None,
        };
        let positions = verdict.findings.iter().map(|finding| position(&finding.place)).collect();
        Self::Verdict { verdict: Box::new(verdict), positions }
    }

    /// A document that cannot be read.
    pub fn unreadable(error: InputError, file: &Lines<'_>) -> Self {
        let position = error.offset.map(|offset| file.position(offset));
        Self::Error { message: error.message, position, by_policy: false }
    }

    /// A request that the policy cannot judge. `offset`: where its body starts in the file, if it does.
    pub fn unjudgeable(failure: Failure, file: &Lines<'_>, offset: Option<usize>) -> Self {
        // The offset is one into the live object when that is what cannot be read.
        let within = failure.offset.filter(|_| !failure.message.starts_with("the live object"));
        let (position, message) = match (offset, within) {
            (Some(start), Some(within)) => (Some(file.position(start + within as usize)), failure.message),
            (None, Some(within)) => (None, format!("{}, at byte {within} of the body", failure.message)),
            (_, None) => (None, failure.message),
        };
        Self::Error { message, position, by_policy: false }
    }
}

/// How many documents ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Allowed, with warnings or without.
    pub allow: usize,
    /// Refused.
    pub deny: usize,
    /// Not decided, since a fact is missing.
    pub undecided: usize,
    /// Not judged.
    pub error: usize,
    /// Warnings in all of them.
    pub warnings: usize,
}

impl Report {
    /// The counts.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for judged in &self.results {
            match &judged.outcome {
                Outcome::Error { .. } => summary.error += 1,
                Outcome::Verdict { verdict, .. } => {
                    match verdict.decision {
                        Decision::Allow => summary.allow += 1,
                        Decision::Deny => summary.deny += 1,
                        Decision::Undecided => summary.undecided += 1,
                    }
                    summary.warnings +=
                        verdict.findings.iter().filter(|finding| finding.effect == Effect::Warn).count();
                }
            }
        }
        summary
    }
}
