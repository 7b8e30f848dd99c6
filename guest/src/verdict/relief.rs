//! What exemptions in the settings and overrides in the request make of what the rules said: it becomes softer, and both
//! are told.

use super::Exempted;
use crate::finding::{Effect, Said};
use crate::instant::Instant;
use crate::operation::Stage;
use crate::overrides;
use crate::settings::{Exemption, Settings};
use crate::text::clean;

/// What was said before a stage.
pub(super) struct Mark {
    findings: usize,
    pub(super) unjudged: usize,
}

impl Mark {
    pub(super) fn of(said: &Said) -> Self {
        Self { findings: said.findings.len(), unjudged: said.unjudged.len() }
    }
}

/// Softens what the rules said about this stage. Tells whether a rule is left that could have refused it but lacked a
/// fact.
pub(super) fn grant(
    stage: &Stage<'_>,
    settings: &Settings<'_>,
    mark: &Mark,
    said: &mut Said,
    exempted: &mut Vec<Exempted>,
) -> bool {
    let mut echo = |rule: &'static str, exemption: &Exemption<'_>| {
        let until = exemption.until.map(str::to_owned);
        let entry = Exempted { rule, reason: exemption.reason.to_owned(), until };
        if !exempted.contains(&entry) {
            exempted.push(entry);
        }
    };
    let loud = said.findings.iter_mut().skip(mark.findings).filter(|finding| finding.effect > Effect::Note);
    for finding in loud {
        match exemption(finding.rule, stage, settings) {
            Some(Ok(exemption)) => {
                finding.effect = Effect::Note;
                echo(finding.rule, exemption);
                continue;
            }
            Some(Err(why)) => finding.remedy = clean(&format!("{}; {why}", finding.remedy)),
            None => {}
        }
        if finding.effect == Effect::Deny
            && let Some(reason) = overrides::lifts(stage, finding.rule, settings)
        {
            finding.effect = Effect::Warn;
            finding.overridden = Some(clean(reason));
        }
    }
    let mut doubtful = false;
    let mut place = 0;
    said.unjudged.retain_mut(|unjudged| {
        place += 1;
        if place <= mark.unjudged {
            return true;
        }
        if let Some(Ok(exemption)) = exemption(unjudged.rule, stage, settings) {
            echo(unjudged.rule, exemption);
            return false;
        }
        match overrides::lifts(stage, unjudged.rule, settings) {
            Some(reason) => unjudged.lacks = clean(&format!("{} (overridden: {reason})", unjudged.lacks)),
            None => doubtful = true,
        }
        true
    });
    doubtful
}

/// Says of what is lacking that it would make a strict gate hold the request up, and why it does not.
pub(super) fn spare(mark: &Mark, said: &mut Said) {
    for unjudged in said.unjudged.iter_mut().skip(mark.unjudged) {
        unjudged.lacks = clean(&format!("{} (not held up: the job's state is not known)", unjudged.lacks));
    }
}

/// Says once, where something is lacking, that facts are declared for other targets: a `for` may be misspelt. Whose they
/// are is not for every caller.
pub(super) fn mention(mark: &Mark, said: &mut Said, others: usize) {
    let Some(unjudged) = said.unjudged.get_mut(mark.unjudged).filter(|_| others > 0) else { return };
    let documents = if others == 1 { "document is" } else { "documents are" };
    unjudged.lacks =
        clean(&format!("{} (of the declared facts, {others} {documents} `for` other targets)", unjudged.lacks));
}

/// The exemption of a rule that holds for this stage, or why the one that might does not.
fn exemption<'s>(
    rule: &str,
    stage: &Stage<'_>,
    settings: &'s Settings<'_>,
) -> Option<Result<&'s Exemption<'s>, String>> {
    let now = stage.facts.now.as_deref().and_then(Instant::parse);
    let mut why = None;
    for exemption in settings.exemptions(rule, stage.facts.principal.as_deref(), stage.namespace()) {
        let Some(until) = exemption.until else { return Some(Ok(exemption)) };
        match (now, Instant::parse(until)) {
            (Some(now), Some(end)) if now < end => return Some(Ok(exemption)),
            (Some(_), _) => why = Some(format!("its exemption ended at {until}")),
            (None, _) => {
                why = Some(format!("its exemption until {until} does not hold without the fact `now`"));
            }
        }
    }
    why.map(Err)
}
