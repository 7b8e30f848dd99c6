//! Why a request could not be judged at all.

use crate::document::DocumentError;

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
