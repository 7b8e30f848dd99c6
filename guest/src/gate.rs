//! The types of the contract (`wit/policy.wit`) as native Rust, and the three functions behind them. The component's
//! glue and native callers (tests, benchmarks, fuzzing) both come in here.

use crate::dialect;
use crate::document::DocumentError;
use crate::facts::{self, Declared, Voice};
use crate::settings::Settings;
use crate::verdict::{self, Verdict, clean};

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Request<'b> {
    pub envelope: Envelope<'b>,
    pub body: &'b [u8],
}

/// How a request travels.
#[derive(Clone, Debug)]
pub enum Envelope<'b> {
    AdmissionReview,
    /// With the live object, if known.
    Manifest(Option<&'b [u8]>),
    Http(HttpHead<'b>),
    Plan,
}

/// The head of an HTTP call.
#[derive(Clone, Debug)]
pub struct HttpHead<'b> {
    /// `None`: told from method and path.
    pub api: Option<Api>,
    pub method: &'b str,
    pub target: &'b str,
    pub headers: &'b [(String, String)],
}

/// The HTTP APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Ververica,
    Alibaba,
    FlinkRest,
}

/// Who vouches for a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Host,
    Operator,
    Observed,
    Requester,
}

/// A declared fact: the bytes of a `Facts` document. Observed answers are not read yet: `check` asks for none.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'b> {
    pub source: Source,
    pub document: &'b [u8],
}

/// Why a request could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    pub offset: Option<usize>,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    Malformed,
    Unsupported,
    TooLarge,
    BadFacts,
    BadSettings,
}

impl Failure {
    /// The request cannot be parsed.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Malformed, message: message.into(), offset: None }
    }

    /// The request is of a kind that is not judged.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unsupported, message: message.into(), offset: None }
    }

    /// `what` names the document for people.
    pub fn document(what: &str, error: DocumentError) -> Self {
        let kind = if error.too_large { FailureKind::TooLarge } else { FailureKind::Malformed };
        Self { kind, message: format!("{what} cannot be read: {}", error.message), offset: Some(error.offset) }
    }
}

/// Judges one request.
///
/// # Errors
/// When the request, a fact or the settings cannot be read.
pub fn check(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Verdict, Failure> {
    // Messages name what the caller sent, control characters and all.
    judge(request, facts, settings).map_err(|failure| Failure { message: clean(&failure.message), ..failure })
}

fn judge(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Verdict, Failure> {
    let settings = Settings::load(settings)?;
    let mut documents = Vec::with_capacity(facts.len());
    for fact in facts {
        let voice = match fact.source {
            Source::Host | Source::Operator => Voice::Trusted,
            Source::Requester => Voice::Requester,
            Source::Observed => continue,
        };
        documents.push((facts::parse(fact.document)?, voice));
    }
    let declared = Declared::new(&documents)?;
    dialect::decode(request, &declared, &settings, |decoded| verdict::judge(decoded, &settings))
}
