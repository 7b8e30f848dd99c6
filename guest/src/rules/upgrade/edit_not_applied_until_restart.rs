//! A change of content that the running job does not see (DOMAIN 6.5).

use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Operation, Reach, Stage, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "edit-not-applied-until-restart",
    title: "edit does not reach the running job",
    family: "upgrade",
    why: "The edit is stored, and the job goes on with the old content: a fix that everybody believes to be out is not.",
    source: "S1-1; DOMAIN 1.3 (upgrade strategy NONE)",
    looks_at: &[
        (Dialect::Ververica, "a changed template with `upgradeStrategy: NONE`"),
        (Dialect::Alibaba, "changed content, publishes"),
    ],
    facts: &["job.status"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let edits = |operation: &Operation<'_>| match &operation.action {
        Action::Change(change) => change.content,
        Action::Publish(_) => true,
        _ => false,
    };
    if stage.current.state.is_none() && stage.operations.iter().any(edits) {
        let want = if stage.platform == Dialect::Ververica { Want::Deployment } else { Want::Job };
        report.wish(want, "whether a job runs that does not see this change");
    }
    let runs = stage.current.state.as_ref().is_some_and(|state| !state.is_over() && !is_unknown(state));
    for operation in &stage.operations {
        let (message, next) = match (&operation.action, stage.platform) {
            (Action::Change(change), platform) if change.content && change.reach == Reach::NextStart => {
                match platform {
                    Dialect::Alibaba => (
                        "the edit is only stored: the job goes on with the old content until it is published and restarted",
                        "publish it, stop the job with `STOP_WITH_SAVEPOINT`, then start it with `LATEST_STATE`",
                    ),
                    _ => (
                        "with upgrade strategy `NONE` the edit is only stored: the running job goes on with the old content",
                        "PATCH `spec.state: SUSPENDED`, then `RUNNING`; or set `spec.upgradeStrategy.kind: STATEFUL` first",
                    ),
                }
            }
            (Action::Publish(Reach::NextStart), _) if runs => (
                "publishing does not restart the job: it goes on with the old content",
                "stop the job with `STOP_WITH_SAVEPOINT`, then start it with `LATEST_STATE`",
            ),
            _ => continue,
        };
        report.main(&operation.place, message).remedy(next);
    }
}

fn is_unknown(state: &JobState) -> bool {
    matches!(state, JobState::Unknown(_))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach};
    use crate::rules::testing::{SILENT, change, findings, only, says, stage};

    #[test]
    fn content_that_waits_for_a_start_warns() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &stage(*platform, change(Reach::NextStart))), only(Effect::Warn));
            assert_eq!(says(&RULE, &stage(*platform, change(Reach::Applied))), SILENT);
            assert_eq!(says(&RULE, &stage(*platform, change(Reach::Nothing))), SILENT);
        }
        let settings = Change { content: false, reach: Reach::NextStart, ..Change::default() };
        assert_eq!(says(&RULE, &stage(Dialect::Ververica, Action::Change(settings))), SILENT);
        let finding = findings(&RULE, &stage(Dialect::Alibaba, change(Reach::NextStart))).remove(0);
        assert!(finding.remedy.starts_with("publish it, stop"), "{}", finding.remedy);
    }

    #[test]
    fn a_publish_warns_while_a_job_is_known_to_run() {
        let publish = || stage(Dialect::Alibaba, Action::Publish(Reach::NextStart));
        assert_eq!(says(&RULE, &publish().in_state("RUNNING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &publish()), SILENT);
        assert_eq!(says(&RULE, &publish().in_state("CANCELLED")), SILENT);
        let followed = stage(Dialect::Alibaba, Action::Publish(Reach::Applied)).in_state("RUNNING");
        assert_eq!(says(&RULE, &followed), SILENT);
    }
}
