//! The platform-neutral vocabulary: what a request would do, to what, and what is known of its target. Decoders write
//! it, rules read it.

use std::borrow::Cow;

use crate::configuration::Configuration;
use crate::document::Node;
use crate::facts::Facts;

/// A platform's way to say a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    Kubernetes,
    Ververica,
    Alibaba,
    FlinkRest,
    Plan,
}

impl Dialect {
    /// The name in facts, settings and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Ververica => "ververica",
            Self::Alibaba => "alibaba",
            Self::FlinkRest => "flink-rest",
            Self::Plan => "plan",
        }
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Kubernetes, Self::Ververica, Self::Alibaba, Self::FlinkRest, Self::Plan]
            .into_iter()
            .find(|dialect| dialect.name() == name)
    }
}

/// A decoded request: one stage, or for a change plan one stage per step.
#[derive(Debug)]
pub struct Decoded<'d> {
    /// How it was recognised.
    pub dialect: Dialect,
    /// What happens, in order.
    pub stages: Vec<Stage<'d>>,
}

/// Operations that are judged against one state of the world.
#[derive(Debug)]
pub struct Stage<'d> {
    /// Whose semantics apply: the platform of a plan's deployment, otherwise the dialect.
    pub platform: Dialect,
    /// What would be done, in order.
    pub operations: Vec<Operation<'d>>,
    /// Spellings and shapes that a decoder noticed; each belongs to one rule.
    pub oddities: Vec<Oddity<'d>>,
    /// What is known of the target before these operations.
    pub current: Current<'d>,
    /// The facts that apply to the target.
    pub facts: Facts<'d>,
    /// What was said about a restart.
    pub intent: Intent<'d>,
    /// A reason why nothing here may be denied: a controller asks (DOMAIN 6.0-1) or it is recovery (6.0-5).
    pub leniency: Option<&'static str>,
}

impl<'d> Stage<'d> {
    /// A stage that knows nothing yet.
    pub fn new(platform: Dialect, facts: Facts<'d>) -> Self {
        let intent = Intent {
            operator: facts.restart_planned,
            requester: None,
            trusted: false,
            by_plan: false,
            assume_restart: false,
            place: Place::Request,
        };
        Self {
            platform,
            operations: Vec::new(),
            oddities: Vec::new(),
            current: Current::default(),
            facts,
            intent,
            leniency: None,
        }
    }

    /// The stops, with the operation they stand in.
    pub fn stops(&self) -> impl Iterator<Item = (&Operation<'d>, &Stop<'d>)> {
        self.operations.iter().filter_map(|operation| match &operation.action {
            Action::Stop(stop) => Some((operation, stop)),
            _ => None,
        })
    }

    /// The starts, with the operation they stand in.
    pub fn starts(&self) -> impl Iterator<Item = (&Operation<'d>, &Start<'d>)> {
        self.operations.iter().filter_map(|operation| match &operation.action {
            Action::Start(start) => Some((operation, start)),
            _ => None,
        })
    }
}

/// What was said about a restart after a stop (DESIGN section 5, Intent). `true` stands for a planned restart.
#[derive(Clone, Debug)]
pub struct Intent<'d> {
    /// By whoever runs the gate, or by the later steps of a plan.
    pub operator: Option<bool>,
    /// By the request itself: an annotation or a header.
    pub requester: Option<bool>,
    /// Whether the requester's word for `final` counts.
    pub trusted: bool,
    /// The operator's word comes from the later steps of a plan.
    pub by_plan: bool,
    /// Without any word, a restart is assumed.
    pub assume_restart: bool,
    /// Where the requester said so.
    pub place: Place<'d>,
}

/// What is known of a restart after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It is planned; the text says who says so.
    Planned(&'static str),
    /// It is declared that none follows; the text says who says so.
    Final(&'static str),
    /// Nobody said. `refused`: the requester said `final`, but its word does not count.
    Unknown { refused: bool },
}

impl Intent<'_> {
    /// What was said, the most trusted voice first.
    pub fn restart(&self) -> Restart {
        match (self.operator, self.requester) {
            (Some(true), _) if self.by_plan => Restart::Planned("a later step of the plan starts it again"),
            (Some(false), _) if self.by_plan => Restart::Final("no later step of the plan starts it again"),
            (Some(true), _) => Restart::Planned("declared: a restart is planned"),
            (Some(false), _) => Restart::Final("declared: no restart follows"),
            (None, Some(true)) => Restart::Planned("the request declares intent `restart`"),
            (None, Some(false)) if self.trusted => Restart::Final("the request declares intent `final`"),
            (None, said) if self.assume_restart => match said {
                Some(_) => {
                    Restart::Planned("the settings assume a restart, and the caller's word for `final` does not count")
                }
                None => Restart::Planned("the settings assume a restart"),
            },
            (None, said) => Restart::Unknown { refused: said.is_some() },
        }
    }
}

/// Where in a request something stands.
#[derive(Clone, Debug)]
pub enum Place<'d> {
    /// This value of the body.
    Body(Node<'d>),
    /// This header.
    Header(&'static str),
    /// The method or the request target.
    Target,
    /// The request as a whole.
    Request,
}

impl<'d> Place<'d> {
    /// This value if there is one, else the whole request.
    pub fn of(node: Option<Node<'d>>) -> Self {
        node.map_or(Self::Request, Self::Body)
    }
}

/// What an operation is done to. `name` is a name or an id, as the request gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target<'d> {
    /// The platform's namespace; empty where there is none.
    pub namespace: Cow<'d, str>,
    /// Name or id.
    pub name: Cow<'d, str>,
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace.is_empty() {
            true => write!(f, "{}", self.name),
            false => write!(f, "{}/{}", self.namespace, self.name),
        }
    }
}

/// One thing that a request would do.
#[derive(Debug)]
pub struct Operation<'d> {
    /// What.
    pub action: Action<'d>,
    /// To what.
    pub target: Target<'d>,
    /// Where the request says so.
    pub place: Place<'d>,
}

impl Operation<'_> {
    /// In words, with its target: `stop with drain prod/5af6`.
    pub fn summary(&self) -> String {
        format!("{} {}", self.action.words(), self.target).trim_end().to_owned()
    }
}

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
    /// A running job is scaled without a stop.
    Rescale,
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
    fn words(&self) -> &'static str {
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
            Self::Rescale => "rescale",
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
#[derive(Debug)]
pub struct Change<'d> {
    /// Whether what the job runs or how it is configured changes.
    pub content: bool,
    /// What the job that runs now sees of it.
    pub reach: Reach,
    /// The sticky drain switch that this turns on, without a stop in the same request.
    pub arms_drain: Option<Place<'d>>,
    /// Stateful upgrades are on after this change; `None`: not known.
    pub stateful: Option<bool>,
}

/// What a running job sees of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing runs, or the change says nothing to a running job.
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
    /// A COMPLETED savepoint younger than 15 minutes is known.
    pub fresh_savepoint: bool,
}

/// What is known of the target before the request.
#[derive(Debug, Default)]
pub struct Current<'d> {
    /// The job's state.
    pub state: Option<JobState>,
    /// The state the platform is asked to keep: Ververica `spec.state`.
    pub desired: Option<Cow<'d, str>>,
    /// The platform is in the middle of a transition, in its own words.
    pub transition: Option<Cow<'d, str>>,
    /// The platform's word for stateful upgrades and suspends: `upgradeMode`, `upgradeStrategy`.
    pub stateful: Option<bool>,
    /// The configuration that applies to the job after this request, with operator or cluster defaults below it.
    pub configuration: Configuration<'d>,
    /// Absent keys are known to be absent: all layers of `configuration` are known.
    pub configuration_complete: bool,
    /// What becomes of the last checkpoint on a cancel; `None`: not known.
    pub retention: Option<Retention>,
    /// Every change of content takes a savepoint, whatever the upgrade mode, unless that is `stateless`
    /// (FlinkBlueGreenDeployment, DOMAIN 6.12).
    pub savepoint_always: bool,
}

/// What becomes of the last checkpoint when a job is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// It is kept.
    Kept,
    /// It is deleted, and the configuration of this job says so.
    Deleted,
    /// It is deleted unless the job's code asks for it: only the cluster's configuration is known.
    DeletedByDefault,
}

/// A job's state in Flink's words; platforms' own words are mapped to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// INITIALIZING, CREATED, STARTING, RECONCILING.
    Starting,
    Running,
    /// RESTARTING, FAILING: it fails and tries again.
    Restarting,
    Failed,
    Finished,
    Cancelling,
    Canceled,
    Suspended,
    /// The platform is between two states (Ververica TRANSITIONING).
    Transitioning,
    /// A word that we do not know.
    Unknown(String),
}

impl JobState {
    /// Reads a platform's word.
    pub fn read(word: &str) -> Self {
        match word {
            "INITIALIZING" | "CREATED" | "STARTING" | "STARTED" | "STANDBY" | "RECONCILING" => Self::Starting,
            "RUNNING" => Self::Running,
            "RESTARTING" | "FAILING" => Self::Restarting,
            "FAILED" => Self::Failed,
            "FINISHED" => Self::Finished,
            "CANCELLING" | "CANCELING" | "TERMINATING" => Self::Cancelling,
            "CANCELED" | "CANCELLED" | "TERMINATED" => Self::Canceled,
            "SUSPENDED" => Self::Suspended,
            "TRANSITIONING" => Self::Transitioning,
            word => Self::Unknown(word.to_owned()),
        }
    }

    /// Flink's word.
    pub fn word(&self) -> &str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Failed => "FAILED",
            Self::Finished => "FINISHED",
            Self::Cancelling => "CANCELLING",
            Self::Canceled => "CANCELED",
            Self::Suspended => "SUSPENDED",
            Self::Transitioning => "TRANSITIONING",
            Self::Unknown(word) => word,
        }
    }

    /// Nothing runs and nothing will by itself.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Failed | Self::Suspended)
    }

    /// It failed, or is failing: a cancel is the way out (DOMAIN 6.0-5).
    pub fn is_failing(&self) -> bool {
        matches!(self, Self::Failed | Self::Restarting)
    }
}

/// Something a decoder noticed that a rule has to report. Each kind belongs to one rule.
#[derive(Debug)]
pub struct Oddity<'d> {
    /// Which rule.
    pub kind: OddityKind,
    /// Where.
    pub place: Place<'d>,
    /// What is wrong, for people.
    pub message: String,
    /// The value found.
    pub observed: Option<String>,
    /// What it should have been.
    pub expected: Option<String>,
    /// What to do.
    pub remedy: String,
    /// Report softer than the rule's main effect.
    pub soft: Option<Soft>,
}

impl<'d> Oddity<'d> {
    /// An oddity with the rule's main effect.
    pub fn new(kind: OddityKind, place: Place<'d>, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, place, message: message.into(), observed: None, expected: None, remedy: remedy.into(), soft: None }
    }

    /// With the value found.
    pub fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = Some(observed.into());
        self
    }

    /// With what it should have been.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// At most a warning.
    pub fn warn(mut self) -> Self {
        self.soft = Some(Soft::Warn);
        self
    }

    /// At most a note.
    pub fn note(mut self) -> Self {
        self.soft = Some(Soft::Note);
        self
    }
}

/// How far a softened finding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
    Warn,
    Note,
}

/// The rule that an oddity belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    UnknownEnumValue,
    UnknownLifecycleField,
    RequiredFieldMissing,
    UnknownRequest,
    ContextUnreadable,
    GetRequestCancelsJob,
    ImplicitCancelMode,
    RemovedEndpoint,
}
