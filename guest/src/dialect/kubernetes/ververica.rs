//! VvpDeployment, the resource of Ververica's own operator. What its `spec.deployment` says is the Ververica dialect's
//! business; here it is only told whether a job starts.

use super::request::Ask;
use crate::operation::Verb;
use crate::operation::{Action, Change, Operation, Place, Reach, Restore, Stage, Start, StartCause};

/// What a request for a VvpDeployment does.
pub(super) fn decode<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>) {
    let Some(resource) = ask.resource() else { return };
    let mut push = |action, place| stage.operations.push(Operation { action, target: ask.target.clone(), place });
    let place = Place::of(resource.node.path(&["spec", "deployment"]).or(Some(resource.node)));
    if ask.verb == Verb::Delete {
        return push(Action::Nothing("delete the Kubernetes record of"), place);
    }
    let change = Change { content: true, reach: Reach::Nothing, ..Change::default() };
    push(Action::Change(change), place.clone());
    let state = resource.node.path(&["spec", "deployment", "spec", "state"]);
    if let Some(state) = state.filter(|state| ask.verb == Verb::Create && state.is("RUNNING")) {
        let location = resource.node.path(&["spec", "initialSavepointSpec", "savepointLocation"]);
        let restore = match location.and_then(|location| location.scalar()) {
            Some(text) => Restore::Location(text),
            None => Restore::Unknown,
        };
        let start = Start::new(StartCause::Create, restore, Place::of(location));
        push(Action::Start(start), Place::Body(state));
    }
}
