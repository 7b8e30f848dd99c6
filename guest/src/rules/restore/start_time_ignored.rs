//! A start time that the restore strategy does not read (DOMAIN 2.3).

use crate::finding::Report;
use crate::operation::{Dialect, Place, Restore, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "start-time-ignored",
    title: "start time without effect",
    family: "restore",
    why: "Only a start without state reads `jobStartTimeInMs`. With state, sources go on from their own positions, and \
          the data that was to be skipped or read again is not.",
    source: "ALI-DOC DeploymentRestoreStrategy; DOMAIN 2.3",
    looks_at: &[(Dialect::Alibaba, "`restoreStrategy.jobStartTimeInMs`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let ignored = !matches!(start.restore, Restore::Empty | Restore::Unknown);
        let Some(node) = start.start_time.filter(|_| ignored) else { continue };
        report
            .main(&Place::Body(node), "`jobStartTimeInMs` has no effect: only `kind: NONE` reads it")
            .observed(node.scalar().unwrap_or_default())
            .remedy("leave it out to go on from the state; with `kind: NONE` the job would start there, but empty");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, stage, start_with};

    #[test]
    fn state_has_its_own_positions() {
        let of = |restore| {
            let time = body("{t: 1660293803155}").get("t");
            stage(Dialect::Alibaba, start_with(StartCause::Request, restore, |it| it.start_time = time))
        };
        assert_eq!(says(&RULE, &of(Restore::LatestState)), only(Effect::Warn));
        assert_eq!(says(&RULE, &of(Restore::Savepoint(None))), only(Effect::Warn));
        assert_eq!(says(&RULE, &of(Restore::Empty)), SILENT);
        assert_eq!(says(&RULE, &of(Restore::Unknown)), SILENT);
    }
}
