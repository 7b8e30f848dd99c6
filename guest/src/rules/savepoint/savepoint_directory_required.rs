//! A savepoint needs a directory: in the request, the configuration, or the platform's blob storage (S2-5, REC R1).

use crate::configuration::{Configuration, SAVEPOINT_DIRECTORY};
use crate::operation::{Action, Change, Dialect, Operation, Stage, StartCause, Stop, StopMode, Trigger};
use crate::rules::Rule;
use crate::verdict::{Effect, Report};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-directory-required",
    title: "savepoint without a directory",
    family: "savepoint",
    why: "Without a savepoint directory no savepoint can be taken: the stop, suspend or upgrade that relies on it is refused or stuck, or the job has to be cancelled with its state lost.",
    source: "S2-5; REC R1, R22; FKO V12; DOMAIN 6.12",
    dialects: &[Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes],
    effect: Effect::Deny,
    example: r#"POST /jobs/4d50…/stop {"drain": false} on a cluster without execution.checkpointing.savepoint-dir"#,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    match stage.platform {
        Dialect::FlinkRest => flink_rest(stage, report),
        Dialect::Ververica => ververica(stage, report),
        Dialect::Kubernetes => kubernetes(stage, report),
        Dialect::Alibaba | Dialect::Plan => {}
    }
}

fn takes_savepoint(stop: &Stop<'_>) -> bool {
    matches!(stop.mode, StopMode::Savepoint | StopMode::Drain)
}

/// Only the cluster's configuration counts: a directory among a job's own settings is not used (REC R22).
fn flink_rest(stage: &Stage<'_>, report: &mut Report<'_>) {
    const REMEDY: &str = "give `targetDirectory` (on /stop) or `target-directory` (on /savepoints), or set `execution.checkpointing.savepoint-dir` in the cluster's configuration";
    for operation in &stage.operations {
        let lacks = match &operation.action {
            Action::Stop(stop) => takes_savepoint(stop) && stop.directory.is_none(),
            Action::Trigger(trigger) => !trigger.checkpoint && trigger.directory.is_none(),
            _ => false,
        };
        if !lacks {
            continue;
        }
        match stage.facts.platform.configuration {
            Some(map) => {
                let mut cluster = Configuration::default();
                cluster.overlay(map);
                if cluster.present(SAVEPOINT_DIRECTORY).is_none() {
                    let message = "neither the request nor the cluster names a savepoint directory: flink answers 400, and no savepoint is taken";
                    report.main(&operation.place, message).expected("a savepoint directory").remedy(REMEDY);
                }
            }
            None => {
                report.unjudged("the cluster's configuration (`platform.flinkConfiguration`)");
                let message = "the request names no savepoint directory: without one in the cluster's configuration flink answers 400, and no savepoint is taken";
                report.warn(&operation.place, message).expected("a savepoint directory").remedy(REMEDY);
            }
        }
    }
}

/// One finding for the request: its stop and its change need the same directory.
fn ververica(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((operation, need)) =
        stage.operations.iter().find_map(|it| ververica_need(stage, it).map(|need| (it, need)))
    else {
        return;
    };
    let current = &stage.current;
    let blob_storage = stage.facts.platform.universal_blob_storage;
    if current.configuration.present(SAVEPOINT_DIRECTORY).is_some() || blob_storage == Some(true) {
        return;
    }
    match (current.configuration_complete, blob_storage) {
        (true, Some(_)) => {
            let message = format!(
                "{} needs a savepoint directory: there is none in `flinkConfiguration`, and universal blob storage is off",
                need.words
            );
            let finding = match need.old {
                true => report.warn(&operation.place, message),
                false => report.main(&operation.place, message),
            };
            finding.expected("state.savepoints.dir").remedy(
                "set `state.savepoints.dir` in `spec.template.spec.flinkConfiguration`, or configure universal blob storage (`vvp.blobStorage.baseUri`)",
            );
        }
        (true, None) => {
            report.unjudged("whether universal blob storage is configured (`platform.universalBlobStorage`)")
        }
        (false, Some(_)) => report.unjudged("the deployment's `flinkConfiguration`"),
        (false, None) => {
            report.unjudged("the deployment's `flinkConfiguration`, and whether universal blob storage is configured");
        }
    }
}

/// What needs a directory.
struct Need {
    words: &'static str,
    /// It was needed and lacking before this request: no reason to refuse an unrelated edit (DOMAIN 6.0-4).
    old: bool,
}

fn ververica_need(stage: &Stage<'_>, operation: &Operation<'_>) -> Option<Need> {
    let creates = || stage.starts().any(|(_, start)| start.cause == StartCause::Create);
    match &operation.action {
        Action::Stop(stop) if takes_savepoint(stop) => Some(Need { words: "a stop with savepoint", old: false }),
        Action::Trigger(Trigger { checkpoint: false, .. }) => Some(Need { words: "a savepoint", old: false }),
        Action::Change(Change { stateful: Some(true), .. }) => {
            let old = stage.current.stateful == Some(true) && stage.stops().next().is_none() && !creates();
            Some(Need { words: "a stateful upgrade", old })
        }
        _ => None,
    }
}

/// A snapshot without a path, and a blue/green deployment: it takes a savepoint at every change (DOMAIN 6.12). The
/// upgrade mode of a FlinkDeployment is another rule's matter.
fn kubernetes(stage: &Stage<'_>, report: &mut Report<'_>) {
    let snapshot_alone = stage.operations.iter().all(|operation| matches!(operation.action, Action::Trigger(_)));
    let need = stage.operations.iter().find_map(|operation| match &operation.action {
        Action::Trigger(trigger) if snapshot_alone && !trigger.checkpoint && trigger.directory.is_none() => {
            Some((operation, "this savepoint names no path and"))
        }
        Action::Change(Change { stateful: Some(true), .. }) if stage.current.savepoint_always => {
            Some((operation, "a blue/green deployment takes a savepoint at every change, and"))
        }
        _ => None,
    });
    let Some((operation, why)) = need else { return };
    let current = &stage.current;
    if current.configuration.present(SAVEPOINT_DIRECTORY).is_some() {
        return;
    }
    if !current.configuration_complete {
        report.unjudged("the operator's default configuration (`platform.flinkConfiguration`)");
        return;
    }
    report
        .main(&operation.place, format!("{why} the job's configuration has no savepoint directory: it cannot be taken"))
        .expected("execution.checkpointing.savepoint-dir")
        .remedy("set `execution.checkpointing.savepoint-dir` (before Flink 1.20 `state.savepoints.dir`) in `flinkConfiguration`, or give the snapshot a `path`");
}
