//! Answers of Ververica Platform (DOMAIN 1.3, 1.5, 1.8).

use super::{Wrong, missing, own, text};
use crate::configuration::Configuration;
use crate::document::Node;
use crate::facts::{Facts, Savepoint};
use crate::operation::{Lookup, Retention, Scoped};
use crate::restore::SPEC_VERSION;

pub(super) fn read<'d>(lookup: &Lookup, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let kind = text(root, &["kind"]);
    let code = root.get("code").or(root.get("status")).or(root.get("httpCode"));
    if kind.is_none() && code.and_then(|code| code.integer()) == Some(404) {
        return Err(Wrong::Absent);
    }
    let expected = match lookup {
        Lookup::VervericaDeployment(_) => "Deployment",
        Lookup::VervericaSavepoints(_) => "SavepointList",
        _ => "Job",
    };
    if kind.as_deref() != Some(expected) {
        let said = text(root, &["message"]).map(|said| format!(": {said}")).unwrap_or_default();
        return Err(Wrong::Unreadable(format!("it is no {expected}{said}")));
    }
    match lookup {
        Lookup::VervericaDeployment(it) => deployment(it, root, facts),
        Lookup::VervericaSavepoints(it) => savepoints(it, root, facts),
        Lookup::VervericaJob(it) => job(it, root, facts),
        _ => Ok(()),
    }
}

/// Whether the resource is the one that was asked for.
fn check(it: &Scoped, root: Node<'_>) -> Result<(), Wrong> {
    let is = |name: &str, value: &str| root.path(&["metadata", name]).is_some_and(|node| node.is(value));
    let elsewhere = root.path(&["metadata", "namespace"]).is_some_and(|node| !node.is(&it.namespace));
    match (is("id", &it.id) || is("name", &it.id)) && !elsewhere {
        true => Ok(()),
        false => Err(Wrong::other(&text(root, &["metadata", "id"]).unwrap_or_default())),
    }
}

/// The map at this path. A text has no members: a known one stands for a map that is left out, and so is empty.
fn map<'d>(root: Node<'d>, path: &[&str]) -> Option<Node<'d>> {
    root.path(path).filter(Node::is_object).or_else(|| root.get("kind"))
}

fn deployment<'d>(it: &Scoped, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    check(it, root)?;
    let known = &mut facts.deployment;
    known.spec_state = Some(text(root, &["spec", "state"]).ok_or_else(|| missing("/spec/state"))?);
    known.status_state = text(root, &["status", "state"]);
    known.spec_version = text(root, &["metadata", "annotations", SPEC_VERSION]);
    known.annotations = map(root, &["metadata", "annotations"]);
    known.artifact_kind = text(root, &["spec", "template", "spec", "artifact", "kind"]);
    known.configuration = map(root, &["spec", "template", "spec", "flinkConfiguration"]);
    known.upgrade_kind = text(root, &["spec", "upgradeStrategy", "kind"]);
    known.restore_kind = text(root, &["spec", "restoreStrategy", "kind"]);
    known.allow_non_restored_state =
        root.path(&["spec", "restoreStrategy", "allowNonRestoredState"]).and_then(|flag| flag.bool());
    facts.seen.deployment_id = text(root, &["metadata", "id"]);
    facts.seen.job_id = text(root, &["status", "running", "jobId"]);
    // The state stays RUNNING while the job fails and tries again (VVPCTL).
    let conditions = root.path(&["status", "running", "conditions"]);
    let fails = |condition: Node<'_>| {
        let is = |name: &str, word: &str| condition.get(name).is_some_and(|node| node.is(word));
        is("type", "JobFailing") && is("status", "True")
    };
    if conditions.is_some_and(|list| list.elements().any(fails)) {
        facts.job_status = Some("FAILING".into());
    }
    facts.related.push(root);
    Ok(())
}

fn savepoints<'d>(it: &Scoped, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let list = root.get("items").filter(Node::is_array).ok_or_else(|| missing("/items"))?;
    let items = own(list, &["metadata", "deploymentId"], &it.id)?;
    let savepoint = |item: Node<'d>| {
        let meta = |name: &str| text(item, &["metadata", name]);
        Ok(Savepoint {
            id: Some(meta("id").ok_or_else(|| missing("/items/…/metadata/id"))?),
            deployment_id: meta("deploymentId"),
            location: text(item, &["spec", "savepointLocation"]),
            origin: meta("origin"),
            state: Some(text(item, &["status", "state"]).ok_or_else(|| missing("/items/…/status/state"))?),
            created_at: meta("createdAt"),
            annotations: map(item, &["metadata", "annotations"]).or(Some(item)),
            ..Savepoint::default()
        })
    };
    facts.savepoints = Some(items.into_iter().map(savepoint).collect::<Result<Vec<_>, Wrong>>()?.into());
    Ok(())
}

fn job<'d>(it: &Scoped, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    check(it, root)?;
    let state = text(root, &["status", "state"]).ok_or_else(|| missing("/status/state"))?;
    facts.job_status = Some(text(root, &["status", "started", "observedFlinkJobStatus"]).unwrap_or(state));
    // What the job was started with; the deployment may have been changed since.
    let mut configuration = Configuration::default();
    if let Some(map) = root.path(&["spec", "flinkConfiguration"]) {
        configuration.overlay(map);
        let said = configuration.retains().map(Retention::of);
        facts.seen.retention = said.or(Some(Retention::DeletedByDefault));
    }
    Ok(())
}
