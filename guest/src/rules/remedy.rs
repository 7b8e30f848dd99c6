//! Each platform's own way to do the next step, so that every rule names it in the same words.

use crate::operation::{Dialect, Place};

/// Ends the job and keeps its state.
pub(super) fn stop_with_savepoint(platform: Dialect) -> &'static str {
    match platform {
        Dialect::Alibaba => "send `stopStrategy: STOP_WITH_SAVEPOINT`",
        Dialect::FlinkRest => "POST `/jobs/:jobid/stop` with `\"drain\": false`",
        Dialect::Ververica => "PATCH `spec.state: SUSPENDED`",
        Dialect::Kubernetes => "set `spec.job.state: suspended` with `upgradeMode: savepoint`",
        Dialect::Plan => "stop with `mode: savepoint`",
    }
}

/// Ends the job at once, without its state: the way out when it cannot give a savepoint.
pub(super) fn cancel(platform: Dialect) -> &'static str {
    match platform {
        Dialect::Alibaba => "send `stopStrategy: NONE`",
        Dialect::FlinkRest => "PATCH `/jobs/:jobid?mode=cancel`",
        Dialect::Ververica => "PATCH `spec.state: CANCELLED`",
        Dialect::Kubernetes => "delete the resource",
        Dialect::Plan => "stop with `mode: cancel`",
    }
}

/// Says that no restart follows.
pub(super) fn declare_final(platform: Dialect) -> &'static str {
    match platform {
        Dialect::Kubernetes => "declare `sluicegate.dev/intent: final`",
        _ => "declare the intent `final`",
    }
}

/// The value at a place, if one value stands there.
pub(super) fn value(place: &Place<'_>) -> Option<String> {
    match place {
        Place::Body(node) => node.scalar().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}
