//! A cancel that takes the last checkpoint with it (DOMAIN 6.2, 6.12): afterwards there is no state at all.

use super::cancel_needs_running::already_asked;
use super::cancel_without_savepoint::ends_without_savepoint;
use crate::configuration::RETENTION;
use crate::finding::Report;
use crate::operation::{Action, Deletion, Dialect, JobState, Restart, Retention, Stage, StopCause, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cancel-deletes-checkpoints",
    title: "cancel deletes the last checkpoint",
    family: "stop",
    why: "Unless checkpoints are retained, Flink deletes them with the job: after a cancel without savepoint nothing is \
          left, and the next start is empty.",
    source: "REC R5; FLINK-10751, FLINK-17487; DOMAIN 3.6",
    looks_at: &[
        (Dialect::Kubernetes, "stateless suspends and deletes, retention of checkpoints"),
        (Dialect::Ververica, "cancels, retention of checkpoints"),
        (Dialect::FlinkRest, "cancels, retention of checkpoints"),
    ],
    facts: &[
        "job.status",
        "intent.restartPlanned",
        "platform.flinkConfiguration",
        "deployment.flinkConfiguration",
        "related",
    ],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if stage.current.state.as_ref().is_some_and(|state| state.is_over()) {
        return;
    }
    let running = stage.current.state == Some(JobState::Running);
    if stage.platform == Dialect::Kubernetes && running && stage.current.retention == Some(Retention::Deleted) {
        deletes(stage, report);
    }
    for (operation, stop) in
        stage.stops().filter(|(_, stop)| ends_without_savepoint(stop) && !already_asked(stage, stop))
    {
        let planned = match (stage.intent.restart(), stop.cause) {
            (Restart::Planned(_), _) => Some(true),
            (Restart::Final(_), _) => Some(false),
            (Restart::Unknown { .. }, StopCause::Suspend) => Some(true),
            (Restart::Unknown { .. }, _) => None,
        };
        let place = &operation.place;
        if stage.current.retention == Some(Retention::Kept) {
            if running && planned == Some(true) && stage.facts.seen.retention.is_none() {
                report.wish(Want::Retention, "with which retention the running job was started");
            }
            continue;
        }
        lacks(planned, stage, report);
        let mut draft = match (stage.current.retention, planned) {
            (None | Some(Retention::Kept), _) => continue,
            (Some(Retention::Deleted), Some(true)) if running => {
                if stage.platform == Dialect::Ververica && stage.facts.seen.retention.is_none() {
                    report.wish(Want::Retention, "with which retention the running job was started");
                }
                let message = "this cancel deletes the last checkpoint and takes no savepoint, and the job is to run \
                               again: it would start empty";
                report.main(place, message)
            }
            (Some(Retention::Deleted), _) => {
                let message = "this cancel deletes the last checkpoint and takes no savepoint: nothing is left to \
                               start again from";
                report.warn(place, message)
            }
            (Some(Retention::DeletedByDefault), _) => {
                let message = "the last checkpoint is deleted on a cancel unless the job's code asks to keep it, and no \
                               savepoint is taken: nothing may be left";
                report.warn(place, message)
            }
        };
        if let Some(value) = stage.current.ran_with().get(RETENTION) {
            draft = draft.observed(value);
        }
        let keep = words::stop_with_savepoint(stage);
        let key = RETENTION.first().copied().unwrap_or_default();
        draft
            .expected("RETAIN_ON_CANCELLATION")
            .remedy(format!("{keep}; for later runs set `{key}: RETAIN_ON_CANCELLATION`"));
    }
}

/// What keeps a cancel from being refused is that the job does not run, that nobody wants to start it again, or that its
/// checkpoint stays. What of this is not known is lacking.
fn lacks(planned: Option<bool>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let runs = match &stage.current.state {
        None | Some(JobState::Unknown(_)) => !stage.facts.seen.no_such_job,
        Some(state) => *state == JobState::Running,
    };
    if !runs || planned == Some(false) {
        return;
    }
    if stage.current.state != Some(JobState::Running) {
        report.lacks(Want::Job, "whether the job runs, and has a checkpoint to lose");
    }
    match stage.current.retention {
        None => report.lacks(Want::Retention, "whether the last checkpoint is kept when the job is cancelled"),
        Some(Retention::DeletedByDefault) => {
            report.lacks(Want::Retention, "whether the job's own code asks to keep its checkpoints");
        }
        Some(Retention::Deleted | Retention::Kept) => {}
    }
    if planned.is_none() {
        report.unjudged("whether a restart is planned");
    }
}

/// A delete cancels the job (DOMAIN 4.2-7). Whether its state is still wanted is `delete-running-without-savepoint`.
fn deletes(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let message = match &operation.action {
            Action::Delete(Deletion { savepoint_first: Some(false), .. }) => {
                "this delete takes the last checkpoint with it and no savepoint is taken: nothing is left to start again \
                 from"
            }
            Action::Delete(Deletion { savepoint_first: None, .. }) => {
                "this delete takes the last checkpoint with it: nothing is left to start again from, unless a savepoint is \
                 taken, which is not known here"
            }
            _ => continue,
        };
        let mut draft = report.warn(&operation.place, message);
        if let Some(value) = stage.current.ran_with().get(RETENTION) {
            draft = draft.observed(value);
        }
        let key = RETENTION.first().copied().unwrap_or_default();
        draft.expected("RETAIN_ON_CANCELLATION").remedy(format!(
            "before the delete, set `{key}: RETAIN_ON_CANCELLATION` or take a savepoint; if nothing of the job is needed \
             any more, there is nothing to do"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Deletion, Dialect, Retention, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, deletion, only, says, stage, stop, unjudged};

    fn cancel(retention: Option<Retention>) -> Stage<'static> {
        stage(Dialect::FlinkRest, stop(StopMode::Cancel, StopCause::Request))
            .in_state("RUNNING")
            .with(|it| it.current.retention = retention)
    }

    #[test]
    fn a_running_job_that_comes_back_denies() {
        let deleted = || cancel(Some(Retention::Deleted));
        assert_eq!(says(&RULE, &deleted().restart_planned(true)), only(Effect::Deny));
        assert_eq!(says(&RULE, &deleted()), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &deleted().restart_planned(false)), only(Effect::Warn));
        assert_eq!(says(&RULE, &deleted().restart_planned(true).in_state("RESTARTING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &deleted().restart_planned(true).in_state("FAILED")), SILENT);
        assert_eq!(says(&RULE, &cancel(Some(Retention::Kept)).restart_planned(true)), SILENT);
    }

    #[test]
    fn a_suspend_is_made_to_come_back() {
        let suspend = stage(Dialect::Kubernetes, stop(StopMode::Cancel, StopCause::Suspend))
            .in_state("RUNNING")
            .with(|it| it.current.retention = Some(Retention::Deleted));
        assert_eq!(says(&RULE, &suspend), only(Effect::Deny));
        assert_eq!(says(&RULE, &suspend.restart_planned(false)), only(Effect::Warn));
    }

    #[test]
    fn a_delete_warns_where_the_resource_itself_says_so() {
        let delete = |savepoint_first, retention, state| {
            let deletion = Deletion { savepoint_first, ..deletion() };
            let delete = stage(Dialect::Kubernetes, Action::Delete(deletion)).in_state(state);
            delete.with(|it| it.current.retention = Some(retention))
        };
        assert_eq!(says(&RULE, &delete(Some(false), Retention::Deleted, "RUNNING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &delete(Some(true), Retention::Deleted, "RUNNING")), SILENT);
        assert_eq!(says(&RULE, &delete(Some(false), Retention::Kept, "RUNNING")), SILENT);
        assert_eq!(says(&RULE, &delete(Some(false), Retention::Deleted, "RESTARTING")), SILENT);
    }

    #[test]
    fn what_only_the_job_s_code_knows_never_denies() {
        let by_default = || cancel(Some(Retention::DeletedByDefault));
        assert_eq!(says(&RULE, &by_default().restart_planned(true)), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &by_default()), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &by_default().restart_planned(false)), only(Effect::Warn));
    }

    #[test]
    fn who_knows_less_is_told_no_less() {
        let unknown = |retention| cancel(retention).with(|it| it.current.state = None);
        for stage in [
            || cancel(None).restart_planned(true),
            || cancel(None),
            || cancel(None).restart_planned(true).with(|it| it.current.state = None),
            || cancel(None).with(|it| it.current.state = None),
            || cancel(None).in_state("A_NEW_WORD"),
        ] {
            assert_eq!(says(&RULE, &stage()), unjudged());
        }
        assert_eq!(says(&RULE, &unknown(Some(Retention::Deleted)).restart_planned(true)), at_least(Effect::Warn));
        // Whatever the rest is, these are never refused.
        assert_eq!(says(&RULE, &cancel(None).restart_planned(false)), SILENT);
        assert_eq!(says(&RULE, &unknown(Some(Retention::Kept)).restart_planned(true)), SILENT);
        for state in ["FAILED", "FAILING", "RESTARTING", "CREATED", "FINISHED"] {
            assert_eq!(says(&RULE, &cancel(None).restart_planned(true).in_state(state)), SILENT, "{state}");
        }
        let gone = unknown(None).restart_planned(true).with(|it| it.facts.seen.no_such_job = true);
        assert_eq!(says(&RULE, &gone), SILENT);
    }

    #[test]
    fn only_cancels_that_are_asked_for() {
        for (mode, cause) in [(StopMode::Savepoint, StopCause::Request), (StopMode::Cancel, StopCause::Upgrade)] {
            let other = stage(Dialect::FlinkRest, stop(mode, cause))
                .in_state("RUNNING")
                .restart_planned(true)
                .with(|it| it.current.retention = Some(Retention::Deleted));
            assert_eq!(says(&RULE, &other), SILENT);
        }
    }
}
