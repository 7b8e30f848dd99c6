//! `sluicegate restore`: what the starts in files will come up with.

use clap::Args;
use sluicegate::report;

use super::Exit;
use super::check::{Judging, Writers};

/// Say what each start will come up with, and why no other snapshot
///
/// For every start, resume, upgrade and redeploy in the files: the strategy, the snapshot that will be used, and why each
/// other known one is passed over, or why the job starts empty. The requests are judged as by `check`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sluicegate restore start.http --facts savepoints.yaml
  sluicegate restore deploy/ --live <(kubectl get flinkdeployments -o yaml) --format json")]
pub struct Restore {
    #[command(flatten)]
    judging: Judging,
}

impl Restore {
    /// Judges, explains, and says how it ended.
    pub fn run(self) -> anyhow::Result<Exit> {
        self.judging.run(&Writers { human: report::restore, json: report::restore_json })
    }
}
