//! What a changed spec does to a job that runs, field by field: the operator's own table (DOMAIN 4.1, "What a changed
//! field does").

use crate::configuration::Configuration;
use crate::document::{Node, all, counterpart};
use crate::number;
use crate::operation::Spec;

/// What changed between two specs, in the operator's categories. Each holds the place in the new spec.
#[derive(Debug, Default)]
pub(super) struct Difference<'d> {
    /// The job is stopped and started again.
    pub(super) upgrade: Option<Node<'d>>,
    /// The job is scaled, in place where the platform can.
    pub(super) scale: Option<Node<'d>>,
    /// Nothing happens now.
    pub(super) ignored: Option<Node<'d>>,
    /// The job is thrown back to `initialSavepointPath`.
    pub(super) redeploy: Option<Node<'d>>,
    /// A savepoint is taken of the running job.
    pub(super) savepoint: Option<Node<'d>>,
    /// A checkpoint is taken of the running job.
    pub(super) checkpoint: Option<Node<'d>>,
    /// `job.state` changed.
    pub(super) state: Option<Node<'d>>,
    /// The cluster gets a job, or loses the one it has.
    pub(super) cluster_type: bool,
    /// More changed than `job.state` and `job.upgradeMode`.
    pub(super) more: bool,
    /// The Flink version changed, which turns a last-state upgrade of a running job into one with a savepoint.
    pub(super) flink_version: bool,
}

impl<'d> Difference<'d> {
    /// Compares a spec with the one it replaces.
    pub(super) fn between(old: Spec<'_>, new: Spec<'d>) -> Self {
        let mut difference = Self::default();
        let Some(root) = new.node else { return difference };
        each_changed(old.node, root, |name, before, after| difference.field(name, before, after, root, new));
        difference
    }

    /// The place of what matters most.
    pub(super) fn place(&self) -> Option<Node<'d>> {
        [self.state, self.redeploy, self.upgrade, self.scale, self.savepoint, self.checkpoint, self.ignored]
            .into_iter()
            .flatten()
            .next()
    }

    fn field(&mut self, name: &str, old: Option<Node<'_>>, new: Option<Node<'d>>, root: Node<'d>, spec: Spec<'d>) {
        let here = new.unwrap_or(root);
        self.more |= name != "job" && name != "flinkConfiguration" || old.is_none() || new.is_none();
        match (name, old, new) {
            ("job", Some(old), Some(new)) => each_changed(Some(old), new, |name, before, after| {
                self.job_field(name, before, after, new);
            }),
            ("job", ..) => {
                self.cluster_type = true;
                self.ignored.get_or_insert(here);
            }
            ("flinkConfiguration", ..) => self.configuration(old, new, here),
            // Removing the nonce does nothing.
            ("restartNonce", _, None) => {
                self.ignored.get_or_insert(here);
            }
            // One JobManager is the default that the serializer writes out.
            ("jobManager", Some(old), Some(new)) => each_changed(Some(old), new, |name, before, after| {
                if name != "replicas" || replicas(before) != replicas(after) {
                    self.upgrade.get_or_insert(after.unwrap_or(new));
                }
            }),
            ("taskManager", Some(old), Some(new)) => each_changed(Some(old), new, |name, _, after| {
                let here = after.unwrap_or(new);
                match name {
                    "replicas" if spec.is_standalone() => self.scale.get_or_insert(here),
                    _ => self.upgrade.get_or_insert(here),
                };
            }),
            _ => {
                self.flink_version |= name == "flinkVersion";
                self.upgrade.get_or_insert(here);
            }
        }
    }

    fn job_field(&mut self, name: &str, old: Option<Node<'_>>, new: Option<Node<'d>>, job: Node<'d>) {
        let here = new.unwrap_or(job);
        let slot = match (name, new) {
            // Absent means running: only a real change counts.
            ("state", _) if Spec::desired_by(old) == Spec::desired_by(new) => return,
            ("state", _) => &mut self.state,
            ("upgradeMode", _) => &mut self.ignored,
            ("savepointTriggerNonce", Some(_)) => &mut self.savepoint,
            ("checkpointTriggerNonce", Some(_)) => &mut self.checkpoint,
            ("savepointRedeployNonce", Some(_)) => &mut self.redeploy,
            (
                "savepointTriggerNonce"
                | "checkpointTriggerNonce"
                | "savepointRedeployNonce"
                | "initialSavepointPath"
                | "allowNonRestoredState"
                | "autoscalerResetNonce",
                _,
            ) => &mut self.ignored,
            ("parallelism", _) => &mut self.scale,
            _ => &mut self.upgrade,
        };
        slot.get_or_insert(here);
        self.more |= !matches!(name, "state" | "upgradeMode");
    }

    fn configuration(&mut self, old: Option<Node<'_>>, new: Option<Node<'d>>, here: Node<'d>) {
        let mut before = Configuration::default();
        let mut after = Configuration::default();
        if let Some(old) = old {
            before.overlay(old);
        }
        if let Some(new) = new {
            after.overlay(new);
        }
        let (known, seen) = (before.places(), after.places());
        for entry in seen.all() {
            if known.last(&entry.key).is_none_or(|stood| stood.value != entry.value) {
                self.key(&entry.key, entry.node);
            }
        }
        for entry in known.all().filter(|entry| seen.last(&entry.key).is_none()) {
            self.key(&entry.key, here);
        }
    }

    fn key(&mut self, key: &str, node: Node<'d>) {
        self.more = true;
        let ignored = key.starts_with("kubernetes.operator.")
            || key.starts_with("job.autoscaler.")
            || key == "parallelism.default";
        let slot = match key {
            _ if ignored => &mut self.ignored,
            "pipeline.jobvertex-parallelism-overrides" => &mut self.scale,
            _ => &mut self.upgrade,
        };
        slot.get_or_insert(node);
    }
}

/// Calls `each` for every member that differs between two objects, with its value in both.
fn each_changed<'o, 'd>(
    old: Option<Node<'o>>,
    new: Node<'d>,
    mut each: impl FnMut(&str, Option<Node<'o>>, Option<Node<'d>>),
) {
    let before = old.map(|node| node.present()).unwrap_or_default();
    let after = new.present();
    let mut rest = before.as_slice();
    for member in &after {
        let old = counterpart(&mut rest, member);
        if !same(old, Some(member.value)) {
            each(&member.name, old, Some(member.value));
        }
    }
    let mut rest = after.as_slice();
    for member in &before {
        if counterpart(&mut rest, member).is_none() && !same(Some(member.value), None) {
            each(&member.name, Some(member.value), None);
        }
    }
}

/// Equal as data; what is empty equals what is absent, since the operator's serializer writes both (DOMAIN 6.0-11).
fn same(a: Option<Node<'_>>, b: Option<Node<'_>>) -> bool {
    let empty = |node: &Node<'_>| {
        (node.is_array() && node.elements().next().is_none()) || (node.is_object() && node.members().next().is_none())
    };
    match (a.filter(|node| !empty(node)), b.filter(|node| !empty(node))) {
        (None, None) => true,
        (Some(a), Some(b)) => a.same(&b) || reads_alike(a, b),
        _ => false,
    }
}

/// Equal to the operator, which reads both into one type: a quantity `1` is `"1"` (DOMAIN 6.0-11).
fn reads_alike(a: Node<'_>, b: Node<'_>) -> bool {
    if a.is_object() && b.is_object() {
        return all(&a.present(), &b.present(), |a, b| reads_alike(*a, *b));
    }
    if a.is_array() && b.is_array() {
        let (mut ours, mut theirs) = (a.elements(), b.elements());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if reads_alike(a, b) => {}
                _ => return false,
            }
        }
    }
    match (a.scalar(), b.scalar()) {
        (Some(ours), Some(theirs)) => ours == theirs || (a.is_number() && b.is_number() && same_number(&ours, &theirs)),
        _ => a.same(&b),
    }
}

/// `1` and `1.0`.
fn same_number(a: &str, b: &str) -> bool {
    matches!((number::parse(a), number::parse(b)), (Some(a), Some(b)) if a == b)
}

/// How many JobManagers; `None`: it is no number.
fn replicas(node: Option<Node<'_>>) -> Option<i64> {
    node.map_or(Some(1), |node| node.integer())
}

/// Whether a spec is the one that last ran well, so that an update to it is a rollback: how it is upgraded and
/// restarted does not count (DOMAIN 6.0-5).
pub(super) fn is_rollback_to(stable: Spec<'_>, new: Spec<'_>) -> bool {
    let (Some(stable), Some(root)) = (stable.node, new.node) else { return false };
    let mut alike = true;
    each_changed(Some(stable), root, |name, before, after| {
        alike &= match name {
            "restartNonce" => true,
            "flinkConfiguration" => {
                let mut difference = Difference::default();
                difference.configuration(before, after, root);
                difference.place().is_none()
            }
            "job" | "jobManager" => inner_alike(name, before, after),
            _ => false,
        };
    });
    alike
}

fn inner_alike(parent: &str, before: Option<Node<'_>>, after: Option<Node<'_>>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    let mut alike = true;
    each_changed(Some(before), after, |name, before, after| {
        alike &= match (parent, name) {
            ("job", "upgradeMode") => true,
            ("job", "state") => Spec::desired_by(before) == Spec::desired_by(after),
            ("jobManager", "replicas") => replicas(before) == replicas(after),
            _ => false,
        };
    });
    alike
}

#[cfg(test)]
mod tests;
