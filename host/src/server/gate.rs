//! The one place where the server judges: whatever the door, a question comes in here and a judgement goes out.

mod answers;
mod trial;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::caller::Caller;
use super::check::MOST_DOCUMENTS;
use super::decision_log::{DecisionLog, Entry};
use super::denial;
use super::door::{Door, Mode, Stage, Timings};
use super::judge::Judge;
use super::metrics::Metrics;
use super::seldom::Seldom;
use super::shadow::Shadow;
use super::turnstile::{TurnedAway, Turnstiles};
use crate::facts::Live;
use crate::facts::{Answered, Step};
use crate::input::{self, Envelope, HttpHead, Input, InputError};
use crate::{CheckError, Decision, Effect, Failure, FailureKind, PolicyError, Verdict};
use answers::Answers;
pub use trial::{Hearing, Trial};

/// What is to be judged.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where it came in.
    pub door: Door,
    /// What tells this request from others in the logs.
    pub id: String,
    /// How it travels.
    pub envelope: Envelope,
    /// The exact bytes of its body.
    pub body: Bytes,
    /// The live object that a manifest would change.
    pub live: Option<Bytes>,
    /// Who asks.
    pub caller: Caller,
    /// Whom the request names as its author, for the logs.
    pub author: Option<String>,
    /// The labels of its Kubernetes namespace, where they are known.
    pub labels: Option<Value>,
    /// When the answer must be there.
    pub until: Instant,
}

impl Question {
    /// Whether its method promises to change nothing. (Flink has a GET that cancels: a finding tells.)
    fn reads(&self) -> bool {
        matches!(&self.envelope, Envelope::Http(head) if ["GET", "HEAD", "OPTIONS"].contains(&head.method.as_str()))
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What the policy says.
    pub verdict: Verdict,
    /// Whether the request may go on. In [`Mode::Warn`] it always may.
    pub passes: bool,
    /// Who judged.
    pub judge: Arc<Judge>,
}

/// Why there is no judgement.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoJudgement {
    /// There was no time or no room for it.
    #[error(transparent)]
    TurnedAway(#[from] TurnedAway),
    /// The policy says that this request cannot be judged.
    #[error("{}", .0.message)]
    Unjudgeable(Failure),
    /// The policy failed.
    #[error(transparent)]
    Policy(PolicyError),
}

impl NoJudgement {
    /// What went wrong, without a word of the request.
    fn kind(&self) -> &'static str {
        match self {
            Self::TurnedAway(TurnedAway::Full) => "too many are waiting",
            Self::TurnedAway(TurnedAway::Late) => "no time was left",
            Self::Unjudgeable(failure) => match failure.kind {
                FailureKind::Malformed => "the request is malformed",
                FailureKind::Unsupported => "a request of this kind is not judged",
                FailureKind::TooLarge => "the request is too large",
                FailureKind::BadFacts => "declared facts are wrong",
                FailureKind::BadSettings => "the settings are not this policy's",
            },
            Self::Policy(_) => "the policy failed",
        }
    }
}

impl From<CheckError> for NoJudgement {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Unjudgeable(failure) => Self::Unjudgeable(failure),
            CheckError::Policy(error) => Self::Policy(error),
        }
    }
}

/// A call that is not put to the policy.
#[derive(Clone, Debug)]
pub struct Unread {
    /// Where it came in.
    pub door: Door,
    /// What tells this request from others in the logs.
    pub id: String,
    /// Its head, as far as it can be told.
    pub head: HttpHead,
    /// Who asks.
    pub caller: Caller,
    /// Why, in one of a few words, for metrics.
    pub reason: &'static str,
    /// Why, for people.
    pub why: String,
}

/// Judges for every door.
#[derive(Debug)]
pub struct Gate {
    judge: RwLock<Arc<Judge>>,
    shadow: Option<Arc<Shadow>>,
    mode: Mode,
    turnstiles: Turnstiles,
    /// Time for looking things up, within the time for an answer.
    facts: Duration,
    answers: Answers,
    /// Refusals by door and reason that the log was told of.
    told: Seldom<(&'static str, &'static str)>,
    metrics: Arc<Metrics>,
    log: Option<DecisionLog>,
}

/// What a [`Gate`] is made of besides its judge.
#[derive(Debug)]
pub struct Parts {
    /// Whether refusals count.
    pub mode: Mode,
    /// A second judge, listened to only for differences.
    pub shadow: Option<Arc<Shadow>>,
    /// How many are judged at once, and wait.
    pub turnstiles: Turnstiles,
    /// Time for looking things up, within the time for an answer.
    pub facts: Duration,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where decisions are written down.
    pub log: Option<DecisionLog>,
}

impl Gate {
    /// A gate with this judge.
    pub fn new(judge: Judge, parts: Parts) -> Self {
        let Parts { mode, shadow, turnstiles, facts, metrics, log } = parts;
        let answers = Answers::default();
        Self {
            judge: RwLock::new(Arc::new(judge)),
            shadow,
            mode,
            turnstiles,
            facts,
            answers,
            told: Seldom::default(),
            metrics,
            log,
        }
    }

    /// Who judges now.
    pub fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.judge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another judge from the next request on; what is being judged is judged to its end by the one before.
    pub fn appoint(&self, judge: Judge) {
        self.metrics.policy(&judge.name.digest);
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(judge);
    }

    /// Whether refusals count.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Judges a request. What the policy wants to look up is asked of `live`.
    ///
    /// # Errors
    /// When there is no judgement; what that means for the request is the door's to say.
    pub async fn ask(&self, question: Question, live: Option<&Live>) -> Result<Judgement, NoJudgement> {
        let started = Instant::now();
        let place = self.turnstiles.of(question.door).enter();
        let judge = self.judge();
        let door = question.door;
        let mut trial = Trial::new(question, judge);
        let span = tracing::info_span!("judge", door = door.name(), id = trial.question().id);
        let outcome = match place {
            Ok(_place) => self.hear(&mut trial, live).instrument(span).await,
            Err(full) => Err(full.into()),
        };
        let timings = trial.timings;
        for (stage, took) in
            [(Stage::Queue, timings.queue), (Stage::Facts, timings.facts), (Stage::Sandbox, timings.sandbox)]
        {
            self.metrics.stage(door, stage, took);
        }
        self.metrics.request(door, started.elapsed());
        let judge = Arc::clone(trial.judge());
        let outcome =
            outcome.map(|verdict| Judgement { passes: verdict.passes || self.mode == Mode::Warn, verdict, judge });
        match &outcome {
            Ok(judgement) => self.metrics.decided(door, self.mode, &judgement.verdict),
            Err(NoJudgement::TurnedAway(TurnedAway::Full)) => self.not_judged(door, "queue"),
            Err(NoJudgement::TurnedAway(TurnedAway::Late)) => self.not_judged(door, "deadline"),
            Err(NoJudgement::Unjudgeable(_)) => self.not_judged(door, "unjudgeable"),
            Err(NoJudgement::Policy(error)) => self.metrics.breach(error),
        }
        if let (Some(live), Ok(Judgement { verdict, passes: true, .. })) = (live, &outcome)
            && matches!(door, Door::Authorize(_))
            && (!verdict.findings.is_empty() || !trial.question().reads())
        {
            // What was looked up will no longer be so. (A proxy knows when; a check carries out nothing.)
            live.forget();
        }
        say(trial.question(), &outcome);
        self.tell(trial, &outcome);
        outcome
    }

    /// Counts a request without a judgement: turned away, or let through where nothing is refused.
    fn not_judged(&self, door: Door, reason: &'static str) {
        match self.mode {
            // A check carries out nothing, so nothing is let through there.
            Mode::Warn if door != Door::Check => self.metrics.let_through(door, reason),
            _ => self.metrics.rejected(door, reason),
        }
    }

    /// Refuses a request whose head or body cannot be taken: counted each time, and told to the log once in a while. (What
    /// is wrong with it stands in its answer, and may repeat the request.)
    pub fn turn_away(&self, door: Door, reason: &'static str) {
        self.metrics.rejected(door, reason);
        if self.told.is_due((door.name(), reason)) {
            tracing::warn!(
                door = door.name(),
                reason,
                "refused before it was judged; the answer says why, and more of these are only counted for a minute"
            );
        }
    }

    /// Counts a request that is not even put to the policy. Where nothing is refused it is written down, too.
    pub fn pass_over(&self, unread: Unread) {
        let Unread { door, id, head, caller, reason, why } = unread;
        self.not_judged(door, reason);
        if self.mode == Mode::Enforce {
            return;
        }
        let judge = self.judge();
        let caller = caller.principal().map(str::to_owned);
        tracing::warn!(door = door.name(), id, caller = caller.as_deref().unwrap_or_default(), reason, "let through");
        let Some(log) = &self.log else { return };
        log.record(Entry {
            at: SystemTime::now(),
            id,
            door,
            mode: self.mode,
            caller,
            envelope: Envelope::Http(head),
            body: None,
            live: None,
            declared: Vec::new(),
            observed: Vec::new(),
            settings: Arc::clone(&judge.settings_digest),
            policy: judge.name.digest.as_str().into(),
            outcome: Err(why),
            passed: true,
            timings: Timings::default(),
        });
    }

    /// Takes a file apart for the check API, away from the threads that serve, and within what that door may cost.
    ///
    /// # Errors
    /// When there is no room for it, or no time.
    pub async fn read(&self, file: Bytes, until: Instant) -> Result<Result<Vec<Input>, InputError>, TurnedAway> {
        let turnstile = self.turnstiles.of(Door::Check);
        let _place = turnstile.enter()?;
        let sandbox = turnstile.sandbox(until).await?;
        let read = tokio::task::spawn_blocking(move || {
            let inputs = input::read_at_most(&file, None, MOST_DOCUMENTS + 1);
            drop(sandbox);
            inputs
        });
        // A task of this runtime ends early only with the runtime.
        read.await.map_err(|_| TurnedAway::Late)
    }

    async fn hear(&self, trial: &mut Trial, live: Option<&Live>) -> Result<Verdict, NoJudgement> {
        let mut facts_until = None;
        loop {
            let queued = Instant::now();
            let sandbox = self.turnstiles.of(trial.question().door).sandbox(trial.question().until).await?;
            let begun = Instant::now();
            trial.timings.queue += begun - queued;
            let step = trial.step(sandbox).await;
            trial.timings.sandbox += begun.elapsed();
            let needs = match step? {
                Step::Decided(verdict) => return Ok(verdict),
                Step::Ask(needs) => needs,
            };
            let asked = Instant::now();
            // One budget for all rounds, and never more than half of the time that is left: the policy has the last word.
            let left = trial.question().until.saturating_duration_since(asked);
            let until = *facts_until.get_or_insert(asked + self.facts.min(left / 2));
            let answers = needs.into_iter().map(|need| async move {
                let answer = match live {
                    Some(live) => live.answer(&need.lookup, until).await,
                    None => Answered::Unavailable("nothing is looked up for this request".to_owned()),
                };
                (need.lookup, answer)
            });
            for (lookup, answer) in join_all(answers).await {
                let answer = self.answers.hold(answer, &mut trial.held);
                trial.inquiry.answered(lookup, answer);
            }
            trial.timings.facts += asked.elapsed();
        }
    }

    /// Writes down what was decided, and hears the second judge.
    fn tell(&self, trial: Trial, outcome: &Result<Judgement, NoJudgement>) {
        let observed = trial.inquiry.answers();
        if let (Some(shadow), Ok(judgement)) = (&self.shadow, outcome) {
            shadow.compare(&trial, judgement, &self.metrics);
        }
        let passed = self.mode == Mode::Warn || outcome.as_ref().is_ok_and(|judgement| judgement.passes);
        // What anybody may ask, and nothing is done about, must not push out what was decided.
        let question = trial.question();
        let idle = question.door == Door::Check && question.caller == Caller::Unknown;
        let Some(log) = self.log.as_ref().filter(|_| !idle) else { return };
        log.record(Entry {
            at: SystemTime::now(),
            id: question.id.clone(),
            door: question.door,
            mode: self.mode,
            caller: question.caller.principal().or(question.author.as_deref()).map(str::to_owned),
            envelope: question.envelope.clone(),
            body: Some(question.body.clone()),
            live: question.live.clone(),
            declared: trial.declared().to_vec(),
            observed: observed.to_vec(),
            settings: Arc::clone(&trial.judge().settings_digest),
            policy: trial.judge().name.digest.as_str().into(),
            outcome: match outcome {
                Ok(judgement) => Ok(judgement.verdict.document.clone()),
                Err(error) => Err(error.to_string()),
            },
            passed,
            timings: trial.timings,
        });
    }
}

/// The longest name of an operation in the log, in bytes.
const LONGEST_OPERATION: usize = 200;

/// One line for what does not pass without a word: no bodies, no targets, which may hold secrets.
fn say(question: &Question, outcome: &Result<Judgement, NoJudgement>) {
    let Question { door, id, caller, author, .. } = question;
    let door = door.name();
    let caller = caller.principal().or(author.as_deref()).unwrap_or_default();
    let Judgement { verdict, passes, .. } = match outcome {
        Ok(judgement) => judgement,
        Err(error) => {
            let why = error.kind();
            return tracing::warn!(door, id, caller, why, "not judged");
        }
    };
    let ids = |effect: Effect| {
        let chosen = verdict.findings.iter().filter(|finding| finding.effect == effect);
        denial::rules(chosen.map(|finding| finding.rule.as_str())).join(",")
    };
    let overridden = verdict.findings.iter().filter(|finding| finding.overridden.is_some());
    let overridden = denial::rules(overridden.map(|finding| finding.rule.as_str())).join(",");
    let exempted = denial::rules(verdict.exempted.iter().map(|it| it.rule.as_str())).join(",");
    let (denies, warns) = (ids(Effect::Deny), ids(Effect::Warn));
    if verdict.decision == Decision::Allow && [&denies, &warns, &overridden, &exempted].iter().all(|it| it.is_empty()) {
        return tracing::debug!(door, id, caller, "passes");
    }
    let operation = verdict.operations.first().map_or("", |operation| operation.summary.as_str());
    let operation = denial::cut(operation, LONGEST_OPERATION);
    let decision = verdict.decision.name();
    tracing::info!(door, id, caller, decision, passes, operation, denies, warns, overridden, exempted, "judged");
}
