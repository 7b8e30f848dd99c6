//! The engine: a policy component, loaded once, that judges every request in a fresh sandbox.

mod cache;
mod clock;
mod code;
mod contract;
mod engine;
mod error;
mod imports;
mod limits;
mod output;
mod sandbox;
mod slots;
mod spent;

use sha2::{Digest, Sha256};

pub use cache::Cache;
pub use code::Origin;
pub use contract::{
    Answer, Api, Basis, Candidate, Decision, Description, Dialect, Effect, Envelope, Exempted, Fact, Failure,
    FailureKind, Fate, Finding, HttpHead, Level, Lookup, Need, ObjectRef, Operation, Outcome, Parameter, Place,
    Problem, Request, RestorePlan, Rule, Scoped, Source, Span, Subject, Target, Unjudged, Verdict,
};
pub use error::{CheckError, Input, PolicyError, SettingsError};
pub use limits::Limits;
use sandbox::Sandboxes;

/// The policy that this library was built around.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm"));

/// Bytes of the largest component that is looked at.
const LARGEST_COMPONENT: usize = 32 << 20;

/// A policy, ready to judge. It may be used from any number of threads at once; calls keep nothing between them.
pub struct Policy {
    bytes: std::borrow::Cow<'static, [u8]>,
    digest: String,
    origin: Origin,
    exports: Vec<String>,
    sandboxes: Sandboxes,
}

/// Settings that a policy has compiled. The default stands for the shipped settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(Vec<u8>);

/// What a policy component looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// SHA-256 of the component, as `sha256:` and hexadecimal digits.
    pub digest: String,
    /// Bytes of the component.
    pub size: usize,
    /// What it imports: nothing, or it would not have been loaded.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

impl Policy {
    /// The policy that this library was built around, with its code kept in the user's [`Cache`].
    ///
    /// # Errors
    /// When no sandbox can be set up here.
    pub fn embedded(limits: Limits) -> Result<Self, PolicyError> {
        Self::new(EMBEDDED.into(), limits, &Cache::user())
    }

    /// Any component that keeps the contract, with its code kept in the user's [`Cache`].
    ///
    /// # Errors
    /// When this is no component, imports anything, does not keep the contract, or no sandbox can be set up here.
    pub fn load(component: impl Into<Vec<u8>>, limits: Limits) -> Result<Self, PolicyError> {
        Self::load_with(component, limits, &Cache::user())
    }

    /// Like [`Policy::load`], with a cache of the caller's choice.
    ///
    /// # Errors
    /// Like [`Policy::load`].
    pub fn load_with(component: impl Into<Vec<u8>>, limits: Limits, cache: &Cache) -> Result<Self, PolicyError> {
        Self::new(component.into().into(), limits, cache)
    }

    /// The component that this library was built around, as it could be given to [`Policy::load`].
    pub fn embedded_component() -> &'static [u8] {
        EMBEDDED
    }

    fn new(bytes: std::borrow::Cow<'static, [u8]>, limits: Limits, cache: &Cache) -> Result<Self, PolicyError> {
        if bytes.len() > LARGEST_COMPONENT {
            let (what, size) = (Input::Component, bytes.len());
            return Err(PolicyError::InputTooLarge { what, size, limit: LARGEST_COMPONENT });
        }
        let imports = imports::of(&bytes)?;
        if !imports.is_empty() {
            return Err(PolicyError::Imports(imports));
        }
        let digest = Sha256::digest(&bytes);
        let engine = engine::new(&limits)?;
        let (component, origin) = code::of(&engine, &bytes, &digest.into(), cache)?;
        let kind = component.component_type();
        let exports = kind.exports(&engine).map(|(name, _)| name.to_owned()).collect();
        let sandboxes = Sandboxes::new(engine, &component, limits)?;
        Ok(Self { bytes, digest: format!("sha256:{}", hex(&digest)), origin, exports, sandboxes })
    }

    /// Judges one request. The facts and settings are all that is known besides it.
    ///
    /// # Errors
    /// When the policy says that the request cannot be judged, or the policy itself fails.
    pub fn check(&self, request: &Request<'_>, facts: &[Fact<'_>], settings: &Settings) -> Result<Outcome, CheckError> {
        let context = settings.0.len() + envelope_size(&request.envelope) + facts.iter().map(fact_size).sum::<usize>();
        // A request holds references only: cloning it copies no body.
        let question = (request.clone(), facts, settings.0.as_slice());
        let sizes = (request.body.len(), context);
        let answer: Result<Outcome, Failure> = self.sandboxes.call(&self.sandboxes.gate.check, sizes, question)?;
        match answer {
            Ok(outcome) => {
                output::outcome(&outcome)?;
                Ok(outcome)
            }
            Err(failure) => {
                output::failure(&failure)?;
                Err(CheckError::Unjudgeable(failure))
            }
        }
    }

    /// What is wrong with a `Facts` document, before a request depends on it.
    ///
    /// # Errors
    /// When the policy itself fails.
    pub fn complaint(&self, facts: &[u8]) -> Result<Option<Failure>, PolicyError> {
        // A request that concerns nobody carries the document there.
        let head = HttpHead { api: Some(Api::FlinkRest), method: "GET", target: "/overview", headers: &[] };
        let request = Request { envelope: Envelope::Http(head), body: b"" };
        match self.check(&request, &[Fact::declared(Source::Operator, facts)], &Settings::default()) {
            Err(CheckError::Unjudgeable(failure)) if failure.kind == FailureKind::BadFacts => Ok(Some(failure)),
            Err(CheckError::Policy(error)) => Err(error),
            Ok(_) | Err(CheckError::Unjudgeable(_)) => Ok(None),
        }
    }

    /// Compiles a `Settings` document (YAML or JSON) for [`Policy::check`]. The result is good for this policy only.
    ///
    /// # Errors
    /// With everything that is wrong with the document, or when the policy itself fails.
    pub fn compile_settings(&self, source: &[u8]) -> Result<Settings, SettingsError> {
        let (function, sizes) = (&self.sandboxes.gate.compile_settings, (source.len(), 0));
        let answer: Result<Vec<u8>, Vec<Problem>> = self.sandboxes.call(function, sizes, (source,))?;
        match answer {
            Ok(compiled) => Ok(Settings(compiled)),
            Err(problems) => {
                output::problems(&problems)?;
                Err(SettingsError::Invalid(problems))
            }
        }
    }

    /// What this policy is: its version and its rules.
    ///
    /// # Errors
    /// When the policy fails.
    pub fn describe(&self) -> Result<Description, PolicyError> {
        let description = self.sandboxes.call(&self.sandboxes.gate.describe, (0, 0), ())?;
        output::description(&description)?;
        Ok(description)
    }

    /// SHA-256 of the component, as `sha256:` and hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The component's bytes.
    pub fn component_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the machine code was compiled or found in the cache.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What the component looks like from outside.
    pub fn inspect(&self) -> Inspection {
        Inspection {
            digest: self.digest.clone(),
            size: self.bytes.len(),
            imports: Vec::new(),
            exports: self.exports.clone(),
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("digest", &self.digest).field("origin", &self.origin).finish_non_exhaustive()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn envelope_size(envelope: &Envelope<'_>) -> usize {
    match envelope {
        Envelope::Manifest(live) => live.map_or(0, <[u8]>::len),
        Envelope::Http(head) => {
            let headers = head.headers.iter().map(|(name, value)| name.len() + value.len());
            head.method.len() + head.target.len() + headers.sum::<usize>()
        }
        Envelope::AdmissionReview | Envelope::Plan => 0,
    }
}

fn fact_size(fact: &Fact<'_>) -> usize {
    match &fact.answer {
        Answer::Found(bytes) => bytes.len(),
        Answer::Unavailable(why) => why.len(),
        Answer::Absent => 0,
    }
}
