//! What judges: policy, settings and the facts that are declared, loaded together and swapped together, so that no
//! request sees half of a change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::JudgeOptions;
use crate::input::{self, Position};
use crate::logged::settings_digest;
use crate::report::PolicyName;
use crate::{
    Api, CheckError, Description, Envelope, Fact, HttpHead, Limits, Policy, PolicyError, Problem, Request, Settings,
    SettingsError, Source,
};

/// The largest file that is read, in bytes; a policy component is the largest of them.
const LARGEST_FILE: u64 = 64 << 20;

/// A policy, its settings and what is declared.
#[derive(Debug)]
pub struct Judge {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Its version and digest.
    pub name: PolicyName,
    /// What it says of itself.
    pub description: Description,
    /// What it judges by.
    pub settings: Settings,
    /// `sha256:…` of the settings' source; `shipped` where there is none.
    pub settings_digest: Arc<str>,
    /// `Facts` documents of whoever runs the gate.
    pub declared: Vec<Arc<[u8]>>,
}

/// Why nothing can judge.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file is wrong. The text names file and place, and what to do.
    #[error("{0}")]
    Wrong(String),
    /// The policy cannot be used.
    #[error("the policy cannot be used: {0}")]
    Policy(PolicyError),
    /// The policy does not answer as it must before it is put to work.
    #[error("the policy failed its self-test: {0}")]
    SelfTest(CheckError),
}

/// Not as a source: the text says it already.
impl From<PolicyError> for JudgeError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl Judge {
    /// Reads everything anew, and puts one question to the policy. The policy of `before` is kept if it is the same.
    ///
    /// # Errors
    /// With the first file that is wrong, and where.
    pub fn load(options: &JudgeOptions, limits: &Limits, before: Option<&Self>) -> Result<Self, JudgeError> {
        let policy = policy(options.policy.as_deref(), limits, before)?;
        let source = options.settings.as_deref().map(read).transpose()?;
        let settings = match (&options.settings, &source) {
            (Some(file), Some(source)) => {
                policy.compile_settings(source).map_err(|error| wrong_settings(file, source, error))?
            }
            _ => Settings::default(),
        };
        let mut declared = Vec::new();
        for file in &options.facts {
            declared.extend(facts(&policy, file)?);
        }
        let description = policy.describe()?;
        let name = PolicyName { version: description.version.clone(), digest: policy.digest().to_owned() };
        let settings_digest = settings_digest(source.as_deref()).into();
        let judge = Self { policy, name, description, settings, settings_digest, declared };
        judge.self_test().map_err(JudgeError::SelfTest)?;
        Ok(judge)
    }

    /// Whether it judges by the same policy, settings and facts.
    pub fn is_as(&self, other: &Self) -> bool {
        self.policy.digest() == other.policy.digest()
            && self.settings_digest == other.settings_digest
            && self.declared == other.declared
    }

    /// A request that touches nothing is judged as every other one.
    fn self_test(&self) -> Result<(), CheckError> {
        let head = HttpHead { api: Some(Api::FlinkRest), method: "GET", target: "/overview", headers: &[] };
        let request = Request { envelope: Envelope::Http(head), body: b"" };
        let facts: Vec<_> = self.declared.iter().map(|document| Fact::declared(Source::Operator, document)).collect();
        self.policy.check(&request, &facts, &self.settings).map(drop)
    }
}

fn policy(file: Option<&Path>, limits: &Limits, before: Option<&Judge>) -> Result<Arc<Policy>, JudgeError> {
    let unusable = |error: PolicyError| match file {
        Some(file) => JudgeError::Wrong(format!("`{}` cannot be used: {error}", file.display())),
        None => error.into(),
    };
    let bytes = file.map(read).transpose()?;
    let component = bytes.as_deref().unwrap_or(Policy::embedded_component());
    match before {
        Some(before) if before.policy.component_bytes() == component => Ok(Arc::clone(&before.policy)),
        _ => {
            let policy = match bytes {
                None => Policy::embedded(limits.clone()),
                Some(bytes) => Policy::load(bytes, limits.clone()),
            };
            policy.map(Arc::new).map_err(unusable)
        }
    }
}

fn facts(policy: &Policy, file: &Path) -> Result<Vec<Arc<[u8]>>, JudgeError> {
    let bytes = read(file)?;
    let mut documents = Vec::new();
    for piece in input::documents(&bytes) {
        if let Some(failure) = policy.complaint(piece.bytes)? {
            let at = Position::of(&bytes, piece.start + failure.offset.unwrap_or(0) as usize);
            return Err(JudgeError::Wrong(format!("{}:{at}: {}", file.display(), failure.message)));
        }
        documents.push(piece.bytes.into());
    }
    match documents.is_empty() {
        true => Err(JudgeError::Wrong(format!("{}: there is nothing in it; give a `Facts` document", file.display()))),
        false => Ok(documents),
    }
}

fn wrong_settings(file: &Path, source: &[u8], error: SettingsError) -> JudgeError {
    match error {
        SettingsError::Policy(error) => JudgeError::Policy(error),
        SettingsError::Invalid(problems) => {
            let line = |problem: &Problem| {
                format!("{}:{}: {}", file.display(), Position::of(source, problem.offset as usize), problem.message)
            };
            JudgeError::Wrong(problems.iter().map(line).collect::<Vec<_>>().join("; "))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, JudgeError> {
    let unreadable = |error| JudgeError::Unreadable { file: file.to_owned(), error };
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        let message = format!("{}: {size} bytes are more than is read ({LARGEST_FILE})", file.display());
        return Err(JudgeError::Wrong(message));
    }
    std::fs::read(file).map_err(unreadable)
}
