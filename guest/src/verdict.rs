//! Findings to a verdict: levels and leniency applied, the worst first, bounded, free of control characters and
//! secrets, and as canonical JSON.

mod canonical;

use crate::finding::{Effect, Finding, Report, Said, Unjudged};
use crate::operation::{Action, Decoded, Dialect, JobState, Stage};
use crate::restore::RestorePlan;
use crate::rules::{self, Bench, Rule};
use crate::settings::Settings;
use crate::text::clean;

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

/// Runs every rule over every stage.
pub fn judge(decoded: &Decoded<'_>, settings: &Settings<'_>) -> Verdict {
    let mut said = Said::default();
    let mut doubtful = false;
    for stage in &decoded.stages {
        let known = said.unjudged.len();
        let settings =
            settings.within(stage.namespace(), |label| stage.facts.platform.namespace_labels?.get(label)?.scalar());
        rules::judge(stage, &mut Judge { settings: &settings, said: &mut said });
        // A job in unknown state may be failing: to stop it is never held up by a missing fact.
        let unknown = matches!(stage.current.state, None | Some(JobState::Unknown(_)));
        doubtful |= said.unjudged.len() > known && !(unknown && stage.stops().next().is_some());
    }
    let Said { mut findings, mut unjudged, .. } = said;
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
