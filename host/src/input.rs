//! The bytes of a file to the requests in it (DESIGN section 5). The host only recognises: what a document says is the
//! policy's to read, so its bytes are handed on as they stand.

mod http_document;
mod http_text;
mod kind;
mod list;
mod objects;
mod place;
mod request;
mod split;

use crate::Api;

pub use http_document::HttpDocument;
pub use objects::{Object, objects};
pub use place::{Lines, Position};
pub use request::{Envelope, HttpHead, Request};
pub use split::{Piece, documents};

/// The largest file that is read: many documents of the size that the policy takes.
pub const MAX_FILE: usize = 64 << 20;

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its place among the documents of the file, from 1.
    pub number: usize,
    /// What it is.
    pub found: Found,
}

/// What a document is.
#[derive(Clone, Debug)]
pub enum Found {
    /// A request to be judged.
    Request(Box<Recognised>),
    /// Something else that commonly lies beside Flink's resources; the text names it.
    Foreign(String),
    /// Readable, but nothing that says what it is.
    Unrecognised(InputError),
    /// Meant to be judged, as far as can be told, but not readable.
    Broken(InputError),
}

/// A request, and where it came from.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// What the policy gets.
    pub request: Request,
    /// Where the body starts in the file, in bytes; `None` when it does not stand there as it is.
    pub offset: Option<usize>,
    /// The object that a manifest is about.
    pub object: Option<ObjectName>,
}

/// What tells one Kubernetes object from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectName {
    /// For example `FlinkDeployment`.
    pub kind: String,
    /// Empty when the object does not say.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectName {
    /// Whether both can be the same object: a namespace that one of them does not name counts as equal.
    pub fn fits(&self, other: &Self) -> bool {
        let namespaces = self.namespace.is_empty() || other.namespace.is_empty() || self.namespace == other.namespace;
        self.kind == other.kind && self.name == other.name && namespaces
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// Why a document is not judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// What is wrong and what to do, for people.
    pub message: String,
    /// Where in the file, in bytes.
    pub offset: Option<usize>,
}

impl InputError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None }
    }

    fn at(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset: Some(offset) }
    }

    /// The same, where its text starts at `start` in the file.
    fn after(self, start: usize) -> Self {
        Self { offset: Some(start + self.offset.unwrap_or_default()), ..self }
    }
}

/// Everything in a file, in order. `api` is for HTTP requests that do not name theirs.
///
/// # Errors
/// When there is nothing to read, or it is no text.
pub fn read(bytes: &[u8], api: Option<Api>) -> Result<Vec<Input>, InputError> {
    read_at_most(bytes, api, usize::MAX)
}

/// The first documents of a file, in order: what comes after `most` is not even looked at.
///
/// # Errors
/// Like [`read`].
pub fn read_at_most(bytes: &[u8], api: Option<Api>, most: usize) -> Result<Vec<Input>, InputError> {
    let found = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(InputError::new("this is UTF-16; save the file as UTF-8")),
        _ if bytes.len() > MAX_FILE => {
            return Err(InputError::new(format!("this is larger than {} MiB; split it", MAX_FILE >> 20)));
        }
        _ if http_text::looks_like(bytes) => http_text::read(bytes),
        _ if bytes.iter().take(8192).any(|byte| *byte == 0) => {
            return Err(InputError::new("this is a binary file; give requests as YAML, JSON or .http text"));
        }
        _ => documents(bytes).into_iter().flat_map(kind::recognise).take(most).collect(),
    };
    if found.is_empty() {
        return Err(InputError::new("there is nothing in it; give a request as YAML, JSON or .http text"));
    }
    let number = |(index, mut found): (usize, Found)| {
        if let Found::Request(recognised) = &mut found
            && let Envelope::Http(head) = &mut recognised.request.envelope
        {
            head.api = head.api.or(api);
        }
        Input { number: index + 1, found }
    };
    Ok(found.into_iter().enumerate().map(number).collect())
}

/// Whether the policy may see this header: only what decides, and never credentials.
pub fn decides(header: &str) -> bool {
    const NAMES: [&str; 6] =
        ["content-type", "content-encoding", "transfer-encoding", "content-length", "workspace", "x-sluicegate-intent"];
    const OVERRIDES: &str = "x-sluicegate-override";
    let begins = |start: &str| header.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    NAMES.iter().any(|name| header.eq_ignore_ascii_case(name)) || begins(OVERRIDES)
}

#[cfg(test)]
mod tests;
