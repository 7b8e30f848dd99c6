//! What a rule may wish to know that a read could tell. Decoders say which read of their platform tells it.

/// A fact that a read may tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// The state of the job.
    Job,
    /// The deployment as it is stored: desired state, strategies, annotations, template.
    Deployment,
    /// The snapshots of the deployment.
    Savepoints,
    /// The checkpoints of the job: the last one, and what it restored from.
    Checkpoints,
    /// What becomes of the last checkpoint on a cancel.
    Retention,
    /// The configuration of the cluster.
    Configuration,
    /// All jobs of the cluster.
    Jobs,
    /// The cluster that a session job or a snapshot refers to.
    Cluster,
    /// The session jobs that refer to the cluster.
    Referrers,
    /// Whether this location can be read, and what its metadata says.
    Location(String),
}
