//! Flink configuration: flattened, layered, and looked up through the older spellings that Flink still accepts.
//! Keys and their order of look-up: DOMAIN 3.6.

use std::borrow::Cow;

use crate::document::Node;

/// An option with its spellings, the current one first: Flink looks them up in this order.
pub type Key = &'static [&'static str];

pub const SAVEPOINT_DIRECTORY: Key =
    &["execution.checkpointing.savepoint-dir", "state.savepoints.dir", "savepoints.state.backend.fs.dir"];
pub const CHECKPOINT_DIRECTORY: Key =
    &["execution.checkpointing.dir", "state.checkpoints.dir", "state.backend.fs.checkpointdir"];
pub const HIGH_AVAILABILITY: Key = &["high-availability.type", "recovery.mode", "high-availability"];
pub const RETENTION: Key = &["execution.checkpointing.externalized-checkpoint-retention"];
pub const RECOVERY_PATH: Key = &["execution.state-recovery.path", "execution.savepoint.path"];
pub const CLAIM_MODE: Key = &["execution.state-recovery.claim-mode", "execution.savepoint-restore-mode"];
pub const IGNORE_UNCLAIMED_STATE: Key =
    &["execution.state-recovery.ignore-unclaimed-state", "execution.savepoint.ignore-unclaimed-state"];
pub const DRAIN_ON_SAVEPOINT: Key = &["kubernetes.operator.job.drain-on-savepoint-deletion"];
pub const SAVEPOINT_ON_DELETION: Key = &["kubernetes.operator.job.savepoint-on-deletion"];
pub const IN_PLACE_SCALING: Key = &["kubernetes.operator.job.upgrade.inplace-scaling.enabled"];
pub const CHECKPOINT_INTERVAL: Key = &["execution.checkpointing.interval"];
pub const LAST_STATE_CANCEL: Key = &["kubernetes.operator.job.upgrade.last-state.job-cancel.enabled"];
pub const IGNORE_PENDING_SAVEPOINT: Key = &["kubernetes.operator.job.upgrade.ignore-pending-savepoint"];
pub const LAST_STATE_FALLBACK: Key = &["kubernetes.operator.job.upgrade.last-state-fallback.enabled"];
pub const MAX_CHECKPOINT_AGE: Key = &["kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age"];
pub const PERIODIC_SAVEPOINT: Key = &["kubernetes.operator.periodic.savepoint.interval"];
pub const ROLLBACK: Key = &["kubernetes.operator.deployment.rollback.enabled"];
pub const HEALTH_CHECK: Key = &["kubernetes.operator.cluster.health-check.enabled"];
pub const DEPLOYMENT_RECOVERY: Key = &["kubernetes.operator.jm-deployment-recovery.enabled"];

/// Layers of configuration, the weakest first.
#[derive(Debug, Default)]
pub struct Configuration<'d> {
    entries: Vec<Entry<'d>>,
}

/// One key with its value.
#[derive(Clone, Debug)]
pub struct Entry<'d> {
    /// The flattened key, as spelt.
    pub key: Cow<'d, str>,
    /// The value as Flink would see it: a text.
    pub value: Cow<'d, str>,
    /// Where it stands.
    pub node: Node<'d>,
    /// It comes from this layer, counted from the weakest.
    pub layer: usize,
}

impl<'d> Configuration<'d> {
    /// Puts a map on top: its keys win over the same keys below. Nested maps are flattened with `.`, lists joined
    /// with `;` (DOMAIN 4.1).
    pub fn overlay(&mut self, map: Node<'d>) {
        let layer = self.entries.last().map_or(0, |entry| entry.layer + 1);
        self.flatten(map, "", layer);
    }

    /// Puts a stored map on top as a JSON merge patch leaves it: a null takes the key out of that map, and what lies
    /// below shows again.
    pub fn overlay_patched(&mut self, stored: Option<Node<'d>>, patch: Node<'d>) {
        let below = self.entries.len();
        stored.into_iter().for_each(|map| self.overlay(map));
        let mut kept = self.entries.split_off(below);
        for (key, _) in patch.members().filter(|(_, value)| value.is_null()) {
            kept.retain(|entry| !key.is(&entry.key));
        }
        self.entries.append(&mut kept);
        self.overlay(patch);
    }

    fn flatten(&mut self, map: Node<'d>, prefix: &str, layer: usize) {
        for (key, node) in map.members() {
            let Some(name) = key.text() else { continue };
            let key = if prefix.is_empty() { name } else { Cow::Owned(format!("{prefix}.{name}")) };
            if node.is_object() {
                self.flatten(node, &key, layer);
            } else if node.is_array() {
                let parts: Vec<_> = node.elements().filter_map(|element| element.scalar()).collect();
                self.entries.push(Entry { key, value: Cow::Owned(parts.join(";")), node, layer });
            } else if let Some(value) = node.scalar() {
                self.entries.push(Entry { key, value, node, layer });
            }
        }
    }

    /// The entry that Flink would use: the first spelling that is present in any layer, from the topmost layer.
    pub fn entry(&self, key: Key) -> Option<&Entry<'d>> {
        key.iter().find_map(|name| self.entries.iter().rev().find(|entry| entry.key == *name))
    }

    /// The value that Flink would use.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.entry(key).map(|entry| entry.value.as_ref())
    }

    /// The value, unless it is blank: a blank directory is none.
    pub fn present(&self, key: Key) -> Option<&str> {
        self.get(key).filter(|value| !value.trim().is_empty())
    }

    /// Whether a boolean option is on. Flink reads `true` and `false` in any case, and fails on anything else.
    pub fn is_on(&self, key: Key) -> Option<bool> {
        self.get(key).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether high availability is on: any word but these two, even an empty one, switches it on (DOMAIN 4.5). `None`:
    /// nothing is said.
    pub fn is_highly_available(&self) -> Option<bool> {
        let off = |word: &str| word.eq_ignore_ascii_case("NONE") || word.eq_ignore_ascii_case("standalone");
        self.get(HIGH_AVAILABILITY).map(|word| !off(word))
    }

    /// All entries, the weakest layer first.
    pub fn entries(&self) -> &[Entry<'d>] {
        &self.entries
    }
}
