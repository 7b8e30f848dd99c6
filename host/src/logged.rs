//! The lines of a decision log read again: the same request, facts and answers, judged by another policy or with other
//! settings, without any platform.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::facts::Recorded;
use crate::input::{Envelope, HttpDocument, Request};
use crate::policy::hex;
use crate::{CheckError, Fact, Policy, Settings, Source, Verdict};

/// Why a request cannot be judged again.
const WITHHELD: &str = "not all of it is in the log";

/// Who may have said a fact.
const SOURCES: [Source; 4] = [Source::Host, Source::Operator, Source::Observed, Source::Requester];

/// The digest of settings: of the bytes of their source, or the word `shipped` where there is none.
pub fn settings_digest(source: Option<&[u8]>) -> String {
    source.map_or_else(|| "shipped".to_owned(), |source| format!("sha256:{}", hex(&Sha256::digest(source))))
}

/// A judgement, as it was logged.
#[derive(Clone, Debug)]
pub struct Logged {
    /// When the request came, as RFC 3339.
    pub time: String,
    /// The request's id.
    pub id: String,
    /// Where it came in.
    pub door: String,
    /// See [`settings_digest`].
    pub settings: String,
    /// The digest of the policy.
    pub policy: String,
    /// Secrets were left out: what is judged again is not quite the same.
    pub redacted: bool,
    /// The request, or why it cannot be judged again.
    pub request: Result<Request, String>,
    /// The object that a manifest would change, as it was then.
    live: Option<Vec<u8>>,
    facts: Vec<(Source, Vec<u8>)>,
    observed: Recorded,
    said: Said,
}

/// What matters of a verdict: the decision, and the findings by rule and effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `error` where there was no verdict.
    pub decision: String,
    /// Rules and effects.
    pub findings: BTreeSet<(String, String)>,
}

#[derive(Deserialize)]
struct Line {
    time: String,
    id: String,
    door: String,
    settings: String,
    policy: String,
    redacted: bool,
    request: Map<String, Value>,
    live: Option<Value>,
    facts: Vec<Declared>,
    observed: Recorded,
    verdict: Option<Document>,
}

#[derive(Deserialize)]
struct Declared {
    source: String,
    document: Value,
}

#[derive(Deserialize)]
struct Document {
    decision: String,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
    effect: String,
}

impl Logged {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no line of a decision log; the text is for people.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("this is no line of a decision log: {error}");
        let line: Line = serde_json::from_slice(line).map_err(|error| wrong(&error))?;
        let facts = line.facts.into_iter().map(|Declared { source, document }| {
            let known = SOURCES.into_iter().find(|known| known.name() == source);
            let known = known.ok_or_else(|| wrong(&format!("nobody is called `{source}`")))?;
            Ok((known, bytes(document)))
        });
        let findings = |document: Document| {
            document.findings.into_iter().map(|Finding { rule, effect }| (rule, effect)).collect::<BTreeSet<_>>()
        };
        Ok(Self {
            facts: facts.collect::<Result<_, String>>()?,
            said: line.verdict.map_or_else(Said::error, |document| Said {
                decision: document.decision.clone(),
                findings: findings(document),
            }),
            request: match &line.live {
                Some(live) if live.get("withheld").is_some() => Err(WITHHELD.to_owned()),
                _ => request(line.request),
            },
            live: line.live.map(bytes),
            time: line.time,
            id: line.id,
            door: line.door,
            settings: line.settings,
            policy: line.policy,
            redacted: line.redacted,
            observed: line.observed,
        })
    }

    /// What was said about it.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// Judges the request again; `None` when it is not in the log.
    ///
    /// # Errors
    /// When there is no verdict.
    pub fn judge(&self, policy: &Policy, settings: &Settings) -> Option<Result<Verdict, CheckError>> {
        let request = self.request.as_ref().ok()?;
        let facts: Vec<_> = self.facts.iter().map(|(source, document)| Fact::declared(*source, document)).collect();
        Some(request.lend(self.live.as_deref(), |request| policy.decide(request, &facts, settings, &self.observed)))
    }
}

impl Said {
    fn error() -> Self {
        Self { decision: "error".to_owned(), findings: BTreeSet::new() }
    }

    /// What matters of this outcome.
    pub fn of(outcome: &Result<Verdict, CheckError>) -> Self {
        let Ok(verdict) = outcome else { return Self::error() };
        let findings = verdict.findings.iter().map(|it| (it.rule.clone(), it.effect.name().to_owned())).collect();
        Self { decision: verdict.decision.name().to_owned(), findings }
    }

    /// What is said now instead, line by line; nothing when it is the same.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.decision != now.decision {
            lines.push(format!("decision: {} before, {} now", self.decision, now.decision));
        }
        lines.extend(now.findings.difference(&self.findings).map(|(rule, effect)| format!("+ {effect} {rule}")));
        lines.extend(self.findings.difference(&now.findings).map(|(rule, effect)| format!("- {effect} {rule}")));
        lines
    }
}

fn request(mut members: Map<String, Value>) -> Result<Request, String> {
    let missing = || WITHHELD.to_owned();
    if let Some(http) = members.remove("http") {
        if http.get("bodyWithheld").is_some() {
            return Err(missing());
        }
        let document: HttpDocument = serde_json::from_value(http).map_err(|error| error.to_string())?;
        return document.request();
    }
    for (name, envelope) in
        [("admissionReview", Envelope::AdmissionReview), ("manifest", Envelope::Manifest), ("plan", Envelope::Plan)]
    {
        if let Some(Value::String(text)) = members.remove(&format!("{name}Base64")) {
            let body = STANDARD.decode(text).map_err(|error| format!("`{name}Base64` is not Base64: {error}"))?;
            return Ok(Request { envelope, body });
        }
        if let Some(value) = members.remove(name) {
            return match value.get("withheld") {
                Some(_) => Err(missing()),
                None => Ok(Request { envelope, body: bytes(value) }),
            };
        }
    }
    Err("it holds no request of a kind that is known here".to_owned())
}

/// A text is taken as it is.
fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.into_bytes(),
        value => value.to_string().into_bytes(),
    }
}
