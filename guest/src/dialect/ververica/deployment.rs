//! Deployments: what a desired state, a changed template and the strategies do to the job (DOMAIN 1.3, 1.4, 1.7).

use super::body::Body;
use super::fields::check_deployment;
use super::wish::Wish;
use crate::configuration::RETENTION;
use crate::dialect::managed::{intent, push};
use crate::document::Node;
use crate::operation::{
    Action, Change, JobState, Place, Reach, Restore, Retention, Stage, Start, StartCause, Stop, StopCause, StopMode,
    Target,
};

/// What the facts say of the deployment.
pub(super) fn fill_current(stage: &mut Stage<'_>) {
    let facts = &stage.facts;
    let word = facts.deployment.status_state.as_deref().or(facts.job_status.as_deref());
    stage.current.state = word.map(JobState::read);
    stage.current.desired = facts.deployment.spec_state.clone();
    stage.current.transition = (word == Some("TRANSITIONING")).then_some("TRANSITIONING".into());
    stage.current.stateful = facts.deployment.upgrade_kind.as_deref().and_then(is_stateful);
}

/// A new deployment.
pub(super) fn create<'d>(body: Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    // What facts say of a deployment of this name is not about this one.
    stage.facts.deployment.annotations = None;
    stage.facts.deployment.upgrade_kind = None;
    stage.facts.deployment.restore_kind = None;
    let wish = read(&body, target, stage);
    let change = Change {
        content: true,
        reach: Reach::Nothing,
        arms_drain: wish.drain_node.filter(|_| wish.turns_drain_on).map(Place::Body),
        stateful: wish.upgrade.and_then(is_stateful),
        ..Change::default()
    };
    push(stage, Action::Change(change), target, Place::Body(body.root));
    if wish.state == Some("RUNNING") {
        start(&wish, StartCause::Create, wish.restore.clone(), target, stage);
    }
}

/// A merge patch, or a resource that takes the place of the stored one.
pub(super) fn change<'d>(body: Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fill_current(stage);
    let wish = read(&body, target, stage);
    let desired = stage.current.desired.as_deref();
    let runs = runs(stage);
    let stop_mode = match wish.state {
        // A second suspend of a suspended deployment is none.
        Some("SUSPENDED") if desired != Some("SUSPENDED") => Some(savepoint_mode(&wish)),
        Some("CANCELLED") => Some(StopMode::Cancel),
        _ => None,
    };
    let starts = wish.state == Some("RUNNING") && runs != Some(true);
    let stays = match wish.state {
        Some(state) => state == "RUNNING",
        None => wish.state_node.is_none() && !body.whole,
    };
    let goes_on = stays && runs == Some(true);
    let upgrade = wish.template.filter(|_| goes_on).and(wish.upgrade);
    let upgrade_mode = match upgrade {
        Some("STATEFUL") => Some(savepoint_mode(&wish)),
        Some("STATELESS") => Some(StopMode::Cancel),
        _ => None,
    };
    let drains_now = stop_mode.or(upgrade_mode) == Some(StopMode::Drain);
    if wish.template.is_some() || wish.other.is_some() {
        let touches_upgrades = wish.template.is_some() || wish.upgrade_node.is_some() || wish.configures;
        let change = Change {
            content: wish.template.is_some(),
            reach: match upgrade {
                Some("STATEFUL" | "STATELESS") => Reach::Applied,
                Some("NONE") => Reach::NextStart,
                _ => Reach::Nothing,
            },
            arms_drain: wish.drain_node.filter(|_| wish.turns_drain_on && !drains_now).map(Place::Body),
            // Labels and the like say nothing of upgrades (DOMAIN 6.0-4).
            stateful: wish.upgrade.filter(|_| touches_upgrades).and_then(is_stateful),
            ..Change::default()
        };
        let place = [wish.template, wish.upgrade_node, wish.drain_node, wish.other].into_iter().flatten().next();
        push(stage, Action::Change(change), target, Place::of(place));
    }
    if let Some(mode) = stop_mode {
        let cause = if mode == StopMode::Cancel { StopCause::Request } else { StopCause::Suspend };
        stop(&wish, mode, cause, wish.state_node, target, stage);
    }
    if starts {
        start(&wish, StartCause::Resume, wish.restore.clone(), target, stage);
    }
    if let Some(mode) = upgrade_mode {
        restart(&wish, mode, target, stage);
    }
    if stage.operations.is_empty() {
        let odd = wish.state_node.is_some() && wish.state.is_none();
        let action = if odd { Action::Unknown } else { Action::Nothing("no lifecycle change of") };
        push(stage, action, target, Place::of(wish.state_node));
    }
}

/// The platform brings a changed template to the job by itself.
fn restart<'d>(wish: &Wish<'d>, mode: StopMode, target: &Target<'d>, stage: &mut Stage<'d>) {
    // A job that has ended cannot be stopped: the new one starts from what is there.
    let over = stage.current.state.as_ref().is_some_and(JobState::is_over);
    if !over {
        stop(wish, mode, StopCause::Upgrade, wish.template, target, stage);
    }
    let from_the_stop = !over && mode != StopMode::Cancel && wish.restore != Restore::Empty;
    let restore = if from_the_stop { Restore::Stopped } else { wish.restore.clone() };
    start(wish, StartCause::Upgrade, restore, target, stage);
}

/// Reads a deployment's body; afterwards the stage knows what applies to the job.
fn read<'d>(body: &Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) -> Wish<'d> {
    check_deployment(body, stage);
    if let Some(node) = body.value(&["metadata", "annotations", "sluicegate.dev/intent"]) {
        // Whoever may annotate the deployment speaks for it (DOMAIN 6.0-6).
        stage.intent.trusted |= intent(&node.scalar().unwrap_or_default(), Place::Body(node), stage);
    }
    let wish = Wish::read(body, target, stage);
    fill_retention(stage);
    wish
}

/// What becomes of the last checkpoint, by the configuration that applies.
pub(super) fn fill_retention(stage: &mut Stage<'_>) {
    let current = &mut stage.current;
    current.retention = match current.configuration.get(RETENTION) {
        Some(value) if value.trim().eq_ignore_ascii_case("RETAIN_ON_CANCELLATION") => Some(Retention::Kept),
        Some(_) => Some(Retention::Deleted),
        None => current.configuration_complete.then_some(Retention::Deleted),
    };
}

fn is_stateful(kind: &str) -> Option<bool> {
    match kind {
        "STATEFUL" => Some(true),
        "STATELESS" | "NONE" => Some(false),
        _ => None,
    }
}

/// Whether the platform keeps a job running; `None`: not known.
fn runs(stage: &Stage<'_>) -> Option<bool> {
    if let Some(desired) = &stage.current.desired {
        return Some(desired == "RUNNING");
    }
    match stage.current.state.as_ref()? {
        JobState::Running | JobState::Starting | JobState::Restarting => Some(true),
        JobState::Transitioning | JobState::Unknown(_) => None,
        _ => Some(false),
    }
}

fn savepoint_mode(wish: &Wish<'_>) -> StopMode {
    if wish.drains { StopMode::Drain } else { StopMode::Savepoint }
}

fn stop<'d>(
    wish: &Wish<'d>,
    mode: StopMode,
    cause: StopCause,
    node: Option<Node<'d>>,
    target: &Target<'d>,
    stage: &mut Stage<'d>,
) {
    let drain = wish.drain_node.filter(|_| mode == StopMode::Drain).map(Place::Body);
    push(stage, Action::Stop(Stop { mode, cause, drain, directory: None }), target, Place::of(node));
}

fn start<'d>(wish: &Wish<'d>, cause: StartCause, restore: Restore<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    let place = Place::of(wish.state_node.or(wish.template));
    let restore_place = wish.restore_node.map_or_else(|| place.clone(), Place::Body);
    let allow_non_restored_state = wish.allow_non_restored_state;
    let start = Start { allow_non_restored_state, ..Start::new(cause, restore, restore_place) };
    push(stage, Action::Start(start), target, place);
}
