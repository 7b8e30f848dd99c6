//! The specs that the operator keeps as JSON text inside its status: a document inside the document (DOMAIN 4.1).

use std::borrow::Cow;

use crate::document::{Document, Node, Reading};
use crate::operation::Spec;
use crate::operation::{Oddity, OddityKind, Place};

/// A stored spec.
#[derive(Debug)]
pub(super) enum Stored<'s> {
    /// Null or absent: nothing was deployed yet.
    Absent,
    /// There, but not to be read; why.
    Unreadable(String),
    Read(Document<'s>),
}

impl<'s> Stored<'s> {
    /// Parses what the status holds. `text` is the text of `node`.
    pub(super) fn parse(node: Option<Node<'_>>, text: Option<&'s str>) -> Self {
        let Some(node) = node else { return Self::Absent };
        match text {
            None => Self::Unreadable(format!("it is not a text but {}", kind(node))),
            Some(text) if text.trim().is_empty() => Self::Unreadable("it is empty".to_owned()),
            Some(text) => match Document::parse(text.as_bytes(), Reading::Json) {
                Ok(document) if document.root().is_object() => Self::Read(document),
                Ok(_) => Self::Unreadable("it is JSON, but no object".to_owned()),
                Err(error) => Self::Unreadable(error.message),
            },
        }
    }

    /// The spec: below `spec`, in the older form the document itself.
    pub(super) fn spec(&self) -> Option<Spec<'_>> {
        let Self::Read(document) = self else { return None };
        let root = document.root();
        Some(Spec::at(Some(root.get("spec").unwrap_or(root))))
    }

    /// What is to be said about a spec that cannot be read.
    pub(super) fn oddity<'d>(&self, node: Option<Node<'d>>, name: &str) -> Option<Oddity<'d>> {
        let Self::Unreadable(why) = self else { return None };
        let unknown = match name {
            "lastStableSpec" => "what last ran well is not known here, so a rollback to it is not recognised",
            _ => "what the operator last ran is not known here",
        };
        let oddity = Oddity::new(
            OddityKind::ContextUnreadable,
            Place::of(node),
            format!("`{name}` in the status cannot be read: {why}; {unknown}"),
            "look at the operator's log for this resource; it should write the field anew with its next reconciliation",
        );
        Some(oddity.expected("a JSON text that holds `spec`").warn())
    }
}

/// The text of a stored spec, kept by the caller as long as the document is read.
pub(super) fn text<'d>(node: Option<Node<'d>>) -> Option<Cow<'d, str>> {
    node?.text()
}

fn kind(node: Node<'_>) -> &'static str {
    match (node.is_object(), node.is_array()) {
        (true, _) => "an object",
        (_, true) => "a list",
        _ => "a number or boolean",
    }
}
