//! Flink configuration: flattened, layered, and looked up through the older spellings that Flink still accepts.
//! Keys and their order of look-up: DOMAIN 3.6.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::document::{Node, Slots, equal};
use crate::location::SavepointLocation;

/// An option with its spellings, the current one first: Flink looks them up in this order.
pub type Key = &'static [&'static str];

pub const SAVEPOINT_DIRECTORY: Key =
    &["execution.checkpointing.savepoint-dir", "state.savepoints.dir", "savepoints.state.backend.fs.dir"];
pub const CHECKPOINT_DIRECTORY: Key =
    &["execution.checkpointing.dir", "state.checkpoints.dir", "state.backend.fs.checkpointdir"];
pub const HIGH_AVAILABILITY: Key = &["high-availability.type", "recovery.mode", "high-availability"];
pub const CHECKPOINT_INTERVAL: Key = &["execution.checkpointing.interval"];
pub const HA_STORAGE: Key =
    &["high-availability.storageDir", "high-availability.zookeeper.storageDir", "recovery.zookeeper.storageDir"];
pub const STATE_BACKEND: Key = &["state.backend.type", "state.backend"];
pub const MAX_PARALLELISM: Key = &["pipeline.max-parallelism"];
pub const SAVEPOINT_FORMAT: Key = &["kubernetes.operator.savepoint.format.type"];
pub const RETENTION: Key = &["execution.checkpointing.externalized-checkpoint-retention"];
pub const RECOVERY_PATH: Key = &["execution.state-recovery.path", "execution.savepoint.path"];
pub const CLAIM_MODE: Key = &["execution.state-recovery.claim-mode", "execution.savepoint-restore-mode"];
pub const IGNORE_UNCLAIMED_STATE: Key =
    &["execution.state-recovery.ignore-unclaimed-state", "execution.savepoint.ignore-unclaimed-state"];
pub const DRAIN_ON_SAVEPOINT: Key = &["kubernetes.operator.job.drain-on-savepoint-deletion"];
pub const SAVEPOINT_ON_DELETION: Key = &["kubernetes.operator.job.savepoint-on-deletion"];
pub const IN_PLACE_SCALING: Key = &["kubernetes.operator.job.upgrade.inplace-scaling.enabled"];
pub const LAST_STATE_CANCEL: Key = &["kubernetes.operator.job.upgrade.last-state.job-cancel.enabled"];
pub const IGNORE_PENDING_SAVEPOINT: Key = &["kubernetes.operator.job.upgrade.ignore-pending-savepoint"];
pub const LAST_STATE_FALLBACK: Key = &["kubernetes.operator.job.upgrade.last-state-fallback.enabled"];
pub const MAX_CHECKPOINT_AGE: Key = &["kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age"];
pub const PERIODIC_SAVEPOINT: Key = &["kubernetes.operator.periodic.savepoint.interval"];
pub const ROLLBACK: Key = &["kubernetes.operator.deployment.rollback.enabled"];
pub const HEALTH_CHECK: Key = &["kubernetes.operator.cluster.health-check.enabled"];
pub const DEPLOYMENT_RECOVERY: Key = &["kubernetes.operator.jm-deployment-recovery.enabled"];

/// Where a job keeps its state.
pub const STATE_DIRECTORIES: [Key; 3] = [CHECKPOINT_DIRECTORY, SAVEPOINT_DIRECTORY, HA_STORAGE];

/// Every option that has older spellings (DOMAIN 3.6).
pub const RENAMED: [Key; 15] = [
    SAVEPOINT_DIRECTORY,
    CHECKPOINT_DIRECTORY,
    &["execution.checkpointing.num-retained", "state.checkpoints.num-retained"],
    &["execution.checkpointing.storage", "state.checkpoint-storage"],
    &["execution.checkpointing.incremental", "state.backend.incremental"],
    &["execution.checkpointing.unaligned.enabled", "execution.checkpointing.unaligned"],
    RECOVERY_PATH,
    IGNORE_UNCLAIMED_STATE,
    CLAIM_MODE,
    STATE_BACKEND,
    &["state.changelog.enabled", "state.backend.changelog.enabled"],
    HIGH_AVAILABILITY,
    HA_STORAGE,
    &[
        "high-availability.cluster-id",
        "high-availability.zookeeper.path.namespace",
        "recovery.zookeeper.path.namespace",
    ],
    &["restart-strategy.type", "restart-strategy"],
];

/// Layers of configuration, the weakest first.
#[derive(Debug, Default)]
pub struct Configuration<'d> {
    entries: Vec<Entry<'d>>,
}

/// So many keys are found faster by looking at each than through a map, whose comparisons go byte by byte in WebAssembly.
pub const FEW: usize = 48;

/// The entries by their names, each the topmost of its name.
#[derive(Debug)]
pub struct Places<'c, 'd> {
    configuration: &'c Configuration<'d>,
    slots: Option<Slots<'c>>,
}

impl<'c, 'd> Places<'c, 'd> {
    /// The entry of exactly this spelling that counts.
    #[inline(never)]
    pub fn last(&self, name: &str) -> Option<&'c Entry<'d>> {
        match &self.slots {
            Some(slots) => self.configuration.entries.get(*slots.get(name)?),
            None => self.configuration.last(name),
        }
    }

    /// The entries that count, in their order.
    pub fn all(&self) -> impl Iterator<Item = &'c Entry<'d>> {
        let counts = |entry: &&'c Entry<'d>| self.last(&entry.key).is_some_and(|last| std::ptr::eq(last, *entry));
        self.configuration.entries.iter().filter(counts)
    }
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
    #[inline(never)]
    pub fn overlay(&mut self, map: Node<'d>) {
        self.flatten(map, "", self.next_layer());
    }

    /// Puts a stored map on top as a JSON merge patch leaves it: a null takes the key out of that map, and what lies
    /// below shows again.
    pub fn overlay_patched(&mut self, stored: Option<Node<'d>>, patch: Node<'d>) {
        let layer = self.next_layer();
        let below = self.entries.len();
        stored.into_iter().for_each(|map| self.flatten(map, "", layer));
        let mut kept = self.entries.split_off(below);
        self.flatten(patch, "", layer);
        let mut replaced: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        for entry in self.entries.get(below..).unwrap_or_default() {
            replaced.insert(entry.key.clone());
        }
        for (key, _) in patch.members().filter(|(_, value)| value.is_null()) {
            replaced.extend(key.text());
        }
        kept.retain(|entry| !replaced.contains(&entry.key));
        self.entries.splice(below..below, kept);
    }

    fn next_layer(&self) -> usize {
        self.entries.last().map_or(0, |entry| entry.layer + 1)
    }

    fn flatten(&mut self, map: Node<'d>, prefix: &str, layer: usize) {
        // Flink lists the configuration of a cluster as `{key, value}`.
        for entry in map.elements() {
            let pair = (entry.get("key").and_then(|key| key.text()), entry.get("value"));
            if let (Some(key), Some((node, value))) = (pair.0, pair.1.and_then(|node| Some((node, node.scalar()?)))) {
                self.entries.push(Entry { key, value, node, layer });
            }
        }
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
    #[inline(never)]
    pub fn entry(&self, key: Key) -> Option<&Entry<'d>> {
        key.iter().find_map(|name| self.last(name))
    }

    /// The topmost entry of exactly this spelling.
    #[inline(always)]
    fn last(&self, name: &str) -> Option<&Entry<'d>> {
        self.entries.iter().rev().find(|entry| equal(entry.key.as_bytes(), name.as_bytes()))
    }

    /// For looking many keys up.
    pub fn places(&self) -> Places<'_, 'd> {
        Places { configuration: self, slots: (self.entries.len() > FEW).then(|| self.slots()) }
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
        self.entry(HIGH_AVAILABILITY).map(|_| self.has_high_availability())
    }

    /// The entry of a directory that lies on a local disk, with its path. Without a scheme it is what
    /// `fs.default-scheme` says.
    pub fn local_directory(&self, key: Key) -> Option<(&Entry<'d>, &str)> {
        let entry = self.entry(key)?;
        let location = SavepointLocation::parse(entry.value.trim()).ok()?;
        let elsewhere = location.scheme().is_none() && self.present(&["fs.default-scheme"]).is_some();
        location.local_path().filter(|_| !elsewhere).map(|path| (entry, path))
    }

    /// Whether Flink counts high availability as on: whatever is neither `NONE` nor `standalone`, even an empty word.
    pub fn has_high_availability(&self) -> bool {
        let off = |word: &str| word.eq_ignore_ascii_case("NONE") || word.eq_ignore_ascii_case("standalone");
        self.get(HIGH_AVAILABILITY).is_some_and(|word| !off(word))
    }

    /// The number that the job's max parallelism is set to; without one, or with -1, Flink derives it.
    pub fn max_parallelism(&self) -> Option<(i64, &Entry<'d>)> {
        let entry = self.entry(MAX_PARALLELISM)?;
        let number = entry.value.trim().parse().ok().filter(|number| *number > 0)?;
        Some((number, entry))
    }

    /// Whether the last checkpoint is kept when the job is cancelled; `None`: nothing is said.
    pub fn retains(&self) -> Option<bool> {
        self.present(RETENTION).map(|word| word.trim().eq_ignore_ascii_case("RETAIN_ON_CANCELLATION"))
    }

    /// Each key with the place of its last entry.
    #[inline(never)]
    fn slots(&self) -> Slots<'_> {
        let mut slots = Slots::new();
        for (at, entry) in self.entries.iter().enumerate() {
            slots.insert(Cow::Borrowed(entry.key.as_ref()), at);
        }
        slots
    }

    /// All entries, the weakest layer first.
    pub fn entries(&self) -> &[Entry<'d>] {
        &self.entries
    }
}
