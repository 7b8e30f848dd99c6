//! Case files: one request, what is known besides, and what must come of it. `sluicegate test` and this project's own
//! corpus read them here.
//!
//! ```yaml
//! name: upgrade-while-armed
//! source: where the payload comes from
//! note: optional, for readers
//! dialect: kubernetes        # optional: what it must be recognised as
//! request:                   # exactly one of http, admissionReview, manifest, plan, raw (the text of a file)
//!   manifest: {…}
//! live: {…}                  # optional, beside a manifest: the live object that it would change
//! facts: {…}                 # optional: a Facts document
//! observed: […]              # optional: what reads answer, see [`Recorded`]
//! settings: {…}              # optional: a Settings document
//! expect:
//!   decision: deny           # allow | deny | undecided | error
//!   deny: [rule-id]          # these must deny, and no other rule may
//!   warn: []                 # these must warn; others may as well
//!   fires: []                # these must fire, with whatever effect; others may as well
//!   unjudged: []             # these must say that they lack a fact; others may as well
//!   quiet: false             # true: nothing may deny or warn
//! ```

mod expectation;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::facts::Recorded;
use crate::input::{self, Envelope, Found, HttpDocument, Request};
use crate::{Answer, CheckError, Fact, Policy, Settings, SettingsError, Source, Subject, Verdict, yaml};

pub use expectation::{Ending, Expectation};

/// A case, ready to run.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called; empty when the file does not say.
    pub name: String,
    /// Where the payload comes from.
    pub source: String,
    /// What the request must be recognised as.
    pub dialect: Option<String>,
    /// The request, or why its text holds none.
    pub request: Result<Request, String>,
    /// The live object that a manifest would change.
    pub live: Option<Vec<u8>>,
    /// A `Facts` document, declared by whoever runs the gate.
    pub facts: Option<Vec<u8>>,
    /// What reads answer that the policy asks for.
    pub observed: Recorded,
    /// A `Settings` document.
    pub settings: Option<Vec<u8>>,
    /// What must come of it.
    pub expect: Expectation,
}

/// Why a file is no case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It cannot be opened.
    #[error("cannot read it: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not YAML, or not the shape of a case.
    #[error("{0}")]
    Malformed(String),
}

/// Why a case gets no verdict. A case may expect that.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoVerdict {
    /// Its text holds no request.
    #[error("{0}")]
    Unrecognised(String),
    /// Its settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The policy gives none.
    #[error(transparent)]
    Policy(#[from] CheckError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    name: String,
    #[serde(default)]
    source: String,
    #[serde(default, rename = "note")]
    _note: Option<String>,
    dialect: Option<String>,
    request: Form,
    live: Option<Value>,
    facts: Option<Value>,
    #[serde(default)]
    observed: Recorded,
    settings: Option<Value>,
    expect: Expectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Form {
    http: Option<HttpDocument>,
    admission_review: Option<Value>,
    manifest: Option<Value>,
    plan: Option<Value>,
    raw: Option<String>,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// When it cannot be read, has an unknown key, or expects nothing.
    pub fn open(path: &Path) -> Result<Self, CaseError> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    /// Reads the text of a case file.
    ///
    /// # Errors
    /// See [`Case::open`].
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let value = yaml::parse(text).map_err(|error| {
            let at = input::Position::of(text.as_bytes(), error.offset);
            CaseError::Malformed(format!("this is not valid YAML: {error}, at {at}"))
        })?;
        let file: File = serde_json::from_value(value).map_err(|error| CaseError::Malformed(error.to_string()))?;
        let bytes = |value: Value| value.to_string().into_bytes();
        let request = file.request.request().map_err(CaseError::Malformed)?;
        let manifest = request.as_ref().is_ok_and(|request| matches!(request.envelope, Envelope::Manifest));
        if file.live.is_some() && !manifest {
            return Err(CaseError::Malformed(
                "`live` stands beside a `manifest` only: it is what that would change".to_owned(),
            ));
        }
        Ok(Self {
            name: file.name,
            source: file.source,
            dialect: file.dialect,
            request,
            live: file.live.map(bytes),
            facts: file.facts.map(bytes),
            observed: file.observed,
            settings: file.settings.map(bytes),
            expect: file.expect,
        })
    }

    /// Runs it.
    ///
    /// # Errors
    /// When there is no verdict.
    pub fn judge(&self, policy: &Policy) -> Result<Verdict, NoVerdict> {
        let request = self.request.as_ref().map_err(|why| NoVerdict::Unrecognised(why.clone()))?;
        let settings = self.settings.as_ref().map(|source| policy.compile_settings(source)).transpose()?;
        let facts: Vec<_> = self
            .facts
            .iter()
            .map(|document| Fact {
                about: Subject::Declared,
                source: Source::Operator,
                answer: Answer::Found(document),
            })
            .collect();
        let settings = settings.unwrap_or_else(Settings::default);
        let decide = |request: &crate::Request<'_>| policy.decide(request, &facts, &settings, &self.observed);
        Ok(request.lend(self.live.as_deref(), decide)?)
    }

    /// What differs from the expectation, line by line; nothing when the case holds. `rules` are the ids that the
    /// policy knows.
    pub fn differences(&self, actual: &Result<Verdict, NoVerdict>, rules: &[String]) -> Vec<String> {
        self.expect.differences(self.dialect.as_deref(), actual, rules)
    }
}

impl Form {
    /// The outer error: this is no case. The inner one: it is a case about a request that cannot be recognised.
    fn request(self) -> Result<Result<Request, String>, String> {
        let of = |envelope, value: Value| Ok(Request { envelope, body: value.to_string().into_bytes() });
        match self {
            Self { http: Some(http), admission_review: None, manifest: None, plan: None, raw: None } => {
                if http.kind.as_deref().is_some_and(|kind| kind != "HttpRequest") {
                    return Err("in `http`: `kind` must be `HttpRequest`".to_owned());
                }
                http.request().map(Ok).map_err(|error| format!("in `http`: {error}"))
            }
            Self { http: None, admission_review: Some(value), manifest: None, plan: None, raw: None } => {
                Ok(of(Envelope::AdmissionReview, value))
            }
            Self { http: None, admission_review: None, manifest: Some(value), plan: None, raw: None } => {
                Ok(of(Envelope::Manifest, value))
            }
            Self { http: None, admission_review: None, manifest: None, plan: Some(value), raw: None } => {
                Ok(of(Envelope::Plan, value))
            }
            Self { http: None, admission_review: None, manifest: None, plan: None, raw: Some(text) } => {
                Ok(recognise(&text))
            }
            _ => Err("`request` must be exactly one of http, admissionReview, manifest, plan, raw".to_owned()),
        }
    }
}

/// What `check` would make of a file with this text.
fn recognise(text: &str) -> Result<Request, String> {
    let mut found = input::read(text.as_bytes(), None).map_err(|error| error.to_string())?;
    match (found.pop().map(|input| input.found), found.is_empty()) {
        (Some(Found::Request(recognised)), true) => Ok(recognised.request),
        (Some(Found::Foreign(what)), true) => Err(format!("this is no request: {what}")),
        (Some(Found::Unrecognised(error) | Found::Broken(error)), true) => Err(error.to_string()),
        _ => Err("a case holds one request, and this text holds several".to_owned()),
    }
}

/// The case files below `path`, or `path` itself, in the order of their names. A folder that cannot be read, or in which
/// there is no case, stands among them with its error.
pub fn find(path: &Path) -> Vec<(PathBuf, Result<(), CaseError>)> {
    if !path.is_dir() {
        return vec![(path.to_owned(), path.metadata().map(drop).map_err(CaseError::from))];
    }
    let entries = match std::fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()) {
        Ok(entries) => entries,
        Err(error) => return vec![(path.to_owned(), Err(error.into()))],
    };
    let mut entries: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    entries.retain(|entry| !entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    entries.sort();
    let mut cases = Vec::new();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            cases.extend(find(&entry));
        }
    }
    if cases.is_empty() {
        cases.push((path.to_owned(), Err(CaseError::Malformed("there is no case in this folder".to_owned()))));
    }
    cases
}

#[cfg(test)]
mod tests;
