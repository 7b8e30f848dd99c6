//! Findings to a verdict: levels and leniency applied, the worst first, bounded, free of control characters and
//! secrets, and as canonical JSON.

mod canonical;
mod relief;

use crate::facts::Observed;
use crate::finding::{Effect, Finding, Report, Said, Unjudged, Wish};
use crate::gate::{Need, Outcome};
use crate::operation::{Action, Declaration, Decoded, Dialect, JobState, Lookup, Stage, Verb};
use crate::restore::RestorePlan;
use crate::rules::{self, Bench, Rule};
use crate::settings::Settings;
use crate::text::clean;

/// How many findings, and how many unjudged rules, a verdict holds at most.
const MAX_FINDINGS: usize = 200;
/// How many reads are asked for at once.
const MAX_NEEDS: usize = 32;
/// How many reasons a read is given; more help nobody.
const MAX_REASONS: usize = 4;

/// The judgement of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub decision: Decision,
    /// Whether a gate lets the request through.
    pub passes: bool,
    pub dialect: Dialect,
    pub operations: Vec<OperationSummary>,
    pub findings: Vec<Finding>,
    pub unjudged: Vec<Unjudged>,
    pub exempted: Vec<Exempted>,
    pub restore: Option<RestorePlan>,
    /// All of this as canonical JSON.
    pub document: String,
}

/// A rule that would have refused or warned, had the settings not exempted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempted {
    pub rule: &'static str,
    pub reason: String,
    pub until: Option<String>,
}

/// Allowed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
    Undecided,
}

/// Something the request would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationSummary {
    pub summary: String,
    /// Namespace and name; `None` when the request names no target.
    pub target: Option<(String, String)>,
}

/// Runs every rule over every stage. Reads that could change what they say come first, if they were not made yet.
pub fn judge(decoded: &Decoded<'_>, observed: &Observed<'_>, settings: &Settings<'_>) -> Outcome {
    let (mut said, mut exempted) = (Said::default(), Vec::new());
    let mut doubtful = false;
    let mut needs = Vec::new();
    for stage in &decoded.stages {
        let mark = relief::Mark::of(&said);
        let settings =
            settings.within(stage.namespace(), |label| stage.facts.platform.namespace_labels?.get(label)?.scalar());
        rules::judge(stage, &mut Judge { settings: &settings, said: &mut said });
        let doubts = relief::grant(stage, &settings, &mark, &mut said, &mut exempted);
        // A job in unknown state may be failing: to stop it is never held up by a missing fact.
        let unknown = matches!(stage.current.state, None | Some(JobState::Unknown(_)));
        let spared = unknown && (stage.stops().next().is_some() || deletes_job(stage));
        if settings.strict && spared {
            relief::spare(&mark, &mut said);
        }
        relief::mention(&mark, &mut said, stage.facts.of_others);
        doubtful |= doubts && !spared;
        cut(&mut said, &mark);
        for wish in said.wishes.drain(..) {
            need(wish, stage, observed, &mut needs);
        }
    }
    if !needs.is_empty() {
        return Outcome::Needs(needs.into_iter().map(Asked::need).collect());
    }
    let Said { findings, unjudged, .. } = said;
    exempted.truncate(MAX_FINDINGS);
    let denied = findings.iter().any(|finding| finding.effect == Effect::Deny);
    let decision = match (denied, settings.strict && doubtful) {
        (true, _) => Decision::Deny,
        (false, true) => Decision::Undecided,
        (false, false) => Decision::Allow,
    };
    let passes = match decision {
        Decision::Allow => true,
        Decision::Deny => false,
        Decision::Undecided => settings.undecided_allows,
    };
    let mut verdict = Verdict {
        decision,
        passes,
        dialect: decoded.dialect,
        operations: summaries(decoded),
        findings,
        unjudged,
        exempted,
        restore: decoded.stages.iter().rev().find_map(crate::restore::plan),
        document: String::new(),
    };
    verdict.document = canonical::write(&verdict);
    Outcome::Decided(verdict)
}

/// A delete on Kubernetes is a cancel (DOMAIN 0.2), but for that of a session cluster.
fn deletes_job(stage: &Stage<'_>) -> bool {
    let job = |it: &Declaration<'_>| {
        it.verb == Verb::Delete && it.kind.runs_job() && it.old_spec().is_none_or(|spec| spec.job().is_some())
    };
    stage.declaration.as_ref().is_some_and(job)
}

/// A read with everything that asks for it.
struct Asked {
    lookup: Lookup,
    reasons: Vec<(String, Vec<&'static str>)>,
}

impl Asked {
    fn need(self) -> Need {
        let reasons = self.reasons.into_iter().map(|(why, rules)| format!("{why} ({})", rules.join(", ")));
        Need { lookup: self.lookup, why: reasons.collect::<Vec<_>>().join("; ") }
    }
}

/// Adds the read that fulfils a wish, unless it was made, or nothing safe can be read.
#[inline(never)]
fn need(wish: Wish, stage: &Stage<'_>, observed: &Observed<'_>, needs: &mut Vec<Asked>) {
    let Some(lookup) = stage.lookup(&wish.want).filter(|lookup| lookup.is_sound() && !observed.knows(lookup)) else {
        return;
    };
    let known = needs.iter().position(|asked| asked.lookup == lookup);
    let at = known.unwrap_or(needs.len());
    if known.is_none() && at < MAX_NEEDS {
        needs.push(Asked { lookup, reasons: Vec::new() });
    }
    let Some(asked) = needs.get_mut(at) else { return };
    let room = asked.reasons.len() < MAX_REASONS;
    match asked.reasons.iter_mut().find(|(why, _)| *why == wish.why) {
        Some((_, rules)) if rules.contains(&wish.rule) => {}
        Some((_, rules)) => rules.push(wish.rule),
        None if room => asked.reasons.push((wish.why, vec![wish.rule])),
        None => {}
    }
}

/// Keeps the worst of what was said so far. What an earlier stage lacked as well is told once.
fn cut(said: &mut Said, mark: &relief::Mark) {
    worst_first(&mut said.findings);
    said.findings.truncate(MAX_FINDINGS);
    let new = said.unjudged.split_off(mark.unjudged.min(said.unjudged.len()));
    for entry in new {
        if said.unjudged.len() < MAX_FINDINGS && !said.unjudged.contains(&entry) {
            said.unjudged.push(entry);
        }
    }
}

/// Puts what denies first and what is only noted last; what is alike keeps its order.
fn worst_first(findings: &mut Vec<Finding>) {
    let mut rest = std::mem::take(findings);
    for effect in [Effect::Deny, Effect::Warn, Effect::Note] {
        findings.extend(rest.extract_if(.., |finding| finding.effect == effect));
    }
}

/// What the rules have said so far, and which of them may speak.
struct Judge<'v> {
    settings: &'v Settings<'v>,
    said: &'v mut Said,
}

impl Bench for Judge<'_> {
    fn admit(&mut self, stage: &Stage<'_>, place: usize, rule: &'static Rule) -> Option<Report<'_>> {
        if !rule.judges(stage.platform) {
            return None;
        }
        let main = self.settings.level(place).unwrap_or(rule.level).effect()?;
        Some(Report::new(rule, main, stage.leniency, self.settings, self.said))
    }
}

/// What the request would do. That a deployment changes goes without saying where the job starts or stops with it.
fn summaries(decoded: &Decoded<'_>) -> Vec<OperationSummary> {
    let operations = decoded.stages.iter().flat_map(|stage| {
        let moves = stage.starts().next().is_some() || stage.stops().next().is_some();
        stage.operations.iter().filter(move |operation| !(moves && matches!(operation.action, Action::Change(_))))
    });
    let summary = |operation: &crate::operation::Operation<'_>| OperationSummary {
        summary: clean(&operation.summary()),
        // What is only read is no target: facts about one deployment may stand beside a read of anything.
        target: (!operation.target.name.is_empty() && !matches!(operation.action, Action::Nothing(_)))
            .then(|| (clean(&operation.target.namespace), clean(&operation.target.name))),
    };
    operations.take(MAX_FINDINGS).map(summary).collect()
}
