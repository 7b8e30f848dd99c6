//! What only a read can tell, and no declaration has a word for.

use std::borrow::Cow;

use super::Metadata;
use crate::location;
use crate::operation::Retention;

/// What only a read can tell.
#[derive(Clone, Debug, Default)]
pub struct Seen<'d> {
    /// The platform knows no such job.
    pub no_such_job: bool,
    /// The id of the deployment, where the request names it otherwise, or names a job of it.
    pub deployment_id: Option<Cow<'d, str>>,
    /// The id of the deployment's running job.
    pub job_id: Option<Cow<'d, str>>,
    /// What becomes of the running job's last checkpoint when it is cancelled.
    pub retention: Option<Retention>,
    pub checkpoints: Option<Checkpoints<'d>>,
    /// All jobs of the cluster.
    pub jobs: Option<Vec<Job<'d>>>,
    pub locations: Vec<Location<'d>>,
}

/// The snapshots that a job knows of.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints<'d> {
    /// Where the last completed checkpoint lies; none: none is completed.
    pub last: Option<Cow<'d, str>>,
    /// Where the last completed savepoint lies, which no cancel deletes.
    pub savepoint: Option<Cow<'d, str>>,
    /// What the job came up with; none: nothing.
    pub restored: Option<Cow<'d, str>>,
}

/// A job of a cluster.
#[derive(Clone, Debug)]
pub struct Job<'d> {
    pub name: Cow<'d, str>,
    pub state: Cow<'d, str>,
}

/// A location that was looked at.
#[derive(Clone, Debug)]
pub struct Location<'d> {
    pub at: &'d str,
    /// None: there is no snapshot.
    pub metadata: Option<Metadata>,
}

impl Seen<'_> {
    /// Whether a snapshot lies there, and what its metadata tells; `None`: nobody looked.
    pub fn at(&self, location: &str) -> Option<&Location<'_>> {
        let name = location::normal(location);
        self.locations.iter().find(|seen| seen.at == name)
    }
}
