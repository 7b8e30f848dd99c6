//! A restore from a checkpoint that Flink made and may delete (DOMAIN 3.5, 6.4).

use crate::finding::Report;
use crate::location::is_checkpoint;
use crate::location::named::{Role, named};
use crate::operation::{ClaimMode, Dialect, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-from-flink-owned-checkpoint",
    title: "restore from a checkpoint that Flink may delete",
    family: "restore",
    why: "A `chk-<n>` belongs to the job that wrote it. If that job still runs, or a clean-up comes by, the checkpoint \
          is gone before the restore is done.",
    source: "FKO snapshots page; FLIP-193; DOMAIN 3.5",
    looks_at: &[
        (Dialect::Kubernetes, "`initialSavepointPath`"),
        (Dialect::FlinkRest, "`savepointPath`, in the body, the query or the configuration"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    // What is claimed is the new job's own.
    if stage.starts().any(|(_, start)| start.claim.as_ref().is_some_and(|claim| claim.mode == ClaimMode::Claim)) {
        return;
    }
    for location in named(stage).filter(|location| matches!(location.role, Role::Restored | Role::Stored)) {
        if is_checkpoint(&location.text) {
            report
                .main(&location.place, "this is a checkpoint of a job, which Flink may delete at any time")
                .observed(location.text)
                .expected("a savepoint")
                .remedy(
                    "take a savepoint and start from that; if there is none, make sure that no job goes on from this \
                     checkpoint, and keep it until the first own one is complete",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Claim, ClaimMode, Dialect, Place, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start_with};

    #[test]
    fn checkpoints_are_told_by_their_name() {
        let from = |location: &'static str, mode| {
            let claim = Some(Claim { mode, place: Place::Target });
            let start = start_with(StartCause::Request, Restore::Location(location.into()), |it| it.claim = claim);
            says(&RULE, &stage(Dialect::FlinkRest, start))
        };
        for chk in ["s3://b/job/chk-4", "/b/chk-4/_metadata", "s3://b/job/chk-4/", "s3://b/job/sp/../chk-12"] {
            assert_eq!(from(chk, ClaimMode::NoClaim), only(Effect::Warn), "{chk}");
        }
        for other in ["s3://b/chk-4/savepoint-1", "s3://b/chk-", "s3://b/chk-new", "s3://b/my-chk-4", "chk-4"] {
            assert_eq!(from(other, ClaimMode::NoClaim), SILENT, "{other}");
        }
        assert_eq!(from("s3://b/job/chk-4", ClaimMode::Claim), SILENT);
    }
}
