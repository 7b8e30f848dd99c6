//! What is known besides the request: declared `Facts` documents (DESIGN section 5), scoped to their target. Unknown
//! fields are an error: a misspelt fact must not silently count as missing.

mod contradiction;
mod observed;
mod reader;
mod seen;

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use crate::document::{Document, Node, Reading};
use crate::failure::{Failure, FailureKind};
use crate::location;
use crate::operation::{Assume, Dialect};
pub use contradiction::{Contradiction, lay};
pub use observed::{Metadata, Observed};
#[cfg(test)]
pub(crate) use seen::Job;
pub use seen::{Location, Seen};

/// The facts that apply to one target. `None` everywhere means: not known.
#[derive(Clone, Debug, Default)]
pub struct Facts<'d> {
    pub restart_planned: Option<bool>,
    /// The same, as the caller itself declares it: no better than a header.
    pub requester_restart: Option<bool>,
    pub engine_upgrade: Option<bool>,
    /// What to assume of a restart when nobody says anything and the settings do not say.
    pub assume: Option<Assume>,
    /// Who calls, as the host authenticated them.
    pub principal: Option<Cow<'d, str>>,
    /// The caller's role in the namespace: `viewer`, `editor`, `owner`, or a custom one.
    pub namespace_role: Option<Cow<'d, str>>,
    /// The RAM actions that the caller holds, such as `stream:StopJob`.
    pub ram_actions: Option<Vec<Cow<'d, str>>>,
    pub platform: Platform<'d>,
    pub deployment: Deployment<'d>,
    pub job_status: Option<Cow<'d, str>>,
    pub savepoints: Option<Savepoints<'d>>,
    /// Other resources as the platform returns them.
    pub related: Vec<Node<'d>>,
    /// What is known not to exist.
    pub absent: Vec<Absent<'d>>,
    /// What only a read can tell.
    pub seen: Seen<'d>,
    /// RFC 3339.
    pub now: Option<Cow<'d, str>>,
    /// How many declared documents are for other targets.
    pub of_others: usize,
}

impl<'d> Facts<'d> {
    /// A declared resource, as the cluster returns it.
    pub fn related(&self, kind: &str, namespace: &str, name: &str) -> Option<Node<'d>> {
        let fits = |node: &Node<'d>| {
            node.get("kind").is_some_and(|word| word.is(kind))
                && node.path(&["metadata", "name"]).is_some_and(|word| word.is(name))
                && node.path(&["metadata", "namespace"]).is_none_or(|word| word.is(namespace))
        };
        self.related.iter().copied().find(fits)
    }

    /// Whether there are no more resources of a kind than the known ones.
    pub fn knows_all(&self, kind: &str, namespace: &str) -> bool {
        let fits = |word: &str| word.is_empty() || word == namespace;
        self.absent.iter().any(|it| it.kind == kind && it.name.is_empty() && fits(&it.namespace))
    }

    /// Whether a resource is known not to exist.
    pub fn is_absent(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.absent.iter().any(|it| it.kind == kind && it.namespace == namespace && it.name == name)
    }
}

/// What is known of the platform.
#[derive(Clone, Debug, Default)]
pub struct Platform<'d> {
    pub flink_version: Option<Cow<'d, str>>,
    pub operator_version: Option<Cow<'d, str>>,
    pub scheduler: Option<Cow<'d, str>>,
    /// The schemes that the cluster can write and read.
    pub file_systems: Option<Vec<Cow<'d, str>>>,
    pub universal_blob_storage: Option<bool>,
    /// The cluster's or operator's defaults; an empty map is known to be empty.
    pub configuration: Option<Node<'d>>,
    /// The labels of the namespace (Kubernetes); `None`: not known.
    pub namespace_labels: Option<Node<'d>>,
}

/// What is known of the deployment.
#[derive(Clone, Debug, Default)]
pub struct Deployment<'d> {
    pub spec_state: Option<Cow<'d, str>>,
    pub status_state: Option<Cow<'d, str>>,
    pub spec_version: Option<Cow<'d, str>>,
    pub execution_mode: Option<Cow<'d, str>>,
    pub artifact_kind: Option<Cow<'d, str>>,
    pub never_started: Option<bool>,
    /// Some state exists that a start without it would lose.
    pub has_state: Option<bool>,
    pub max_parallelism: Option<i64>,
    pub annotations: Option<Node<'d>>,
    pub configuration: Option<Node<'d>>,
    pub restore_kind: Option<Cow<'d, str>>,
    pub allow_non_restored_state: Option<bool>,
    pub upgrade_kind: Option<Cow<'d, str>>,
}

/// A known savepoint.
#[derive(Clone, Debug, Default)]
pub struct Savepoint<'d> {
    pub id: Option<Cow<'d, str>>,
    pub deployment_id: Option<Cow<'d, str>>,
    pub location: Option<Cow<'d, str>>,
    pub origin: Option<Cow<'d, str>>,
    pub state: Option<Cow<'d, str>>,
    pub created_at: Option<Cow<'d, str>>,
    /// `None`: not known. An empty map is known to be empty.
    pub annotations: Option<Node<'d>>,
    pub drained: Option<bool>,
    /// Flink owns it since a start with claim mode CLAIM, and deletes it once it has a newer checkpoint.
    pub claimed: Option<bool>,
    /// Whether its location can be read; `None`: not known.
    pub readable: Option<bool>,
    pub format: Option<Cow<'d, str>>,
    pub max_parallelism: Option<i64>,
    pub restore_candidate: Option<bool>,
    /// Who else refers to it; an empty list is known to be empty.
    pub referenced_by: Option<Vec<Cow<'d, str>>>,
}

/// The known savepoints of a target. The steps of a plan share one list.
#[derive(Clone, Debug, Default)]
pub struct Savepoints<'d>(Rc<Vec<Savepoint<'d>>>);

impl<'d> Savepoints<'d> {
    fn into_vec(self) -> Vec<Savepoint<'d>> {
        Rc::unwrap_or_clone(self.0)
    }
}

impl<'d> From<Vec<Savepoint<'d>>> for Savepoints<'d> {
    fn from(all: Vec<Savepoint<'d>>) -> Self {
        Self(Rc::new(all))
    }
}

impl<'d> Deref for Savepoints<'d> {
    type Target = [Savepoint<'d>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'s, 'd> IntoIterator for &'s Savepoints<'d> {
    type Item = &'s Savepoint<'d>;
    type IntoIter = std::slice::Iter<'s, Savepoint<'d>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Savepoint<'_> {
    /// Whether it is known to lie at this location, however that is spelt.
    pub fn lies_at(&self, location: &str) -> bool {
        self.location.as_ref().is_some_and(|own| location::same(own, location))
    }

    /// Its id, else its location: how findings name it.
    pub fn label(&self) -> &str {
        self.id.as_deref().or(self.location.as_deref()).unwrap_or("a savepoint without id")
    }
}

/// A resource that is known not to exist.
#[derive(Clone, Debug)]
pub struct Absent<'d> {
    pub kind: Cow<'d, str>,
    pub namespace: Cow<'d, str>,
    pub name: Cow<'d, str>,
}

/// All declared documents of a call, parsed.
#[derive(Debug)]
pub struct Declared<'d> {
    documents: Vec<(&'d Document<'d>, Voice)>,
}

/// Who declares a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// The host or whoever runs the gate: all of it counts.
    Trusted,
    /// The caller: only the intent counts.
    Requester,
}

impl<'d> Declared<'d> {
    /// Checks every document as a whole, applicable or not.
    ///
    /// # Errors
    /// When a document has an unknown field or a value of the wrong type.
    pub fn new(documents: &'d [(Document<'d>, Voice)]) -> Result<Self, Failure> {
        for (document, _) in documents {
            reader::check(document.root())?;
        }
        Ok(Self { documents: documents.iter().map(|(document, voice)| (document, *voice)).collect() })
    }

    /// Nothing declared.
    #[cfg(test)]
    pub fn none() -> Self {
        Self { documents: Vec::new() }
    }

    /// The facts that apply to a target. A document with `for` applies when platform, namespace and name, as far as it
    /// gives them, are those of the target; later documents win over earlier ones, field by field.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn about(&self, platform: Dialect, namespace: &str, name: &str) -> Result<Facts<'d>, Failure> {
        let mut facts = Facts::default();
        for (document, voice) in &self.documents {
            let root = document.root();
            let ours = root.get("for").is_none_or(|scope| is_of(scope, platform, namespace, name));
            match (ours, voice) {
                (true, Voice::Trusted) => reader::read(root, &mut facts),
                (true, Voice::Requester) => reader::read_intent(root, &mut facts),
                (false, Voice::Trusted) => facts.of_others += 1,
                (false, Voice::Requester) => {}
            }
        }
        Ok(facts)
    }
}

/// Whether a `for` names this target, as far as it names one.
fn is_of(scope: Node<'_>, platform: Dialect, namespace: &str, name: &str) -> bool {
    let fits = |key: &str, value: &str| scope.get(key).is_none_or(|node| node.is(value));
    fits("platform", platform.name()) && fits("namespace", namespace) && fits("name", name)
}

/// Parses one declared document.
///
/// # Errors
/// When the bytes are neither JSON nor YAML.
pub fn parse(bytes: &[u8]) -> Result<Document<'_>, Failure> {
    Document::parse(bytes, Reading::JsonOrYaml).map_err(|error| Failure {
        kind: FailureKind::BadFacts,
        message: format!("the facts cannot be read: {}", error.message),
        offset: Some(error.offset),
    })
}
