//! A resource of the Flink Kubernetes Operator as its fields are read: metadata, the spec that says how the job runs,
//! and status. No judgement.

use std::borrow::Cow;

use super::{Place, Target};
use crate::document::Node;

/// A resource of the Flink Kubernetes Operator as a request brings it: what it becomes, what it was, and what the operator
/// last ran.
#[derive(Clone, Copy, Debug)]
pub struct Declaration<'d> {
    pub verb: Verb,
    pub kind: Kind,
    /// What the resource becomes; none for a delete.
    pub object: Option<Resource<'d>>,
    /// What it was; none for a create.
    pub old: Option<Resource<'d>>,
    /// `status.reconciliationStatus.lastReconciledSpec`; none: before the first deployment, or not to be read.
    pub last: Option<Spec<'d>>,
    /// A manifest, which leaves out the metadata and status that the cluster adds.
    pub bare: bool,
    /// The operator does not act on changes of it: it is a canary, or is being deleted.
    pub idle: bool,
    /// The object is a canary.
    pub canary: bool,
    /// The specs of object and old: many rules read them.
    specs: (Option<Spec<'d>>, Option<Spec<'d>>),
}

impl<'d> Declaration<'d> {
    /// A declaration that nothing was run of before.
    pub fn new(verb: Verb, kind: Kind, object: Option<Resource<'d>>, old: Option<Resource<'d>>, bare: bool) -> Self {
        let spec = |resource: Option<Resource<'d>>| resource?.spec(kind).given();
        let canary = |resource: Option<Resource<'d>>| resource.is_some_and(|it| it.canary().is_some());
        let is_canary = canary(object);
        let idle = is_canary || canary(old) || old.is_some_and(|old| old.is_terminating());
        let specs = (spec(object), spec(old));
        Self { verb, kind, object, old, last: None, bare, idle, canary: is_canary, specs }
    }

    /// The spec that says how the job runs after this request.
    pub fn new_spec(&self) -> Option<Spec<'d>> {
        self.specs.0
    }

    /// The spec that said so before.
    pub fn old_spec(&self) -> Option<Spec<'d>> {
        self.specs.1
    }

    /// The resource as it was known before, for its status and metadata.
    pub fn before(&self) -> Option<Resource<'d>> {
        self.old.or(self.object)
    }
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Delete,
}

/// The kinds that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Deployment,
    SessionJob,
    Snapshot,
    BlueGreen,
    /// Of the Ververica operator, group `ververica.platform`.
    Ververica,
}

impl Kind {
    /// The kind of the job that a snapshot refers to by its `jobReference`.
    pub fn of_job(reference: Option<Node<'_>>) -> Self {
        let kind = reference.and_then(|reference| reference.get("kind"));
        if kind.is_some_and(|kind| kind.is(Self::SessionJob.word())) { Self::SessionJob } else { Self::Deployment }
    }

    /// The word for it in resources.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deployment => "FlinkDeployment",
            Self::SessionJob => "FlinkSessionJob",
            Self::Snapshot => "FlinkStateSnapshot",
            Self::BlueGreen => "FlinkBlueGreenDeployment",
            Self::Ververica => "VvpDeployment",
        }
    }

    /// Its finalizer, where the operator cleans up behind one. A blue/green parent has none: its children do.
    pub fn finalizer(self) -> Option<&'static str> {
        match self {
            Self::Deployment => Some("flinkdeployments.flink.apache.org/finalizer"),
            Self::SessionJob => Some("flinksessionjobs.flink.apache.org/finalizer"),
            Self::Snapshot => Some("flinkstatesnapshots.flink.apache.org/finalizer"),
            Self::BlueGreen | Self::Ververica => None,
        }
    }

    /// A job of the Flink Kubernetes Operator runs by its spec.
    pub fn runs_job(self) -> bool {
        matches!(self, Self::Deployment | Self::SessionJob | Self::BlueGreen)
    }

    /// Its spec describes the pods that the job runs in. A session job runs in those of its cluster.
    pub fn has_pods(self) -> bool {
        matches!(self, Self::Deployment | Self::BlueGreen)
    }
}

/// What the operator writes as `upgradeSavepointPath` of a stop that kept its state in the metadata of high availability.
pub const LAST_STATE_PATH: &str = "KUBERNETES_OPERATOR_LAST_STATE";

/// A resource, with the parts that everything is read from.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'d> {
    pub node: Node<'d>,
    metadata: Option<Node<'d>>,
    spec: Option<Node<'d>>,
    status: Option<Node<'d>>,
}

impl<'d> Resource<'d> {
    /// The resource that stands here.
    pub fn at(node: Node<'d>) -> Self {
        Self { node, metadata: node.get("metadata"), spec: node.get("spec"), status: node.get("status") }
    }

    /// A value below `spec`, wherever it says how a job runs.
    pub fn in_spec(&self, path: &[&str]) -> Option<Node<'d>> {
        self.spec?.path(path)
    }

    /// All of `spec`.
    pub fn whole_spec(&self) -> Option<Node<'d>> {
        self.spec
    }

    /// All of `metadata`.
    pub fn whole_metadata(&self) -> Option<Node<'d>> {
        self.metadata
    }

    /// The cluster has told what becomes of it.
    pub fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// Whether the operator deletes the data of a snapshot, once that is COMPLETED, together with the resource (DOMAIN
    /// 4.2-10).
    pub fn is_disposed_of(&self) -> bool {
        let keeps = |savepoint: Node<'_>| savepoint.get("disposeOnDelete").and_then(|flag| flag.bool()) == Some(false);
        let savepoint = self.in_spec(&["savepoint"]);
        let job = self.in_spec(&["jobReference", "name"]).and_then(|name| name.scalar());
        savepoint.is_some_and(|savepoint| !keeps(savepoint)) && job.is_some()
    }

    pub fn metadata(&self, name: &str) -> Option<Node<'d>> {
        self.metadata?.get(name)
    }

    pub fn annotation(&self, name: &str) -> Option<Node<'d>> {
        self.metadata("annotations")?.get(name)
    }

    /// The label that makes the operator skip an object, if it is on (DOMAIN 6.0-2).
    pub fn canary(&self) -> Option<Node<'d>> {
        self.metadata("labels")?.get("flink.apache.org/canary").filter(|value| value.is("true"))
    }

    /// The value stands in this resource, rather than in the operator's defaults or another one.
    pub fn holds(&self, node: Node<'_>) -> bool {
        self.node.holds(node)
    }

    /// It was deleted, and waits for its clean-up.
    pub fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    pub fn has_finalizer(&self, name: &str) -> bool {
        self.metadata("finalizers").is_some_and(|list| list.elements().any(|entry| entry.is(name)))
    }

    /// The place of a value, if that stands in this resource: the operator's defaults are another document.
    pub fn place_of(&self, node: Node<'d>) -> Option<Place<'d>> {
        self.holds(node).then_some(Place::Body(node))
    }

    /// It is a FlinkStateSnapshot of this job, as the cluster returns it. A blue/green resource has two children.
    pub fn is_snapshot_of(&self, kind: Kind, job: &Target<'_>) -> bool {
        let reference = |name: &str| self.in_spec(&["jobReference", name]).and_then(|it| it.text());
        let session = Kind::of_job(self.in_spec(&["jobReference"])) == Kind::SessionJob;
        let named = |name: &str| name == job.name;
        let child = |name: &str| ["-blue", "-green"].iter().any(|it| name.strip_suffix(it).is_some_and(named));
        self.node.get("kind").is_some_and(|kind| kind.is(Kind::Snapshot.word()))
            && session == (kind == Kind::SessionJob)
            && self.metadata("namespace").is_none_or(|namespace| namespace.is(&job.namespace))
            && reference("name").is_some_and(|name| named(&name) || kind == Kind::BlueGreen && child(&name))
    }

    /// The same, if it is a savepoint that is in this state.
    pub fn is_savepoint_of(&self, kind: Kind, job: &Target<'_>, state: &str) -> bool {
        self.in_spec(&["savepoint"]).is_some()
            && self.status(&["state"]).is_some_and(|word| word.is(state))
            && self.is_snapshot_of(kind, job)
    }

    /// The savepoint existed before the resource, which only makes it known.
    pub fn is_registration(&self) -> bool {
        self.in_spec(&["savepoint", "alreadyExists"]).and_then(|flag| flag.bool()) == Some(true)
    }

    /// When the snapshot was taken. A registration has a time too, but that tells nothing of the savepoint's age.
    pub fn taken_at(&self) -> Option<Cow<'d, str>> {
        let time = || self.status_text(&["resultTimestamp"]).or_else(|| self.status_text(&["triggerTimestamp"]));
        if self.is_registration() { None } else { time() }
    }

    /// The spec that says how a job runs: a blue/green resource keeps it in its template.
    pub fn spec(&self, kind: Kind) -> Spec<'d> {
        Spec::at(if kind == Kind::BlueGreen { self.in_spec(&["template", "spec"]) } else { self.spec })
    }

    pub fn status(&self, path: &[&str]) -> Option<Node<'d>> {
        self.status?.path(path)
    }

    /// A text of the status that is not blank.
    pub fn status_text(&self, path: &[&str]) -> Option<Cow<'d, str>> {
        self.status(path)?.scalar().filter(|text| !text.trim().is_empty())
    }

    /// Some snapshot of its job is known to the operator, so there is state to lose (DOMAIN 6.0-10).
    pub fn knows_state(&self) -> bool {
        let Some(job) = self.status(&["jobStatus"]) else { return false };
        let (savepoints, checkpoints) = (job.get("savepointInfo"), job.get("checkpointInfo"));
        let of = |info: Option<Node<'d>>, name: &str| info.and_then(|info| info.get(name));
        let positive = |node: Node<'_>| node.scalar().is_some_and(|text| !matches!(text.as_ref(), "" | "0"));
        job.get("upgradeSavepointPath").and_then(|path| path.scalar()).is_some_and(|path| !path.trim().is_empty())
            || of(savepoints, "lastSavepoint").is_some()
            || of(savepoints, "savepointHistory").is_some_and(|history| history.elements().next().is_some())
            || of(savepoints, "lastPeriodicSavepointTimestamp").is_some_and(positive)
            || of(checkpoints, "lastCheckpoint").is_some()
            || of(checkpoints, "lastPeriodicCheckpointTimestamp").is_some_and(positive)
    }
}

/// `upgradeMode`: how a job is stopped and what it comes back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeMode {
    Savepoint,
    LastState,
    Stateless,
    /// A word that we do not know.
    Unknown,
}

/// `job.state`: whether a job is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desired {
    Running,
    Suspended,
    /// A word that we do not know.
    Unknown,
}

/// The spec of a FlinkDeployment or FlinkSessionJob.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'d> {
    pub node: Option<Node<'d>>,
    job: Option<Node<'d>>,
}

impl<'d> Spec<'d> {
    /// The spec that stands here, if one does.
    pub fn at(node: Option<Node<'d>>) -> Self {
        Self { node, job: node.and_then(|node| node.get("job")) }
    }

    /// Itself, if there is one.
    fn given(self) -> Option<Self> {
        self.node.map(|_| self)
    }

    pub fn get(&self, name: &str) -> Option<Node<'d>> {
        self.node?.get(name)
    }

    pub fn job(&self) -> Option<Node<'d>> {
        self.job
    }

    pub fn of_job(&self, name: &str) -> Option<Node<'d>> {
        self.job()?.get(name)
    }

    pub fn upgrade_mode(&self) -> UpgradeMode {
        match self.of_job("upgradeMode") {
            None => UpgradeMode::Stateless,
            Some(word) if word.is("stateless") => UpgradeMode::Stateless,
            Some(word) if word.is("savepoint") => UpgradeMode::Savepoint,
            Some(word) if word.is("last-state") => UpgradeMode::LastState,
            Some(_) => UpgradeMode::Unknown,
        }
    }

    /// Whether an upgrade keeps state; `None`: a mode that we do not know, or no job.
    pub fn keeps_state(&self) -> Option<bool> {
        self.job()?;
        match self.upgrade_mode() {
            UpgradeMode::Savepoint | UpgradeMode::LastState => Some(true),
            UpgradeMode::Stateless => Some(false),
            UpgradeMode::Unknown => None,
        }
    }

    pub fn desired(&self) -> Desired {
        Self::desired_by(self.of_job("state"))
    }

    /// What a value of `job.state` asks for.
    pub fn desired_by(state: Option<Node<'_>>) -> Desired {
        match state {
            None => Desired::Running,
            Some(word) if word.is("running") => Desired::Running,
            Some(word) if word.is("suspended") => Desired::Suspended,
            Some(_) => Desired::Unknown,
        }
    }

    /// The path that a first deployment or a redeploy starts from, blank or not.
    pub fn initial_savepoint(&self) -> Option<Node<'d>> {
        self.of_job("initialSavepointPath").filter(|path| path.scalar().is_some())
    }

    /// The job is thrown back to its initial savepoint by the change from `old` to this: its nonce has a new value.
    pub fn redeploys(&self, old: &Spec<'_>) -> bool {
        let nonce = |spec: &Spec<'d>| spec.of_job("savepointRedeployNonce");
        let before = old.of_job("savepointRedeployNonce");
        nonce(self).is_some_and(|nonce| before.is_none_or(|before| !before.same(&nonce)))
    }

    /// Major and minor of `flinkVersion`; `None` also when it is not written as `v<major>_<minor>`.
    pub fn flink_version(&self) -> Option<(u32, u32)> {
        let word = self.get("flinkVersion")?.text()?;
        let (major, minor) = word.strip_prefix('v')?.split_once('_')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    pub fn is_standalone(&self) -> bool {
        self.get("mode").is_some_and(|mode| mode.is("standalone"))
    }
}
