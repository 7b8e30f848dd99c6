//! The questions and answers of one judgement, so that whoever looks things up may do it one by one or side by side.

use super::Answered;
use crate::policy::{CheckError, Input, PolicyError};
use crate::{Answer, Fact, Lookup, Need, Outcome, Policy, Request, Settings, Source, Subject, Verdict};

/// How often a source is asked about one request: an answer can lead to one more read. What the policy asks for later
/// counts as unavailable.
pub const ROUNDS: usize = 3;
/// Why nothing more is looked up then.
pub const TOO_MANY_ROUNDS: &str = "not looked up: the policy asked too often";
/// What counts as the answer to a read that was asked for and never answered.
const UNANSWERED: &str = "not looked up: no answer came";
/// What counts as the answer where the answers together are more than the policy may read.
const TOO_MUCH: &str = "the answers are together larger than the policy reads";
/// How often a policy may go on asking although nothing is looked up any more.
const MOST_CALLS: usize = 2 * ROUNDS + 2;

/// What was asked and answered for one request. It owns all it keeps, so it may move between threads from step to step.
///
/// ```no_run
/// # use sluicegate::facts::{Answered, Inquiry, Step};
/// # fn judge(policy: &sluicegate::Policy, request: &sluicegate::Request<'_>, settings: &sluicegate::Settings)
/// # -> Result<sluicegate::Verdict, sluicegate::CheckError> {
/// let mut inquiry = Inquiry::default();
/// loop {
///     match inquiry.step(policy, request, &[], settings)? {
///         Step::Decided(verdict) => return Ok(verdict),
///         Step::Ask(needs) => {
///             for need in needs {
///                 inquiry.answered(need.lookup, Answered::Unavailable("the network is down".to_owned()));
///             }
///         }
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inquiry {
    answers: Vec<(Lookup, Answered)>,
    open: Vec<Lookup>,
    calls: usize,
    over: Option<String>,
}

/// Where a judgement stands.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made once a step, and taken apart at once")]
pub enum Step {
    /// The judgement.
    Decided(Verdict),
    /// The reads to answer before the next step: none of them was asked for before.
    Ask(Vec<Need>),
}

impl Inquiry {
    /// Asks the policy with what is known by now. Reads of the last step that were not answered count as unavailable.
    ///
    /// # Errors
    /// Like [`Policy::check`], and when the policy never stops asking.
    pub fn step(
        &mut self,
        policy: &Policy,
        request: &Request<'_>,
        facts: &[Fact<'_>],
        settings: &Settings,
    ) -> Result<Step, CheckError> {
        for lookup in std::mem::take(&mut self.open) {
            self.answers.push((lookup, Answered::Unavailable(UNANSWERED.to_owned())));
        }
        while self.calls < MOST_CALLS {
            let needs = match self.check(policy, request, facts, settings)? {
                Outcome::Decided(verdict) => return Ok(Step::Decided(verdict)),
                Outcome::Needs(needs) => needs,
            };
            let looked_up = self.calls < ROUNDS && self.over.is_none();
            self.calls += 1;
            let mut fresh = Vec::new();
            for need in needs {
                // A policy that asks again for what it was told wastes rounds, but nobody is asked twice.
                if self.knows(&need.lookup) || self.open.contains(&need.lookup) {
                    continue;
                }
                if looked_up {
                    self.open.push(need.lookup.clone());
                    fresh.push(need);
                } else {
                    let why = self.over.as_deref().unwrap_or(TOO_MANY_ROUNDS).to_owned();
                    self.answers.push((need.lookup, Answered::Unavailable(why)));
                }
            }
            if !fresh.is_empty() {
                return Ok(Step::Ask(fresh));
            }
        }
        Err(PolicyError::InvalidOutput("it asks again and again for what it was told cannot be known".to_owned())
            .into())
    }

    /// Takes the answer to a read that the last step asked for. Any other is passed over.
    pub fn answered(&mut self, lookup: Lookup, answer: Answered) {
        if let Some(at) = self.open.iter().position(|open| *open == lookup) {
            self.open.swap_remove(at);
            self.answers.push((lookup, answer));
        }
    }

    /// From now on nothing is looked up: what the policy still wants to know is unavailable, and `why` says so.
    pub fn close(&mut self, why: &str) {
        self.over = Some(why.to_owned());
    }

    /// What was asked and answered so far, in order: enough to judge the same request again.
    pub fn answers(&self) -> &[(Lookup, Answered)] {
        &self.answers
    }

    /// Bytes of all answers.
    pub fn size(&self) -> usize {
        self.answers.iter().map(|(_, answer)| answer.size()).sum()
    }

    fn knows(&self, lookup: &Lookup) -> bool {
        self.answers.iter().any(|(known, _)| known == lookup)
    }

    /// One call. Answers never make a request unjudgeable: where they are too much together, the largest goes.
    fn check(
        &mut self,
        policy: &Policy,
        request: &Request<'_>,
        facts: &[Fact<'_>],
        settings: &Settings,
    ) -> Result<Outcome, CheckError> {
        loop {
            let observed = self.answers.iter().map(|(lookup, answer)| fact(lookup, answer));
            let known: Vec<_> = facts.iter().cloned().chain(observed).collect();
            match policy.check(request, &known, settings) {
                Err(CheckError::Policy(PolicyError::InputTooLarge { what: Input::Context, size, limit })) => {
                    match self.answers.iter_mut().max_by_key(|(_, answer)| answer.size()) {
                        Some((_, answer)) if answer.size() > 0 => *answer = Answered::Unavailable(TOO_MUCH.to_owned()),
                        _ => return Err(PolicyError::InputTooLarge { what: Input::Context, size, limit }.into()),
                    }
                }
                outcome => return outcome,
            }
        }
    }
}

impl Answered {
    /// Bytes that were found.
    fn size(&self) -> usize {
        match self {
            Self::Found(bytes) => bytes.len(),
            Self::Absent | Self::Unavailable(_) => 0,
        }
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

#[cfg(test)]
mod tests {
    use super::{Answered, Inquiry, Step};
    use crate::{Decision, Envelope, HttpHead, Limits, Policy, Request, Settings};

    const STOP: Request<'static> = Request {
        envelope: Envelope::Http(HttpHead {
            api: None,
            method: "POST",
            target: "/jobs/00000000000000000000000000000001/stop",
            headers: &[("content-type", "application/json")],
        }),
        body: b"{\"drain\": false, \"targetDirectory\": \"s3://b/p\"}",
    };

    fn policy(limits: Limits) -> Policy {
        Policy::embedded(limits).unwrap()
    }

    fn ask(step: Step) -> Vec<crate::Need> {
        match step {
            Step::Ask(needs) => needs,
            Step::Decided(verdict) => panic!("decided without asking: {}", verdict.document),
        }
    }

    fn assert_moves<T: Send + 'static>(_: &T) {}

    #[test]
    fn what_nobody_answered_is_unavailable_and_not_asked_again() {
        let policy = policy(Limits::default());
        let mut inquiry = Inquiry::default();
        assert_moves(&inquiry);
        let first = ask(inquiry.step(&policy, &STOP, &[], &Settings::default()).unwrap());
        loop {
            match inquiry.step(&policy, &STOP, &[], &Settings::default()).unwrap() {
                Step::Decided(verdict) => {
                    assert_eq!(verdict.decision, Decision::Allow);
                    break;
                }
                Step::Ask(needs) => {
                    assert!(needs.iter().all(|need| first.iter().all(|known| known.lookup != need.lookup)));
                }
            }
        }
        assert!(inquiry.answers().iter().all(|(_, answer)| matches!(answer, Answered::Unavailable(_))));
    }

    #[test]
    fn a_closed_inquiry_decides_at_once() {
        let policy = policy(Limits::default());
        let mut inquiry = Inquiry::default();
        inquiry.close("the deadline passed");
        assert!(matches!(inquiry.step(&policy, &STOP, &[], &Settings::default()).unwrap(), Step::Decided(_)));
        assert!(!inquiry.answers().is_empty());
    }

    #[test]
    fn answers_that_are_too_much_together_are_dropped() {
        let policy = policy(Limits { context: 64 << 10, ..Limits::default() });
        let mut inquiry = Inquiry::default();
        for need in ask(inquiry.step(&policy, &STOP, &[], &Settings::default()).unwrap()) {
            inquiry.answered(need.lookup, Answered::Found(vec![b' '; 65 << 10]));
        }
        inquiry.step(&policy, &STOP, &[], &Settings::default()).unwrap();
        let dropped =
            |(_, answer): &(_, Answered)| matches!(answer, Answered::Unavailable(why) if why == super::TOO_MUCH);
        assert!(inquiry.answers().iter().all(dropped));
    }
}
