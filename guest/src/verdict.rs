//! Findings to a verdict: levels and leniency applied, the worst first, bounded, free of control characters and
//! secrets, and as canonical JSON.

mod canonical;
mod text;

pub(crate) use text::clean;

use crate::operation::{Action, Decoded, Dialect, JobState, Place, Stage};
use crate::restore::RestorePlan;
use crate::rules::{self, Level, Rule};
use crate::settings::Settings;

/// How many findings, and how many unjudged rules, a verdict holds at most.
const MAX_FINDINGS: usize = 200;

/// The judgement of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub decision: Decision,
    pub dialect: Dialect,
    pub operations: Vec<OperationSummary>,
    pub findings: Vec<Finding>,
    pub unjudged: Vec<Unjudged>,
    pub restore: Option<RestorePlan>,
    /// All of this as canonical JSON.
    pub document: String,
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

/// What a finding does to the decision. Ordered from the softest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Note,
    Warn,
    Deny,
}

/// One thing a rule has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static str,
    pub effect: Effect,
    pub message: String,
    pub position: Option<Position>,
    pub observed: Option<String>,
    pub expected: Option<String>,
    pub remedy: String,
    pub overridden: Option<String>,
}

/// Where in the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    Body { pointer: String, start: u32, end: u32 },
    Header(String),
    Target,
}

/// A rule that could have denied but lacked a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    pub rule: &'static str,
    pub lacks: String,
}

/// Runs every rule over every stage.
pub fn judge(decoded: &Decoded<'_>, settings: &Settings) -> Verdict {
    let mut judge = Judge { settings, findings: Vec::new(), unjudged: Vec::new() };
    let mut doubtful = false;
    for stage in &decoded.stages {
        let known = judge.unjudged.len();
        rules::judge(stage, &mut judge);
        // A job in unknown state may be failing: to stop it is never held up by a missing fact.
        let unknown = matches!(stage.current.state, None | Some(JobState::Unknown(_)));
        doubtful |= judge.unjudged.len() > known && !(unknown && stage.stops().next().is_some());
    }
    let Judge { mut findings, mut unjudged, .. } = judge;
    findings.sort_by_key(|finding: &Finding| std::cmp::Reverse(finding.effect));
    findings.truncate(MAX_FINDINGS);
    unjudged.dedup();
    unjudged.truncate(MAX_FINDINGS);
    let denied = findings.iter().any(|finding| finding.effect == Effect::Deny);
    let decision = match (denied, settings.strict && doubtful) {
        (true, _) => Decision::Deny,
        (false, true) => Decision::Undecided,
        (false, false) => Decision::Allow,
    };
    let mut verdict = Verdict {
        decision,
        dialect: decoded.dialect,
        operations: summaries(decoded),
        findings,
        unjudged,
        restore: decoded.stages.iter().rev().find_map(crate::restore::plan),
        document: String::new(),
    };
    verdict.document = canonical::write(&verdict);
    verdict
}

/// What the rules have said so far, and which of them may speak.
pub struct Judge<'v> {
    settings: &'v Settings,
    findings: Vec<Finding>,
    unjudged: Vec<Unjudged>,
}

impl Judge<'_> {
    /// The report of a rule that is on and judges this platform.
    pub fn admit(&mut self, stage: &Stage<'_>, rule: &'static Rule) -> Option<Report<'_>> {
        let main = self.settings.level(rule.id).unwrap_or(Level::of(rule.effect)).effect()?;
        let admitted = rule.dialects.contains(&stage.platform);
        let (findings, unjudged) = (&mut self.findings, &mut self.unjudged);
        admitted.then_some(Report { rule, main, leniency: stage.leniency, findings, unjudged })
    }
}

/// What the request would do. That a deployment changes goes without saying where the job starts or stops with it.
fn summaries(decoded: &Decoded<'_>) -> Vec<OperationSummary> {
    let operations = decoded.stages.iter().flat_map(|stage| {
        let moves = stage.starts().next().is_some() || stage.stops().next().is_some();
        stage.operations.iter().filter(move |operation| !(moves && matches!(operation.action, Action::Change(_))))
    });
    let summary = |operation: &crate::operation::Operation<'_>| OperationSummary {
        summary: text::clean(&operation.summary()),
        // What is only read is no target: facts about one deployment may stand beside a read of anything.
        target: (!operation.target.name.is_empty() && !matches!(operation.action, Action::Nothing(_)))
            .then(|| (text::clean(&operation.target.namespace), text::clean(&operation.target.name))),
    };
    operations.take(MAX_FINDINGS).map(summary).collect()
}

/// Where a rule puts what it has to say.
pub struct Report<'v> {
    rule: &'static Rule,
    main: Effect,
    /// Why nothing may be denied.
    leniency: Option<&'static str>,
    findings: &'v mut Vec<Finding>,
    unjudged: &'v mut Vec<Unjudged>,
}

impl Report<'_> {
    /// A finding with the rule's main effect: the shipped one, or what the settings made of it.
    pub fn main(&mut self, place: &Place<'_>, message: impl Into<String>) -> Draft<'_> {
        self.draft(self.main, place, message.into())
    }

    /// A softer branch: at most a warning.
    pub fn warn(&mut self, place: &Place<'_>, message: impl Into<String>) -> Draft<'_> {
        self.draft(self.main.min(Effect::Warn), place, message.into())
    }

    /// A softer branch: a note.
    pub fn note(&mut self, place: &Place<'_>, message: impl Into<String>) -> Draft<'_> {
        self.draft(Effect::Note, place, message.into())
    }

    /// The rule could have denied, but lacks this fact.
    pub fn unjudged(&mut self, lacks: impl Into<String>) {
        if self.main == Effect::Deny && self.leniency.is_none() {
            self.unjudged.push(Unjudged { rule: self.rule.id, lacks: text::clean(&lacks.into()) });
        }
    }

    fn draft(&mut self, effect: Effect, place: &Place<'_>, message: String) -> Draft<'_> {
        let position = match place {
            Place::Body(node) => {
                let (start, end) = node.span();
                Some(Position::Body { pointer: text::clean(&node.pointer()), start, end })
            }
            Place::Header(name) => Some(Position::Header((*name).to_owned())),
            Place::Target => Some(Position::Target),
            Place::Request => None,
        };
        let (effect, message) = match self.leniency {
            Some(why) if effect == Effect::Deny => (Effect::Warn, format!("{message} (not refused: {why})")),
            _ => (effect, message),
        };
        let finding = Finding {
            rule: self.rule.id,
            effect,
            message: text::clean(&message),
            position,
            observed: None,
            expected: None,
            remedy: String::new(),
            overridden: None,
        };
        Draft { finding, findings: self.findings }
    }
}

/// A finding in the making; [`Draft::remedy`] completes it.
#[must_use = "a finding counts only with its remedy"]
pub struct Draft<'v> {
    finding: Finding,
    findings: &'v mut Vec<Finding>,
}

impl Draft<'_> {
    /// The value that was found, or the fact that decided.
    pub fn observed(mut self, observed: impl Into<String>) -> Self {
        let secret = match &self.finding.position {
            Some(Position::Body { pointer, .. }) => text::is_secret(pointer),
            Some(Position::Header(name)) => text::is_secret(name),
            Some(Position::Target) | None => false,
        };
        self.finding.observed = Some(if secret { "(hidden)".to_owned() } else { text::clean(&observed.into()) });
        self
    }

    /// What it should have been.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.finding.expected = Some(text::clean(&expected.into()));
        self
    }

    /// What to do next. Completes the finding.
    pub fn remedy(mut self, remedy: impl Into<String>) {
        self.finding.remedy = text::clean(&remedy.into());
        self.findings.push(self.finding);
    }
}

/// The stage of a rule's unit test, and what a rule says about it.
#[cfg(test)]
pub fn run(rule: &'static Rule, stage: &Stage<'_>) -> (Vec<Finding>, Vec<Unjudged>) {
    let (mut findings, mut unjudged) = (Vec::new(), Vec::new());
    let mut report =
        Report { rule, main: rule.effect, leniency: stage.leniency, findings: &mut findings, unjudged: &mut unjudged };
    (rule.check)(stage, &mut report);
    (findings, unjudged)
}
