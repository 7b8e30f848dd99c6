//! The fields of Ververica's resources (DOMAIN 1.3, 1.5). Clients send back what they read, so a field that is not
//! known here is only noted; one that looks like a known field would be dropped by the platform, and is refused.

use super::body::Body;
use crate::dialect::managed::{fields, wrong_type};
use crate::document::Node;
use crate::nearest::closest;
use crate::operation::{Oddity, OddityKind, Place, Stage};

/// What the platform's own annotations of a deployment start with.
const PREFIX: &str = "com.dataartisans.appmanager.controller.deployment.";
/// The sticky drain switch (DOMAIN 1.7).
pub(super) const DRAIN: &str = "com.dataartisans.appmanager.controller.deployment.stop-with-drain";
/// The version of the deployment's spec that a savepoint belongs to.
pub(super) const SPEC_VERSION: &str = "com.dataartisans.appmanager.controller.deployment.spec.version";

const ANNOTATIONS: &[&str] = &["spec.version", "transitioning", "transitioning.since", "stop-with-drain"];

const METADATA: &[&str] =
    &["id", "name", "displayName", "namespace", "createdAt", "modifiedAt", "labels", "annotations", "resourceVersion"];
const SPEC: &[&str] = &[
    "state",
    "upgradeStrategy",
    "restoreStrategy",
    "deploymentTargetId",
    "deploymentTargetName",
    "sessionClusterName",
    "maxSavepointCreationAttempts",
    "maxJobCreationAttempts",
    "jobFailureExpirationTime",
    "template",
    // Not of this version; named here because they resemble the others.
    "deploymentTarget",
    "sessionClusterId",
];
/// Fields of `spec` that people put beside it.
const MISPLACED: &[&str] = &["state", "upgradeStrategy", "restoreStrategy", "template"];
const TEMPLATE_SPEC: &[&str] =
    &["artifact", "parallelism", "numberOfTaskManagers", "resources", "flinkConfiguration", "logging", "kubernetes"];

/// Looks through a deployment's body.
pub(super) fn check_deployment<'d>(body: &Body<'d>, stage: &mut Stage<'d>) {
    for (name, node) in MISPLACED.iter().filter_map(|name| body.root.get(name).map(|node| (name, node))) {
        let message = format!("`{name}` belongs below `spec`: here the platform would drop it without a word");
        let remedy = format!("give it as `spec.{name}`");
        let oddity = Oddity::new(OddityKind::UnknownLifecycleField, Place::Body(node), message, remedy);
        stage.oddities.push(oddity.observed(format!("`{name}`")).expected(format!("spec.{name}")));
    }
    resource(body.root, body.metadata, METADATA, MISPLACED, stage);
    for name in ["maxSavepointCreationAttempts", "maxJobCreationAttempts"] {
        let node = body.value(&["spec", name]);
        let number = node.and_then(|node| node.scalar()?.trim().parse::<i64>().ok());
        if let Some(node) = node.filter(|_| number.is_some_and(|number| number < 1)) {
            let message = format!("`{name}` allows no attempt at all: what needs one never happens");
            let remedy = format!("set `spec.{name}` to 1 or more; 4 is usual");
            let oddity = Oddity::new(OddityKind::MaxAttemptsNotPositive, Place::Body(node), message, remedy);
            stage.oddities.push(oddity.observed(node.source()).expected("1 or more"));
        }
    }
    let objects: &[(&[&str], &str, &[&'static str])] = &[
        // Among them `spec.status`, a real bug of a client (vvpctl): it resembles `state`, and nothing would stop.
        (&["spec"], "spec", SPEC),
        (&["spec", "upgradeStrategy"], "spec.upgradeStrategy", &["kind"]),
        (&["spec", "restoreStrategy"], "spec.restoreStrategy", &["kind", "allowNonRestoredState"]),
        (&["spec", "template"], "spec.template", &["metadata", "spec"]),
        (&["spec", "template", "spec"], "spec.template.spec", TEMPLATE_SPEC),
    ];
    for (path, name, known) in objects {
        if let Some(node) = object(body.value(path), name, stage) {
            fields(node, &format!("`{name}`"), known, stage);
        }
    }
    let configuration = "spec.template.spec.flinkConfiguration";
    object(body.value(&["spec", "template", "spec", "flinkConfiguration"]), configuration, stage);
}

/// Looks through a savepoint's body.
pub(super) fn check_savepoint<'d>(root: Node<'d>, stage: &mut Stage<'d>) {
    const METADATA: &[&str] = &[
        "id",
        "name",
        "namespace",
        "createdAt",
        "modifiedAt",
        "deploymentId",
        "jobId",
        "origin",
        "type",
        "labels",
        "annotations",
        "resourceVersion",
    ];
    resource(root, "metadata", METADATA, &[], stage);
    if let Some(spec) = object(root.get("spec"), "spec", stage) {
        fields(spec, "`spec`", &["savepointLocation", "flinkSavepointId"], stage);
    }
    if let Some(status) = object(root.get("status"), "status", stage) {
        fields(status, "`status`", &["state", "failure"], stage);
    }
}

/// What all resources have. `told`: members that are reported already.
fn resource<'d>(
    root: Node<'d>,
    name: &'static str,
    metadata: &[&'static str],
    told: &[&'static str],
    stage: &mut Stage<'d>,
) {
    fields(root, "the resource", &[&["apiVersion", "kind", name, "spec", "status"], told].concat(), stage);
    let Some(node) = object(root.get(name), name, stage) else { return };
    fields(node, &format!("`{name}`"), metadata, stage);
    let Some(annotations) = object(node.get("annotations"), "annotations", stage) else { return };
    for (key, value) in annotations.members().filter(|(_, value)| !value.is_null()) {
        let name = key.text().unwrap_or_default();
        let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| !ANNOTATIONS.contains(rest)) else { continue };
        if let Some(candidate) = closest(rest, ANNOTATIONS.iter().copied()) {
            let message = format!("the platform reads no annotation `…{rest}`: it would have no effect");
            let remedy = format!("write `{PREFIX}{candidate}`, or remove it");
            let oddity = Oddity::new(OddityKind::UnknownLifecycleField, Place::Body(value), message, remedy);
            stage.oddities.push(oddity.observed(format!("`{name}`")).expected(format!("{PREFIX}{candidate}")));
            // One is enough to refuse, and there may be thousands.
            return;
        }
    }
}

/// A member that must be an object.
fn object<'d>(node: Option<Node<'d>>, field: &str, stage: &mut Stage<'d>) -> Option<Node<'d>> {
    let node = node?;
    if !node.is_object() {
        stage.oddities.push(wrong_type(node, field, "an object"));
        return None;
    }
    Some(node)
}
