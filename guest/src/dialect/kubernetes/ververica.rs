//! VvpDeployment, the resource of Ververica's own operator (DOMAIN 1.8). What its `spec.deployment` says is read as the
//! platform's API reads it, and judged by that platform's rules; only the envelope is Kubernetes'.

use super::request::Ask;
use crate::dialect::ververica::declared;
use crate::document::Node;
use crate::operation::{
    Action, Dialect, Oddity, OddityKind, Operation, Place, Restore, Stage, StartCause, Trigger, Verb,
};

/// What a request for a VvpDeployment does.
pub(super) fn decode<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>) {
    let Some(resource) = ask.resource() else { return };
    stage.platform = Dialect::Ververica;
    let new = resource.in_spec(&["deployment"]);
    let place = Place::Body(new.unwrap_or(resource.node));
    let mut push =
        |action| stage.operations.push(Operation { action, target: ask.target.clone(), place: place.clone() });
    let (Some(new), false) = (new, ask.verb == Verb::Delete) else {
        return push(Action::Nothing("change only the Kubernetes record of"));
    };
    let before = |path: &[&str]| ask.old.and_then(|old| old.node.path(path));
    let changed = |path: &[&str]| {
        let scalar = |node: Option<Node<'d>>| node.and_then(|node| node.scalar());
        resource.node.path(path).filter(|node| ask.old.is_some() && node.scalar() != scalar(before(path)))
    };
    let savepoint = changed(&["spec", "savepointNonce"]);
    if savepoint.is_some() {
        push(Action::Trigger(Trigger { checkpoint: false, directory: None, native: false }));
    }
    let whole = resource.in_spec(&["syncingMode"]).is_some_and(|mode| mode.is("PUT"));
    let old = before(&["spec", "deployment"]);
    declared(new, old, whole, changed(&["spec", "restartNonce"]), &ask.target, stage);
    initial_savepoint(stage, ask, new);
    stage.allow_recovery();
}

/// The savepoint that the deployment is to load first.
fn initial_savepoint<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, new: Node<'d>) {
    const LOCATION: &[&str] = &["spec", "initialSavepointSpec", "savepointLocation"];
    const RUNS: &[&str] = &["spec", "deployment", "spec", "state"];
    let Some(location) = ask.object.and_then(|object| object.node.path(LOCATION)) else { return };
    let runs = |node: Option<Node<'_>>| node.is_some_and(|state| state.is("RUNNING"));
    let old = ask.old.map(|old| old.node);
    let known = old.and_then(|old| old.path(LOCATION)).is_some_and(|old| old.same(&location));
    let is_start = runs(new.path(&["spec", "state"]));
    if is_start && !(known && runs(old.and_then(|old| old.path(RUNS)))) {
        stage.oddities.push(
            Oddity::new(
                OddityKind::InitialSavepointNeedsTwoSteps,
                Place::Body(location),
                "the savepoint is to be loaded and the job to run in one apply: the job may start before the savepoint \
                 is known, and empty",
                "apply `state: CANCELLED` with `initialSavepointSpec` first; when it is COMPLETED, apply `state: RUNNING` \
                 without it",
            )
            .observed("RUNNING")
            .expected("CANCELLED"),
        );
    }
    for operation in &mut stage.operations {
        match &mut operation.action {
            Action::Start(start) if start.cause == StartCause::Create => {
                start.restore = Restore::Location(location.scalar().unwrap_or_default());
                start.restore_place = Place::Body(location);
            }
            Action::Change(change) if !known && (old.is_some() || !is_start) => change.stores_location = Some(location),
            _ => {}
        }
    }
}
