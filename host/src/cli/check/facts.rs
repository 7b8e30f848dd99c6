//! What is known besides the requests: the clock, the declared facts, and the intent.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use serde_json::Value;
use sluicegate::facts::Recorded;
use sluicegate::input::{self, Piece, Position};
use sluicegate::report::{Judged, Outcome};
use sluicegate::{CheckError, Dialect, Fact, Policy, Settings, Source, Target, Verdict, clock, yaml};

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
        known.documents.push((Source::Host, format!("{{\"now\":\"{}\"}}", clock::now()).into_bytes()));
        for path in files {
            let name = path.display();
            let bytes = super::read(path)?;
            let documents = input::documents(&bytes);
            if documents.is_empty() {
                bail!(Trouble::new(name, None, "there is nothing in it; give a `Facts` document"));
            }
            for piece in documents {
                let Piece { start, bytes: document } = piece;
                if let Some(failure) = policy.complaint(document)? {
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
        let facts: Vec<_> = self.documents.iter().map(|(source, document)| Fact::declared(*source, document)).collect();
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
