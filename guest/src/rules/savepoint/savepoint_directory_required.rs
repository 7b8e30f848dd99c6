//! A savepoint needs a directory: in the request, the configuration, or the platform's blob storage (S2-5, REC R1).

use crate::configuration::{Configuration, SAVEPOINT_DIRECTORY};
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{
    Action, Change, Dialect, JobState, Kind, Operation, Place, Stage, Stop, StopMode, Target, Trigger, UpgradeMode,
    Want,
};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-directory-required",
    title: "savepoint without a directory",
    family: "savepoint",
    why: "Without a savepoint directory no savepoint can be taken: the stop, suspend or upgrade that relies on \
        it is refused or stuck, or the job has to be cancelled with its state lost.",
    source: "S2-5; REC R1, R22; FKO V12; DOMAIN 6.12",
    looks_at: &[
        (Dialect::Ververica, "`state.savepoints.dir` of the template"),
        (Dialect::FlinkRest, "`targetDirectory`, `target-directory`, and the cluster configuration"),
        (Dialect::Kubernetes, "the effective savepoint directory of snapshots and blue/green deployments"),
    ],
    facts: &[
        "platform.flinkConfiguration",
        "platform.universalBlobStorage",
        "deployment.flinkConfiguration",
        "related",
    ],
    parameters: &[],
    level: Level::Deny,
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
    const REMEDY: &str = "give `targetDirectory` (on /stop) or `target-directory` (on /savepoints), or set \
        `execution.checkpointing.savepoint-dir` in the cluster's configuration";
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
                    let message = "neither the request nor the cluster names a savepoint directory: Flink \
                        answers 400, and no savepoint is taken";
                    report.main(&operation.place, message).expected("a savepoint directory").remedy(REMEDY);
                }
            }
            None => {
                report.lacks(Want::Configuration, "the cluster's configuration (`platform.flinkConfiguration`)");
                let message = "the request names no savepoint directory: without one in the cluster's \
                    configuration Flink answers 400, and no savepoint is taken";
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
                "{} needs a savepoint directory: there is none in `flinkConfiguration`, and universal blob \
                 storage is off",
                need.words
            );
            let finding = match need.old {
                true => report.warn(&operation.place, message),
                false => report.main(&operation.place, message),
            };
            finding.expected("state.savepoints.dir").remedy(
                "set `state.savepoints.dir` in `spec.template.spec.flinkConfiguration`, or configure universal \
                 blob storage (`vvp.blobStorage.baseUri`)",
            );
        }
        (true, None) => {
            report.unjudged("whether universal blob storage is configured (`platform.universalBlobStorage`)")
        }
        (false, Some(_)) => report.lacks(Want::Configuration, "the deployment's `flinkConfiguration`"),
        (false, None) => {
            report.lacks(
                Want::Configuration,
                "the deployment's `flinkConfiguration`, and whether universal blob storage is \
                 configured",
            );
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
    match &operation.action {
        // A job that is over gives no savepoint, wherever it would go.
        Action::Stop(_) if stage.current.state.as_ref().is_some_and(JobState::is_over) => None,
        Action::Stop(stop) if takes_savepoint(stop) => Some(Need { words: "a stop with savepoint", old: false }),
        Action::Trigger(Trigger { checkpoint: false, .. }) => Some(Need { words: "a savepoint", old: false }),
        Action::Change(Change { stateful: Some(true), .. }) => {
            let known = &stage.facts.deployment;
            let not_known = known.configuration.is_none() || known.upgrade_kind.is_none();
            let old = match stage.stops().next() {
                Some((_, stop)) if takes_savepoint(stop) => false,
                // What cancels takes none: it is not held up by what may have been so before.
                Some(_) => not_known || lacked_before(stage),
                None => lacked_before(stage),
            };
            Some(Need { words: "a stateful upgrade", old })
        }
        _ => None,
    }
}

/// Whether the deployment is known to have had stateful upgrades and no directory.
fn lacked_before(stage: &Stage<'_>) -> bool {
    let deployment = &stage.facts.deployment;
    let Some(map) = deployment.configuration else { return false };
    let mut before = Configuration::default();
    before.overlay(map);
    deployment.upgrade_kind.as_deref() == Some("STATEFUL") && before.present(SAVEPOINT_DIRECTORY).is_none()
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
    let Some((operation, why)) = need else { return savepoint_mode(stage, report) };
    let current = &stage.current;
    if current.configuration.present(SAVEPOINT_DIRECTORY).is_some() {
        return;
    }
    if !current.configuration_complete {
        let operator = "the operator's default configuration (`platform.flinkConfiguration`)";
        // A snapshot is of a job that is another resource.
        match (&operation.action, is_known(stage, &operation.target)) {
            (Action::Trigger(_), false) => {
                let job = &operation.target;
                let lacks = format!("the resource of `{job}` (`related`), where not declared also {operator}");
                report.lacks(Want::Cluster, lacks);
            }
            (Action::Trigger(_), true) => report.lacks(Want::Cluster, operator),
            _ => report.unjudged(operator),
        }
        return;
    }
    let message = format!("{why} the job's configuration has no savepoint directory: it cannot be taken");
    const KEY: &str = "set `execution.checkpointing.savepoint-dir` (before Flink 1.20 `state.savepoints.dir`) in";
    let (draft, next) = match &operation.action {
        Action::Change(_) => {
            // An old blemish is no reason to refuse an edit (DOMAIN 6.0-4).
            let lacked = |before: &Configuration<'_>| before.present(SAVEPOINT_DIRECTORY).is_none();
            let old = current.kept_state == Some(true) && current.before.as_ref().is_some_and(lacked);
            let draft =
                if old { report.warn(&operation.place, message) } else { report.main(&operation.place, message) };
            (draft, format!("{KEY} `{}.flinkConfiguration`", words::spec(stage)))
        }
        _ => {
            let next = format!("{KEY} the `flinkConfiguration` of the job's resource, or give the snapshot a `path`");
            (report.main(&operation.place, message), next)
        }
    };
    draft.expected("execution.checkpointing.savepoint-dir").remedy(next);
}

/// What a FlinkDeployment's upgrade mode needs is another rule's matter (upgrade-mode-needs-directories): here it is only
/// noted that every savepoint lacks its place.
fn savepoint_mode(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let spec = stage.declaration.as_ref().and_then(|it| it.new_spec());
    let Some(spec) = spec.filter(|it| it.upgrade_mode() == UpgradeMode::Savepoint && current.configuration_complete)
    else {
        return;
    };
    let changes = stage.operations.iter().any(|operation| matches!(operation.action, Action::Change(_)));
    if changes && !current.savepoint_always && current.configuration.present(SAVEPOINT_DIRECTORY).is_none() {
        let message = "no savepoint of this job can be taken: its configuration has no savepoint directory";
        report
            .note(&Place::of(spec.of_job("upgradeMode")), message)
            .expected("execution.checkpointing.savepoint-dir")
            .remedy("set `execution.checkpointing.savepoint-dir` in `spec.flinkConfiguration`");
    }
}

/// The configuration of this job is known, from its resource or declared.
fn is_known(stage: &Stage<'_>, job: &Target<'_>) -> bool {
    let named = |node: &Node<'_>| {
        node.path(&["metadata", "name"]).is_some_and(|name| name.is(&job.name))
            && node.get("kind").is_some_and(|kind| kind.is(Kind::Deployment.word()) || kind.is(Kind::SessionJob.word()))
    };
    stage.facts.deployment.configuration.is_some() || stage.facts.related.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, only, says, stage, stop, trigger, unjudged};

    const CONFIGURED: &str = "platform: {flinkConfiguration: {state.savepoints.dir: 's3://b/sp'}}";
    const BLANK: &str = "platform: {flinkConfiguration: {execution.checkpointing.savepoint-dir: ' '}}";

    /// As decoders do it: the configuration that is in effect, and whether all of it is known.
    fn configured(stage: Stage<'static>, map: &str, complete: bool) -> Stage<'static> {
        stage.with(|stage| {
            stage.current.configuration.overlay(body(map));
            stage.current.configuration_complete = complete;
        })
    }

    fn stateful() -> Action<'static> {
        Action::Change(Change { content: true, reach: Reach::Applied, stateful: Some(true), ..Change::default() })
    }

    #[test]
    fn over_rest_the_request_or_the_cluster_names_it() {
        let stops = || stage(Dialect::FlinkRest, stop(StopMode::Savepoint, StopCause::Request));
        assert_eq!(says(&RULE, &stops()), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &stops().with_facts("platform: {flinkConfiguration: {}}")), only(Effect::Deny));
        assert_eq!(says(&RULE, &stops().with_facts(BLANK)), only(Effect::Deny));
        assert_eq!(says(&RULE, &stops().with_facts(CONFIGURED)), SILENT);
        let per_job = stops().with_facts(
            "platform: {flinkConfiguration: {}}
deployment: {flinkConfiguration: {state.savepoints.dir: 's3://b/sp'}}",
        );
        assert_eq!(says(&RULE, &per_job), only(Effect::Deny), "REC R22");
        let named = stage(Dialect::FlinkRest, trigger(Some("s3://b/sp")));
        assert_eq!(says(&RULE, &named), SILENT);
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, trigger(None))), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, stop(StopMode::Cancel, StopCause::Request))), SILENT);
    }

    #[test]
    fn on_ververica_blob_storage_will_do() {
        let suspends = || stage(Dialect::Ververica, stop(StopMode::Savepoint, StopCause::Suspend));
        let with = |facts| configured(suspends().with_facts(facts), "{}", true);
        assert_eq!(says(&RULE, &with("platform: {universalBlobStorage: false}")), only(Effect::Deny));
        assert_eq!(says(&RULE, &with("platform: {universalBlobStorage: true}")), SILENT);
        assert_eq!(says(&RULE, &with("{}")), unjudged());
        assert_eq!(says(&RULE, &suspends().with_facts("platform: {universalBlobStorage: false}")), unjudged());
        let named = configured(suspends(), "state.savepoints.dir: s3://b/sp", false);
        assert_eq!(says(&RULE, &named), SILENT);
        let cancels = stage(Dialect::Ververica, stop(StopMode::Cancel, StopCause::Request));
        assert_eq!(says(&RULE, &configured(cancels, "{}", true)), SILENT);
    }

    #[test]
    fn on_ververica_an_old_blemish_is_a_warning() {
        let edit = |before: &str| {
            let facts = format!("platform: {{universalBlobStorage: false}}\ndeployment: {before}");
            configured(stage(Dialect::Ververica, stateful()).with_facts(&facts), "{}", true)
        };
        assert_eq!(says(&RULE, &edit("{}")), only(Effect::Deny));
        let lacking = "{upgradeStrategy: {kind: STATEFUL}, flinkConfiguration: {}}";
        assert_eq!(says(&RULE, &edit(lacking)), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit(lacking).and(stop(StopMode::Savepoint, StopCause::Upgrade))), only(Effect::Deny));
        for brought_in in [
            "{upgradeStrategy: {kind: STATELESS}, flinkConfiguration: {}}",
            "{upgradeStrategy: {kind: STATEFUL}, flinkConfiguration: {state.savepoints.dir: 's3://b/sp'}}",
        ] {
            assert_eq!(says(&RULE, &edit(brought_in)), only(Effect::Deny), "{brought_in}");
        }
    }

    #[test]
    fn on_kubernetes_snapshots_and_blue_green_need_it() {
        let snapshot = || stage(Dialect::Kubernetes, trigger(None));
        assert_eq!(says(&RULE, &snapshot()), unjudged());
        assert_eq!(says(&RULE, &configured(snapshot(), "{}", true)), only(Effect::Deny));
        assert_eq!(says(&RULE, &configured(snapshot(), "state: {savepoints.dir: 's3://b/sp'}", true)), SILENT);
        assert_eq!(
            says(&RULE, &configured(stage(Dialect::Kubernetes, trigger(Some("s3://b/sp"))), "{}", true)),
            SILENT
        );

        let deployment = || configured(stage(Dialect::Kubernetes, stateful()), "{}", true);
        assert_eq!(says(&RULE, &deployment()), SILENT, "upgrade-mode-needs-directories");
        let blue_green = || deployment().with(|stage| stage.current.savepoint_always = true);
        assert_eq!(says(&RULE, &blue_green()), only(Effect::Deny));
        let updated = |before: &str, kept| {
            let mut layers = Configuration::default();
            layers.overlay(body(before));
            blue_green().with(|stage| {
                stage.current.before = Some(layers);
                stage.current.kept_state = kept;
            })
        };
        assert_eq!(says(&RULE, &updated("{}", Some(true))), only(Effect::Warn), "an old blemish");
        assert_eq!(says(&RULE, &updated("{}", Some(false))), only(Effect::Deny), "it was stateless");
        assert_eq!(says(&RULE, &updated("state.savepoints.dir: s3://b/sp", Some(true))), only(Effect::Deny));
        assert_eq!(says(&RULE, &blue_green().with(|stage| stage.current.configuration_complete = false)), unjudged());
    }
}
