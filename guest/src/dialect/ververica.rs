//! Ververica Platform 2.x, REST API v1 (DOMAIN section 1): which request is which. What a deployment's or a
//! savepoint's body means stands in the files below.

mod body;
mod deployment;
mod fields;
mod savepoint;
#[cfg(test)]
mod tests;
mod wish;

use std::borrow::Cow;

use super::managed::{choice, deletion, header_intent, header_override, push, refuse, same_namespace, unknown};
use super::{Call, Context, reads};
use crate::document::{Document, Node};
use crate::gate::Failure;
use crate::operation::{Action, Decoded, Dialect, Disposal, Override, Place, Stage, Target};
use body::{Body, Given};

/// A request of the API.
#[derive(Clone, Copy)]
enum Route {
    Read,
    Administration,
    Create,
    Patch,
    Replace,
    DeleteDeployment,
    PatchDefaults,
    CreateSavepoint,
    DeleteSavepoint,
    PatchSessionCluster,
    DeleteSessionCluster,
    Unknown,
}

impl Route {
    fn reads_body(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Patch
                | Self::Replace
                | Self::PatchDefaults
                | Self::CreateSavepoint
                | Self::PatchSessionCluster
        )
    }
}

/// Whether the stored annotation makes every suspend and stateful upgrade drain (DOMAIN 1.7).
pub(super) fn drains(stage: &Stage<'_>) -> bool {
    wish::stored_drain(stage)
}

/// What the facts say of a deployment that stays as it is.
pub(super) fn fill_current(stage: &mut Stage<'_>) {
    deployment::fill_current(stage);
    wish::fill_configuration(stage.facts.deployment.configuration, stage);
    deployment::fill_retention(stage);
}

/// What a VvpDeployment makes the platform do (DOMAIN 1.8): `new` is its `spec.deployment`, `old` the one before. `whole`:
/// it takes the place of what is stored, else it is merged into it. `restart`: a nonce that asks for one.
pub(super) fn declared<'d>(
    new: Node<'d>,
    old: Option<Node<'d>>,
    whole: bool,
    restart: Option<Node<'d>>,
    target: &Target<'d>,
    stage: &mut Stage<'d>,
) {
    let body = |whole| Body { metadata: "userMetadata", stored: old, restart, ..Body::new(new, whole) };
    match old {
        None => deployment::create(body(true), target, stage),
        Some(old) => {
            deployment::remember(old, whole, stage);
            deployment::change(body(whole), target, stage);
        }
    }
}

/// Decodes a call and hands it to `then`.
#[inline(never)]
pub(super) fn decode<R>(
    call: &Call<'_>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    let path: Vec<&str> = call.segments.iter().map(AsRef::as_ref).collect();
    let (route, namespace, name) = route(call.method, &path);
    let refusal = call.not_canonical(false).or_else(|| route.reads_body().then(|| call.body_refused()).flatten());
    let document = match route.reads_body() && refusal.is_none() {
        true => Some(body::parse(call)?),
        false => None,
    };
    let root = document.as_ref().map(Document::root);
    let named = |path: &[&str]| root.and_then(|root| root.path(path)).and_then(|node| node.text()).unwrap_or_default();
    let name = match route {
        Route::Create => named(&["metadata", "name"]),
        // Facts speak of the deployment.
        Route::CreateSavepoint => named(&["metadata", "deploymentId"]),
        _ => Cow::Borrowed(name),
    };
    let target = Target { namespace: Cow::Borrowed(namespace), name };
    let mut stage = context.stage(Dialect::Ververica, &target.namespace, &target.name)?;
    stage.call = matches!(route, Route::PatchDefaults).then_some("deployment-defaults");
    if matches!(route, Route::Patch | Route::Replace | Route::DeleteDeployment | Route::CreateSavepoint) {
        context.observe(&mut stage, &|seen| reads::ververica(&target.namespace, &target.name, seen));
    }
    header_intent(call, &mut stage);
    header_override(call, &mut stage);
    match refusal {
        Some(oddity) => refuse(&mut stage, oddity),
        None => {
            act(route, root, &target, call, &mut stage);
            annotated_override(route, root, &mut stage);
        }
    }
    stage.allow_recovery();
    Ok(then(&Decoded { dialect: Dialect::Ververica, stages: vec![stage] }))
}

/// Reads the rules to lift from the deployment's annotations, as the request leaves them.
fn annotated_override<'d>(route: Route, root: Option<Node<'d>>, stage: &mut Stage<'d>) {
    if !matches!(route, Route::Create | Route::Patch | Route::Replace | Route::DeleteDeployment) {
        return;
    }
    let body = root.map(|root| Body::new(root, !matches!(route, Route::Patch)));
    let stored = stage.facts.deployment.annotations;
    let annotation = |name: &str| match body.map(|body| body.given(&["metadata", "annotations", name])) {
        None | Some(Given::Kept) => stored?.get(name),
        Some(Given::Removed) => None,
        Some(Given::Value(node)) => Some(node),
    };
    stage.overrides.extend(Override::annotated(annotation, true));
}

/// Which request this is, in which namespace, on what.
fn route<'p>(method: &str, path: &[&'p str]) -> (Route, &'p str, &'p str) {
    let read = matches!(method, "GET" | "HEAD");
    let (namespace, rest) = match path {
        ["api", "v1", "namespaces", namespace, rest @ ..] => (*namespace, rest),
        ["api", "v1", "status"] | ["api", "v1", "status", "system-info"] | ["api", "v1", "events"] if read => {
            return (Route::Read, "", path.last().copied().unwrap_or_default());
        }
        ["api", "swagger.json" | "swagger"] | ["swagger", ..] if read => return (Route::Read, "", "swagger"),
        ["namespaces", "v1", "namespaces"] if matches!(method, "GET" | "HEAD" | "POST") => {
            return (if read { Route::Read } else { Route::Administration }, "", "namespaces");
        }
        ["namespaces", "v1", "namespaces", name] if matches!(method, "GET" | "HEAD" | "DELETE") => {
            return (if read { Route::Read } else { Route::Administration }, "", name);
        }
        ["artifacts", "v1", "namespaces", namespace, what] => {
            let route = match (method, *what) {
                ("GET" | "HEAD", "artifacts:list") => Route::Read,
                ("GET" | "HEAD" | "POST" | "DELETE", "artifacts:list" | "artifacts:upload" | "artifacts:delete") => {
                    Route::Administration
                }
                _ => Route::Unknown,
            };
            return (route, namespace, what);
        }
        _ => return (Route::Unknown, "", ""),
    };
    let name = rest.last().copied().unwrap_or_default();
    let route = match (method, rest) {
        ("GET" | "HEAD", [collection] | [collection, _]) if COLLECTIONS.contains(collection) => Route::Read,
        ("POST", ["deployments"]) => Route::Create,
        ("PATCH", ["deployments", _]) => Route::Patch,
        ("PUT", ["deployments", _]) => Route::Replace,
        ("DELETE", ["deployments", _]) => Route::DeleteDeployment,
        ("PATCH", ["deployment-defaults"]) => Route::PatchDefaults,
        ("POST", ["savepoints"]) => Route::CreateSavepoint,
        ("DELETE", ["savepoints", _]) => Route::DeleteSavepoint,
        ("POST", ["sessionclusters"]) => Route::Administration,
        ("PATCH", ["sessionclusters", _]) => Route::PatchSessionCluster,
        ("DELETE", ["sessionclusters", _]) => Route::DeleteSessionCluster,
        ("POST", ["secret-values" | "deployment-targets"]) => Route::Administration,
        ("DELETE", ["secret-values" | "deployment-targets", _]) => Route::Administration,
        ("PATCH", ["secret-values", _]) => Route::Administration,
        _ => Route::Unknown,
    };
    (route, namespace, name)
}

/// What can be read in a namespace, one by one or as a list (DOMAIN 1.2).
const COLLECTIONS: &[&str] = &[
    "deployments",
    "deployment-defaults",
    "deployment-targets",
    "savepoints",
    "jobs",
    "events",
    "secret-values",
    "sessionclusters",
];

fn act<'d>(route: Route, root: Option<Node<'d>>, target: &Target<'d>, call: &Call<'_>, stage: &mut Stage<'d>) {
    same_namespace(root.and_then(|root| root.path(&["metadata", "namespace"])), &target.namespace, stage);
    let action = match (route, root) {
        (Route::Create, Some(root)) => return deployment::create(Body::new(root, true), target, stage),
        (Route::Patch, Some(root)) => return deployment::change(Body::new(root, false), target, stage),
        (Route::Replace, Some(root)) if absent(stage, target) => {
            return deployment::create(Body::new(root, true), target, stage);
        }
        (Route::Replace, Some(root)) => return deployment::change(Body::new(root, true), target, stage),
        (Route::PatchDefaults, Some(root)) => return deployment::defaults(Body::new(root, false), target, stage),
        (Route::CreateSavepoint, Some(root)) => return savepoint::create(root, target, stage),
        (Route::PatchSessionCluster, Some(root)) => return session_cluster(root, target, stage),
        (Route::DeleteDeployment, _) => {
            deployment::fill_current(stage);
            deletion(stage)
        }
        (Route::DeleteSavepoint, _) => {
            deployment::fill_current(stage);
            Action::Dispose(Disposal { location: None })
        }
        (Route::DeleteSessionCluster, _) => Action::ShutDown,
        (Route::Read, _) => Action::Nothing("read of"),
        (Route::Administration, _) => Action::Nothing("administration of"),
        _ => return refuse(stage, unknown(call, "Ververica Platform")),
    };
    push(stage, action, target, Place::Target);
}

/// The deployment is known not to exist: a PUT creates it.
fn absent(stage: &Stage<'_>, target: &Target<'_>) -> bool {
    stage.facts.is_absent("Deployment", &target.namespace, &target.name)
}

/// A session cluster that is stopped ends its jobs.
fn session_cluster<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    let state = root.path(&["spec", "state"]);
    let (action, place) = match state.and_then(|node| choice(node, "spec.state", &["RUNNING", "STOPPED"], stage)) {
        Some("STOPPED") => (Action::ShutDown, Place::of(state)),
        _ => (Action::Nothing("change of the session cluster"), Place::Target),
    };
    push(stage, action, target, place);
}
