//! A stop of a job that does not run (DOMAIN 6.2, 6.12). Failed, restarting, starting and transitional jobs are
//! exempt: there a cancel is the way out.

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, JobState, Place, Stage, Stop, StopCause, StopMode, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cancel-needs-running",
    title: "the job does not run",
    family: "stop",
    why: "A job that is over gives no savepoint: Flink accepts the stop and fails it later, and a script that goes on \
          finds nothing to restore from.",
    source: "S1-2; REC R13, R14; VVPCTL (a failed deployment must stay cancellable)",
    looks_at: &[
        (Dialect::Ververica, "`spec.state: CANCELLED`, the state of the deployment"),
        (Dialect::Alibaba, "StopJob, the state of the job"),
        (Dialect::FlinkRest, "`/stop` and cancels, the state of the job"),
    ],
    facts: &["job.status", "deployment.statusState", "deployment.specState"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let asked = |stop: &Stop<'_>| matches!(stop.cause, StopCause::Request | StopCause::Suspend);
    for (operation, stop) in stage.stops().filter(|(_, stop)| asked(stop)) {
        let place = &operation.place;
        if already_asked(stage, stop) {
            let message = "`spec.state` is `CANCELLED` already: this request changes nothing";
            report.note(place, message).remedy("nothing to do; wait until `status.state` is CANCELLED");
            continue;
        }
        let Some(state) = &stage.current.state else {
            no_such_job(stage, place, report);
            match may_deny(stage, stop) {
                true => report.lacks(Want::Job, "the state of the job (`job.status`)"),
                false => report.wish(Want::Job, "the state of the job (`job.status`)"),
            }
            continue;
        };
        let Some((strength, message, next)) = judge(stage, stop.mode, state) else { continue };
        let draft = match strength {
            Effect::Deny => report.main(place, message),
            _ => report.warn(place, message),
        };
        draft.observed(words::state(stage.platform, state)).expected("RUNNING").remedy(next);
    }
}

/// Whether a state is refused: that of a job that is over and cannot give the savepoint that is asked of it.
fn may_deny(stage: &Stage<'_>, stop: &Stop<'_>) -> bool {
    let platform = matches!(stage.platform, Dialect::Alibaba | Dialect::FlinkRest);
    platform && stop.mode != StopMode::Cancel && !stage.facts.seen.no_such_job
}

/// The cluster was asked, and knows of no such job.
fn no_such_job(stage: &Stage<'_>, place: &Place<'_>, report: &mut Report<'_>) {
    if stage.facts.seen.no_such_job {
        let message = "the platform knows no such job: nothing will be stopped, and no savepoint is taken";
        report
            .warn(place, message)
            .expected("the id of a running job")
            .remedy("check that this is the job you mean: a restarted job has a new id");
    }
}

/// The platform keeps this desired state already.
pub(super) fn already_asked(stage: &Stage<'_>, stop: &Stop<'_>) -> bool {
    stage.platform == Dialect::Ververica
        && stop.mode == StopMode::Cancel
        && stage.current.desired.as_deref() == Some("CANCELLED")
}

fn judge(stage: &Stage<'_>, mode: StopMode, state: &JobState) -> Option<(Effect, String, String)> {
    let platform = stage.platform;
    let word = words::state(platform, state);
    let takes_savepoint = mode != StopMode::Cancel;
    Some(match (platform, state) {
        (_, JobState::Failed) if takes_savepoint => (
            Effect::Warn,
            "the job failed and gives no savepoint: this stop cannot succeed".to_owned(),
            format!("to end it, {}; it can start again from its last checkpoint or savepoint", words::cancel(stage)),
        ),
        (Dialect::Ververica, JobState::Canceled | JobState::Finished) if takes_savepoint => (
            Effect::Warn,
            format!("no job runs ({word}): there is nothing to suspend, and no savepoint will be taken"),
            "leave `spec.state` as it is; if a savepoint is needed, start the deployment first".to_owned(),
        ),
        (Dialect::Ververica, JobState::Canceled) => (
            Effect::Warn,
            "the deployment is cancelled already: no job runs that could be cancelled".to_owned(),
            "read `spec.state` and `status.state` first; the deployment may be just about to start".to_owned(),
        ),
        (Dialect::Ververica, JobState::Suspended) if !takes_savepoint => (
            Effect::Warn,
            "no job runs: the deployment is suspended, and a cancel only takes away the mark that it is to be resumed"
                .to_owned(),
            "to run it again, PATCH `spec.state: RUNNING`; cancel it only on the way to a delete".to_owned(),
        ),
        (Dialect::Ververica, _) => return None,
        (Dialect::Alibaba, JobState::Canceled | JobState::Finished | JobState::Cancelling) if takes_savepoint => (
            Effect::Deny,
            format!("the job does not run ({word}): it gives no savepoint, so nothing new is there to restore from"),
            "read the job with GetJob; to start again, use the newest savepoint that ListSavepoints shows".to_owned(),
        ),
        (Dialect::FlinkRest, JobState::Canceled | JobState::Finished) if takes_savepoint => (
            Effect::Deny,
            format!(
                "the job is {word}: Flink answers 202, fails the savepoint later, and nothing new is there to restore \
                 from"
            ),
            "GET `/jobs/:jobid` first; check that this is the job you mean, and restore from its last known savepoint"
                .to_owned(),
        ),
        (Dialect::FlinkRest, JobState::Cancelling) if takes_savepoint => (
            Effect::Warn,
            "the job is being cancelled: Flink answers 202, and the savepoint will most likely fail".to_owned(),
            "poll the trigger for the savepoint's location before relying on it".to_owned(),
        ),
        (_, JobState::Canceled | JobState::Finished) => (
            Effect::Warn,
            format!("the job is {word} already: this cancel does nothing"),
            "check that this is the job you mean: a restarted job has a new id".to_owned(),
        ),
        (Dialect::Alibaba, JobState::Cancelling) => (
            Effect::Warn,
            "the job is being cancelled already: this request adds nothing".to_owned(),
            "wait until GetJob shows CANCELLED".to_owned(),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, only, says, stage, stop, unjudged};

    fn request(platform: Dialect, mode: StopMode) -> Stage<'static> {
        stage(platform, stop(mode, StopCause::Request))
    }

    #[test]
    fn no_savepoint_comes_from_a_job_that_is_over() {
        for mode in [StopMode::Savepoint, StopMode::Drain] {
            for state in ["CANCELED", "FINISHED"] {
                for platform in [Dialect::Alibaba, Dialect::FlinkRest] {
                    assert_eq!(says(&RULE, &request(platform, mode).in_state(state)), only(Effect::Deny), "{state}");
                }
            }
            assert_eq!(says(&RULE, &request(Dialect::Alibaba, mode).in_state("CANCELLING")), only(Effect::Deny));
            assert_eq!(says(&RULE, &request(Dialect::FlinkRest, mode).in_state("CANCELLING")), only(Effect::Warn));
        }
    }

    #[test]
    fn a_stop_of_a_job_that_may_be_over_is_not_judged() {
        for mode in [StopMode::Savepoint, StopMode::Drain] {
            for platform in [Dialect::Alibaba, Dialect::FlinkRest] {
                assert_eq!(says(&RULE, &request(platform, mode)), unjudged());
            }
            assert_eq!(says(&RULE, &request(Dialect::Ververica, mode)), SILENT, "it only warns there");
            let gone = request(Dialect::FlinkRest, mode).with(|it| it.facts.seen.no_such_job = true);
            assert_eq!(says(&RULE, &gone), only(Effect::Warn));
        }
    }

    #[test]
    fn a_cancel_of_a_job_that_is_over_does_no_harm() {
        for platform in [Dialect::Alibaba, Dialect::FlinkRest] {
            for state in ["CANCELED", "FINISHED"] {
                let cancel = request(platform, StopMode::Cancel).in_state(state);
                assert_eq!(says(&RULE, &cancel), only(Effect::Warn), "{platform:?} {state}");
            }
        }
    }

    #[test]
    fn a_job_that_fails_starts_or_is_between_states_can_be_cancelled() {
        for (platform, _) in RULE.looks_at {
            for state in ["FAILED", "RESTARTING", "FAILING", "STARTING", "TRANSITIONING", "RUNNING", "NEW_WORD"] {
                let cancel = request(*platform, StopMode::Cancel).in_state(state);
                assert_eq!(says(&RULE, &cancel), SILENT, "{platform:?} {state}");
            }
            assert_eq!(says(&RULE, &request(*platform, StopMode::Cancel)), SILENT);
            let failed = request(*platform, StopMode::Savepoint).in_state("FAILED");
            assert_eq!(says(&RULE, &failed), only(Effect::Warn));
        }
    }

    #[test]
    fn ververica_is_asked_for_a_state_rather_than_told_to_act() {
        let cancel = |state: &str, desired: &'static str| {
            request(Dialect::Ververica, StopMode::Cancel)
                .in_state(state)
                .with(|it| it.current.desired = Some(desired.into()))
        };
        assert_eq!(says(&RULE, &cancel("CANCELLED", "CANCELLED")), only(Effect::Note));
        assert_eq!(says(&RULE, &cancel("CANCELLED", "RUNNING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &cancel("SUSPENDED", "SUSPENDED")), only(Effect::Warn));
        assert_eq!(says(&RULE, &cancel("FINISHED", "RUNNING")), SILENT);
        let suspend = stage(Dialect::Ververica, stop(StopMode::Savepoint, StopCause::Suspend)).in_state("FINISHED");
        assert_eq!(says(&RULE, &suspend), only(Effect::Warn));
    }

    #[test]
    fn what_the_platform_does_by_itself_is_not_judged() {
        let upgrade = stage(Dialect::Ververica, stop(StopMode::Savepoint, StopCause::Upgrade)).in_state("FINISHED");
        assert_eq!(says(&RULE, &upgrade), SILENT);
    }
}
