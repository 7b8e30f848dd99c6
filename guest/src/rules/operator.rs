//! What the operator's validator refuses (DOMAIN 4.5) and no other rule's harm carries, and what all rules share that
//! repeat one of its conditions: the resource it would look at, and how hard the condition counts.

#[cfg(test)]
mod conditions;
pub(super) mod ingress_template_invalid;
pub(super) mod jobmanager_replicas_invalid;
pub(super) mod log_config_key_invalid;
pub(super) mod parallelism_not_positive;
pub(super) mod resource_quantities_invalid;
pub(super) mod service_account_missing;
pub(super) mod session_job_on_application_cluster;

use crate::configuration::{Configuration, Entry, Key};
use crate::document::Node;
use crate::finding::{Draft, Report};
use crate::operation::{Declaration, Kind, Place, Resource, Spec, Stage, Verb, Want};

/// The version of the operator, major and minor, that brought a condition in.
pub(super) type Since = (u32, u32);

/// Every operator that is still run has it, or nothing tells since when it does.
pub(super) const ALWAYS: Since = (1, 0);
/// FLINK-28087.
pub(super) const NAMES: Since = (1, 1);
/// `spec.mode`: FLINK-27416.
pub(super) const STANDALONE: Since = (1, 2);
/// FLINK-29394.
pub(super) const HEALTH_CHECKS: Since = (1, 3);
/// FLINK-31630.
pub(super) const CHECKPOINT_AGE: Since = (1, 5);
/// Flink 1.13 and 1.14 lost their support: FKO:FlinkVersion.
pub(super) const OLD_FLINK: Since = (1, 7);
/// FLINK-33763.
pub(super) const REDEPLOY: Since = (1, 8);
/// FlinkStateSnapshot: FLINK-35267.
pub(super) const SNAPSHOTS: Since = (1, 10);

/// What rules about changes lack when nobody can tell what the operator last ran.
pub(super) const LAST_SPEC: &str = "what the operator last ran (`status.reconciliationStatus.lastReconciledSpec`)";

/// A resource that the validator would look at.
pub(super) struct Subject<'s, 'd> {
    pub(super) stage: &'s Stage<'d>,
    pub(super) declaration: &'s Declaration<'d>,
    pub(super) object: Resource<'d>,
    /// How its job runs; for a snapshot the whole spec.
    pub(super) spec: Spec<'d>,
    /// The same before an update.
    pub(super) old: Option<Spec<'d>>,
}

/// What the operator last ran.
pub(super) enum Last<'d> {
    Spec(Spec<'d>),
    /// Nothing yet.
    Never,
    /// It cannot be read, or the live object came without its status.
    Unknown,
}

/// Another resource that one refers to.
pub(super) enum Referred<'d> {
    Found(Resource<'d>),
    Absent,
    Unknown,
}

/// The resource that a request creates or updates, if it is of one of these kinds. The validator skips canaries.
pub(super) fn subject<'s, 'd>(stage: &'s Stage<'d>, kinds: &[Kind]) -> Option<Subject<'s, 'd>> {
    let declaration = stage.declaration.as_ref()?;
    if !kinds.contains(&declaration.kind) || declaration.canary {
        return None;
    }
    let object = declaration.object?;
    let spec = declaration.new_spec();
    let judged = match declaration.verb {
        Verb::Create => true,
        // A spec that is taken away has a rule of its own.
        Verb::Update => spec.is_some(),
        Verb::Delete => false,
    };
    let spec = spec.unwrap_or(Spec::at(None));
    // Of another type, nobody can tell what it means: `unknown-enum-value`.
    let readable = [spec.node, spec.job()].iter().flatten().all(Node::is_object);
    if !judged || !readable {
        return None;
    }
    let old = declaration.old_spec().filter(|_| declaration.verb == Verb::Update);
    Some(Subject { stage, declaration, object, spec, old })
}

impl<'d> Subject<'_, 'd> {
    /// A finding: with the rule's main effect, or a warning where it is no fault of this request (DOMAIN 6.0-4), or a
    /// note where the operator is older than the condition (6.12). Nothing where the request leaves the spec alone.
    pub(super) fn refuse<'r>(
        &self,
        report: &'r mut Report<'_>,
        since: Since,
        was: bool,
        place: &Place<'_>,
        message: &str,
    ) -> Option<Draft<'r>> {
        if was && self.is_untouched() {
            return None;
        }
        Some(match (self.is_newer(since), was) {
            (true, _) => {
                let (major, minor) = since;
                report.note(place, format!("{message} (your operator does not: {major}.{minor} and newer do)"))
            }
            (false, true) => report.warn(place, message),
            (false, false) => report.main(place, message),
        })
    }

    /// The condition may be violated, but layers of the configuration are not known.
    pub(super) fn lacks_configuration(&self, report: &mut Report<'_>, since: Since, was: bool) {
        const DEFAULTS: &str = "the operator's default configuration (`platform.flinkConfiguration`)";
        if was || self.is_newer(since) {
            return;
        }
        match self.cluster() {
            Some(Referred::Unknown) => self.lacks_cluster(report),
            _ => report.unjudged(DEFAULTS),
        }
    }

    /// The session cluster is not known.
    pub(super) fn lacks_cluster(&self, report: &mut Report<'_>) {
        report.lacks(Want::Cluster, "the session cluster's FlinkDeployment (`related`)");
    }

    /// Whether nothing that is unknown can change what the configuration says of this option.
    pub(super) fn settles(&self, key: Key) -> bool {
        let current = &self.stage.current;
        let first = |entry: &Entry<'_>| key.first().is_some_and(|name| entry.key == *name);
        current.configuration_complete || current.configuration.entry(key).is_some_and(first)
    }

    /// Whether the configuration before an update fits this; not known counts as no.
    pub(super) fn before(&self, fits: impl FnOnce(&Configuration<'d>) -> bool) -> bool {
        self.stage.current.before.as_ref().is_some_and(fits)
    }

    /// Where an option stands: in the resource, else somewhere among the defaults.
    pub(super) fn place(&self, key: Key) -> Place<'d> {
        let entry = self.stage.current.configuration.entry(key);
        entry.and_then(|entry| self.object.place_of(entry.node)).unwrap_or(Place::Request)
    }

    /// Where a field of the spec stands, or would stand.
    pub(super) fn field(&self, name: &str) -> Place<'d> {
        Place::Body(self.spec.get(name).or(self.spec.node).unwrap_or(self.object.node))
    }

    /// What the operator last ran. Before an update only: what a new object brings as status counts for nothing.
    pub(super) fn last(&self) -> Last<'d> {
        let declaration = self.declaration;
        match (declaration.last, declaration.old) {
            (_, None) => Last::Never,
            (Some(last), _) => Last::Spec(last),
            (None, Some(old)) => {
                let stored = old.status(&["reconciliationStatus", "lastReconciledSpec"]).is_some();
                let bare = declaration.bare && !old.has_status();
                if stored || bare { Last::Unknown } else { Last::Never }
            }
        }
    }

    /// The cluster of a session job; `None`: no session job.
    pub(super) fn cluster(&self) -> Option<Referred<'d>> {
        if self.declaration.kind != Kind::SessionJob {
            return None;
        }
        let name = self.spec.get("deploymentName").and_then(|name| name.text());
        Some(name.map_or(Referred::Unknown, |name| self.find(Kind::Deployment.word(), &name)))
    }

    /// A resource in the namespace of this one.
    pub(super) fn find(&self, kind: &str, name: &str) -> Referred<'d> {
        let facts = &self.stage.facts;
        let namespace = self.stage.operations.first().map(|it| it.target.namespace.as_ref()).unwrap_or_default();
        match facts.related(kind, namespace, name) {
            Some(node) => Referred::Found(Resource::at(node)),
            None if facts.is_absent(kind, namespace, name) => Referred::Absent,
            None => Referred::Unknown,
        }
    }

    /// The condition came with a newer operator than the one that is known to run.
    pub(super) fn is_newer(&self, since: Since) -> bool {
        let known = self.stage.facts.platform.operator_version.as_deref();
        known.and_then(version).is_some_and(|known| known < since)
    }

    /// Only metadata changes.
    fn is_untouched(&self) -> bool {
        let specs = self.old.and_then(|old| old.node).zip(self.spec.node);
        specs.is_some_and(|(old, new)| old.same(&new))
    }
}

/// Major and minor of `1.15`, `1.15.0`, `v1.16-SNAPSHOT`.
fn version(text: &str) -> Option<Since> {
    let number = |part: &str| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let mut parts = text.trim().trim_start_matches('v').split('.').map(number);
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_as_releases_are_named() {
        for (text, expected) in [
            ("1.15", Some((1, 15))),
            ("1.10.0", Some((1, 10))),
            ("v1.9.1", Some((1, 9))),
            (" 1.16-SNAPSHOT ", Some((1, 16))),
            ("1", None),
            ("latest", None),
            ("1.x", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!(version("1.9") < version("1.10"));
    }
}
