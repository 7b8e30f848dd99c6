//! A job ends without a savepoint (DOMAIN 6.12). Whether its last checkpoint survives is told where it is known; that it
//! does not is `cancel-deletes-checkpoints`.

use super::cancel_needs_running::already_asked;
use crate::finding::Report;
use crate::operation::{Dialect, JobState, Restart, Retention, Stage, Stop, StopCause, StopMode, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cancel-without-savepoint",
    title: "cancel without savepoint",
    family: "stop",
    why: "No savepoint is taken on the way down: what the job knew since its last checkpoint is processed again, and \
          without that checkpoint everything is lost.",
    source: "S1-4, S1-5; DOMAIN 4.2-5, 6.12; REC R5",
    looks_at: &[
        (Dialect::Kubernetes, "suspends with `upgradeMode: stateless`"),
        (Dialect::Ververica, "`spec.state: CANCELLED`"),
        (Dialect::Alibaba, "`stopStrategy: NONE`"),
        (Dialect::FlinkRest, "PATCH `/jobs/:jobid`"),
    ],
    facts: &["job.status", "intent.restartPlanned"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if !has_something_to_lose(stage) || matches!(stage.intent.restart(), Restart::Final(_)) {
        return;
    }
    for (operation, _) in stage.stops().filter(|(_, stop)| ends_without_savepoint(stop) && !already_asked(stage, stop))
    {
        let (checkpoint, message) = what_is_left(stage);
        if stage.current.state.is_none() {
            report.wish(Want::Job, "whether the job runs and has state to lose");
        }
        match stage.current.retention {
            None => report.wish(Want::Retention, "whether the last checkpoint survives the cancel"),
            Some(Retention::Kept) if stage.platform == Dialect::FlinkRest && stage.facts.seen.checkpoints.is_none() => {
                report.wish(Want::Checkpoints, "which checkpoint is left after the cancel");
            }
            Some(_) => {}
        }
        let keep = words::stop_with_savepoint(stage);
        let end = words::declare_final(stage);
        let next = format!("to keep the state, {keep}; if the job ends for good, {end}");
        let mut draft = report.main(&operation.place, message);
        if let Some(checkpoint) = checkpoint {
            draft = draft.observed(format!("`{checkpoint}`"));
        }
        draft.remedy(next);
    }
}

/// A cancel that somebody asks for. An upgrade and a deletion have rules of their own.
pub(super) fn ends_without_savepoint(stop: &Stop<'_>) -> bool {
    stop.mode == StopMode::Cancel && matches!(stop.cause, StopCause::Request | StopCause::Suspend)
}

fn has_something_to_lose(stage: &Stage<'_>) -> bool {
    let ending = |state: &JobState| state.is_over() || *state == JobState::Cancelling;
    let known = &stage.facts.deployment;
    !stage.current.state.as_ref().is_some_and(ending)
        && known.never_started != Some(true)
        && known.has_state != Some(false)
}

/// The snapshot that is left, where it is known, and what there is to say.
fn what_is_left<'s>(stage: &'s Stage<'_>) -> (Option<&'s str>, &'static str) {
    let checkpoints = stage.facts.seen.checkpoints.as_ref();
    let none = checkpoints.filter(|known| known.last.is_none());
    if let Some(savepoint) = none.and_then(|known| known.savepoint.as_deref()) {
        let words = "no savepoint is taken, and the job has not completed a checkpoint yet: only its last savepoint is \
                     left to start again from";
        return (Some(savepoint), words);
    }
    let words = match (stage.platform, stage.current.retention) {
        // What it restored from is not its own to delete.
        (Dialect::FlinkRest, Some(_)) if none.is_some() => {
            "no savepoint is taken, and the job has not completed a checkpoint yet: nothing of its own is left to start \
             again from"
        }
        (Dialect::Kubernetes, _) => {
            "no savepoint is taken, and a job suspended with `upgradeMode: stateless` comes back empty"
        }
        (Dialect::Alibaba, _) => {
            "no savepoint is taken: the platform keeps the latest checkpoint, but only that one, and the next run \
             replaces it: it is no backup"
        }
        (_, Some(Retention::Kept)) => {
            "no savepoint is taken: the last checkpoint is kept, but it is no backup, and a restart goes back to it and \
             repeats what came after"
        }
        (_, Some(Retention::Deleted)) => {
            "no savepoint is taken, and the last checkpoint is deleted: nothing is left to start again from"
        }
        (_, Some(Retention::DeletedByDefault)) => {
            "no savepoint is taken, and the last checkpoint is deleted unless the job's own code asks to keep it"
        }
        (_, None) => "no savepoint is taken, and whether the last checkpoint survives is not known here",
    };
    let kept = checkpoints.filter(|_| stage.current.retention == Some(Retention::Kept));
    (kept.and_then(|known| known.last.as_deref()), words)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Retention, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, findings, only, says, stage, stop};

    fn cancel(platform: Dialect) -> Stage<'static> {
        let cause = if platform == Dialect::Kubernetes { StopCause::Suspend } else { StopCause::Request };
        stage(platform, stop(StopMode::Cancel, cause))
    }

    #[test]
    fn a_job_that_may_run_again_warns() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &cancel(*platform)), only(Effect::Warn), "{platform:?}");
            for state in ["RUNNING", "STARTING", "TRANSITIONING", "RESTARTING", "FAILING", "A_NEW_WORD"] {
                assert_eq!(says(&RULE, &cancel(*platform).in_state(state)), only(Effect::Warn), "{state}");
            }
            assert_eq!(says(&RULE, &cancel(*platform).restart_planned(true)), only(Effect::Warn));
        }
        // How a job is upgraded says nothing of what it has kept until now.
        let stateless = cancel(Dialect::Kubernetes).with(|it| it.current.stateful = Some(false));
        assert_eq!(says(&RULE, &stateless), only(Effect::Warn));
    }

    #[test]
    fn the_end_and_nothing_to_lose_do_not() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &cancel(*platform).restart_planned(false)), SILENT, "{platform:?}");
            for state in ["FAILED", "FINISHED", "CANCELLED", "CANCELLING", "SUSPENDED"] {
                assert_eq!(says(&RULE, &cancel(*platform).in_state(state)), SILENT, "{state}");
            }
            assert_eq!(says(&RULE, &cancel(*platform).with_facts("deployment: {neverStarted: true}")), SILENT);
            assert_eq!(says(&RULE, &cancel(*platform).with_facts("deployment: {hasState: false}")), SILENT);
        }
        let repeated = cancel(Dialect::Ververica).with(|it| it.current.desired = Some("CANCELLED".into()));
        assert_eq!(says(&RULE, &repeated), SILENT);
        for cause in [StopCause::Upgrade, StopCause::Delete] {
            assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, stop(StopMode::Cancel, cause))), SILENT);
        }
        let kept = stage(Dialect::Kubernetes, stop(StopMode::LastState, StopCause::Suspend));
        assert_eq!(says(&RULE, &kept), SILENT);
    }

    #[test]
    fn what_is_left_is_told() {
        let message = |platform, retention| {
            findings(&RULE, &cancel(platform).with(|it| it.current.retention = retention)).remove(0).message
        };
        assert!(message(Dialect::FlinkRest, Some(Retention::Kept)).contains("is kept"));
        assert!(message(Dialect::FlinkRest, Some(Retention::Deleted)).contains("nothing is left"));
        assert!(message(Dialect::FlinkRest, Some(Retention::DeletedByDefault)).contains("unless"));
        assert!(message(Dialect::Ververica, None).contains("not known"));
        assert!(message(Dialect::Alibaba, None).contains("no backup"));
    }
}
