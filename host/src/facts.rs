//! Where answers come from when the policy asks for a read. A source is asked only for what could change the verdict,
//! and what it answers is handed over as it came: reading it is the policy's business.

#[cfg(feature = "serve")]
pub mod kubernetes;
mod recorded;

pub use recorded::Recorded;

use crate::policy::{CheckError, PolicyError};
use crate::{Answer, Fact, Lookup, Outcome, Policy, Request, Settings, Source, Subject, Verdict};

/// How often a source is asked about one request: an answer can lead to one more read. What the policy asks for later
/// counts as unavailable.
pub const ROUNDS: usize = 3;
/// Why nothing more is looked up then.
pub const TOO_MANY_ROUNDS: &str = "not looked up: the policy asked too often";
/// How often a policy may go on asking although nothing is looked up any more.
const MOST_CALLS: usize = 2 * ROUNDS + 2;

/// Looks things up.
///
/// Names and ids in a lookup come from the request: encode them, follow no redirect, and bound the size of the answer.
pub trait FactSource {
    /// The outcome of this read. Errors are told as [`Answered::Unavailable`]: they never stop a judgement.
    fn answer(&self, lookup: &Lookup) -> Answered;
}

/// The outcome of looking something up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The bytes, as the platform returned them.
    Found(Vec<u8>),
    /// It is known not to exist.
    Absent,
    /// It could not be learnt; the text says why, for people.
    Unavailable(String),
}

/// No source at all: everything that is asked for is unavailable.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSource;

impl FactSource for NoSource {
    fn answer(&self, _: &Lookup) -> Answered {
        Answered::Unavailable("no source of facts is set up".to_owned())
    }
}

impl Policy {
    /// Judges one request, and looks up what the policy asks for: at most three rounds; what it still wants to know
    /// then counts as unavailable.
    ///
    /// # Errors
    /// Like [`Policy::check`], and when the policy never stops asking.
    pub fn decide(
        &self,
        request: &Request<'_>,
        facts: &[Fact<'_>],
        settings: &Settings,
        source: &dyn FactSource,
    ) -> Result<Verdict, CheckError> {
        let mut answers: Vec<(Lookup, Answered)> = Vec::new();
        for call in 0..MOST_CALLS {
            let observed = answers.iter().map(|(lookup, answer)| fact(lookup, answer));
            let known: Vec<_> = facts.iter().cloned().chain(observed).collect();
            let needs = match self.check(request, &known, settings)? {
                Outcome::Decided(verdict) => return Ok(verdict),
                Outcome::Needs(needs) => needs,
            };
            for need in needs {
                // A policy that asks again for what it was told wastes rounds, but nobody is asked twice.
                if answers.iter().any(|(known, _)| *known == need.lookup) {
                    continue;
                }
                let answer = match call < ROUNDS {
                    true => source.answer(&need.lookup),
                    false => Answered::Unavailable(TOO_MANY_ROUNDS.to_owned()),
                };
                answers.push((need.lookup, answer));
            }
        }
        Err(PolicyError::InvalidOutput("it asks again and again for what it was told cannot be known".to_owned())
            .into())
    }
}

fn fact<'a>(lookup: &'a Lookup, answer: &'a Answered) -> Fact<'a> {
    let answer = match answer {
        Answered::Found(bytes) => Answer::Found(bytes),
        Answered::Absent => Answer::Absent,
        Answered::Unavailable(why) => Answer::Unavailable(why),
    };
    Fact { about: Subject::Observed(lookup), source: Source::Observed, answer }
}
