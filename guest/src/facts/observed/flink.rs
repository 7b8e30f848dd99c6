//! Answers of Flink's REST API (DOMAIN 3.6; recorded on 1.20 and 2.3).

use super::{Wrong, missing, text};
use crate::document::Node;
use crate::facts::Facts;
use crate::facts::seen::{Checkpoints, Job};
use crate::operation::{Lookup, Retention};

pub(super) fn read<'d>(lookup: &Lookup, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    if let Some(errors) = root.get("errors") {
        let first = errors.elements().next().and_then(|error| error.text()).unwrap_or_default();
        // The first line is Java's; the rest is a stack trace.
        let first = first.lines().next().unwrap_or_default();
        return Err(match first.contains("NotFoundException") {
            true => Wrong::Absent,
            false => Wrong::Unreadable(format!("Flink answered with an error: {first}")),
        });
    }
    match lookup {
        Lookup::FlinkJob(id) => job(id, root, facts),
        Lookup::FlinkCheckpoints(_) => checkpoints(root, facts),
        Lookup::FlinkCheckpointConfig(_) => retention(root, facts),
        Lookup::FlinkJobs => jobs(root, facts),
        _ => configuration(root, facts),
    }
}

fn job<'d>(id: &str, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let jid = text(root, &["jid"]).ok_or_else(|| missing("/jid"))?;
    if !jid.eq_ignore_ascii_case(id) {
        return Err(Wrong::other(&jid));
    }
    facts.job_status = Some(text(root, &["state"]).ok_or_else(|| missing("/state"))?);
    facts.deployment.execution_mode = text(root, &["job-type"]);
    Ok(())
}

fn checkpoints<'d>(root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let latest = root.get("latest").filter(Node::is_object).ok_or_else(|| missing("/latest"))?;
    let path = |name: &str| text(latest, &[name, "external_path"]);
    facts.seen.checkpoints =
        Some(Checkpoints { last: path("completed"), savepoint: path("savepoint"), restored: path("restored") });
    Ok(())
}

/// `externalization` as it applies to the running job, its own code included.
fn retention(root: Node<'_>, facts: &mut Facts<'_>) -> Result<(), Wrong> {
    let flag = |name: &str| root.path(&["externalization", name]).and_then(|flag| flag.bool());
    let enabled = flag("enabled").ok_or_else(|| missing("/externalization/enabled"))?;
    let deletes = flag("delete_on_cancellation").ok_or_else(|| missing("/externalization/delete_on_cancellation"))?;
    facts.seen.retention = Some(Retention::of(enabled && !deletes));
    Ok(())
}

fn jobs<'d>(root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let list = root.get("jobs").filter(Node::is_array).ok_or_else(|| missing("/jobs"))?;
    let job = |job: Node<'d>| {
        let name = text(job, &["name"]).or_else(|| text(job, &["jid"])).ok_or_else(|| missing("/jobs/…/jid"))?;
        let state = text(job, &["state"]).ok_or_else(|| missing("/jobs/…/state"))?;
        Ok(Job { name, state })
    };
    facts.seen.jobs = Some(list.elements().map(job).collect::<Result<_, Wrong>>()?);
    Ok(())
}

/// A list of keys and values (`/jobmanager/config`), or what the web page is told (`/config`): the version.
fn configuration<'d>(root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    if root.is_array() {
        let fits =
            |entry: Node<'d>| entry.get("key").is_some_and(|key| key.is_string()) && entry.get("value").is_some();
        if !root.elements().all(fits) {
            return Err(missing("/…/key"));
        }
        facts.platform.configuration = Some(root);
        return Ok(());
    }
    facts.platform.flink_version = Some(text(root, &["flink-version"]).ok_or_else(|| missing("/flink-version"))?);
    Ok(())
}
