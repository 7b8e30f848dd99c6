//! Who and what is never denied: controllers, the operator itself, its blue/green children, and rollbacks (DOMAIN
//! 6.0-1, 6.0-5).

use super::difference::{self, Difference};
use super::request::Ask;
use crate::operation::Verb;
use crate::operation::{Kind, Spec};
use crate::settings::Settings;

/// What deletes in the name of a namespace or an owner: a denial would wedge that.
const CLEANERS: &[&str] = &[
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:kube-controller-manager",
];

/// The reason why this request gets warnings at most.
pub(super) fn of(ask: &Ask<'_>, settings: &Settings<'_>) -> Option<&'static str> {
    let child = ask.kind == Kind::Deployment && is_blue_green_child(ask);
    of_user(ask.verb, ask.user.as_deref().unwrap_or_default(), settings)
        .or(child.then_some("it belongs to a FlinkBlueGreenDeployment, and is judged through that"))
}

/// The same, by who asks alone.
pub(super) fn of_user(verb: Verb, user: &str, settings: &Settings<'_>) -> Option<&'static str> {
    if settings.operator_accounts().matches(user) {
        return Some("the operator itself asks, and would be stuck without it");
    }
    let cleans = verb == Verb::Delete && CLEANERS.contains(&user);
    cleans.then_some("a controller of the cluster cleans up, and would be stuck without it")
}

/// An update back to what last ran well. A restart of what runs well is none, and a changed redeploy nonce keeps its
/// own rules.
pub(super) fn of_rollback(
    stable: Option<Spec<'_>>,
    old: Spec<'_>,
    new: Spec<'_>,
    difference: &Difference<'_>,
) -> Option<&'static str> {
    let stable = stable?;
    let back = difference.redeploy.is_none()
        && difference::is_rollback_to(stable, new)
        && !difference::is_rollback_to(stable, old);
    back.then_some("it goes back to the spec that last ran well")
}

fn is_blue_green_child(ask: &Ask<'_>) -> bool {
    // Of a new object its creator writes the owners; the operator creates the children, and is lenient anyway.
    let owners = ask.old.and_then(|resource| resource.metadata("ownerReferences"));
    owners.is_some_and(|owners| {
        owners.elements().any(|owner| {
            let group = owner.get("apiVersion").and_then(|version| version.text()).unwrap_or_default();
            group.starts_with("flink.apache.org/")
                && owner.get("kind").is_some_and(|kind| kind.is(Kind::BlueGreen.word()))
                && owner.get("controller").and_then(|controller| controller.bool()) == Some(true)
        })
    })
}
