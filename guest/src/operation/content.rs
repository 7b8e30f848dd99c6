//! What a request says of the content of a job, whatever else becomes of the job.

use crate::document::Node;

/// The parts of a job's content that rules compare. `None`: the request does not say it.
#[derive(Clone, Debug, Default)]
pub struct Content<'d> {
    /// The job's own Flink configuration, as the request has it.
    pub configuration: Option<Node<'d>>,
    pub parallelism: Option<Node<'d>>,
    /// The version of Flink that runs it: `v2_2`, `1.20`, `vvr-8.0.9-flink-1.17`.
    pub engine_version: Option<Node<'d>>,
    /// The program, where the request brings another one.
    pub artifact: Option<Node<'d>>,
    /// Where a snapshot in the state backend's own format is asked for.
    pub native_format: Option<Node<'d>>,
    /// Later starts come back with the state of the job by themselves; `None`: not known.
    pub restores: Option<bool>,
    /// They do so from the newest snapshot of any origin, checkpoints included (Ververica `LATEST_STATE`).
    pub restores_latest_state: bool,
}
