//! Savepoints: a POST without a location takes one, a POST with a location makes an existing one known
//! (DOMAIN 1.5, S2-6).

use super::fields::{SPEC_VERSION, check_savepoint};
use super::fill_current;
use crate::dialect::managed::{push, required, wrong_type};
use crate::document::Node;
use crate::operation::{Action, Place, Registration, Stage, Target, Trigger};

/// Takes a savepoint, or registers one.
pub(super) fn create<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fill_current(stage);
    check_savepoint(root, stage);
    let why = "the platform cannot tell which deployment the savepoint belongs to";
    let metadata = root.get("metadata").unwrap_or(root);
    required(metadata, "deploymentId", "metadata.deploymentId", why, stage);
    let location = root.path(&["spec", "savepointLocation"]);
    if let Some(node) = location.filter(|node| !node.is_string()) {
        stage.oddities.push(wrong_type(node, "spec.savepointLocation", "a text"));
    }
    let action = match location {
        None => Action::Trigger(Trigger { checkpoint: false, directory: None, native: false }),
        Some(_) => Action::Register(Registration {
            resource: root,
            location,
            spec_version: root.path(&["metadata", "annotations", SPEC_VERSION]),
            origin: root.path(&["metadata", "origin"]),
            state: root.path(&["status", "state"]),
            flink_savepoint_id: root.path(&["spec", "flinkSavepointId"]),
        }),
    };
    push(stage, action, target, location.map_or(Place::Body(root), Place::Body));
}
