//! Jobs and savepoints: stop, start, hot update, and the savepoint of a running job (DOMAIN 2.1 to 2.4).

use super::deployment::parallelism;
use crate::dialect::managed::{choice, fields, flag, missing, push, required, restore, wrong_type};
use crate::document::Node;
use crate::operation::{
    Action, Change, Place, Reach, Restore, Stage, Start, StartCause, Stop, StopCause, StopMode, Target, Trigger,
};

/// StopJob.
pub(super) fn stop<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fields(root, "the body of StopJob", &["stopStrategy"], stage);
    let Some(node) = root.get("stopStrategy") else {
        let why = "without it the platform does not know whether to take a savepoint";
        let mut oddity = missing(Place::Body(root), "stopStrategy", why);
        oddity.remedy = "give `stopStrategy`; `STOP_WITH_SAVEPOINT` keeps the state".into();
        stage.oddities.push(oddity);
        return push(stage, Action::Unknown, target, Place::Body(root));
    };
    let strategies = &["NONE", "STOP_WITH_SAVEPOINT", "STOP_WITH_DRAIN"];
    let mode = match choice(node, "stopStrategy", strategies, stage) {
        Some("NONE") => StopMode::Cancel,
        Some("STOP_WITH_SAVEPOINT") => StopMode::Savepoint,
        Some("STOP_WITH_DRAIN") => StopMode::Drain,
        _ => return push(stage, Action::Unknown, target, Place::Body(node)),
    };
    let stop = Stop { mode, cause: StopCause::Request, drain: None, directory: None };
    push(stage, Action::Stop(stop), target, Place::Body(node));
}

/// StartJob and StartJobWithParams.
pub(super) fn start<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    const FIELDS: &[&str] =
        &["deploymentId", "jobId", "resourceQueueName", "resourceSettingSpec", "localVariables", "restoreStrategy"];
    fields(root, "the body of a start", FIELDS, stage);
    required(root, "deploymentId", "deploymentId", "the platform cannot tell what to start", stage);
    if let Some(settings) = root.get("resourceSettingSpec") {
        stage.content.parallelism = parallelism(settings);
        stage.content.configuration = settings.get("flinkConf").filter(Node::is_object);
        if let Some(configuration) = stage.content.configuration {
            stage.current.configuration.overlay(configuration);
        }
    }
    let strategy = root.get("restoreStrategy");
    // A batch job has no state to restore.
    let restore = match stage.facts.deployment.execution_mode.as_deref() {
        Some("BATCH") => Restore::Empty,
        _ => Restore::Unknown,
    };
    let mut start = Start::new(StartCause::Request, restore, Place::of(strategy.or(Some(root))));
    match strategy {
        Some(node) if node.is_object() => read_strategy(node, &mut start, stage),
        Some(node) => stage.oddities.push(wrong_type(node, "restoreStrategy", "an object")),
        None => {}
    }
    let place = start.restore_place.clone();
    push(stage, Action::Start(start), target, place);
}

fn read_strategy<'d>(strategy: Node<'d>, start: &mut Start<'d>, stage: &mut Stage<'d>) {
    const KINDS: &[&str] = &["NONE", "LATEST_SAVEPOINT", "FROM_SAVEPOINT", "LATEST_STATE"];
    const FIELDS: &[&str] = &["kind", "savepointId", "allowNonRestoredState", "jobStartTimeInMs"];
    fields(strategy, "`restoreStrategy`", FIELDS, stage);
    let id = strategy.get("savepointId");
    start.savepoint_id = id.filter(|node| node.text().is_some_and(|id| !id.trim().is_empty()));
    start.start_time = strategy.get("jobStartTimeInMs");
    if let Some(node) = id.filter(|node| !node.is_string()) {
        stage.oddities.push(wrong_type(node, "restoreStrategy.savepointId", "a text"));
    }
    if let Some(node) = strategy.get("kind") {
        let id = id.and_then(|node| node.text()).filter(|id| !id.trim().is_empty());
        let kind = choice(node, "restoreStrategy.kind", KINDS, stage);
        start.restore = kind.map_or(Restore::Unknown, |kind| restore(kind, id));
        start.restore_place = Place::Body(node);
    }
    if let Some(node) = strategy.get("allowNonRestoredState") {
        start.allow_non_restored_state = flag(node, "restoreStrategy.allowNonRestoredState", stage);
        start.allow_place = Some(Place::Body(node));
    }
}

/// HotUpdateJob: the platform applies it to the running job.
pub(super) fn hot_update<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fields(root, "the body of HotUpdateJob", &["rescaleJobParam", "updateJobConfigParam"], stage);
    if let Some(node) = root.get("rescaleJobParam") {
        fields(node, "`rescaleJobParam`", &["jobParallelism"], stage);
        push(stage, Action::Rescale(node.get("jobParallelism")), target, Place::Body(node));
    }
    if let Some(node) = root.get("updateJobConfigParam") {
        fields(node, "`updateJobConfigParam`", &["newFlinkConf"], stage);
        stage.content.configuration = node.get("newFlinkConf").filter(Node::is_object);
        if let Some(configuration) = stage.content.configuration {
            stage.current.configuration.overlay(configuration);
        }
        let change = Change { content: true, reach: Reach::Applied, ..Change::default() };
        push(stage, Action::Change(change), target, Place::Body(node));
    }
    if stage.operations.is_empty() {
        push(stage, Action::Nothing("hot update of nothing in"), target, Place::Body(root));
    }
}

/// CreateSavepoint.
pub(super) fn savepoint<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fields(root, "the body of CreateSavepoint", &["deploymentId", "description", "nativeFormat"], stage);
    required(root, "deploymentId", "deploymentId", "the platform cannot tell whose savepoint to take", stage);
    stage.content.native_format = root.get("nativeFormat").filter(|node| node.bool() == Some(true));
    let native = root.get("nativeFormat").and_then(|node| flag(node, "nativeFormat", stage)).unwrap_or_default();
    let trigger = Trigger { checkpoint: false, directory: None, native };
    push(stage, Action::Trigger(trigger), target, Place::Body(root));
}
