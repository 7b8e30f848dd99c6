//! The reads that may be asked for: a closed set. A host builds the paths; what a request names goes into them only if
//! it can be named safely.

use crate::location::SavepointLocation;

/// A read that would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Flink `/jobs/:jobid`.
    FlinkJob(String),
    /// Flink `/jobs/:jobid/checkpoints`.
    FlinkCheckpoints(String),
    /// Flink `/jobs/:jobid/checkpoints/config`.
    FlinkCheckpointConfig(String),
    /// Flink `/jobs/overview`.
    FlinkJobs,
    /// The cluster's configuration.
    FlinkConfig,
    VervericaDeployment(Scoped),
    VervericaSavepoints(Scoped),
    VervericaJob(Scoped),
    /// GetDeployment.
    AlibabaDeployment(Scoped),
    /// ListJobs of a deployment.
    AlibabaJobs(Scoped),
    /// GetJob.
    AlibabaJob(Scoped),
    /// ListSavepoints of a deployment.
    AlibabaSavepoints(Scoped),
    Kubernetes(ObjectRef),
    /// A savepoint's location, without the names that lead nowhere.
    Location(String),
}

/// A name or id inside a namespace of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoped {
    pub namespace: String,
    pub id: String,
}

/// A Kubernetes object, or all of a kind in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    pub kind: String,
    pub namespace: String,
    /// `None`: all of this kind.
    pub name: Option<String>,
}

/// Bytes of the longest name or location that is asked for.
const LONGEST: usize = 4096;

impl Lookup {
    /// Every name in it can stand in a path: not empty, no dot segment, nothing that a terminal or log would trip over.
    pub fn is_sound(&self) -> bool {
        let sound = |text: &String| {
            !text.trim().is_empty()
                && text.len() <= LONGEST
                && !matches!(text.as_str(), "." | "..")
                && !text.chars().any(char::is_control)
        };
        match self {
            Self::FlinkJobs | Self::FlinkConfig => true,
            Self::FlinkJob(text) | Self::FlinkCheckpoints(text) | Self::FlinkCheckpointConfig(text) => sound(text),
            Self::Location(text) => sound(text) && SavepointLocation::parse(text).is_ok(),
            Self::VervericaDeployment(it)
            | Self::VervericaSavepoints(it)
            | Self::VervericaJob(it)
            | Self::AlibabaDeployment(it)
            | Self::AlibabaJobs(it)
            | Self::AlibabaJob(it)
            | Self::AlibabaSavepoints(it) => sound(&it.namespace) && sound(&it.id),
            Self::Kubernetes(it) => sound(&it.namespace) && it.name.iter().all(sound),
        }
    }
}

/// What is read, for people.
impl std::fmt::Display for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, name) = match self {
            Self::FlinkJob(id) => ("job", id),
            Self::FlinkCheckpoints(id) => ("the checkpoints of job", id),
            Self::FlinkCheckpointConfig(id) => ("the checkpoint configuration of job", id),
            Self::FlinkJobs => return f.write_str("the jobs of the cluster"),
            Self::FlinkConfig => return f.write_str("the configuration of the cluster"),
            Self::VervericaDeployment(it) | Self::AlibabaDeployment(it) => ("deployment", &it.id),
            Self::VervericaSavepoints(it) | Self::AlibabaSavepoints(it) => ("the savepoints of deployment", &it.id),
            Self::AlibabaJobs(it) => ("the jobs of deployment", &it.id),
            Self::VervericaJob(it) | Self::AlibabaJob(it) => ("job", &it.id),
            Self::Kubernetes(ObjectRef { kind, name: Some(name), .. }) => (kind.as_str(), name),
            Self::Kubernetes(ObjectRef { kind, namespace, name: None }) => {
                return write!(f, "every {kind} of `{namespace}`");
            }
            Self::Location(at) => ("the metadata at", at),
        };
        write!(f, "{what} `{name}`")
    }
}
