//! A request while it is judged: what is asked, what is known, and the calls of the policy about it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::answers::Held;
use super::{NoJudgement, Question};
use crate::facts::{Answered, Inquiry, Step};
use crate::input::Envelope;
use crate::server::door::Timings;
use crate::server::judge::Judge;
use crate::{CheckError, Fact, Lookup, PolicyError, Source, clock};

/// Bytes of a request and of what is known about it up to which it is judged on the thread that serves it: that takes less
/// than a millisecond, and going to another thread and back costs as much as a small judgement.
const SHORT: usize = 32 << 10;

/// The time in the sandbox from which on even a short request is not judged there any more: not every policy is quick.
const SLOW: Duration = Duration::from_millis(5);

/// A request being judged.
pub struct Trial {
    hearing: Arc<Hearing>,
    /// What was asked and answered.
    pub inquiry: Inquiry,
    /// The room that the answers take.
    pub held: Held,
    /// Where the time went.
    pub timings: Timings,
}

/// What does not change while a request is judged.
pub struct Hearing {
    question: Question,
    declared: Vec<(Source, Arc<[u8]>)>,
    judge: Arc<Judge>,
}

impl Trial {
    /// Nothing asked yet.
    pub fn new(question: Question, judge: Arc<Judge>) -> Self {
        let said = said_by_host(&question);
        let operator = judge.declared.iter().map(|document| (Source::Operator, Arc::clone(document)));
        let declared = std::iter::once((Source::Host, said)).chain(operator).collect();
        let hearing = Arc::new(Hearing { question, declared, judge });
        Self { hearing, inquiry: Inquiry::default(), held: Held::new(), timings: Timings::default() }
    }

    /// What is to be judged.
    pub fn question(&self) -> &Question {
        &self.hearing.question
    }

    /// Who judges.
    pub fn judge(&self) -> &Arc<Judge> {
        &self.hearing.judge
    }

    /// What is known without asking.
    pub fn declared(&self) -> &[(Source, Arc<[u8]>)] {
        &self.hearing.declared
    }

    /// One call of the policy. The sandbox is free after it, also when nobody waits for its end any more.
    pub async fn step(&mut self, sandbox: OwnedSemaphorePermit) -> Result<Step, NoJudgement> {
        let short = self.hearing.size() + self.inquiry.size() <= SHORT;
        if short && self.timings.sandbox < SLOW {
            let step = self.hearing.step(&mut self.inquiry);
            drop(sandbox);
            return Ok(step?);
        }
        let (hearing, mut inquiry) = (Arc::clone(&self.hearing), std::mem::take(&mut self.inquiry));
        let step = tokio::task::spawn_blocking(move || {
            let step = hearing.step(&mut inquiry);
            drop(sandbox);
            (inquiry, step)
        });
        let (inquiry, step) =
            step.await.map_err(|error| NoJudgement::Policy(PolicyError::Trapped(error.to_string())))?;
        self.inquiry = inquiry;
        Ok(step?)
    }

    /// The same for another judge, who is told what this one was told.
    pub fn again(&self, judge: Arc<Judge>) -> (Hearing, Vec<(Lookup, Answered)>) {
        let Hearing { question, declared, .. } = &*self.hearing;
        let hearing = Hearing { question: question.clone(), declared: declared.clone(), judge };
        (hearing, self.inquiry.answers().to_vec())
    }
}

impl Hearing {
    /// One call of the policy.
    pub fn step(&self, inquiry: &mut Inquiry) -> Result<Step, CheckError> {
        let Self { question: Question { envelope, body, live, .. }, declared, judge } = self;
        let facts: Vec<_> = declared.iter().map(|(source, document)| Fact::declared(*source, document)).collect();
        envelope.lend(body, live.as_deref(), |request| inquiry.step(&judge.policy, request, &facts, &judge.settings))
    }

    /// Bytes that the policy reads, besides its settings.
    fn size(&self) -> usize {
        let Question { body, live, .. } = &self.question;
        body.len() + live.as_ref().map_or(0, Bytes::len) + self.declared.iter().map(|(_, it)| it.len()).sum::<usize>()
    }
}

/// The clock, the caller, and what to assume: at the HTTP dialects a stop is one of many, and a restart follows (DESIGN
/// section 5, Intent). Settings that say something else win.
fn said_by_host(question: &Question) -> Arc<[u8]> {
    let mut said = Map::from_iter([("now".to_owned(), clock::now().into())]);
    if let Some(name) = question.caller.principal() {
        said.insert("caller".to_owned(), json!({"principal": name}));
    }
    if let Some(labels) = &question.labels {
        said.insert("platform".to_owned(), json!({"namespaceLabels": labels}));
    }
    if let Envelope::Http(_) = &question.envelope {
        said.insert("intent".to_owned(), json!({"assume": "restart"}));
    }
    Value::from(said).to_string().into_bytes().into()
}
