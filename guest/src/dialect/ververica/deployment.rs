//! Deployments: what a desired state, a changed template and the strategies do to the job (DOMAIN 1.3, 1.4, 1.7).

use std::borrow::Cow;

use super::body::{Body, Given};
use super::fields::check_deployment;
use super::wish::Wish;
use crate::configuration::Configuration;
use crate::dialect::managed::{intent, missing, push};
use crate::document::Node;
use crate::operation::{
    Action, Change, Content, JobState, Oddity, OddityKind, Place, Reach, Restore, Retention, Stage, Start, StartCause,
    Stop, StopCause, StopMode, Target,
};

/// What the facts say of the deployment.
pub(super) fn fill_current(stage: &mut Stage<'_>) {
    let facts = &stage.facts;
    let (deployment, job) = (facts.deployment.status_state.as_deref(), facts.job_status.as_deref());
    // A deployment stays RUNNING while its job fails and tries again.
    let failing = job.filter(|word| deployment == Some("RUNNING") && JobState::read(word).is_failing());
    let word = failing.or(deployment).or(job);
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
    stage.oddities.extend(name(&body));
    stage.facts.deployment.allow_non_restored_state = None;
    let wish = read(&body, target, stage);
    // There is no state yet.
    stage.content.restores = Some(false);
    let change = Change {
        content: true,
        reach: Reach::Nothing,
        arms_drain: wish.drain_node.filter(|_| wish.turns_drain_on).map(Place::Body),
        stateful: wish.upgrade.and_then(is_stateful),
        forgets_state: forgets_state(&wish),
        allows_non_restored: wish.allow_node.map(Place::Body),
        ..Change::default()
    };
    push(stage, Action::Change(change), target, Place::Body(body.root));
    if wish.state == Some("RUNNING") {
        start(&wish, StartCause::Create, wish.restore.clone(), target, stage);
    }
}

/// A name that the platform does not take (DOMAIN 1.1).
fn name<'d>(body: &Body<'d>) -> Option<Oddity<'d>> {
    const LONGEST: usize = 63;
    let node = body.value(&["metadata", "name"])?;
    let text = node.scalar()?;
    let known = |c: u8| c == b'-' || c.is_ascii_lowercase() || c.is_ascii_digit();
    let hyphen = text.starts_with('-') || text.ends_with('-');
    if !text.is_empty() && text.len() <= LONGEST && !hyphen && text.bytes().all(known) {
        return None;
    }
    let message = format!("`{text}` is no name for a deployment: the platform refuses it");
    let oddity = Oddity::new(OddityKind::ResourceNameInvalid, Place::Body(node), message, "choose another name");
    Some(oddity.observed(text).expected("at most 63 lower case letters, digits and `-`, no `-` first or last"))
}

/// What is known to be stored, where no fact says it. A patch leaves there what it does not name, so that its settings are
/// not all there are.
pub(super) fn remember<'d>(stored: Node<'d>, whole: bool, stage: &mut Stage<'d>) {
    let known = &mut stage.facts.deployment;
    let word = |path: &[&str]| stored.path(path).and_then(|node| node.scalar());
    known.spec_state = known.spec_state.take().or_else(|| word(&["spec", "state"]));
    known.upgrade_kind = known.upgrade_kind.take().or_else(|| word(&["spec", "upgradeStrategy", "kind"]));
    known.restore_kind = known.restore_kind.take().or_else(|| word(&["spec", "restoreStrategy", "kind"]));
    let allow = stored.path(&["spec", "restoreStrategy", "allowNonRestoredState"]).and_then(|node| node.bool());
    known.allow_non_restored_state = known.allow_non_restored_state.or(allow);
    known.annotations = known.annotations.or_else(|| stored.path(&["userMetadata", "annotations"]));
    let settings = stored.path(&["spec", "template", "spec", "flinkConfiguration"]).filter(|_| whole);
    known.configuration = known.configuration.or(settings);
}

/// The values that new deployments are made of.
pub(super) fn defaults<'d>(body: Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    // Facts speak of a deployment, not of what will be made.
    stage.facts.deployment = Default::default();
    let wish = read(&body, target, stage);
    stage.current.configuration_complete = false;
    let change = Change {
        arms_drain: wish.drain_node.filter(|_| wish.turns_drain_on).map(Place::Body),
        forgets_state: forgets_state(&wish),
        allows_non_restored: wish.allow_node.map(Place::Body),
        ..Change::default()
    };
    push(stage, Action::Change(change), target, Place::Body(body.root));
}

/// A merge patch, or a resource that takes the place of the stored one.
pub(super) fn change<'d>(body: Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fill_current(stage);
    if let Some(own) = stage.facts.deployment.configuration {
        let mut before = Configuration::default();
        stage.facts.platform.configuration.into_iter().chain([own]).for_each(|map| before.overlay(map));
        stage.current.before = Some(before);
    }
    let wish = read(&body, target, stage);
    // The running job goes by what is stored until now, known or not.
    if stage.current.before.is_none() && wish.configures && stage.facts.seen.retention.is_none() {
        stage.current.retention = None;
    }
    let desired = stage.current.desired.as_deref();
    let runs = runs(stage);
    let stop_mode = match wish.state {
        // A second suspend of a suspended deployment is none.
        Some("SUSPENDED") if desired != Some("SUSPENDED") => Some(savepoint_mode(&wish)),
        // A declaration goes on saying what is done already.
        Some("CANCELLED") if body.stored.is_some() && desired == Some("CANCELLED") => None,
        Some("CANCELLED") => Some(StopMode::Cancel),
        _ => None,
    };
    let starts = wish.state == Some("RUNNING") && runs != Some(true);
    let stays = match wish.state {
        Some(state) => state == "RUNNING",
        None => wish.state_node.is_none() && !body.whole,
    };
    let goes_on = stays && runs == Some(true);
    let touched = wish.template.or(body.restart);
    let upgrade = touched.filter(|_| goes_on).and(wish.upgrade);
    let may_upgrade =
        stays && runs != Some(false) && upgrade.is_none() && matches!(wish.upgrade, None | Some("STATEFUL"));
    if body.whole && wish.state_node.is_none() && runs != Some(false) {
        let why = "the deployment's defaults then decide whether the job goes on running";
        stage.oddities.push(missing(Place::Body(body.root), "spec.state", why).warn());
    }
    let upgrade_mode = match upgrade {
        Some("STATEFUL") => Some(savepoint_mode(&wish)),
        Some("STATELESS") => Some(StopMode::Cancel),
        _ => None,
    };
    let drains_now = stop_mode.or(upgrade_mode) == Some(StopMode::Drain);
    if touched.is_some() || wish.other.is_some() {
        let touches_upgrades = wish.template.is_some() || wish.upgrade_node.is_some() || wish.configures;
        let change = Change {
            content: touched.is_some(),
            reach: match upgrade {
                Some("STATEFUL" | "STATELESS") => Reach::Applied,
                Some("NONE") => Reach::NextStart,
                _ => Reach::Nothing,
            },
            arms_drain: wish.drain_node.filter(|_| wish.turns_drain_on && !drains_now).map(Place::Body),
            // Labels and the like say nothing of upgrades (DOMAIN 6.0-4).
            stateful: wish.upgrade.filter(|_| touches_upgrades).and_then(is_stateful),
            turns_stateless: wish.upgrade_node.filter(|_| wish.upgrade == Some("STATELESS")).map(Place::Body),
            forgets_state: forgets_state(&wish),
            allows_non_restored: wish.allow_node.map(Place::Body),
            may_drain: touched
                .filter(|_| wish.drains && may_upgrade)
                .map(|node| Place::Body(wish.drain_node.unwrap_or(node))),
            ..Change::default()
        };
        let place = [touched, wish.upgrade_node, wish.drain_node, wish.other].into_iter().flatten().next();
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
        restart(&wish, mode, touched, target, stage);
    }
    if stage.operations.is_empty() {
        let odd = wish.state_node.is_some() && wish.state.is_none();
        let action = if odd { Action::Unknown } else { Action::Nothing("no lifecycle change of") };
        push(stage, action, target, Place::of(wish.state_node));
    }
}

/// The platform brings a changed template to the job by itself.
fn restart<'d>(wish: &Wish<'d>, mode: StopMode, place: Option<Node<'d>>, target: &Target<'d>, stage: &mut Stage<'d>) {
    // A job that has ended cannot be stopped: the new one starts from what is there.
    let over = stage.current.state.as_ref().is_some_and(JobState::is_over);
    if !over {
        stop(wish, mode, StopCause::Upgrade, place, target, stage);
    }
    let from_the_stop = !over && mode != StopMode::Cancel && wish.restore != Restore::Empty;
    let restore = if from_the_stop { Restore::Stopped } else { wish.restore.clone() };
    start(wish, StartCause::Upgrade, restore, target, stage);
}

/// Reads a deployment's body; afterwards the stage knows what applies to the job.
fn read<'d>(body: &Body<'d>, target: &Target<'d>, stage: &mut Stage<'d>) -> Wish<'d> {
    check_deployment(body, stage);
    if let Some(node) = body.annotation("sluicegate.dev/intent") {
        // Whoever may annotate the deployment speaks for it (DOMAIN 6.0-6).
        stage.intent.trusted |= intent(&node.scalar().unwrap_or_default(), Place::Body(node), stage);
    }
    let wish = Wish::read(body, target, stage);
    fill_retention(stage);
    let template = |name: &str| body.value(&["spec", "template", "spec", name]);
    let artifact = template("artifact");
    stage.content = Content {
        configuration: template("flinkConfiguration").filter(Node::is_object),
        parallelism: template("parallelism"),
        engine_version: artifact.and_then(|artifact| artifact.get("flinkVersion")),
        artifact: artifact.filter(|_| wish.template.is_some()),
        native_format: None,
        restores: match wish.restore {
            Restore::Unknown => None,
            Restore::Empty => Some(false),
            _ => Some(true),
        },
        restores_latest_state: wish.restore == Restore::LatestState,
    };
    stage.current.mounts = mounts(body);
    wish
}

/// The paths at which all pods mount a volume that is no `emptyDir`; `None`: the body does not tell.
fn mounts<'d>(body: &Body<'d>) -> Option<Vec<Cow<'d, str>>> {
    const PODS: &[&str] = &["spec", "template", "spec", "kubernetes"];
    if matches!(body.given(PODS), Given::Kept) {
        return None;
    }
    let kubernetes = body.value(PODS);
    let of = |name: &str| kubernetes.and_then(|kubernetes| kubernetes.get(name));
    // Templates of whole pods are of newer versions.
    if of("jobManagerPodTemplate").or(of("taskManagerPodTemplate")).is_some() {
        return None;
    }
    let volumes = of("pods").and_then(|pods| pods.get("volumeMounts"));
    let lasting = |mount: &Node<'d>| mount.get("volume").is_some_and(|volume| volume.get("emptyDir").is_none());
    let path = |mount: Node<'d>| mount.path(&["volumeMount", "mountPath"])?.text().filter(|path| path.len() <= 1_024);
    let all = volumes.into_iter().flat_map(|volumes| volumes.elements()).filter(lasting).filter_map(path);
    Some(all.take(100).collect())
}

/// What becomes of the last checkpoint, by the configuration that applies.
pub(super) fn fill_retention(stage: &mut Stage<'_>) {
    let current = &mut stage.current;
    // The running job goes by what it was started with.
    let complete = current.before.is_some() || current.configuration_complete;
    let said = current.ran_with().retains().map(Retention::of);
    let retention = stage.facts.seen.retention.or(said).or(complete.then_some(Retention::DeletedByDefault));
    // A script has no code that could ask to keep them.
    let script = stage.facts.deployment.artifact_kind.as_deref() == Some("SQLSCRIPT");
    let by_default = script && retention == Some(Retention::DeletedByDefault);
    current.retention = if by_default { Some(Retention::Deleted) } else { retention };
}

/// Where the body says that stateful upgrades restore nothing, or touches a deployment that is so.
fn forgets_state<'d>(wish: &Wish<'d>) -> Option<Place<'d>> {
    let node = wish.restore_node.or(wish.upgrade_node).or(wish.template)?;
    (wish.upgrade == Some("STATEFUL") && wish.restore == Restore::Empty).then_some(Place::Body(node))
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
    let allow_place = wish.allow_node.map(Place::Body);
    let start = Start { allow_non_restored_state, allow_place, ..Start::new(cause, restore, restore_place) };
    push(stage, Action::Start(start), target, place);
}
