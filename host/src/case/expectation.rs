//! What a case expects, and how that differs from what came of it.

use serde::Deserialize;

use super::NoVerdict;
use crate::{Decision, Effect, Verdict, nearest};

/// What must come of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// How it must end.
    pub decision: Ending,
    /// These rules must deny, and no other may.
    #[serde(default)]
    pub deny: Vec<String>,
    /// These rules must warn; others may as well.
    #[serde(default)]
    pub warn: Vec<String>,
    /// These rules must fire, with whatever effect; others may as well.
    #[serde(default)]
    pub fires: Vec<String>,
    /// These rules must say that they lack a fact; others may as well.
    #[serde(default)]
    pub unjudged: Vec<String>,
    /// Nothing may deny or warn.
    #[serde(default)]
    pub quiet: bool,
}

/// How a case can end.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub enum Ending {
    /// The request is judged.
    Judged(Decision),
    /// The request cannot be judged.
    Error,
}

impl Expectation {
    pub(super) fn differences(
        &self,
        dialect: Option<&str>,
        actual: &Result<Verdict, NoVerdict>,
        rules: &[String],
    ) -> Vec<String> {
        let mut lines = Vec::new();
        let named = || [&self.deny, &self.warn, &self.fires, &self.unjudged].into_iter().flatten();
        for id in named() {
            if !rules.contains(id) {
                lines.push(format!("there is no rule `{id}` in this policy{}", nearest::hint(id, rules)));
            }
        }
        let ending = actual.as_ref().map_or(Ending::Error, |verdict| Ending::Judged(verdict.decision));
        if ending != self.decision {
            let why = actual.as_ref().err().map(|why| format!(" ({why})")).unwrap_or_default();
            lines.push(format!("decision: expected {}, actual {}{why}", self.decision.name(), ending.name()));
        }
        let Ok(verdict) = actual else {
            for id in named() {
                lines.push(format!("expected {id}, but nothing was judged"));
            }
            return lines;
        };
        if let Some(dialect) = dialect.filter(|dialect| *dialect != verdict.dialect.name()) {
            lines.push(format!("dialect: expected {dialect}, actual {}", verdict.dialect.name()));
        }
        let fired = |id: &str, effect: Option<Effect>| {
            let fits = |found: Effect| effect.is_none_or(|effect| effect == found);
            verdict.findings.iter().any(|finding| finding.rule == id && fits(finding.effect))
        };
        let expected = [(&self.deny, Some(Effect::Deny), "deny"), (&self.warn, Some(Effect::Warn), "warn")];
        for (ids, effect, word) in expected.into_iter().chain([(&self.fires, None, "fire")]) {
            for id in ids.iter().filter(|id| !fired(id, effect)) {
                lines.push(format!("{word}: expected {id}, which did not"));
            }
        }
        let lacking = |id: &String| verdict.unjudged.iter().any(|unjudged| unjudged.rule == *id);
        for id in self.unjudged.iter().filter(|id| !lacking(id)) {
            lines.push(format!("unjudged: expected {id}, which lacks nothing"));
        }
        let allowed = |id: &String| self.deny.contains(id) || self.fires.contains(id);
        for finding in &verdict.findings {
            let loud = match finding.effect {
                Effect::Deny => self.quiet || !allowed(&finding.rule),
                Effect::Warn => self.quiet,
                Effect::Note => false,
            };
            if loud {
                lines.push(format!("{}: not expected {}: {}", finding.effect.name(), finding.rule, finding.message));
            }
        }
        lines
    }
}

impl Ending {
    /// The word in case files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Judged(decision) => decision.name(),
            Self::Error => "error",
        }
    }
}

impl TryFrom<String> for Ending {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let endings = Decision::ALL.into_iter().map(Self::Judged).chain([Self::Error]);
        let names: Vec<_> = endings.clone().map(Self::name).collect();
        endings
            .into_iter()
            .find(|ending| ending.name() == word)
            .ok_or_else(|| format!("`decision` must be one of {}, not `{word}`", names.join(", ")))
    }
}
