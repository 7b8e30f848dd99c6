//! A Flink resource as its fields are read: metadata, the spec that says how the job runs, and status. No judgement.

use std::borrow::Cow;

use crate::document::Node;

/// The kinds that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    SessionJob,
    Snapshot,
    BlueGreen,
    /// Of the Ververica operator, group `ververica.platform`.
    Ververica,
}

impl Kind {
    /// Its finalizer, where the operator cleans up behind one. A blue/green parent has none: its children do.
    pub(super) fn finalizer(self) -> Option<&'static str> {
        match self {
            Self::Deployment => Some("flinkdeployments.flink.apache.org/finalizer"),
            Self::SessionJob => Some("flinksessionjobs.flink.apache.org/finalizer"),
            Self::Snapshot => Some("flinkstatesnapshots.flink.apache.org/finalizer"),
            Self::BlueGreen | Self::Ververica => None,
        }
    }

    /// Its spec describes the pods that the job runs in. A session job runs in those of its cluster.
    pub(super) fn has_pods(self) -> bool {
        matches!(self, Self::Deployment | Self::BlueGreen)
    }
}

/// A resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'d> {
    pub(super) node: Node<'d>,
}

impl<'d> Resource<'d> {
    pub(super) fn metadata(&self, name: &str) -> Option<Node<'d>> {
        self.node.path(&["metadata", name])
    }

    pub(super) fn annotation(&self, name: &str) -> Option<Node<'d>> {
        self.metadata("annotations")?.get(name)
    }

    /// The label that makes the operator skip an object, if it is on (DOMAIN 6.0-2).
    pub(super) fn canary(&self) -> Option<Node<'d>> {
        self.metadata("labels")?.get("flink.apache.org/canary").filter(|value| value.is("true"))
    }

    /// It was deleted, and waits for its clean-up.
    pub(super) fn is_terminating(&self) -> bool {
        self.metadata("deletionTimestamp").is_some()
    }

    pub(super) fn has_finalizer(&self, name: &str) -> bool {
        self.metadata("finalizers").is_some_and(|list| list.elements().any(|entry| entry.is(name)))
    }

    /// The spec that says how a job runs: a blue/green resource keeps it in its template.
    pub(super) fn spec(&self, kind: Kind) -> Spec<'d> {
        let path: &[&str] = if kind == Kind::BlueGreen { &["spec", "template", "spec"] } else { &["spec"] };
        Spec { node: self.node.path(path) }
    }

    pub(super) fn status(&self, path: &[&str]) -> Option<Node<'d>> {
        self.node.get("status")?.path(path)
    }

    /// A text of the status that is not blank.
    pub(super) fn status_text(&self, path: &[&str]) -> Option<Cow<'d, str>> {
        self.status(path)?.scalar().filter(|text| !text.trim().is_empty())
    }

    /// Some snapshot of its job is known to the operator, so there is state to lose (DOMAIN 6.0-10).
    pub(super) fn knows_state(&self) -> bool {
        let positive = |node: Node<'_>| node.scalar().is_some_and(|text| !matches!(text.as_ref(), "" | "0"));
        self.status_text(&["jobStatus", "upgradeSavepointPath"]).is_some()
            || self.status(&["jobStatus", "savepointInfo", "lastSavepoint"]).is_some()
            || self
                .status(&["jobStatus", "savepointInfo", "savepointHistory"])
                .is_some_and(|history| history.elements().next().is_some())
            || self.status(&["jobStatus", "savepointInfo", "lastPeriodicSavepointTimestamp"]).is_some_and(positive)
            || self.status(&["jobStatus", "checkpointInfo", "lastCheckpoint"]).is_some()
            || self.status(&["jobStatus", "checkpointInfo", "lastPeriodicCheckpointTimestamp"]).is_some_and(positive)
    }
}

/// `upgradeMode`: how a job is stopped and what it comes back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpgradeMode {
    Savepoint,
    LastState,
    Stateless,
    /// A word that we do not know.
    Unknown,
}

/// `job.state`: whether a job is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desired {
    Running,
    Suspended,
    /// A word that we do not know.
    Unknown,
}

/// The spec of a FlinkDeployment or FlinkSessionJob.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec<'d> {
    pub(super) node: Option<Node<'d>>,
}

impl<'d> Spec<'d> {
    pub(super) fn get(&self, name: &str) -> Option<Node<'d>> {
        self.node?.get(name)
    }

    pub(super) fn job(&self) -> Option<Node<'d>> {
        self.get("job")
    }

    pub(super) fn of_job(&self, name: &str) -> Option<Node<'d>> {
        self.job()?.get(name)
    }

    pub(super) fn upgrade_mode(&self) -> UpgradeMode {
        match self.of_job("upgradeMode") {
            None => UpgradeMode::Stateless,
            Some(word) if word.is("stateless") => UpgradeMode::Stateless,
            Some(word) if word.is("savepoint") => UpgradeMode::Savepoint,
            Some(word) if word.is("last-state") => UpgradeMode::LastState,
            Some(_) => UpgradeMode::Unknown,
        }
    }

    /// Whether an upgrade keeps state; `None`: a mode that we do not know, or no job.
    pub(super) fn keeps_state(&self) -> Option<bool> {
        self.job()?;
        match self.upgrade_mode() {
            UpgradeMode::Savepoint | UpgradeMode::LastState => Some(true),
            UpgradeMode::Stateless => Some(false),
            UpgradeMode::Unknown => None,
        }
    }

    pub(super) fn desired(&self) -> Desired {
        Self::desired_by(self.of_job("state"))
    }

    /// What a value of `job.state` asks for.
    pub(super) fn desired_by(state: Option<Node<'_>>) -> Desired {
        match state {
            None => Desired::Running,
            Some(word) if word.is("running") => Desired::Running,
            Some(word) if word.is("suspended") => Desired::Suspended,
            Some(_) => Desired::Unknown,
        }
    }

    /// The path that a first deployment or a redeploy starts from, blank or not.
    pub(super) fn initial_savepoint(&self) -> Option<Node<'d>> {
        self.of_job("initialSavepointPath").filter(|path| path.scalar().is_some())
    }

    pub(super) fn is_standalone(&self) -> bool {
        self.get("mode").is_some_and(|mode| mode.is("standalone"))
    }
}
