//! The shape of a `Facts` document: which fields there are, what they hold, and where they go.

use std::borrow::Cow;

use super::{Absent, Facts, Savepoint};
use crate::document::Node;
use crate::failure::{Failure, FailureKind};
use crate::instant::Instant;
use crate::nearest::{closest, nearest};
use crate::operation::Assume;

enum Shape {
    Text,
    /// One of these words, exactly.
    Word(&'static [&'static str]),
    /// A text in which these words are known: a look-alike of one is a mistake, any other is not known here.
    Known(&'static [&'static str]),
    /// A point in time.
    Time,
    Boolean,
    Integer,
    Texts,
    /// Any object, read later.
    Map,
    Objects(&'static [(&'static str, Shape)]),
    Anything,
    Object(&'static [(&'static str, Shape)]),
}

const PLATFORMS: &[&str] = &["kubernetes", "ververica", "alibaba", "flink-rest"];
const STATES: &[&str] = &[
    "INITIALIZING",
    "CREATED",
    "STARTING",
    "STARTED",
    "STANDBY",
    "RECONCILING",
    "RUNNING",
    "RESTARTING",
    "FAILING",
    "FAILED",
    "FINISHED",
    "CANCELLING",
    "CANCELING",
    "CANCELED",
    "CANCELLED",
    "TERMINATING",
    "TERMINATED",
    "SUSPENDED",
    "TRANSITIONING",
];
const RESTORES: &[&str] = &["NONE", "LATEST_STATE", "LATEST_SAVEPOINT", "FROM_SAVEPOINT"];
const UPGRADES: &[&str] = &["STATEFUL", "STATELESS", "NONE"];
const ORIGINS: &[&str] =
    &["USER_REQUEST", "SUSPEND", "SUSPEND_AND_UPGRADE", "COPIED", "RETAINED_CHECKPOINT", "STOP_WITH_SAVEPOINT"];
const SAVEPOINT_STATES: &[&str] = &[
    "STARTED",
    "COMPLETED",
    "FAILED",
    "PENDING_DELETION",
    "DELETING",
    "FAILED_DELETION",
    "TRIGGER_PENDING",
    "IN_PROGRESS",
    "ABANDONED",
];

const DOCUMENT: &[(&str, Shape)] = &[
    ("apiVersion", Shape::Text),
    ("kind", Shape::Text),
    ("for", Shape::Object(&[("platform", Shape::Word(PLATFORMS)), ("namespace", Shape::Text), ("name", Shape::Text)])),
    (
        "intent",
        Shape::Object(&[
            ("restartPlanned", Shape::Boolean),
            ("engineUpgrade", Shape::Boolean),
            ("assume", Shape::Word(&Assume::WORDS)),
        ]),
    ),
    (
        "caller",
        Shape::Object(&[("principal", Shape::Text), ("namespaceRole", Shape::Text), ("ramActions", Shape::Texts)]),
    ),
    (
        "platform",
        Shape::Object(&[
            ("flinkVersion", Shape::Text),
            ("operatorVersion", Shape::Text),
            ("scheduler", Shape::Text),
            ("fileSystems", Shape::Texts),
            ("universalBlobStorage", Shape::Boolean),
            ("flinkConfiguration", Shape::Map),
            ("namespaceLabels", Shape::Map),
        ]),
    ),
    (
        "deployment",
        Shape::Object(&[
            ("specState", Shape::Known(STATES)),
            ("statusState", Shape::Known(STATES)),
            ("specVersion", Shape::Text),
            ("executionMode", Shape::Text),
            ("artifactKind", Shape::Text),
            ("neverStarted", Shape::Boolean),
            ("hasState", Shape::Boolean),
            ("maxParallelism", Shape::Integer),
            ("annotations", Shape::Map),
            ("flinkConfiguration", Shape::Map),
            (
                "restoreStrategy",
                Shape::Object(&[("kind", Shape::Known(RESTORES)), ("allowNonRestoredState", Shape::Boolean)]),
            ),
            ("upgradeStrategy", Shape::Object(&[("kind", Shape::Known(UPGRADES))])),
        ]),
    ),
    ("job", Shape::Object(&[("status", Shape::Known(STATES))])),
    (
        "savepoints",
        Shape::Objects(&[
            ("id", Shape::Text),
            ("deploymentId", Shape::Text),
            ("location", Shape::Text),
            ("origin", Shape::Known(ORIGINS)),
            ("state", Shape::Known(SAVEPOINT_STATES)),
            ("createdAt", Shape::Text),
            ("annotations", Shape::Map),
            ("drained", Shape::Boolean),
            ("claimed", Shape::Boolean),
            ("readable", Shape::Boolean),
            ("format", Shape::Text),
            ("maxParallelism", Shape::Integer),
            ("restoreCandidate", Shape::Boolean),
            ("referencedBy", Shape::Texts),
        ]),
    ),
    ("related", Shape::Anything),
    ("absent", Shape::Objects(&[("kind", Shape::Text), ("namespace", Shape::Text), ("name", Shape::Text)])),
    ("now", Shape::Time),
];

/// Refuses unknown fields and wrong types.
pub(super) fn check(root: Node<'_>) -> Result<(), Failure> {
    if root.is_null() {
        return Ok(());
    }
    if let Some(kind) = root.get("kind")
        && !kind.is("Facts")
    {
        return Err(wrong(kind, format!("expected kind `Facts`, found {}", kind.source())));
    }
    object(root, DOCUMENT)
}

fn object(node: Node<'_>, fields: &[(&'static str, Shape)]) -> Result<(), Failure> {
    if !node.is_object() {
        return Err(wrong(node, format!("expected an object, found {}", node.type_words())));
    }
    for (key, value) in node.members() {
        let name = key.text().unwrap_or_default();
        let Some((_, shape)) = fields.iter().find(|(field, _)| *field == name) else {
            let hint = nearest(&name, fields.iter().map(|(field, _)| *field));
            return Err(wrong(key, format!("unknown fact `{name}`{hint}")));
        };
        if !value.is_null() {
            fits(value, shape, &name)?;
        }
    }
    Ok(())
}

fn fits(value: Node<'_>, shape: &Shape, name: &str) -> Result<(), Failure> {
    let word = value.scalar().unwrap_or_default();
    let (good, wanted) = match shape {
        Shape::Word(words) if !words.contains(&word.as_ref()) => {
            let hint = nearest(&word, words.iter().copied());
            return Err(wrong(value, format!("`{name}` must be one of {}, not `{word}`{hint}", words.join(", "))));
        }
        Shape::Known(words) if !words.contains(&word.as_ref()) && closest(&word, words.iter().copied()).is_some() => {
            let hint = nearest(&word, words.iter().copied());
            return Err(wrong(value, format!("`{name}` has no value `{word}`{hint}")));
        }
        Shape::Time => (Instant::parse(&word).is_some(), "a time such as 2026-11-21T10:00:00Z"),
        Shape::Text | Shape::Word(_) | Shape::Known(_) => (value.scalar().is_some(), "a text"),
        Shape::Boolean => (value.bool().is_some(), "true or false"),
        Shape::Integer => (value.integer().is_some(), "a whole number"),
        Shape::Texts => {
            (value.elements().all(|element| element.scalar().is_some()) && value.is_array(), "a list of texts")
        }
        Shape::Map => (value.is_object(), "an object"),
        Shape::Anything => (true, ""),
        Shape::Object(fields) => return object(value, fields),
        Shape::Objects(fields) if value.is_array() => {
            return value.elements().try_for_each(|element| object(element, fields));
        }
        Shape::Objects(_) => (false, "a list of objects"),
    };
    match good {
        true => Ok(()),
        false => Err(wrong(value, format!("`{name}` must be {wanted}, not {}", value.source()))),
    }
}

fn wrong(node: Node<'_>, message: String) -> Failure {
    Failure {
        kind: FailureKind::BadFacts,
        message: format!("in the facts at `{}`: {message}", node.pointer()),
        offset: Some(node.span().0 as usize),
    }
}

/// Reads only what a caller may say. Of two words, `restart` is the safe one.
pub(super) fn read_intent(root: Node<'_>, facts: &mut Facts<'_>) {
    let said = root.path(&["intent", "restartPlanned"]).and_then(|value| value.bool());
    facts.requester_restart = facts.requester_restart.filter(|planned| *planned).or(said);
}

/// Reads a checked document over what is there.
pub(super) fn read<'d>(root: Node<'d>, facts: &mut Facts<'d>) {
    if let Some(intent) = root.get("intent") {
        flag(intent, "restartPlanned", &mut facts.restart_planned);
        flag(intent, "engineUpgrade", &mut facts.engine_upgrade);
        let assume = intent.get("assume").and_then(|word| Assume::named(&word.scalar()?));
        facts.assume = assume.or(facts.assume);
    }
    if let Some(caller) = root.get("caller") {
        text(caller, "principal", &mut facts.principal);
        text(caller, "namespaceRole", &mut facts.namespace_role);
        texts(caller, "ramActions", &mut facts.ram_actions);
    }
    if let Some(node) = root.get("platform") {
        let platform = &mut facts.platform;
        text(node, "flinkVersion", &mut platform.flink_version);
        text(node, "operatorVersion", &mut platform.operator_version);
        text(node, "scheduler", &mut platform.scheduler);
        texts(node, "fileSystems", &mut platform.file_systems);
        flag(node, "universalBlobStorage", &mut platform.universal_blob_storage);
        map(node, "flinkConfiguration", &mut platform.configuration);
        map(node, "namespaceLabels", &mut platform.namespace_labels);
    }
    if let Some(node) = root.get("deployment") {
        let deployment = &mut facts.deployment;
        text(node, "specState", &mut deployment.spec_state);
        text(node, "statusState", &mut deployment.status_state);
        text(node, "specVersion", &mut deployment.spec_version);
        text(node, "executionMode", &mut deployment.execution_mode);
        text(node, "artifactKind", &mut deployment.artifact_kind);
        flag(node, "neverStarted", &mut deployment.never_started);
        flag(node, "hasState", &mut deployment.has_state);
        integer(node, "maxParallelism", &mut deployment.max_parallelism);
        map(node, "annotations", &mut deployment.annotations);
        map(node, "flinkConfiguration", &mut deployment.configuration);
        if let Some(strategy) = node.get("restoreStrategy") {
            text(strategy, "kind", &mut deployment.restore_kind);
            flag(strategy, "allowNonRestoredState", &mut deployment.allow_non_restored_state);
        }
        if let Some(strategy) = node.get("upgradeStrategy") {
            text(strategy, "kind", &mut deployment.upgrade_kind);
        }
    }
    if let Some(job) = root.get("job") {
        text(job, "status", &mut facts.job_status);
    }
    if let Some(savepoints) = root.get("savepoints") {
        facts.savepoints = Some(savepoints.elements().map(savepoint).collect::<Vec<_>>().into());
    }
    if let Some(related) = root.get("related") {
        facts.related = related.elements().collect();
    }
    if let Some(absent) = root.get("absent") {
        let word = |node: Node<'d>, name: &str| node.get(name).and_then(|value| value.scalar()).unwrap_or_default();
        let read = |node: Node<'d>| Absent {
            kind: word(node, "kind"),
            namespace: word(node, "namespace"),
            name: word(node, "name"),
        };
        facts.absent = absent.elements().map(read).collect();
    }
    text(root, "now", &mut facts.now);
}

fn savepoint(node: Node<'_>) -> Savepoint<'_> {
    let word = |name: &str| node.get(name).and_then(|value| value.scalar());
    let flag = |name: &str| node.get(name).and_then(|value| value.bool());
    Savepoint {
        id: word("id"),
        deployment_id: word("deploymentId"),
        location: word("location"),
        origin: word("origin"),
        state: word("state"),
        created_at: word("createdAt"),
        annotations: node.get("annotations"),
        drained: flag("drained"),
        claimed: flag("claimed"),
        readable: flag("readable"),
        format: word("format"),
        max_parallelism: node.get("maxParallelism").and_then(|value| value.integer()),
        restore_candidate: flag("restoreCandidate"),
        referenced_by: node
            .get("referencedBy")
            .map(|list| list.elements().filter_map(|element| element.scalar()).collect()),
    }
}

fn text<'d>(node: Node<'d>, name: &str, slot: &mut Option<Cow<'d, str>>) {
    if let Some(value) = node.get(name).and_then(|value| value.scalar()) {
        *slot = Some(value);
    }
}

fn texts<'d>(node: Node<'d>, name: &str, slot: &mut Option<Vec<Cow<'d, str>>>) {
    if let Some(value) = node.get(name) {
        *slot = Some(value.elements().filter_map(|element| element.scalar()).collect());
    }
}

fn flag(node: Node<'_>, name: &str, slot: &mut Option<bool>) {
    if let Some(value) = node.get(name).and_then(|value| value.bool()) {
        *slot = Some(value);
    }
}

fn integer(node: Node<'_>, name: &str, slot: &mut Option<i64>) {
    if let Some(value) = node.get(name).and_then(|value| value.integer()) {
        *slot = Some(value);
    }
}

fn map<'d>(node: Node<'d>, name: &str, slot: &mut Option<Node<'d>>) {
    if let Some(value) = node.get(name) {
        *slot = Some(value);
    }
}
