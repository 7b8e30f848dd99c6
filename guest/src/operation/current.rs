//! What is known of a target before the request: its state, and the configuration that applies.

use std::borrow::Cow;

use super::Deletion;
use crate::configuration::{Configuration, Entry, Key};
use crate::document::Node;

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
    /// The settings of a session job's cluster lie below its own, and are not known (Kubernetes): what the job does not
    /// set itself may be set there, whatever the operator's defaults are.
    pub cluster_unknown: bool,
    /// What becomes of the last checkpoint on a cancel: the running job goes by the configuration before an update.
    /// `None`: not known.
    pub retention: Option<Retention>,
    /// Every change of content takes a savepoint, whatever the upgrade mode, unless that is `stateless`
    /// (FlinkBlueGreenDeployment, DOMAIN 6.12).
    pub savepoint_always: bool,
    /// Where the last stop left the state: `status.jobStatus.upgradeSavepointPath` of a suspended job (Kubernetes).
    pub stopped_at: Option<Cow<'d, str>>,
    /// The stop before drained: by the spec that the operator stored (Kubernetes), or by an earlier step of a plan.
    pub stopped_by_drain: bool,
    /// The earlier step of a plan that took the newest savepoint, in words.
    pub left_by: Option<String>,
    /// The earlier step of a plan that cancelled the job after that, in words.
    pub cancelled_by: Option<String>,
    /// The configuration before an update, or with which the job ran that a start brings back, with the same defaults
    /// below it; `None`: neither, or not known.
    pub before: Option<Configuration<'d>>,
    /// What the spec before an update, by itself, said of state: its upgrade mode kept it (Kubernetes).
    pub kept_state: Option<bool>,
    /// Whether anything changes cannot be told from the request (Kubernetes: the scale subresource).
    pub perhaps_unchanged: bool,
    /// The job was deployed at some time (Kubernetes); `None`: not known.
    pub deployed: Option<bool>,
    /// The jobs that are known to run on the session cluster which is deleted (Kubernetes).
    pub dependents: Vec<Dependent<'d>>,
    /// Where a volume that outlives the pods is mounted, on JobManager and TaskManagers alike; `None`: not known.
    pub mounts: Option<Vec<Cow<'d, str>>>,
    /// The same before an update.
    pub mounts_before: Option<Vec<Cow<'d, str>>>,
}

impl<'d> Current<'d> {
    /// The configuration that a job obeys as long as it runs: an update reaches only the next one.
    pub fn ran_with(&self) -> &Configuration<'d> {
        self.before.as_ref().unwrap_or(&self.configuration)
    }

    /// Whether the cluster of a session job, which is not known, may have a word on this option: none of the job's own
    /// settings does, which stand in `own`.
    pub fn is_left_to_cluster(&self, configuration: &Configuration<'_>, key: Key, own: Option<Node<'_>>) -> bool {
        let holds = |entry: &Entry<'_>| own.is_some_and(|own| own.holds(entry.node));
        self.cluster_unknown && !configuration.entry(key).is_some_and(holds)
    }

    /// Whether high availability is on after this request; `None`: only settings that are not known could tell.
    pub fn is_highly_available(&self) -> Option<bool> {
        self.configuration.is_highly_available().or(self.configuration_complete.then_some(false))
    }
}

/// A job that ends with the cluster it runs on.
#[derive(Debug)]
pub struct Dependent<'d> {
    pub name: Cow<'d, str>,
    pub state: Option<JobState>,
    /// What its own delete would do.
    pub deletion: Deletion<'d>,
}

/// What becomes of the last checkpoint when a job is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// It is kept.
    Kept,
    /// It is deleted, and the configuration says so.
    Deleted,
    /// It is deleted unless the job's code asks for it: the known configuration does not speak of it.
    DeletedByDefault,
}

impl Retention {
    /// What is known to be kept, or to be deleted.
    pub fn of(kept: bool) -> Self {
        if kept { Self::Kept } else { Self::Deleted }
    }
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
