//! Our own change plan (DESIGN section 5): the steps of a change in order, each judged against the facts as the earlier
//! steps leave them. The later steps are the intent: a plan that starts again means to restart, one that does not is
//! over at its end.

mod step;

use std::borrow::Cow;

use super::{Context, alibaba, flink_rest, ververica};
use crate::document::Node;
use crate::gate::{Failure, FailureKind};
use crate::nearest::nearest;
use crate::operation::{
    Action, Decoded, Dialect, JobState, Operation, Place, Reach, Restore, Retention, Stage, Target,
};
use step::{Step, Verb};

const PLATFORMS: &[Dialect] = &[Dialect::Kubernetes, Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest];

/// Decodes a plan and hands it to `then`.
pub(super) fn decode<R>(
    plan: Node<'_>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    only(plan, &["apiVersion", "kind", "deployment", "steps"])?;
    if let Some(version) = plan.get("apiVersion").filter(|version| !version.is("sluicegate.dev/v1alpha1")) {
        return Err(wrong(version, format!("expected `sluicegate.dev/v1alpha1`, not {}", version.source())));
    }
    let deployment =
        plan.get("deployment").ok_or_else(|| wrong(plan, "a plan needs `deployment` with platform and name"))?;
    only(deployment, &["platform", "namespace", "name"])?;
    let platform = platform(deployment)?;
    let text = |name: &str| deployment.get(name).and_then(|node| node.scalar()).unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    if name.trim().is_empty() {
        return Err(wrong(deployment, "a plan needs `deployment.name`"));
    }
    let steps = plan.get("steps").filter(|steps| steps.is_array() && steps.elements().next().is_some());
    let steps = steps.ok_or_else(|| wrong(plan, "a plan needs `steps`, a list with at least one step"))?;
    let steps = steps.elements().map(|step| Step::read(step, platform)).collect::<Result<Vec<_>, _>>()?;

    let mut stages = Vec::with_capacity(steps.len());
    let mut state: Option<JobState> = None;
    for (position, step) in steps.iter().enumerate() {
        let (earlier, later) = steps.split_at_checked(position).unwrap_or_default();
        let later = later.get(1..).unwrap_or_default();
        let mut stage = context.stage(platform, &namespace, &name)?;
        prepare(&mut stage, platform);
        if state.is_some() {
            stage.current.state = state.clone();
            stage.current.desired = state.as_ref().filter(|_| platform == Dialect::Ververica).map(desired);
        }
        let starts_again = later.iter().any(|step| step.verb.starts());
        if starts_again || stage.facts.restart_planned.is_none() {
            stage.intent.operator = Some(starts_again);
            stage.intent.by_plan = true;
        }
        let mut action = step.action();
        if let Action::Start(start) = &mut action
            && matches!(start.restore, Restore::LatestState | Restore::LatestSavepoint)
            && earlier.iter().any(|step| step.verb.leaves_savepoint())
        {
            // What this plan has taken by then is newer than anything the facts know.
            start.restore = Restore::Stopped;
        }
        if let Action::Change(change) = &mut action {
            change.reach = reach(platform, &stage, later);
        }
        if let Action::Publish(reach) = &mut action
            && !later.iter().any(|step| step.verb.starts())
        {
            *reach = Reach::NextStart;
        }
        state = step.verb.leaves().or(state);
        let target = Target { namespace: namespace.clone(), name: name.clone() };
        stage.operations.push(Operation { action, target, place: Place::Body(step.node) });
        stage.allow_recovery();
        stages.push(stage);
    }
    Ok(then(&Decoded { dialect: Dialect::Plan, stages }))
}

/// What the facts say before the first step, as the platform's own decoder reads them.
fn prepare(stage: &mut Stage<'_>, platform: Dialect) {
    match platform {
        Dialect::Ververica => ververica::fill_current(stage),
        Dialect::Alibaba => alibaba::fill_current(stage),
        _ => flink_rest::fill_current(stage),
    }
    if platform == Dialect::Kubernetes {
        // The operator sets RETAIN_ON_CANCELLATION (DOMAIN 4.2-13).
        stage.current.retention = Some(Retention::Kept);
    }
}

/// Ververica's word for the state that the platform is asked to keep after a step.
fn desired(state: &JobState) -> Cow<'static, str> {
    Cow::Borrowed(match state {
        JobState::Running => "RUNNING",
        JobState::Suspended => "SUSPENDED",
        _ => "CANCELLED",
    })
}

/// Whether the job sees a change of its content within this plan (S1-1).
fn reach(platform: Dialect, stage: &Stage<'_>, later: &[Step<'_>]) -> Reach {
    let restarted = |steps: &[Step<'_>]| steps.iter().any(|step| step.verb.starts());
    match platform {
        Dialect::Alibaba => {
            let published = later.iter().position(|step| matches!(step.verb, Verb::Publish));
            match published.and_then(|at| later.get(at..)) {
                // What is missing after the publish is said there.
                Some(_) => Reach::Applied,
                None => Reach::NextStart,
            }
        }
        Dialect::Ververica if stage.facts.deployment.upgrade_kind.as_deref() == Some("NONE") && !restarted(later) => {
            Reach::NextStart
        }
        _ => Reach::Applied,
    }
}

fn platform(deployment: Node<'_>) -> Result<Dialect, Failure> {
    let names = || PLATFORMS.iter().map(|platform| platform.name());
    let node = deployment.get("platform").ok_or_else(|| {
        let all: Vec<_> = names().collect();
        wrong(deployment, format!("a plan needs `deployment.platform`: one of {}", all.join(", ")))
    })?;
    PLATFORMS.iter().find(|platform| node.is(platform.name())).copied().ok_or_else(|| {
        let hint = nearest(&node.scalar().unwrap_or_default(), names());
        let all: Vec<_> = names().collect();
        wrong(node, format!("`platform` must be one of {}, not {}{hint}", all.join(", "), node.source()))
    })
}

/// Refuses members that a plan does not have.
fn only(node: Node<'_>, names: &[&str]) -> Result<(), Failure> {
    if !node.is_object() {
        return Err(wrong(node, format!("expected an object, not {}", node.source())));
    }
    for (key, _) in node.members() {
        let name = key.text().unwrap_or_default();
        if !names.contains(&name.as_ref()) {
            let hint = nearest(&name, names.iter().copied());
            return Err(wrong(key, format!("unknown member `{name}`{hint}")));
        }
    }
    Ok(())
}

fn wrong(node: Node<'_>, message: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Malformed,
        message: format!("in the change plan at `{}`: {}", node.pointer(), message.into()),
        offset: Some(node.span().0 as usize),
    }
}
