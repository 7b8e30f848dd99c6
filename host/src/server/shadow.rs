//! A second policy or other settings, judged alongside: only where it differs is anything said. It never holds a request
//! up: when no sandbox is free, a comparison is left out and counted.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use super::gate::{Hearing, Judgement, Trial};
use super::judge::Judge;
use super::metrics::Metrics;
use crate::facts::{Answered, Inquiry, Step};
use crate::{CheckError, Lookup, Verdict};

/// The second judge.
#[derive(Debug)]
pub struct Shadow {
    judge: RwLock<Arc<Judge>>,
    /// Its sandbox: one, and none of those that requests wait for.
    sandbox: Arc<Semaphore>,
}

impl Shadow {
    /// A second judge.
    pub fn new(judge: Judge) -> Self {
        Self { judge: RwLock::new(Arc::new(judge)), sandbox: Arc::new(Semaphore::new(1)) }
    }

    /// Who judges now.
    pub fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.judge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another one from the next request on.
    pub fn appoint(&self, judge: Judge) {
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(judge);
    }

    /// Judges the same with what was known to the first, in the background.
    pub(super) fn compare(&self, trial: &Trial, judgement: &Judgement, metrics: &Arc<Metrics>) {
        let Ok(sandbox) = Arc::clone(&self.sandbox).try_acquire_owned() else {
            return metrics.shadow_differs("not-compared");
        };
        let (hearing, known) = trial.again(self.judge());
        let (first, metrics, id) = (judgement.verdict.clone(), Arc::clone(metrics), trial.question().id.clone());
        tokio::task::spawn_blocking(move || {
            let second = decide(&hearing, &known);
            drop(sandbox);
            match second {
                Ok(second) => report(&id, &first, &second, &metrics),
                Err(error) => {
                    metrics.shadow_differs("no-verdict");
                    tracing::warn!(id, error = %error, "the shadow policy gave no verdict");
                }
            }
        });
    }
}

fn decide(hearing: &Hearing, known: &[(Lookup, Answered)]) -> Result<Verdict, CheckError> {
    let mut inquiry = Inquiry::default();
    loop {
        match hearing.step(&mut inquiry)? {
            Step::Decided(verdict) => return Ok(verdict),
            Step::Ask(needs) => {
                for need in needs {
                    let answer = known.iter().find(|(lookup, _)| *lookup == need.lookup).map(|(_, it)| it.clone());
                    let none = || Answered::Unavailable("not looked up for the policy in force".to_owned());
                    inquiry.answered(need.lookup, answer.unwrap_or_else(none));
                }
            }
        }
    }
}

fn report(id: &str, first: &Verdict, second: &Verdict, metrics: &Metrics) {
    let said = |verdict: &Verdict| -> BTreeSet<(String, &'static str)> {
        verdict.findings.iter().map(|finding| (finding.rule.clone(), finding.effect.name())).collect()
    };
    let (ours, theirs) = (said(first), said(second));
    if first.decision == second.decision && ours == theirs {
        return;
    }
    let rules: BTreeSet<&str> = ours.symmetric_difference(&theirs).map(|(rule, _)| rule.as_str()).collect();
    for rule in &rules {
        metrics.shadow_differs(rule);
    }
    tracing::info!(
        id,
        decision = first.decision.name(),
        shadow = second.decision.name(),
        rules = rules.into_iter().collect::<Vec<_>>().join(","),
        "the shadow policy judges differently"
    );
}
