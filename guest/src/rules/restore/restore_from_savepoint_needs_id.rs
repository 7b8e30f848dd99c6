//! FROM_SAVEPOINT needs the savepoint's id (DOMAIN 2.3).

use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-from-savepoint-needs-id",
    title: "restore from a savepoint that is not named",
    family: "restore",
    why: "FROM_SAVEPOINT without an id names no state. The start fails, or worse, the job comes up without the \
        state that was meant.",
    source: "ALI-DOC DeploymentRestoreStrategy; DOMAIN 2.3",
    looks_at: &[(Dialect::Alibaba, "`restoreStrategy.savepointId`")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        if start.restore == Restore::Savepoint(None) {
            report
                .main(&start.restore_place, "the restore strategy is FROM_SAVEPOINT, but no savepoint is named")
                .expected("restoreStrategy.savepointId")
                .remedy(
                    "set `savepointId` to the savepoint that is meant (ListSavepoints shows them), or \
                     choose `LATEST_SAVEPOINT` or `LATEST_STATE`",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start};

    #[test]
    fn only_a_savepoint_without_id_is_refused() {
        let from = |restore| stage(Dialect::Alibaba, start(StartCause::Request, restore));
        assert_eq!(says(&RULE, &from(Restore::Savepoint(None))), only(Effect::Deny));
        assert_eq!(says(&RULE, &from(Restore::Savepoint(Some("354d".into())))), SILENT);
        assert_eq!(says(&RULE, &from(Restore::LatestSavepoint)), SILENT);
    }
}
