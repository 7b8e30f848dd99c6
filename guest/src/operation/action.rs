//! The actions of the vocabulary, each with what the rules need to know of it.

use std::borrow::Cow;

use super::Place;
use crate::document::Node;

/// What is done.
#[derive(Debug)]
pub enum Action<'d> {
    /// The request changes nothing in a job's life; the text says why, for people.
    Nothing(&'static str),
    /// A job starts.
    Start(Start<'d>),
    /// A job ends, or pauses for an upgrade.
    Stop(Stop<'d>),
    /// A snapshot is taken of a running job.
    Trigger(Trigger<'d>),
    /// A snapshot that exists already is made known to the platform.
    Register(Registration<'d>),
    /// A snapshot's data is deleted.
    Dispose(Disposal<'d>),
    /// A deployment's content or settings change. What happens to the job stands in further operations.
    Change(Change<'d>),
    /// The published content is replaced by the draft (Alibaba); how far it reaches.
    Publish(Reach),
    /// A running job is scaled without a stop: the new parallelism or number of TaskManagers, where it is one number
    /// that is given. The scale subresource gives none for zero.
    Rescale(Option<Node<'d>>),
    /// A deployment, session job or job record is deleted.
    Delete(Deletion<'d>),
    /// A whole session cluster ends.
    ShutDown,
    /// A job starts from a serialized graph that no gate can read.
    OpaqueStart,
    /// A request that no decoder knows; the stage's oddities say why.
    Unknown,
}

impl Action<'_> {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Nothing(why) => why,
            Self::Start(start) => match start.cause {
                StartCause::Create => "create and start",
                StartCause::Resume => "resume",
                StartCause::Upgrade => "restart",
                StartCause::Redeploy => "redeploy",
                StartCause::Request => "start",
            },
            Self::Stop(stop) => match (stop.cause, stop.mode) {
                (StopCause::Suspend, StopMode::Cancel) => "suspend without savepoint",
                (StopCause::Suspend, StopMode::Savepoint | StopMode::LastState) => "suspend",
                (StopCause::Suspend, StopMode::Drain) => "suspend with drain",
                (StopCause::Upgrade, StopMode::Drain) => "drain for upgrade",
                (StopCause::Upgrade, StopMode::Cancel) => "cancel for upgrade",
                (StopCause::Upgrade, StopMode::Savepoint | StopMode::LastState) => "stop for upgrade",
                (_, StopMode::Cancel) => "cancel",
                (_, StopMode::Savepoint) => "stop with savepoint",
                (_, StopMode::Drain) => "stop with drain",
                (_, StopMode::LastState) => "stop keeping last state",
            },
            Self::Trigger(trigger) if trigger.checkpoint => "trigger checkpoint of",
            Self::Trigger(_) => "trigger savepoint of",
            Self::Register(_) => "register savepoint for",
            Self::Dispose(_) => "dispose savepoint",
            Self::Change(_) => "change",
            Self::Publish(_) => "publish",
            Self::Rescale(_) => "rescale",
            Self::Delete(_) => "delete",
            Self::ShutDown => "shut down cluster",
            Self::OpaqueStart => "start from a serialized graph",
            Self::Unknown => "unknown request",
        }
    }
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// No savepoint is taken.
    Cancel,
    /// A savepoint is taken first.
    Savepoint,
    /// All windows are closed, then a savepoint is taken.
    Drain,
    /// The last checkpoint is kept and used again (operator `last-state`).
    LastState,
}

/// Why a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// The request asks for it: whether it comes back is a matter of intent.
    Request,
    /// A suspend: made to be resumed, unless declared final.
    Suspend,
    /// The platform stops it and starts it again by itself.
    Upgrade,
    /// The deployment is deleted.
    Delete,
}

/// A stop.
#[derive(Debug)]
pub struct Stop<'d> {
    /// How.
    pub mode: StopMode,
    /// Why.
    pub cause: StopCause,
    /// Where the drain is switched on, when that is not the place of the operation: a sticky annotation or key.
    pub drain: Option<Place<'d>>,
    /// The savepoint directory that the request gives.
    pub directory: Option<Node<'d>>,
}

/// Why a job starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartCause {
    /// The request asks for it.
    Request,
    /// A new deployment.
    Create,
    /// A suspended or cancelled deployment comes back.
    Resume,
    /// The second half of an upgrade.
    Upgrade,
    /// From a savepoint that the request names, dropping what is newer (operator `savepointRedeployNonce`).
    Redeploy,
}

/// A start.
#[derive(Debug)]
pub struct Start<'d> {
    /// Why.
    pub cause: StartCause,
    /// What it restores from.
    pub restore: Restore<'d>,
    /// Where that is said.
    pub restore_place: Place<'d>,
    /// The flag that lets state be dropped, as far as the request gives it.
    pub allow_non_restored_state: Option<bool>,
    /// Where that flag stands, if not where it is said what is restored.
    pub allow_place: Option<Place<'d>>,
    /// Who shall own the snapshot, as far as the request says so.
    pub claim: Option<Claim<'d>>,
    /// The id of a savepoint that the request gives, whether its strategy reads it or not (Alibaba).
    pub savepoint_id: Option<Node<'d>>,
    /// The time from which sources are to read (Alibaba `jobStartTimeInMs`).
    pub start_time: Option<Node<'d>>,
    /// The configuration that the request gives this job alone (Flink REST).
    pub configuration: Option<Node<'d>>,
}

impl<'d> Start<'d> {
    /// A start of which nothing more is said.
    pub fn new(cause: StartCause, restore: Restore<'d>, restore_place: Place<'d>) -> Self {
        Self {
            cause,
            restore,
            restore_place,
            allow_non_restored_state: None,
            allow_place: None,
            claim: None,
            savepoint_id: None,
            start_time: None,
            configuration: None,
        }
    }

    /// The location that it restores from, unless that is blank.
    pub fn location(&self) -> Option<&str> {
        match &self.restore {
            Restore::Location(location) => Some(location.as_ref()).filter(|location| !location.trim().is_empty()),
            _ => None,
        }
    }
}

/// Who owns the snapshot after a restore, and where that is said (DOMAIN 3.5).
#[derive(Clone, Debug)]
pub struct Claim<'d> {
    pub mode: ClaimMode,
    pub place: Place<'d>,
}

/// Who owns a snapshot after a restore. Ordered by what is lost at worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimMode {
    /// Whoever took it: Flink makes itself independent of it.
    NoClaim,
    /// Nobody: checkpoints may go on referring to it for ever.
    Legacy,
    /// Flink, which deletes it as soon as it has a newer one.
    Claim,
}

impl ClaimMode {
    /// Reads Flink's word; in a configuration its case makes no difference, and Flink compares in upper case: `claım` is
    /// `CLAIM` to it (1.20.5 and 2.3.0, run).
    pub fn read(word: &str) -> Option<Self> {
        let word = word.trim().to_uppercase();
        let is = |name: &str| word == name;
        match () {
            () if is("NO_CLAIM") => Some(Self::NoClaim),
            () if is("CLAIM") => Some(Self::Claim),
            () if is("LEGACY") => Some(Self::Legacy),
            () => None,
        }
    }
}

/// What a start restores from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restore<'d> {
    /// Nothing: asked for, or the platform's default.
    Empty,
    /// The newest snapshot of any origin.
    LatestState,
    /// The newest savepoint.
    LatestSavepoint,
    /// The savepoint with this id; `None`: asked for, but no id given.
    Savepoint(Option<Cow<'d, str>>),
    /// The snapshot at this location.
    Location(Cow<'d, str>),
    /// The state with which the same request, or the suspend before, stopped the job.
    Stopped,
    /// The request does not say, and what the platform has stored is not known.
    Unknown,
}

/// A snapshot is taken.
#[derive(Debug)]
pub struct Trigger<'d> {
    /// A checkpoint rather than a savepoint.
    pub checkpoint: bool,
    /// The directory that the request gives.
    pub directory: Option<Node<'d>>,
    /// The platform's own native format is asked for.
    pub native: bool,
}

/// A snapshot is registered by hand.
#[derive(Debug)]
pub struct Registration<'d> {
    /// The resource that is created: findings about what is missing point here.
    pub resource: Node<'d>,
    /// Where it lies.
    pub location: Option<Node<'d>>,
    /// The version of the deployment's spec that it belongs to (Ververica).
    pub spec_version: Option<Node<'d>>,
    /// The platform's word for where it comes from (Ververica).
    pub origin: Option<Node<'d>>,
    /// Its state (Ververica).
    pub state: Option<Node<'d>>,
    /// Flink's id of it (Ververica).
    pub flink_savepoint_id: Option<Node<'d>>,
}

/// A snapshot is deleted with its data.
#[derive(Debug)]
pub struct Disposal<'d> {
    /// Its location, where the request gives one.
    pub location: Option<Node<'d>>,
}

/// A deployment changes.
#[derive(Debug, Default)]
pub struct Change<'d> {
    /// Whether what the job runs or how it is configured changes.
    pub content: bool,
    /// It changes more of the spec than the job's state and the way it is stopped (Kubernetes).
    pub brings_more: bool,
    /// What the job that runs now sees of it.
    pub reach: Reach,
    /// The sticky drain switch that this turns on, without a stop in the same request.
    pub arms_drain: Option<Place<'d>>,
    /// The switch for a savepoint on deletion, which this turns off (Kubernetes).
    pub drops_savepoint_on_delete: Option<Place<'d>>,
    /// A savepoint location that this brings in and that no start uses yet (Kubernetes `initialSavepointPath`).
    pub stores_location: Option<Node<'d>>,
    /// Where stateful upgrades become stateless ones, if they are stateful now (Ververica).
    pub turns_stateless: Option<Place<'d>>,
    /// Stateful upgrades are on after this change; `None`: not known.
    pub stateful: Option<bool>,
    /// Where it is said that starts restore nothing although upgrades are stateful (Ververica STATEFUL with NONE).
    pub forgets_state: Option<Place<'d>>,
    /// Where the flag that lets every later start drop state is set (Ververica, Kubernetes).
    pub allows_non_restored: Option<Place<'d>>,
    /// What drains the job for this change if it runs and upgrades are stateful, where that is not known (Ververica).
    pub may_drain: Option<Place<'d>>,
}

/// What a running job sees of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing runs, or the change says nothing to a running job.
    #[default]
    Nothing,
    /// The platform restarts or rescales it by itself.
    Applied,
    /// It goes on with the old content until somebody restarts it.
    NextStart,
}

/// Something is deleted.
#[derive(Debug)]
pub struct Deletion<'d> {
    /// A savepoint is taken first; `None`: not known.
    pub savepoint_first: Option<bool>,
    /// The job has state to lose; `None`: not known.
    pub stateful: Option<bool>,
    /// The job was deployed at some time; `None`: not known.
    pub deployed: Option<bool>,
    /// Where the setting that would take a savepoint stands, or would.
    pub place: Place<'d>,
    /// The newest restore point that is known, in words.
    pub restore_point: Option<String>,
    /// How many seconds ago the newest COMPLETED savepoint was taken whose time is known.
    pub savepoint_age: Option<u64>,
    /// Why the operator does not clean up, or takes no savepoint any more, whatever was set before (Kubernetes).
    pub skipped: Option<Skipped>,
}

/// What keeps the operator from taking a savepoint on a delete, besides the setting (DOMAIN 6.0-2, 6.0-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// The canary label: the operator skips the object altogether.
    Canary,
    /// Its finalizer is gone, or is taken away.
    Finalizer,
    /// The object is being deleted, and its savepoint on deletion is switched off.
    SwitchedOff,
}
