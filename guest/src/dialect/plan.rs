//! Our own change plan (DESIGN section 5): the steps of a change in order, each judged against the facts as the earlier
//! steps leave them. A later start is the intent: such a plan means to restart.

mod step;

use std::borrow::Cow;

use super::reads::{self, Reads};
use super::{Context, alibaba, flink_rest, ververica};
use crate::configuration::DRAIN_ON_SAVEPOINT;
use crate::document::Node;
use crate::facts::Facts;
use crate::gate::{Failure, FailureKind};
use crate::nearest::nearest;
use crate::operation::{
    Action, Decoded, Dialect, JobState, MEMBERS, Operation, Override, Place, Reach, Restore, Retention, Stage,
    StopMode, Target,
};
use step::{Step, Verb};

const PLATFORMS: &[Dialect] = &[Dialect::Kubernetes, Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest];

/// Each step is judged against all later ones; no change that people plan comes near.
const MAX_STEPS: usize = 200;

/// Decodes a plan and hands it to `then`.
#[inline(never)]
pub(super) fn decode<R>(
    plan: Node<'_>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    only(plan, &["apiVersion", "kind", "deployment", "override", "steps"])?;
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
    if let Some(step) = steps.elements().nth(MAX_STEPS) {
        let wrong = wrong(step, format!("more than {MAX_STEPS} steps; split the plan"));
        return Err(Failure { kind: FailureKind::TooLarge, ..wrong });
    }
    let steps = steps.elements().map(|step| Step::read(step, platform)).collect::<Result<Vec<_>, _>>()?;

    let asked = plan.get("override").map(overriding).transpose()?;

    // Every step sees the same facts: what is odd about them is said once.
    let mut known = context.stage(platform, &namespace, &name)?;
    context.observe(&mut known, &|seen| reads(platform, &namespace, &name, seen));

    let mut stages = Vec::with_capacity(steps.len());
    let mut state: Option<JobState> = None;
    for (position, step) in steps.iter().enumerate() {
        let (earlier, later) = steps.split_at_checked(position).unwrap_or_default();
        let later = later.get(1..).unwrap_or_default();
        let mut stage = context.fresh(platform, known.facts.clone());
        stage.in_plan = true;
        stage.lookups.clone_from(&known.lookups);
        stage.oddities.append(&mut known.oddities);
        let asked = asked.iter().cloned();
        stage.overrides.extend(asked.map(|asked| Override { told: position > 0, ..asked }));
        prepare(&mut stage, platform);
        let initial = stage.current.state.clone();
        if state.is_some() {
            stage.current.state = state.clone();
            stage.current.desired = state.as_ref().filter(|_| platform == Dialect::Ververica).map(desired);
        }
        declare_intent(&mut stage, later);
        remember(&mut stage, earlier, initial);
        let action = action(step, &stage, earlier, later);
        state = step.verb.leaves().or(state);
        let target = Target { namespace: namespace.clone(), name: name.clone() };
        stage.operations.push(Operation { action, target, place: Place::Body(step.node) });
        stage.allow_recovery();
        stages.push(stage);
    }
    Ok(then(&Decoded { dialect: Dialect::Plan, stages }))
}

/// The rules to lift in all steps, with reason and end. Whoever writes the plan speaks for it.
fn overriding(node: Node<'_>) -> Result<Override<'_>, Failure> {
    only(node, &["rules", "reason", "until"])?;
    let list =
        node.get("rules").filter(Node::is_array).ok_or_else(|| wrong(node, "`override` needs a list of `rules`"))?;
    let text = |name: &str| node.get(name).and_then(|node| node.scalar());
    Ok(Override {
        lists: list
            .elements()
            .map(|node| node.text().ok_or_else(|| wrong(node, "a rule id is a text")))
            .collect::<Result<_, _>>()?,
        reason: text("reason"),
        until: text("until"),
        place: Place::Body(list),
        spelling: MEMBERS,
        only_listed: false,
        told: false,
    })
}

/// The reads of the platform that tell of the deployment.
fn reads(platform: Dialect, namespace: &str, name: &str, seen: &Facts<'_>) -> Reads {
    match platform {
        Dialect::Ververica => reads::ververica(namespace, name, seen),
        Dialect::Alibaba => reads::alibaba_deployment(namespace, name),
        // The resource may be of any kind.
        Dialect::Kubernetes => Vec::new(),
        // Flink knows jobs by id; a name may be anything.
        _ => {
            let is_id = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            reads::flink(is_id.then_some(name))
        }
    }
}

/// A later start is the intent. Where none follows, the plan says nothing: the start may stand in another one.
fn declare_intent(stage: &mut Stage<'_>, later: &[Step<'_>]) {
    if later.iter().any(|step| step.verb.starts()) {
        stage.intent.operator = Some(true);
        stage.intent.by_plan = true;
    }
}

/// What the earlier steps leave behind.
fn remember(stage: &mut Stage<'_>, earlier: &[Step<'_>], mut state: Option<JobState>) {
    for (position, step) in earlier.iter().enumerate() {
        let number = position + 1;
        let runs = !state.as_ref().is_some_and(JobState::is_over);
        match &step.verb {
            Verb::Stop(StopMode::Savepoint | StopMode::Drain, ..) | Verb::Savepoint(_) => {
                stage.facts.deployment.has_state = Some(true);
                stage.current.stopped_by_drain = match step.verb {
                    Verb::Stop(StopMode::Drain, ..) => true,
                    Verb::Stop(..) => drains(stage),
                    _ => false,
                };
                stage.current.left_by = Some(format!("step {number}"));
                stage.current.cancelled_by = None;
            }
            Verb::Stop(StopMode::Cancel, ..) if runs => stage.current.cancelled_by = Some(format!("step {number}")),
            _ => {}
        }
        state = step.verb.leaves().or(state);
    }
}

/// What this step does, with what stands around it.
fn action<'d>(step: &Step<'d>, stage: &Stage<'_>, earlier: &[Step<'d>], later: &[Step<'d>]) -> Action<'d> {
    let mut action = step.action();
    match &mut action {
        // What this plan has taken by then is newer than anything the facts know.
        Action::Start(start)
            if matches!(start.restore, Restore::LatestState | Restore::LatestSavepoint)
                && earlier.iter().any(|step| step.verb.leaves_savepoint()) =>
        {
            start.restore = Restore::Stopped;
        }
        Action::Stop(stop) if stop.mode == StopMode::Savepoint && drains(stage) => stop.mode = StopMode::Drain,
        Action::Change(change) => change.reach = reach(stage, later),
        Action::Publish(reach) if !later.iter().any(|step| step.verb.starts()) => *reach = Reach::NextStart,
        _ => {}
    }
    action
}

/// The sticky switch that makes every stop with savepoint drain (DOMAIN 1.7, 4.2-9).
fn drains(stage: &Stage<'_>) -> bool {
    match stage.platform {
        Dialect::Ververica => ververica::drains(stage),
        Dialect::Kubernetes => stage.current.configuration.is_on(DRAIN_ON_SAVEPOINT) == Some(true),
        _ => false,
    }
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
        if let Some(map) = stage.facts.deployment.configuration {
            stage.current.configuration.overlay(map);
        }
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
fn reach(stage: &Stage<'_>, later: &[Step<'_>]) -> Reach {
    let restarted = |steps: &[Step<'_>]| steps.iter().any(|step| step.verb.starts());
    match stage.platform {
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
        return Err(wrong(node, format!("expected an object, not {}", node.type_words())));
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
        message: match node.pointer().as_str() {
            "" => format!("in the change plan: {}", message.into()),
            pointer => format!("in the change plan at `{pointer}`: {}", message.into()),
        },
        offset: Some(node.span().0 as usize),
    }
}
