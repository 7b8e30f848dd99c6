//! State on a disk that goes with the pod (DOMAIN 6.12): a local path that no lasting volume covers.

use std::borrow::Cow;

use crate::configuration::{CHECKPOINT_DIRECTORY, HA_STORAGE, Key, STATE_DIRECTORIES};
use crate::finding::Report;
use crate::location::is_below;
use crate::operation::{Action, Dialect, Kind, Place, Stage, UpgradeMode, Verb, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "checkpoint-dir-ephemeral",
    title: "state kept on a disk that goes with the pod",
    family: "configuration",
    why: "Checkpoints, savepoints and the metadata of high availability on a container's own disk are gone with the pod, \
          which is when they are needed.",
    source: "DOMAIN 6.6, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "local state directories, volumes of `podTemplate`"),
        (Dialect::Ververica, "local state directories, `kubernetes.pods.volumeMounts`"),
    ],
    facts: &[
        "platform.flinkConfiguration",
        "deployment.flinkConfiguration",
        "deployment.upgradeStrategy.kind",
        "related",
    ],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// What nobody keeps.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let mut judged = None;
    for key in STATE_DIRECTORIES {
        let Some((entry, path)) = current.configuration.local_directory(key) else { continue };
        // Linux has no longer path, and comparing one with every mount would cost.
        let unused = key == HA_STORAGE && !current.configuration.has_high_availability();
        if unused || path.len() > 4_096 || !*judged.get_or_insert_with(|| keeps_state(stage)) {
            continue;
        }
        let temporary = TEMPORARY.iter().any(|directory| is_below(path, directory));
        let place = match stage.gives(entry) {
            true => Place::Body(entry.node),
            // What is stored, or comes with the platform, is told of where the request has to do with it.
            false if stage.platform == Dialect::Ververica => continue,
            false => Place::of(stage.declaration.as_ref().and_then(|it| it.new_spec()?.job())),
        };
        let message = match &current.mounts {
            Some(mounts) if covers(mounts, path) => continue,
            Some(_) => {
                format!("no lasting volume of all pods covers `{path}`, {}: it is gone with the pod", what(key))
            }
            None => {
                if temporary {
                    match stage.platform {
                        Dialect::Ververica => report.lacks(Want::Deployment, "the volumes that all pods mount"),
                        _ => report.unjudged("the volumes that all pods mount"),
                    }
                }
                if stage.platform == Dialect::Kubernetes {
                    continue;
                }
                format!("unless all pods mount a lasting volume at `{path}`, {}, it is gone with the pod", what(key))
            }
        };
        let draft = match temporary && current.mounts.is_some() && !was_so(stage, key, path) {
            true => report.main(&place, message),
            false => report.warn(&place, message),
        };
        let remedy = match stage.platform {
            Dialect::Kubernetes => {
                "use shared storage such as `s3://…`, or mount a volume there on JobManager and TaskManagers (no `emptyDir`)"
            }
            _ => "use shared storage such as `s3://…`, or mount a volume there in `kubernetes.pods.volumeMounts`",
        };
        draft.observed(entry.value.as_ref()).expected("shared storage").remedy(remedy);
    }
}

fn what(key: Key) -> &'static str {
    match key {
        CHECKPOINT_DIRECTORY => "where checkpoints are written",
        HA_STORAGE => "where high availability keeps its metadata",
        _ => "where savepoints are written",
    }
}

fn covers(mounts: &[Cow<'_, str>], path: &str) -> bool {
    mounts.iter().any(|mount| is_below(path, mount))
}

/// The request declares a job whose upgrades keep its state.
fn keeps_state(stage: &Stage<'_>) -> bool {
    match &stage.declaration {
        Some(declaration) => {
            let mode = declaration.new_spec().filter(|spec| spec.job().is_some()).map(|spec| spec.upgrade_mode());
            let runs = matches!(declaration.kind, Kind::Deployment | Kind::SessionJob | Kind::BlueGreen);
            runs && declaration.verb != Verb::Delete && mode.is_some_and(|mode| mode != UpgradeMode::Stateless)
        }
        None => stage.operations.iter().any(|operation| match &operation.action {
            Action::Change(change) => change.stateful == Some(true),
            _ => false,
        }),
    }
}

/// It was so before this request, which is no reason to refuse an edit (DOMAIN 6.0-4).
fn was_so(stage: &Stage<'_>, key: Key, path: &str) -> bool {
    let current = &stage.current;
    let same = current.before.as_ref().and_then(|before| before.local_directory(key)).is_some_and(|(_, it)| it == path);
    let stateful = match stage.platform {
        Dialect::Kubernetes => current.kept_state == Some(true),
        _ => stage.facts.deployment.upgrade_kind.as_deref() == Some("STATEFUL"),
    };
    // What only ends a job is not held up by what may have been so before.
    let ends = stage.stops().next().is_some() && stage.starts().next().is_none();
    if ends && stage.platform == Dialect::Ververica && current.before.is_none() {
        return true;
    }
    same && stateful && !current.mounts_before.as_ref().is_some_and(|mounts| covers(mounts, path))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Kind, Stage};
    use crate::rules::testing::{SILENT, at_least, body, configured, declared, only, says, stage, unjudged, updated};

    fn with(stage: Stage<'static>, map: &str, mounts: Option<&[&'static str]>) -> Stage<'static> {
        let complete = stage.current.configuration_complete;
        configured(stage, map, complete).with(|stage| {
            stage.current.mounts = mounts.map(|paths| paths.iter().map(|path| (*path).into()).collect());
        })
    }

    fn create(mode: &str) -> Stage<'static> {
        declared(Kind::Deployment, None, Some(&format!("job: {{upgradeMode: {mode}}}")))
    }

    #[test]
    fn a_temporary_directory_is_refused_and_other_local_ones_warn() {
        let at = |path: &str, mounts| {
            says(&RULE, &with(create("savepoint"), &format!("state.checkpoints.dir: '{path}'"), mounts))
        };
        for path in ["file:///tmp/cp", "/var/tmp/cp", "file:/dev/shm", "FILE:///tmp/"] {
            assert_eq!(at(path, Some(&[])), only(Effect::Deny), "{path}");
            assert_eq!(at(path, Some(&["/tmp", "/var/tmp", "/dev/shm"])), SILENT, "{path}");
            assert_eq!(at(path, None), unjudged(), "{path}");
        }
        for path in ["file:///flink-data/cp", "/flink/cp", "/tmpfiles/cp"] {
            assert_eq!(at(path, Some(&["/other"])), only(Effect::Warn), "{path}");
            assert_eq!(at(path, None), SILENT);
        }
        for path in ["s3://tmp/cp", "hdfs:///tmp/cp", "", "tmp"] {
            assert_eq!(at(path, Some(&[])), SILENT, "{path}");
        }
    }

    #[test]
    fn only_what_keeps_state_needs_it() {
        let tmp = "{state.checkpoints.dir: 'file:///tmp/cp'}";
        assert_eq!(says(&RULE, &with(create("stateless"), tmp, Some(&[]))), SILENT);
        assert_eq!(says(&RULE, &with(create("last-state"), tmp, Some(&[]))), only(Effect::Deny));
        let session = declared(Kind::Deployment, None, Some("image: flink"));
        assert_eq!(says(&RULE, &with(session, tmp, Some(&[]))), SILENT);
        let unused = "high-availability.storageDir: file:///tmp/ha";
        assert_eq!(says(&RULE, &with(create("last-state"), unused, Some(&[]))), SILENT, "high availability is off");
        let default = "{fs.default-scheme: 'hdfs://n', state.checkpoints.dir: /tmp/cp}";
        assert_eq!(says(&RULE, &with(create("last-state"), default, Some(&[]))), SILENT);
    }

    #[test]
    fn an_old_blemish_is_a_warning() {
        let (tmp, spec) = ("{state.checkpoints.dir: 'file:///tmp/cp'}", "job: {upgradeMode: savepoint}");
        let edit = |before: &str, kept, mounted: &[&'static str]| {
            let mut old = Configuration::default();
            old.overlay(body(before));
            let mounted = Some(mounted.iter().map(|path| (*path).into()).collect());
            says(
                &RULE,
                &with(updated(spec, spec), tmp, Some(&[])).with(|stage| {
                    stage.current.before = Some(old);
                    stage.current.kept_state = Some(kept);
                    stage.current.mounts_before = mounted;
                }),
            )
        };
        let same = "execution.checkpointing.dir: /tmp/cp";
        assert_eq!(edit(same, true, &[]), only(Effect::Warn));
        assert_eq!(edit(same, false, &[]), only(Effect::Deny), "stateless before");
        assert_eq!(edit(same, true, &["/tmp"]), only(Effect::Deny), "the volume goes");
        assert_eq!(edit("state.checkpoints.dir: s3://b/cp", true, &[]), only(Effect::Deny));
    }

    #[test]
    fn so_on_ververica() {
        let edit = |stateful, mounts| {
            let change = Change { content: true, stateful: Some(stateful), ..Change::default() };
            let stage = stage(Dialect::Ververica, Action::Change(change));
            says(&RULE, &with(stage, "state.savepoints.dir: file:///tmp/sp", mounts))
        };
        assert_eq!(edit(true, Some(&[] as &[&str])), only(Effect::Deny));
        assert_eq!(edit(true, None), at_least(Effect::Warn));
        assert_eq!(edit(false, Some(&[])), SILENT);
    }
}
