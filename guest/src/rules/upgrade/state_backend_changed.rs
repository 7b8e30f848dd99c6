//! Another state backend under state that is kept (REC R11, R12): only canonical savepoints can be read by any of them.

use std::borrow::Cow;

use crate::configuration::{Configuration, STATE_BACKEND};
use crate::finding::Report;
use crate::operation::{Dialect, Stage, Want};
use crate::rules::kept::{Format, kept};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "state-backend-changed",
    title: "state backend changed under kept state",
    family: "upgrade",
    why: "Checkpoints and native savepoints are in the format of the state backend that wrote them: with another one \
          the job fails to restore and restarts for ever.",
    source: "REC R11, R12; DOMAIN 3.6, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "`state.backend.type` of updates that keep state"),
        (Dialect::Ververica, "`state.backend.type` of templates and starts"),
        (Dialect::FlinkRest, "`state.backend.type` of a jar run that restores"),
    ],
    facts: &["platform.flinkConfiguration", "deployment.flinkConfiguration", "savepoints"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// The backend where nothing is said (DOMAIN 3.6).
const DEFAULT: &str = "hashmap";

/// Whether the state backend changes.
pub(in crate::rules) enum Backend<'s> {
    Same,
    Changed {
        before: Cow<'s, str>,
        after: Cow<'s, str>,
    },
    /// One side is not known.
    Unknown,
}

/// Compares the effective state backends before and after this request.
pub(in crate::rules) fn backend<'s>(stage: &'s Stage<'_>) -> Backend<'s> {
    let current = &stage.current;
    let complete = current.configuration_complete;
    let of = |configuration: &'s Configuration<'_>| configuration.present(STATE_BACKEND).map(short);
    let after = of(&current.configuration);
    let Some(before) = &current.before else {
        return if after.is_some() && is_given(stage) { Backend::Unknown } else { Backend::Same };
    };
    match (of(before), after) {
        (None, None) => Backend::Same,
        (Some(before), Some(after)) if before == after => Backend::Same,
        (Some(before), Some(after)) => Backend::Changed { before, after },
        (None, Some(_)) | (Some(_), None) if !complete => Backend::Unknown,
        (Some(word), None) | (None, Some(word)) if word == DEFAULT => Backend::Same,
        (Some(before), None) => Backend::Changed { before, after: DEFAULT.into() },
        (None, Some(after)) => Backend::Changed { before: DEFAULT.into(), after },
    }
}

fn is_given(stage: &Stage<'_>) -> bool {
    stage.current.configuration.entry(STATE_BACKEND).is_some_and(|entry| stage.gives(entry))
}

/// One name for each backend: factories by their short name, and the two whose state lies in a hash map alike.
pub(in crate::rules) fn short(word: &str) -> Cow<'_, str> {
    let word = word.trim();
    let known = ["org.apache.flink.", "com.alibaba.flink."].iter().any(|package| word.starts_with(package));
    let class = word.rsplit('.').next().and_then(|class| class.strip_suffix("StateBackendFactory"));
    let name = match class.filter(|_| known) {
        Some(class) => class.strip_prefix("Embedded").unwrap_or(class),
        None => word,
    };
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if ["filesystem", "fs", "jobmanager", "memory", "hashmap"].into_iter().any(is) {
        Cow::Borrowed("hashmap")
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let backend = backend(stage);
    if matches!(backend, Backend::Same) {
        return;
    }
    let Some(kept) = kept(stage) else { return };
    let (before, after) = match &backend {
        Backend::Same => return,
        Backend::Changed { before, after } => (before, after),
        Backend::Unknown => {
            // Every backend reads a canonical savepoint.
            if kept.format != Format::Canonical {
                let (want, lacks) = match stage.platform {
                    Dialect::Kubernetes if stage.current.cluster_unknown => {
                        (Some(Want::Cluster), "the state backend in the session cluster's configuration (`related`)")
                    }
                    Dialect::Kubernetes => {
                        (None, "the state backend of the operator's defaults (`platform.flinkConfiguration`)")
                    }
                    Dialect::Ververica => {
                        (Some(Want::Deployment), "the state backend in the stored `flinkConfiguration`")
                    }
                    _ => (None, "the state backend that wrote the snapshot (`deployment.flinkConfiguration`)"),
                };
                match want {
                    Some(want) => report.lacks(want, lacks),
                    None => report.unjudged(lacks),
                }
            }
            return;
        }
    };
    let place = stage.place_of(stage.current.configuration.entry(STATE_BACKEND));
    let fails = format!("which `{after}` cannot read: the job restarts for ever");
    let draft = match kept.format {
        Format::Checkpoint | Format::Native if kept.certain => {
            let what = if kept.format == Format::Native { "a native savepoint" } else { "a checkpoint" };
            report.main(&place, format!("the job comes back from {what} of `{before}`, {fails}"))
        }
        Format::Canonical => {
            let message = "the state backend changes: the canonical savepoint can be read by the new one, the checkpoints \
                           so far cannot";
            report.warn(&place, message)
        }
        _ => {
            let lacks = "the format of the snapshot that the job comes back from (`savepoints[].format`)";
            match kept.named {
                Some(location) => report.lacks(Want::Location(location.to_owned()), lacks),
                None => report.lacks(Want::Savepoints, lacks),
            }
            report.warn(&place, format!("the state is of `{before}`: unless it is a canonical savepoint, {fails}"))
        }
    };
    let remedy = match stage.platform {
        Dialect::Kubernetes => {
            "keep the state backend, or upgrade with `upgradeMode: savepoint` and \
             `kubernetes.operator.savepoint.format.type: CANONICAL`"
        }
        _ => "keep the state backend, or start from a savepoint in canonical format",
    };
    draft.observed(after.as_ref()).expected(before.as_ref()).remedy(remedy);
}

#[cfg(test)]
mod tests {
    use super::{RULE, short};
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, only, says, stage, start, stop, unjudged};

    fn configure(stage: &mut Stage<'static>, before: Option<&str>, after: &str, complete: bool) {
        let after = body(after);
        stage.content.configuration = Some(after);
        stage.current.configuration.overlay(after);
        stage.current.configuration_complete = complete;
        stage.current.before = before.map(|map| {
            let mut before = Configuration::default();
            before.overlay(body(map));
            before
        });
    }

    fn upgrade(mode: StopMode, before: &str, after: &str, complete: bool) -> Stage<'static> {
        let change = Change { content: true, reach: Reach::Applied, ..Change::default() };
        stage(Dialect::Kubernetes, Action::Change(change))
            .and(stop(mode, StopCause::Upgrade))
            .and(start(StartCause::Upgrade, Restore::Stopped))
            .in_state("RUNNING")
            .with(|stage| configure(stage, Some(before), after, complete))
    }

    #[test]
    fn a_backend_has_one_short_name() {
        for hashmap in [
            "hashmap",
            "HashMap",
            "filesystem",
            "jobmanager",
            "org.apache.flink.runtime.state.hashmap.HashMapStateBackendFactory",
            "org.apache.flink.runtime.state.filesystem.FsStateBackendFactory",
        ] {
            assert_eq!(short(hashmap), "hashmap");
        }
        for rocksdb in [
            "rocksdb",
            " RocksDB",
            "org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackendFactory",
            "org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackendFactory",
            "org.apache.flink.contrib.streaming.state.RocksDBStateBackendFactory",
        ] {
            assert_eq!(short(rocksdb), "rocksdb");
        }
        assert_ne!(short("com.example.RocksDBStateBackendFactory"), "rocksdb");
    }

    #[test]
    fn a_checkpoint_or_native_savepoint_is_bound_to_its_backend() {
        let (old, new) = ("state.backend: hashmap", "state.backend.type: rocksdb");
        assert_eq!(says(&RULE, &upgrade(StopMode::LastState, old, new, false)), only(Effect::Deny));
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, old, new, true)), only(Effect::Warn));
        let format = |word| format!("{{state.backend: rocksdb, kubernetes.operator.savepoint.format.type: {word}}}");
        let native = format("NATIVE");
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, old, &native, false)), only(Effect::Deny));
        let canonical = format("canonical");
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, old, &canonical, false)), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, old, new, false)), at_least(Effect::Warn));
    }

    #[test]
    fn the_same_backend_in_other_words_is_no_change() {
        let last_state =
            |before: &str, after: &str, complete| says(&RULE, &upgrade(StopMode::LastState, before, after, complete));
        let factory = "org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackendFactory";
        assert_eq!(last_state("state.backend: rocksdb", &format!("state.backend.type: {factory}"), false), SILENT);
        assert_eq!(last_state("state.backend: rocksdb", "state: {backend.type: RocksDB}", false), SILENT);
        assert_eq!(last_state("{}", "state.backend.type: hashmap", true), SILENT);
        assert_eq!(last_state("state.backend.type: hashmap", "{}", true), SILENT);
        assert_eq!(last_state("{}", "{}", false), SILENT);
        assert_eq!(last_state("{}", "state.backend.type: rocksdb", true), only(Effect::Deny));
        assert_eq!(last_state("{}", "state.backend.type: rocksdb", false), unjudged());
    }

    #[test]
    fn a_jar_run_is_compared_with_what_ran() {
        let run = |location: &'static str, before| {
            stage(Dialect::FlinkRest, start(StartCause::Request, Restore::Location(location.into())))
                .with(|stage| configure(stage, before, "state.backend.type: rocksdb", true))
        };
        let ran = Some("state.backend.type: hashmap");
        assert_eq!(says(&RULE, &run("s3://b/chk-7", ran)), only(Effect::Deny));
        let native = run("s3://b/sp", ran).with_facts("savepoints: [{location: s3://b/sp, format: NATIVE}]");
        assert_eq!(says(&RULE, &native), only(Effect::Deny));
        let canonical = run("s3://b/sp", ran).with_facts("savepoints: [{location: s3://b/sp, format: CANONICAL}]");
        assert_eq!(says(&RULE, &canonical), only(Effect::Warn));
        assert_eq!(says(&RULE, &run("s3://b/sp", ran)), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &run("s3://b/chk-7", None)), unjudged());
        assert_eq!(says(&RULE, &run("", ran)), SILENT);
    }
}
