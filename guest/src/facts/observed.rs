//! The answers of platforms to the reads that the policy asked for. An answer counts for the request that asks for it,
//! and for the target that it names.

use crate::gate::Answer;
use crate::operation::Lookup;

/// Every answer of a call.
#[derive(Debug, Default)]
pub struct Observed<'b> {
    answers: Vec<(&'b Lookup, Answer<'b>)>,
}

impl<'b> Observed<'b> {
    /// Takes an answer; of several to one read the first counts.
    pub fn add(&mut self, lookup: &'b Lookup, answer: Answer<'b>) {
        if !self.knows(lookup) {
            self.answers.push((lookup, answer));
        }
    }

    /// Whether this read was answered, if only by saying that it cannot be.
    pub fn knows(&self, lookup: &Lookup) -> bool {
        self.answers.iter().any(|(known, _)| *known == lookup)
    }
}
