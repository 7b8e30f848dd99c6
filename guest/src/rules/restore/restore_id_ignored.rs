//! A savepoint id that the restore strategy does not read (DOMAIN 2.3).

use crate::finding::Report;
use crate::operation::{Dialect, Place, Restore, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-id-ignored",
    title: "savepoint id without effect",
    family: "restore",
    why: "Only FROM_SAVEPOINT reads `savepointId`. With any other kind the job comes up from something else than the \
          savepoint that was named, and nothing says so.",
    source: "ALI-DOC DeploymentRestoreStrategy; DOMAIN 2.3",
    looks_at: &[(Dialect::Alibaba, "`restoreStrategy.savepointId`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let Some(node) = start.savepoint_id.filter(|_| !matches!(start.restore, Restore::Savepoint(_))) else {
            continue;
        };
        report
            .main(&Place::Body(node), "`savepointId` has no effect: only `kind: FROM_SAVEPOINT` reads it")
            .observed(node.scalar().unwrap_or_default())
            .remedy("set `kind: FROM_SAVEPOINT` to start from this savepoint, or leave the id out");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, stage, start_with};

    #[test]
    fn an_id_counts_only_with_its_kind() {
        let of = |restore| {
            let id = body("{savepointId: '354d'}").get("savepointId");
            stage(Dialect::Alibaba, start_with(StartCause::Request, restore, |it| it.savepoint_id = id))
        };
        assert_eq!(says(&RULE, &of(Restore::LatestState)), only(Effect::Warn));
        assert_eq!(says(&RULE, &of(Restore::Empty)), only(Effect::Warn));
        assert_eq!(says(&RULE, &of(Restore::Savepoint(Some("354d".into())))), SILENT);
    }
}
