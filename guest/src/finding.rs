//! What a rule has to say, and where it puts it: findings with place, observed, expected and remedy, and the facts that
//! are lacking. Levels and leniency are applied here.

use std::borrow::Cow;

use crate::operation::{Place, Want};
use crate::rules::Rule;
use crate::settings::Settings;
use crate::text;

/// So much of a kind one rule says about one stage: what is left over is no worse, and memory stays bounded.
const MOST: usize = 50;

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

/// Everything that was said about a request so far.
#[derive(Debug, Default)]
pub struct Said {
    pub findings: Vec<Finding>,
    pub unjudged: Vec<Unjudged>,
    /// What would have helped, by whom, and why: see [`Report::lacks`].
    pub wishes: Vec<Wish>,
}

/// A read that could change what a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub rule: &'static str,
    pub want: Want,
    /// What the rule would learn, in words.
    pub why: String,
}

/// Where a rule puts what it has to say.
pub struct Report<'v> {
    rule: &'static Rule,
    main: Effect,
    /// Why nothing may be denied.
    leniency: Option<&'static str>,
    settings: &'v Settings<'v>,
    /// What was said before: so many findings, and so many unjudged rules.
    before: (usize, usize),
    said: &'v mut Said,
}

impl<'v> Report<'v> {
    /// The report of a rule whose main effect is `main`. With a leniency nothing is denied.
    pub fn new(
        rule: &'static Rule,
        main: Effect,
        leniency: Option<&'static str>,
        settings: &'v Settings<'v>,
        said: &'v mut Said,
    ) -> Self {
        Self { rule, main, leniency, settings, before: (said.findings.len(), said.unjudged.len()), said }
    }

    /// What whoever runs the gate has set.
    pub fn settings(&self) -> &'v Settings<'v> {
        self.settings
    }

    /// A finding with the rule's main effect: the shipped one, or what the settings made of it.
    pub fn main<'a>(&mut self, place: &Place<'_>, message: impl Into<Cow<'a, str>>) -> Draft<'_> {
        self.draft(self.main, place, message.into())
    }

    /// A softer branch: at most a warning.
    pub fn warn<'a>(&mut self, place: &Place<'_>, message: impl Into<Cow<'a, str>>) -> Draft<'_> {
        self.draft(self.main.min(Effect::Warn), place, message.into())
    }

    /// A softer branch: a note.
    pub fn note<'a>(&mut self, place: &Place<'_>, message: impl Into<Cow<'a, str>>) -> Draft<'_> {
        self.draft(Effect::Note, place, message.into())
    }

    /// The rule could have denied, but lacks this fact, and nobody but a declaration can tell it.
    pub fn unjudged<'a>(&mut self, lacks: impl Into<Cow<'a, str>>) {
        self.missing(None, lacks.into());
    }

    /// The rule could have denied, but lacks this fact, which a read may tell.
    pub fn lacks<'a>(&mut self, want: Want, lacks: impl Into<Cow<'a, str>>) {
        self.missing(Some(want), lacks.into());
    }

    /// A read may tell this, and the rule would then say more or less than it does. Controllers and recovery wait for
    /// no read.
    pub fn wish<'a>(&mut self, want: Want, why: impl Into<Cow<'a, str>>) {
        self.read(want, &why.into());
    }

    // What follows is called from everywhere: once is enough.
    #[inline(never)]
    fn missing(&mut self, want: Option<Want>, lacks: Cow<'_, str>) {
        if let Some(want) = want {
            self.read(want, &lacks);
        }
        if self.main == Effect::Deny && self.leniency.is_none() {
            let entry = Unjudged { rule: self.rule.id, lacks: text::clean(&lacks) };
            let ours = self.said.unjudged.get(self.before.1..).unwrap_or_default();
            if ours.len() < MOST && !ours.contains(&entry) {
                self.said.unjudged.push(entry);
            }
        }
    }

    #[inline(never)]
    fn read(&mut self, want: Want, why: &str) {
        if self.leniency.is_none() {
            let wish = Wish { rule: self.rule.id, want, why: text::clean(why) };
            let ours = self.said.wishes.iter().rev().take_while(|other| other.rule == wish.rule);
            if ours.clone().count() < MOST && !ours.clone().any(|other| *other == wish) {
                self.said.wishes.push(wish);
            }
        }
    }

    #[inline(never)]
    fn draft(&mut self, effect: Effect, place: &Place<'_>, message: Cow<'_, str>) -> Draft<'_> {
        let lenient = self.leniency.filter(|_| effect == Effect::Deny);
        let effect = if lenient.is_some() { Effect::Warn } else { effect };
        if !self.has_room(effect) {
            return Draft { finding: None, secret: false };
        }
        let mut secret = false;
        let position = match place {
            Place::Body(node) => {
                let (start, end) = node.span();
                let pointer = node.pointer();
                secret = text::is_secret(&pointer);
                Some(Position::Body { pointer: text::clean(&pointer), start, end })
            }
            Place::Header(name) => {
                secret = text::is_secret(name);
                Some(Position::Header((*name).to_owned()))
            }
            Place::Target => Some(Position::Target),
            Place::Request => None,
        };
        let message = match lenient {
            Some(why) => Cow::Owned(format!("{message} (not refused: {why})")),
            None => message,
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
        self.said.findings.push(finding);
        Draft { finding: self.said.findings.last_mut(), secret }
    }

    /// Whether one more finding of this rule fits. The last of its softest ones goes for a worse one.
    fn has_room(&mut self, effect: Effect) -> bool {
        let ours = self.said.findings.iter().enumerate().skip(self.before.0);
        if ours.len() < MOST {
            return true;
        }
        let softest = ours.rev().min_by_key(|(_, finding)| finding.effect).filter(|(_, other)| other.effect < effect);
        softest.map(|(at, _)| at).inspect(|at| drop(self.said.findings.remove(*at))).is_some()
    }
}

/// A finding in the making; [`Draft::remedy`] completes it.
#[must_use = "a finding is complete only with its remedy"]
pub struct Draft<'v> {
    /// `None`: enough was said.
    finding: Option<&'v mut Finding>,
    /// What was found is not for all eyes.
    secret: bool,
}

/// What a draft may still tell.
enum Part {
    Observed,
    Expected,
    Remedy,
}

impl Draft<'_> {
    /// The value that was found, or the fact that decided.
    pub fn observed<'a>(mut self, observed: impl Into<Cow<'a, str>>) -> Self {
        self.tell(Part::Observed, observed.into());
        self
    }

    /// What it should have been.
    pub fn expected<'a>(mut self, expected: impl Into<Cow<'a, str>>) -> Self {
        self.tell(Part::Expected, expected.into());
        self
    }

    /// What to do next. Completes the finding.
    pub fn remedy<'a>(mut self, remedy: impl Into<Cow<'a, str>>) {
        self.tell(Part::Remedy, remedy.into());
    }

    #[inline(never)]
    fn tell(&mut self, part: Part, text: Cow<'_, str>) {
        let Some(finding) = self.finding.as_deref_mut() else { return };
        match part {
            Part::Observed => {
                finding.observed = Some(if self.secret { "(hidden)".to_owned() } else { text::clean(&text) });
            }
            Part::Expected => finding.expected = Some(text::clean(&text)),
            Part::Remedy => finding.remedy = text::clean(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, MOST, Report, Said};
    use crate::operation::{Place, Want};
    use crate::rules::ALL;
    use crate::settings::Settings;

    #[test]
    fn a_rule_says_so_much_and_the_worst_of_it() {
        let (settings, mut said) = (Settings::default(), Said::default());
        for stage in 1..=2 {
            let mut report = Report::new(ALL[0], Effect::Deny, None, &settings, &mut said);
            for number in 0..1_000 {
                report.note(&Place::Request, "soft").remedy("none");
                report.unjudged("one and the same");
                report.lacks(Want::Job, format!("{number}"));
            }
            for number in 0..3 {
                report.main(&Place::Request, format!("bad {number}")).remedy("none");
            }
            report.warn(&Place::Request, "worse than soft").remedy("none");
            assert_eq!((said.findings.len(), said.unjudged.len()), (stage * MOST, stage * MOST));
        }
        assert_eq!(said.wishes.len(), MOST);
        let told: Vec<_> = said.findings.iter().rev().take(5).map(|finding| finding.message.as_str()).collect();
        assert_eq!(told, ["worse than soft", "bad 2", "bad 1", "bad 0", "soft"]);
    }
}
