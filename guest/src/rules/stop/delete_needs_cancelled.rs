//! A managed deployment or job is deleted before it was cancelled (DOMAIN 6.2, 6.12).

use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Operation, Stage, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "delete-needs-cancelled",
    title: "delete of what is not cancelled",
    family: "stop",
    why: "The platform deletes only what was cancelled before. Cancelled on purpose, a job can be given a savepoint \
          first; deleted while it runs, nobody chose what becomes of its state.",
    source: "ALI-OLD sample comment, ALI-DOC DeleteJob; VVP-DOC deployment-lifecycle; DOMAIN 1.4",
    looks_at: &[
        (Dialect::Ververica, "`spec.state` of a deployment that is deleted"),
        (Dialect::Alibaba, "the state of the job of a deployment that is deleted"),
    ],
    facts: &["deployment.specState", "job.status"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if stage.facts.deployment.never_started == Some(true) {
        return;
    }
    for operation in stage.operations.iter().filter(|operation| matches!(operation.action, Action::Delete(_))) {
        match stage.platform {
            Dialect::Ververica => ververica(operation, stage, report),
            _ => alibaba(operation, stage, report),
        }
    }
}

fn ververica(operation: &Operation<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    match stage.current.desired.as_deref() {
        Some("RUNNING") => {
            if stage.current.state.is_none() {
                report.wish(Want::Job, "whether the job failed, and is deleted on the way out");
            }
            let message = "the deployment is to run (`spec.state: RUNNING`): the platform deletes only what was \
                           cancelled or suspended";
            // A failed job gives no savepoint any more.
            let (draft, next) = match stage.current.state.as_ref().is_some_and(JobState::is_failing) {
                true => (report.warn(&operation.place, message), "PATCH `spec.state: CANCELLED`"),
                false => (
                    report.main(&operation.place, message),
                    "PATCH `spec.state: SUSPENDED` (takes a savepoint) or `CANCELLED`",
                ),
            };
            draft
                .observed("RUNNING")
                .expected("CANCELLED or SUSPENDED")
                .remedy(format!("{next}, wait for `status.state`, then delete"));
        }
        Some(_) => {}
        None => report.lacks(Want::Deployment, "the deployment's `spec.state`"),
    }
}

fn alibaba(operation: &Operation<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let state = match &stage.current.state {
        None | Some(JobState::Unknown(_)) => return report.lacks(Want::Job, "the state of the deployment's job"),
        Some(state) if state.is_over() => return,
        Some(state) => state,
    };
    let word = words::state(stage.platform, state);
    let message = format!("the job is {word}: it must be cancelled before this delete");
    let draft = match state.is_failing() {
        true => report.warn(&operation.place, message),
        false => report.main(&operation.place, message),
    };
    let next = match state {
        JobState::Cancelling => "wait until GetJob shows CANCELLED, then delete",
        _ => "call StopJob with `STOP_WITH_SAVEPOINT` (or `NONE`), wait until GetJob shows CANCELLED, then delete",
    };
    draft.observed(word).expected("CANCELLED, FINISHED or FAILED").remedy(next);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Stage};
    use crate::rules::testing::{SILENT, deletion, only, says, stage, unjudged};

    fn delete(platform: Dialect) -> Stage<'static> {
        stage(platform, Action::Delete(deletion()))
    }

    #[test]
    fn ververica_looks_at_the_desired_state_alone() {
        let desired = |word: &'static str| delete(Dialect::Ververica).with(|it| it.current.desired = Some(word.into()));
        assert_eq!(says(&RULE, &desired("RUNNING")), only(Effect::Deny));
        assert_eq!(says(&RULE, &desired("RUNNING").in_state("FAILED")), only(Effect::Warn));
        assert_eq!(says(&RULE, &desired("CANCELLED").in_state("TRANSITIONING")), SILENT);
        assert_eq!(says(&RULE, &desired("SUSPENDED")), SILENT);
        assert_eq!(says(&RULE, &delete(Dialect::Ververica).in_state("RUNNING")), unjudged());
    }

    #[test]
    fn alibaba_looks_at_the_job() {
        let state = |word| delete(Dialect::Alibaba).in_state(word);
        for word in ["RUNNING", "STARTING", "CANCELLING"] {
            assert_eq!(says(&RULE, &state(word)), only(Effect::Deny), "{word}");
        }
        for word in ["CANCELLED", "FINISHED", "FAILED"] {
            assert_eq!(says(&RULE, &state(word)), SILENT, "{word}");
        }
        assert_eq!(says(&RULE, &state("RESTARTING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &delete(Dialect::Alibaba)), unjudged());
        assert_eq!(says(&RULE, &delete(Dialect::Alibaba).with_facts("deployment: {neverStarted: true}")), SILENT);
    }
}
