//! What is known besides the requests: the clock, the declared facts, and the intent.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::bail;
use serde_json::Value;
use sluicegate::facts::Recorded;
use sluicegate::input::{self, Piece, Position};
use sluicegate::report::{Judged, Outcome};
use sluicegate::{
    Answer, Api, CheckError, Dialect, Envelope, Fact, FailureKind, HttpHead, Policy, Request, Settings, Source,
    Subject, Target, Verdict, yaml,
};

use super::Intent;
use super::trouble::Trouble;

/// Facts that hold for one deployment only.
const OF_ONE_TARGET: [&str; 3] = ["deployment", "job", "savepoints"];

/// Everything that is known, as `Facts` documents: a later one wins over the ones before it.
pub(super) struct Known {
    documents: Vec<(Source, Vec<u8>)>,
    /// What reads answer.
    observed: Recorded,
    /// The documents that speak of one deployment.
    about_one: Vec<AboutOne>,
}

/// Which deployment a document speaks of, as far as its `for` tells.
struct AboutOne {
    file: String,
    position: Position,
    scope: Value,
}

impl AboutOne {
    fn fits(&self, dialect: Dialect, target: &Target) -> bool {
        let fits = |field: &str, value: &str| self.scope.get(field).is_none_or(|scope| scope == value);
        // A plan names its platform inside.
        let platform = dialect == Dialect::Plan || fits("platform", dialect.name());
        platform && fits("namespace", &target.namespace) && fits("name", &target.name)
    }
}

impl Known {
    pub(super) fn gather(
        policy: &Policy,
        files: &[PathBuf],
        observed: &[PathBuf],
        intent: Option<Intent>,
    ) -> anyhow::Result<Self> {
        let mut known = Self { documents: Vec::new(), observed: self::observed(observed)?, about_one: Vec::new() };
        known.documents.push((Source::Host, format!("{{\"now\":\"{}\"}}", now()).into_bytes()));
        for path in files {
            let name = path.display();
            let bytes = super::read(path)?;
            let documents = input::documents(&bytes);
            if documents.is_empty() {
                bail!(Trouble::new(name, None, "there is nothing in it; give a `Facts` document"));
            }
            for piece in documents {
                let Piece { start, bytes: document } = piece;
                if let Some(failure) = complaint(policy, document)? {
                    let at = Position::of(&bytes, start + failure.offset.unwrap_or(0) as usize);
                    bail!(Trouble::new(name, Some(at), failure.message));
                }
                let value = yaml::parse(&String::from_utf8_lossy(document)).unwrap_or_default();
                if OF_ONE_TARGET.iter().any(|field| value.get(field).is_some()) {
                    let scope = value.get("for").cloned().unwrap_or_default();
                    let position = Position::of(&bytes, piece.content());
                    known.about_one.push(AboutOne { file: name.to_string(), position, scope });
                }
                known.documents.push((Source::Operator, document.to_vec()));
            }
        }
        if let Some(intent) = intent {
            let planned = matches!(intent, Intent::Restart);
            let document = format!("{{\"intent\":{{\"restartPlanned\":{planned}}}}}");
            known.documents.push((Source::Operator, document.into_bytes()));
        }
        Ok(known)
    }

    /// Asks the policy. What it wants to look up is answered from the recorded answers.
    pub(super) fn ask(
        &self,
        policy: &Policy,
        settings: &Settings,
        request: &input::Request,
        live: Option<&[u8]>,
    ) -> Result<Verdict, CheckError> {
        let facts: Vec<_> = self.documents.iter().map(|(source, document)| fact(*source, document)).collect();
        request.lend(live, |request| policy.decide(request, &facts, settings, &self.observed))
    }

    /// Facts about one deployment must not be taken for facts about another.
    pub(super) fn fits(&self, results: &[Judged]) -> anyhow::Result<()> {
        let verdicts = results.iter().filter_map(|judged| match &judged.outcome {
            Outcome::Verdict { verdict, .. } => Some(verdict),
            Outcome::Error { .. } => None,
        });
        let targets: Vec<_> = verdicts
            .flat_map(|verdict| verdict.operations.iter().map(|operation| (verdict.dialect, operation.target.as_ref())))
            .filter_map(|(dialect, target)| Some((dialect, target?)))
            .collect();
        for facts in &self.about_one {
            let met = targets.iter().filter(|(dialect, target)| facts.fits(*dialect, target));
            let names: BTreeSet<String> = met.map(|(_, target)| name(target)).collect();
            if names.len() > 1 {
                let some: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
                let message = format!(
                    "these facts are about one deployment but do not say which of {} ({}); add `for: {{platform: …, namespace: …, name: …}}` to each document of facts",
                    names.len(),
                    some.join(", ")
                );
                bail!(Trouble::new(&facts.file, Some(facts.position), message));
            }
        }
        Ok(())
    }
}

/// Reads the files of recorded answers.
fn observed(files: &[PathBuf]) -> anyhow::Result<Recorded> {
    let mut all = Recorded::default();
    for path in files {
        let bytes = super::read(path)?;
        let wrong = |position, message: String| Trouble::new(path.display(), position, message);
        let value = yaml::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|error| wrong(Some(Position::of(&bytes, error.offset)), error.message))?;
        all.extend(Recorded::read(value).map_err(|message| wrong(None, message))?);
    }
    Ok(all)
}

fn name(target: &Target) -> String {
    match target.namespace.as_str() {
        "" => target.name.clone(),
        namespace => format!("{namespace}/{}", target.name),
    }
}

fn fact(source: Source, document: &[u8]) -> Fact<'_> {
    Fact { about: Subject::Declared, source, answer: Answer::Found(document) }
}

/// What the policy says about a document of facts; a request that concerns nobody carries it there.
fn complaint(policy: &Policy, document: &[u8]) -> Result<Option<sluicegate::Failure>, CheckError> {
    let head = HttpHead { api: Some(Api::FlinkRest), method: "GET", target: "/overview", headers: &[] };
    let request = Request { envelope: Envelope::Http(head), body: b"" };
    match policy.check(&request, &[fact(Source::Operator, document)], &Settings::default()) {
        Err(CheckError::Unjudgeable(failure)) if failure.kind == FailureKind::BadFacts => Ok(Some(failure)),
        Err(error @ CheckError::Policy(_)) => Err(error),
        Ok(_) | Err(CheckError::Unjudgeable(_)) => Ok(None),
    }
}

/// The time, as RFC 3339 in UTC.
fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    rfc3339(seconds)
}

fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is the last one.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_255_200), "2026-11-21T10:00:00Z");
        assert_eq!(rfc3339(4_102_444_800), "2100-01-01T00:00:00Z");
    }
}
