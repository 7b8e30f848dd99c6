//! Bodies of Ververica's API: JSON or YAML by media type, merged into what is stored (PATCH) or taking its place
//! (DOMAIN section 8).

use super::Call;
use crate::document::{Document, Node, Reading};
use crate::gate::Failure;

const JSON: &[&str] = &["application/json", "application/merge-patch+json"];
const YAML: &[&str] = &["application/yaml", "application/x-yaml", "text/yaml"];

/// Parses the body as its media type says.
pub(super) fn parse<'b>(call: &Call<'b>) -> Result<Document<'b>, Failure> {
    let mut reading = None;
    for value in call.headers("content-type") {
        let media = value.split(';').next().unwrap_or_default().trim();
        let among = |names: &[&str]| names.iter().any(|name| media.eq_ignore_ascii_case(name));
        let this = match (among(JSON), among(YAML)) {
            (true, _) => Reading::Json,
            (_, true) => Reading::JsonOrYaml,
            _ => {
                return Err(Failure::malformed(format!(
                    "a body of type `{media}` is not read here; send application/json or application/yaml"
                )));
            }
        };
        if reading.replace(this).is_some_and(|other| other != this) {
            return Err(Failure::malformed("two content types that disagree; send one"));
        }
    }
    let document = Document::parse(call.body, reading.unwrap_or(Reading::JsonOrYaml))
        .map_err(|error| Failure::document("the body", error))?;
    match document.root().is_object() {
        true => Ok(document),
        false => Err(Failure::malformed("the body must be an object; lists, such as a JSON Patch, are not read here")),
    }
}

/// What a body says of one field.
#[derive(Clone, Copy)]
pub(super) enum Given<'d> {
    /// Nothing: what is stored stays.
    Kept,
    /// It is taken away, and the platform's default holds.
    Removed,
    Value(Node<'d>),
}

/// A resource as a request gives it.
#[derive(Clone, Copy)]
pub(super) struct Body<'d> {
    pub(super) root: Node<'d>,
    /// The body is the whole resource: what it does not say is not there.
    pub(super) whole: bool,
    /// The field with name, labels and annotations: `userMetadata` in a VvpDeployment (DOMAIN 1.8).
    pub(super) metadata: &'static str,
    /// What is stored, where the request brings that along.
    pub(super) stored: Option<Node<'d>>,
    /// A restart is asked for, whatever else changes.
    pub(super) restart: Option<Node<'d>>,
}

impl<'d> Body<'d> {
    pub(super) fn new(root: Node<'d>, whole: bool) -> Self {
        Self { root, whole, metadata: "metadata", stored: None, restart: None }
    }

    /// The annotation of this name.
    pub(super) fn annotation(&self, name: &str) -> Option<Node<'d>> {
        self.value(&[self.metadata, "annotations", name])
    }

    /// What it says of the field at this path. A null on the way takes away all below it.
    pub(super) fn given(&self, path: &[&str]) -> Given<'d> {
        let mut here = self.root;
        for name in path {
            match here.member(name) {
                None if self.whole => return Given::Removed,
                None => return Given::Kept,
                Some(node) if node.is_null() => return Given::Removed,
                Some(node) => here = node,
            }
        }
        Given::Value(here)
    }

    /// The value at this path, if it gives one.
    pub(super) fn value(&self, path: &[&str]) -> Option<Node<'d>> {
        self.root.path(path)
    }

    /// The null with which a merge patch takes this field itself away.
    pub(super) fn null(&self, path: &[&str]) -> Option<Node<'d>> {
        let (last, parents) = path.split_last()?;
        self.root.path(parents)?.member(last).filter(|node| node.is_null() && !self.whole)
    }
}

/// Whether merging `patch` into `live` makes a difference. Numbers and booleans of string maps come back as texts.
pub(super) fn differs(patch: Node<'_>, live: Node<'_>) -> bool {
    if patch.is_object() {
        return patch.members().any(|(key, value)| {
            let name = key.text().unwrap_or_default();
            match (value.is_null(), live.get(&name)) {
                (true, theirs) => theirs.is_some(),
                (false, Some(theirs)) => differs(value, theirs),
                (false, None) => !is_empty(value),
            }
        });
    }
    match (patch.scalar(), live.scalar()) {
        (Some(ours), Some(theirs)) => ours != theirs,
        _ => !patch.same(&live),
    }
}

/// Whether there is nothing in this object, at any depth.
pub(super) fn is_empty(node: Node<'_>) -> bool {
    node.is_object() && node.members().all(|(_, value)| is_empty(value))
}
