//! Alibaba Cloud Realtime Compute for Apache Flink, API 2022-07-18 (DOMAIN section 2): which request is which. What
//! the bodies of jobs and deployments mean stands in the files below.

mod deployment;
mod job;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::managed::{deletion, header_intent, header_override, missing, push, refuse, unknown};
use super::{Call, Context, reads};
use crate::document::{Document, Node, Reading};
use crate::gate::Failure;
use crate::operation::{Action, Decoded, Dialect, Disposal, JobState, Place, Retention, Stage, Target};

/// A request of the API, by the names of its documentation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Read,
    FlinkApiProxy,
    Administration,
    StopJob,
    StartJob,
    HotUpdateJob,
    CreateSavepoint,
    DeleteSavepoint,
    CreateDeployment,
    UpdateDeployment,
    Delete,
    DeployDraft,
    Unknown,
}

impl Route {
    fn reads_body(self) -> bool {
        matches!(
            self,
            Self::StopJob
                | Self::StartJob
                | Self::HotUpdateJob
                | Self::CreateSavepoint
                | Self::CreateDeployment
                | Self::UpdateDeployment
                | Self::DeployDraft
        )
    }

    fn mutates(self) -> bool {
        !matches!(self, Self::Read | Self::FlinkApiProxy | Self::Unknown)
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
    let (route, namespace, name) = route(call, &path);
    let refusal = call.not_canonical(false).or_else(|| route.reads_body().then(|| call.body_refused()).flatten());
    let document = match route.reads_body() && refusal.is_none() {
        true => Some(body(call)?),
        false => None,
    };
    let root = document.as_ref().map(Document::root);
    let named = |name: &str| root.and_then(|root| root.get(name)).and_then(|node| node.text()).unwrap_or_default();
    let name = match route {
        Route::StartJob | Route::CreateSavepoint => named("deploymentId"),
        Route::CreateDeployment => named("name"),
        Route::DeployDraft => named("deploymentDraftId"),
        _ => Cow::Borrowed(name),
    };
    let target = Target { namespace: Cow::Borrowed(namespace), name };
    let mut stage = context.stage(Dialect::Alibaba, &target.namespace, &target.name)?;
    stage.call = call_name(route, &path);
    let of_job = path.get(4).is_some_and(|part| *part == "jobs");
    let by_name = path.last().is_some_and(|part| *part == "byName");
    match route {
        Route::StopJob | Route::HotUpdateJob | Route::Delete if of_job => {
            context.observe(&mut stage, &|seen| reads::alibaba_job(&target.namespace, &target.name, seen));
        }
        // Nothing is read by the name alone.
        Route::StartJob | Route::CreateSavepoint | Route::UpdateDeployment | Route::Delete if !by_name => {
            context.observe(&mut stage, &|_| reads::alibaba_deployment(&target.namespace, &target.name));
        }
        _ => {}
    }
    fill_current(&mut stage);
    header_intent(call, &mut stage);
    header_override(call, &mut stage);
    match refusal {
        Some(oddity) => refuse(&mut stage, oddity),
        None => act(route, root, &target, call, &mut stage),
    }
    stage.allow_recovery();
    Ok(then(&Decoded { dialect: Dialect::Alibaba, stages: vec![stage] }))
}

/// The name that permissions go by: `stream:` and this (DOMAIN 2.6).
fn call_name(route: Route, path: &[&str]) -> Option<&'static str> {
    let by_name = path.last() == Some(&"byName");
    Some(match route {
        Route::StopJob => "StopJob",
        Route::StartJob if path.last() == Some(&"jobs:start") => "StartJobWithParams",
        Route::StartJob => "StartJob",
        Route::HotUpdateJob => "HotUpdateJob",
        Route::CreateSavepoint => "CreateSavepoint",
        Route::DeleteSavepoint => "DeleteSavepoint",
        Route::CreateDeployment => "CreateDeployment",
        Route::UpdateDeployment if by_name => "UpdateDeploymentByName",
        Route::UpdateDeployment => "UpdateDeployment",
        Route::Delete if by_name => "DeleteDeploymentByName",
        Route::Delete if path.get(4) == Some(&"jobs") => "DeleteJob",
        Route::Delete => "DeleteDeployment",
        Route::DeployDraft => "DeployDeploymentDraftAsync",
        Route::Read | Route::FlinkApiProxy | Route::Administration | Route::Unknown => return None,
    })
}

/// Which request this is, in which namespace, on what.
fn route<'p>(call: &'p Call<'_>, path: &[&'p str]) -> (Route, &'p str, &'p str) {
    let read = matches!(call.method, "GET" | "HEAD");
    let (namespace, rest) = match path {
        ["api", "v2", "namespaces", namespace, rest @ ..] => (*namespace, rest),
        ["gateway", "v2", "namespaces", namespace, "members", rest @ ..] if rest.len() < 2 => {
            let name = rest.first().copied().unwrap_or("members");
            let route = match call.method {
                "GET" | "HEAD" => Route::Read,
                "POST" | "PUT" | "DELETE" => Route::Administration,
                _ => Route::Unknown,
            };
            return (route, namespace, name);
        }
        ["gateway", "v2", "namespaces", "editable"] if read => return (Route::Read, "", "namespaces"),
        ["api", "v2", "engine-version-meta.json"] if read => return (Route::Read, "", "engine-version-meta.json"),
        ["flink-ui", "v2", "proxy"] if read => return (Route::FlinkApiProxy, "", "the Flink REST API"),
        _ => return (Route::Unknown, "", ""),
    };
    let name = rest.last().copied().unwrap_or_default();
    // The action follows the id after a colon, which usually comes as `%3A`.
    let (id, verb) = name.rsplit_once(':').unwrap_or((name, ""));
    let by_name = || call.parameter("deploymentName").unwrap_or_default();
    match (call.method, rest) {
        ("GET" | "HEAD", _) if is_read(rest) => (Route::Read, namespace, name),
        ("POST", ["jobs", _]) if verb == "stop" && !id.is_empty() => (Route::StopJob, namespace, id),
        ("POST", ["jobs", _]) if verb == "hotUpdate" && !id.is_empty() => (Route::HotUpdateJob, namespace, id),
        ("POST", ["jobs" | "jobs:start"]) => (Route::StartJob, namespace, ""),
        ("DELETE", ["jobs", _]) if verb.is_empty() => (Route::Delete, namespace, id),
        ("POST", ["savepoints"]) => (Route::CreateSavepoint, namespace, ""),
        ("DELETE", ["savepoints", _]) => (Route::DeleteSavepoint, namespace, name),
        ("POST", ["deployments"]) => (Route::CreateDeployment, namespace, ""),
        ("PUT", ["deployments", _]) => (Route::UpdateDeployment, namespace, name),
        ("PUT", ["deployments", "updateDeployment", "byName"]) => (Route::UpdateDeployment, namespace, by_name()),
        ("DELETE", ["deployments", _]) => (Route::Delete, namespace, name),
        ("DELETE", ["deployments", "deleteDeployment", "byName"]) => (Route::Delete, namespace, by_name()),
        ("POST", ["deployment-drafts", "async-deploy"]) => (Route::DeployDraft, namespace, ""),
        _ => (Route::Unknown, namespace, ""),
    }
}

/// The reads of the API: DOMAIN 2.1, and the others of its SDK that only show something.
fn is_read(rest: &[&str]) -> bool {
    const COLLECTIONS: &[&str] = &[
        "catalogs",
        "connectors",
        "deployment-drafts",
        "deployment-targets",
        "deployments",
        "events",
        "folder",
        "job-resource-upgradings",
        "jobs",
        "savepoints",
        "scheduled-plans",
        "sessionclusters",
        "sql-execution",
        "sql-file",
        "sql-preview",
        "udfartifacts",
        "variables",
    ];
    // The only reads with an action in their path.
    const ACTIONS: &[&str] = &[":getExecutedScheduledPlan", ":asyncGenerate", ":fetchSqlExecutionResult"];
    let plain = |part: &&str| !part.contains(':') || ACTIONS.iter().any(|action| part.ends_with(action));
    let first = rest.first().and_then(|first| first.split(':').next());
    first.is_some_and(|first| COLLECTIONS.contains(&first)) && rest.iter().all(plain)
}

/// Parses the body. None at all is as good as an object without members.
fn body<'b>(call: &Call<'b>) -> Result<Document<'b>, Failure> {
    let bytes = if call.body.trim_ascii().is_empty() { b"{}" } else { call.body };
    let document = Document::parse(bytes, Reading::Json).map_err(|error| Failure::document("the body", error))?;
    match document.root().is_object() {
        true => Ok(document),
        false => Err(Failure::malformed("the body must be a JSON object")),
    }
}

/// What the facts say of the job.
pub(super) fn fill_current(stage: &mut Stage<'_>) {
    let facts = &stage.facts;
    let word = facts.job_status.as_deref().or(facts.deployment.status_state.as_deref());
    stage.current.state = word.map(JobState::read);
    // A cancel does not delete the latest checkpoint (S1-4).
    stage.current.retention = Some(Retention::Kept);
    stage.current.configuration_complete = facts.deployment.configuration.is_some();
    for map in stored(stage) {
        stage.current.configuration.overlay(map);
    }
}

/// The platform's configuration, and over it the deployment's as it is stored.
fn stored<'d>(stage: &Stage<'d>) -> impl Iterator<Item = Node<'d>> + use<'d> {
    stage.facts.platform.configuration.into_iter().chain(stage.facts.deployment.configuration)
}

fn act<'d>(route: Route, root: Option<Node<'d>>, target: &Target<'d>, call: &Call<'_>, stage: &mut Stage<'d>) {
    if route.mutates() && call.header("workspace").is_none_or(str::is_empty) {
        let why = "every call that changes something must name its workspace";
        stage.oddities.push(missing(Place::Header("workspace"), "workspace", why));
    }
    if matches!(route, Route::UpdateDeployment | Route::Delete) && target.name.trim().is_empty() {
        let why = "the platform cannot tell which deployment is meant";
        stage.oddities.push(missing(Place::Target, "deploymentName", why));
    }
    let action = match (route, root) {
        (Route::StopJob, Some(root)) => return job::stop(root, target, stage),
        (Route::StartJob, Some(root)) => return job::start(root, target, stage),
        (Route::HotUpdateJob, Some(root)) => return job::hot_update(root, target, stage),
        (Route::CreateSavepoint, Some(root)) => return job::savepoint(root, target, stage),
        (Route::CreateDeployment, Some(root)) => return deployment::create(root, target, stage),
        (Route::UpdateDeployment, Some(root)) => return deployment::update(root, target, stage),
        (Route::DeployDraft, Some(root)) => return deployment::publish(root, target, stage),
        (Route::DeleteSavepoint, _) => Action::Dispose(Disposal { location: None }),
        (Route::Delete, _) => deletion(stage),
        (Route::Administration, _) => Action::Nothing("administration of"),
        (Route::Read, _) => Action::Nothing("read of"),
        (Route::FlinkApiProxy, _) if !cancels(call) => Action::Nothing("read of"),
        (Route::FlinkApiProxy, _) => {
            let mut oddity = unknown(call, "Alibaba Cloud");
            oddity.message =
                "behind this proxy some reads cancel a job (`yarn-cancel`), and this path may be one".into();
            oddity.remedy = "send a plain path in `flinkApiPath`; to stop a job, use StopJob".into();
            return refuse(stage, oddity);
        }
        _ => return refuse(stage, unknown(call, "Alibaba Cloud")),
    };
    push(stage, action, target, Place::Target);
}

/// Whether a proxied path may reach one of Flink's GETs that end a job (DOMAIN section 8): named, or hidden.
fn cancels(call: &Call<'_>) -> bool {
    let may = |value: &str| value.to_ascii_lowercase().contains("yarn-") || value.contains(['%', ';', '\\']);
    call.query.iter().any(|(name, value)| name == "flinkApiPath" && may(value))
}
