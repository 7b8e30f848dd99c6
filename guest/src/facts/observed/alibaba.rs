//! Answers of Alibaba's API (DOMAIN 2.1, 2.4, 2.5): always in an envelope that says whether the call succeeded.

use std::borrow::Cow;

use super::{Wrong, missing, own, text};
use crate::document::Node;
use crate::facts::{Facts, Savepoint};
use crate::instant::rfc3339;
use crate::operation::{Lookup, Scoped};

/// The states of a job that runs, or is about to; what is left of it is told by the newest one.
const LIVE: &[&str] = &["RUNNING", "RESTARTING", "FAILING", "STARTING", "CANCELLING"];

pub(super) fn read<'d>(lookup: &Lookup, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    match root.get("success").and_then(|flag| flag.bool()) {
        Some(true) => {}
        None => return Err(missing("/success")),
        Some(false) => {
            let (code, said) = (text(root, &["errorCode"]), text(root, &["errorMessage"]));
            let code = code.unwrap_or_default();
            return Err(match code.contains("NotFound") || code.contains("NotExist") {
                true => Wrong::Absent,
                false => Wrong::Unreadable(format!("the call failed: {code} {}", said.unwrap_or_default())),
            });
        }
    }
    let data = root.get("data").ok_or_else(|| missing("/data"))?;
    match lookup {
        Lookup::AlibabaDeployment(it) => deployment(it, data, facts),
        Lookup::AlibabaJob(it) => job(it, data, facts),
        Lookup::AlibabaJobs(it) => jobs(it, whole(root, data)?, facts),
        Lookup::AlibabaSavepoints(it) => savepoints(it, whole(root, data)?, facts),
        _ => Ok(()),
    }
}

/// A list, of which no page is missing.
fn whole<'d>(root: Node<'d>, data: Node<'d>) -> Result<Node<'d>, Wrong> {
    if !data.is_array() {
        return Err(missing("/data"));
    }
    let (total, shown) = (root.get("totalSize").and_then(|total| total.integer()), data.elements().count());
    match total.and_then(|total| usize::try_from(total).ok()).filter(|total| *total > shown) {
        Some(total) => Err(Wrong::Unreadable(format!("it shows {shown} of {total}"))),
        None => Ok(data),
    }
}

fn check(it: &Scoped, name: &str, node: Node<'_>) -> Result<(), Wrong> {
    let elsewhere = node.get("namespace").is_some_and(|namespace| !namespace.is(&it.namespace));
    match node.get(name).is_some_and(|id| id.is(&it.id)) && !elsewhere {
        true => Ok(()),
        false => Err(Wrong::other(&text(node, &[name]).unwrap_or_default())),
    }
}

fn deployment<'d>(it: &Scoped, data: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    check(it, "deploymentId", data)?;
    let known = &mut facts.deployment;
    known.execution_mode = text(data, &["executionMode"]);
    known.artifact_kind = text(data, &["artifact", "kind"]);
    known.configuration = data.get("flinkConf").filter(Node::is_object).or_else(|| data.get("deploymentId"));
    let count = |name: &str| data.path(&["jobSummary", name]).and_then(|count| count.integer()).unwrap_or_default();
    let live = [("running", "RUNNING"), ("starting", "STARTING"), ("cancelling", "CANCELLING")];
    known.status_state = live.into_iter().find(|(name, _)| count(name) > 0).map(|(_, state)| state.into());
    facts.related.push(data);
    Ok(())
}

fn status<'d>(job: Node<'d>) -> Option<Cow<'d, str>> {
    let observed = text(job, &["status", "running", "observedFlinkJobStatus"]);
    let state = text(job, &["status", "currentJobStatus"])?;
    // RUNNING stands also for a job that fails and tries again.
    Some(observed.filter(|_| state == "RUNNING").unwrap_or(state))
}

fn job<'d>(it: &Scoped, data: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    check(it, "jobId", data)?;
    facts.job_status = Some(status(data).ok_or_else(|| missing("/data/status/currentJobStatus"))?);
    facts.deployment.execution_mode = text(data, &["executionMode"]);
    facts.seen.deployment_id = text(data, &["deploymentId"]);
    Ok(())
}

fn jobs<'d>(it: &Scoped, data: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let state = |job: Node<'d>| status(job).ok_or_else(|| missing("/data/…/status/currentJobStatus"));
    let time = |job: Node<'d>| job.get("startTime").or(job.get("createdAt")).and_then(|time| time.integer());
    let own = own(data, &["deploymentId"], &it.id)?;
    let jobs: Vec<_> = own.into_iter().map(|job| Ok((time(job), state(job)?))).collect::<Result<_, Wrong>>()?;
    let live = LIVE.iter().find_map(|word| jobs.iter().find(|(_, state)| state == word));
    facts.job_status = match live.or_else(|| jobs.iter().max_by_key(|(time, _)| *time)) {
        Some((_, state)) => Some(state.clone()),
        // Without a job nothing runs.
        None => Some("TERMINATED".into()),
    };
    Ok(())
}

fn savepoints<'d>(it: &Scoped, data: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let savepoint = |item: Node<'d>| {
        let flag = |name: &str| item.get(name).and_then(|flag| flag.bool());
        Ok(Savepoint {
            id: Some(text(item, &["savepointId"]).ok_or_else(|| missing("/data/…/savepointId"))?),
            deployment_id: text(item, &["deploymentId"]),
            location: text(item, &["savepointLocation"]),
            origin: text(item, &["savepointOrigin"]),
            state: Some(text(item, &["status", "state"]).ok_or_else(|| missing("/data/…/status/state"))?),
            created_at: item.get("createdAt").and_then(|time| time.integer()).map(time),
            drained: flag("stopWithDrainEnabled"),
            format: flag("nativeFormat").map(|native| if native { "NATIVE".into() } else { "CANONICAL".into() }),
            ..Savepoint::default()
        })
    };
    facts.savepoints = Some(
        own(data, &["deploymentId"], &it.id)?.into_iter().map(savepoint).collect::<Result<Vec<_>, Wrong>>()?.into(),
    );
    Ok(())
}

/// Seconds, or milliseconds: both were seen (DOMAIN 2.3, recorded GetSavepoint).
fn time<'d>(number: i64) -> Cow<'d, str> {
    rfc3339(if number > 100_000_000_000 { number / 1000 } else { number }).into()
}
