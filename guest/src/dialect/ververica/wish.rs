//! What a deployment's body asks for, laid over what the facts know is stored: desired state, strategies, the sticky
//! drain switch, and whether the template changes.

use super::body::{Body, Given, differs, is_empty};
use super::fields::DRAIN;
use crate::dialect::managed::{choice, flag, restore};
use crate::document::Node;
use crate::operation::{Oddity, OddityKind, Place, Restore, Stage, Target};

const STATES: &[&str] = &["RUNNING", "SUSPENDED", "CANCELLED"];
const UPGRADES: &[&str] = &["STATEFUL", "STATELESS", "NONE"];
const RESTORES: &[&str] = &["LATEST_STATE", "LATEST_SAVEPOINT", "NONE"];

const SPEC: &[&str] = &["spec"];
const STATE: &[&str] = &["spec", "state"];
const UPGRADE: &[&str] = &["spec", "upgradeStrategy", "kind"];
const RESTORE: &[&str] = &["spec", "restoreStrategy", "kind"];
const ALLOW: &[&str] = &["spec", "restoreStrategy", "allowNonRestoredState"];
const TEMPLATE: &[&str] = &["spec", "template"];
const CONFIGURATION: &[&str] = &["spec", "template", "spec", "flinkConfiguration"];

/// What is asked for. A field is `None` when neither the body nor the facts say it.
pub(super) struct Wish<'d> {
    /// The desired state, if the body gives one that the platform knows.
    pub(super) state: Option<&'static str>,
    /// Where the desired state stands, known or not.
    pub(super) state_node: Option<Node<'d>>,
    pub(super) upgrade: Option<&'static str>,
    pub(super) upgrade_node: Option<Node<'d>>,
    pub(super) restore: Restore<'d>,
    pub(super) restore_node: Option<Node<'d>>,
    pub(super) allow_non_restored_state: Option<bool>,
    /// Where the body turns that flag on.
    pub(super) allow_node: Option<Node<'d>>,
    /// Every suspend and stateful upgrade drains after this request.
    pub(super) drains: bool,
    /// Where the body says so.
    pub(super) drain_node: Option<Node<'d>>,
    /// The drain switch is turned on by this request.
    pub(super) turns_drain_on: bool,
    /// The template, if the body changes it.
    pub(super) template: Option<Node<'d>>,
    /// The body says something of the job's configuration.
    pub(super) configures: bool,
    /// The body says something else that is stored.
    pub(super) other: Option<Node<'d>>,
}

impl<'d> Wish<'d> {
    /// Reads the body, and lays its configuration over the stage's.
    pub(super) fn read(body: &Body<'d>, target: &Target<'_>, stage: &mut Stage<'d>) -> Self {
        let state_node = body.value(STATE);
        let state = state_node.and_then(|node| choice(node, "spec.state", STATES, stage));
        if let Some(null) = body.null(STATE).or_else(|| body.null(SPEC)) {
            stage.oddities.push(
                Oddity::new(
                    OddityKind::UnknownEnumValue,
                    Place::Body(null),
                    "null takes the desired state away: the deployment's defaults then decide whether the job runs",
                    "give `spec.state`, or leave it out",
                )
                .observed("null")
                .expected(STATES.join(", "))
                .warn(),
            );
        }
        let stored = stage.facts.deployment.upgrade_kind.as_deref().and_then(|word| among(word, UPGRADES));
        let upgrade = kind(body, UPGRADE, "spec.upgradeStrategy.kind", UPGRADES, stored, stage);
        let stored = stage.facts.deployment.restore_kind.as_deref().and_then(|word| among(word, RESTORES));
        let strategy = kind(body, RESTORE, "spec.restoreStrategy.kind", RESTORES, stored, stage);
        let stored = stage.facts.deployment.allow_non_restored_state;
        let (allow, allow_node) = match body.given(ALLOW) {
            Given::Value(node) => (flag(node, "spec.restoreStrategy.allowNonRestoredState", stage), Some(node)),
            Given::Kept => (stored, None),
            Given::Removed => (None, None),
        };
        configure(body, stage);
        let drained = stored_drain(stage);
        let (drains, drain_node) = match body.given(&[body.metadata, "annotations", DRAIN]) {
            Given::Value(node) => (drain(node, stage), Some(node)),
            Given::Kept => (drained, None),
            Given::Removed => (false, None),
        };
        Self {
            state,
            state_node,
            upgrade,
            upgrade_node: body.value(UPGRADE),
            restore: strategy.map_or(Restore::Unknown, |kind| restore(kind, None)),
            restore_node: body.value(RESTORE),
            allow_non_restored_state: allow,
            allow_node: allow_node.filter(|_| allow == Some(true) && stored != Some(true)),
            drains,
            drain_node,
            turns_drain_on: drain_node.is_some() && drains && !drained,
            template: changed_template(body, target, stage),
            configures: !matches!(body.given(CONFIGURATION), Given::Kept),
            other: other(body),
        }
    }
}

/// Whether the drain switch is on as the facts know it.
pub(super) fn stored_drain(stage: &Stage<'_>) -> bool {
    stage.facts.deployment.annotations.and_then(|annotations| annotations.get(DRAIN)).is_some_and(is_on)
}

/// The kind of a strategy: the body's, else the stored one.
fn kind<'d>(
    body: &Body<'d>,
    path: &[&str],
    field: &str,
    values: &'static [&'static str],
    stored: Option<&'static str>,
    stage: &mut Stage<'d>,
) -> Option<&'static str> {
    match body.given(path) {
        Given::Value(node) => choice(node, field, values, stage),
        Given::Kept => stored,
        Given::Removed => None,
    }
}

fn among(word: &str, values: &'static [&'static str]) -> Option<&'static str> {
    values.iter().find(|value| **value == word).copied()
}

/// The configuration that applies after this request.
fn configure<'d>(body: &Body<'d>, stage: &mut Stage<'d>) {
    let stored = stage.facts.deployment.configuration;
    match body.given(CONFIGURATION) {
        Given::Kept => return fill_configuration(stored, stage),
        Given::Removed => fill_configuration(None, stage),
        Given::Value(map) if body.whole => fill_configuration(Some(map), stage),
        Given::Value(patch) => {
            fill_configuration(None, stage);
            stage.current.configuration.overlay_patched(stored, patch);
            stage.current.configuration_complete = stored.is_some();
            return;
        }
    }
    stage.current.configuration_complete = true;
}

/// The platform's configuration, and the deployment's over it.
pub(super) fn fill_configuration<'d>(own: Option<Node<'d>>, stage: &mut Stage<'d>) {
    let current = &mut stage.current;
    current.configuration_complete = own.is_some();
    for map in stage.facts.platform.configuration.into_iter().chain(own) {
        current.configuration.overlay(map);
    }
}

/// The template, unless the deployment is known and stays as it is.
fn changed_template<'d>(body: &Body<'d>, target: &Target<'_>, stage: &Stage<'_>) -> Option<Node<'d>> {
    if let Some(null) = body.null(TEMPLATE).or_else(|| body.null(SPEC)) {
        return Some(null);
    }
    let template = body.value(TEMPLATE).filter(|template| !is_empty(*template))?;
    let stored = stage.facts.related.iter().find(|resource| {
        let named = |key: &str| resource.path(&["metadata", key]).is_some_and(|node| node.is(&target.name));
        resource.get("kind").is_some_and(|kind| kind.is("Deployment")) && (named("id") || named("name"))
    });
    match body.stored.or(stored.copied()).and_then(|resource| resource.path(TEMPLATE)) {
        Some(stored) => differs(template, stored).then_some(template),
        None => Some(template),
    }
}

/// Something that is stored besides the desired state and the template.
fn other<'d>(body: &Body<'d>) -> Option<Node<'d>> {
    let stored = |(key, value): (Node<'d>, Node<'d>)| {
        (!(key.is("state") || key.is("template") || is_empty(value))).then_some(value)
    };
    let spec = body.value(&["spec"]).and_then(|spec| spec.members().find_map(stored));
    // Only these of the metadata are the user's (DOMAIN 1.1).
    let user = |name: &&str| body.value(&[body.metadata, name]).filter(|node| !is_empty(*node));
    spec.or_else(|| ["annotations", "labels", "displayName"].iter().find_map(user))
}

/// Reads the drain switch. The platform's own spelling is `"true"`; what looks like it is taken for it and refused.
fn drain<'d>(node: Node<'d>, stage: &mut Stage<'d>) -> bool {
    if node.bool().is_none() {
        choice(node, DRAIN, &["true", "false"], stage);
    }
    is_on(node)
}

fn is_on(node: Node<'_>) -> bool {
    node.scalar().is_some_and(|word| word.trim().eq_ignore_ascii_case("true"))
}
