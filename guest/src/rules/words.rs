//! Each platform's own words for the next step and for a job's state, so that every rule says them alike.

use crate::operation::{Action, Dialect, JobState, Place, Restore, Stage, Start, Want};

/// Whose words to use: a plan is mended in its steps.
fn speech(stage: &Stage<'_>) -> Dialect {
    if stage.in_plan { Dialect::Plan } else { stage.platform }
}

/// Where a Kubernetes resource says how its job runs: a blue/green one keeps that in its template.
pub(super) fn spec(stage: &Stage<'_>) -> &'static str {
    if stage.current.savepoint_always { "spec.template.spec" } else { "spec" }
}

/// Ends the job and keeps its state.
pub(super) fn stop_with_savepoint(stage: &Stage<'_>) -> &'static str {
    match speech(stage) {
        Dialect::Kubernetes if stage.current.savepoint_always => {
            "set `spec.template.spec.job.state: suspended` with `upgradeMode: savepoint`"
        }
        Dialect::Alibaba => "send `stopStrategy: STOP_WITH_SAVEPOINT`",
        Dialect::FlinkRest => "POST `/jobs/:jobid/stop` with `\"drain\": false`",
        Dialect::Ververica => "PATCH `spec.state: SUSPENDED`",
        Dialect::Kubernetes => "set `spec.job.state: suspended` with `upgradeMode: savepoint`",
        Dialect::Plan => "make the step `stop: {mode: savepoint}`",
    }
}

/// Ends the job at once, without its state: the way out when it cannot give a savepoint.
pub(super) fn cancel(stage: &Stage<'_>) -> &'static str {
    match speech(stage) {
        Dialect::Alibaba => "send `stopStrategy: NONE`",
        Dialect::FlinkRest => "PATCH `/jobs/:jobid?mode=cancel`",
        Dialect::Ververica => "PATCH `spec.state: CANCELLED`",
        Dialect::Kubernetes => "delete the resource",
        Dialect::Plan => "make the step `stop: {mode: cancel}`",
    }
}

/// How to say that no restart follows: by whom it counts, where the caller said so in vain. Options are for the command
/// line alone; a door assumes something of its callers (DESIGN section 5), and there a header is what they have.
pub(super) fn declare_final(stage: &Stage<'_>) -> &'static str {
    let refused = stage.intent.requester == Some(false) && !stage.intent.trusted;
    let at_door = stage.facts.assume.is_some();
    let deletes = stage.operations.iter().any(|operation| matches!(operation.action, Action::Delete(_)));
    match stage.platform {
        Dialect::Kubernetes if refused => {
            "whoever runs the gate can add the caller to `intent.acceptFrom` in the settings"
        }
        _ if refused && at_door => {
            "whoever runs the gate can add the caller to `intent.acceptFrom` in the settings, or declare it \
             (`intent.restartPlanned: false` in the facts)"
        }
        _ if refused => {
            "whoever runs the gate can declare it (`--intent final`, or `intent.restartPlanned: false` in the facts) or \
             add the caller to `intent.acceptFrom` in the settings"
        }
        _ if stage.in_plan => "leave out the later start",
        Dialect::Kubernetes if deletes => {
            "declare it before the delete (`kubectl annotate … sluicegate.dev/intent=final`)"
        }
        Dialect::Kubernetes => "declare it (annotation `sluicegate.dev/intent: final`)",
        _ if at_door => {
            "declare it (header `x-sluicegate-intent: final`, from a caller that `intent.acceptFrom` in the settings lists)"
        }
        _ => {
            "declare it (`--intent final`, or the header `x-sluicegate-intent: final` from a caller the settings trust)"
        }
    }
}

/// A job's state as the platform spells it.
pub(super) fn state(platform: Dialect, state: &JobState) -> &str {
    match (platform, state) {
        (Dialect::Alibaba | Dialect::Ververica, JobState::Canceled) => "CANCELLED",
        _ => state.word(),
    }
}

/// The read that tells what a start restores from, where that is not known.
pub(super) fn unknown_choice(start: &Start<'_>) -> Want {
    match start.restore {
        Restore::Unknown => Want::Deployment,
        _ => Want::Savepoints,
    }
}

/// The value at a place, if one value stands there.
pub(super) fn value(place: &Place<'_>) -> Option<String> {
    match place {
        Place::Body(node) => node.scalar().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}
