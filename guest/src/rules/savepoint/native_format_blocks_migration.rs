//! A native savepoint where the job is to move (DOMAIN 6.12): to another engine version, or another state backend.

use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage};
use crate::rules::kept::{Format, kept};
use crate::rules::upgrade::state_backend_changed::{Backend, backend};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "native-format-blocks-migration",
    title: "native savepoint ahead of a migration",
    family: "savepoint",
    why: "A native savepoint is in the state backend's own format: another backend cannot read it, and another engine \
          version may not.",
    source: "ALI-DOC; FLIP-203; REC R11; DOMAIN 6.12",
    looks_at: &[
        (Dialect::Alibaba, "`nativeFormat` ahead of an engine upgrade"),
        (Dialect::FlinkRest, "`formatType: NATIVE` ahead of an engine upgrade, or restored by another state backend"),
        (Dialect::Kubernetes, "`kubernetes.operator.savepoint.format.type: NATIVE` with a changed state backend"),
    ],
    facts: &["intent.engineUpgrade", "deployment.flinkConfiguration", "savepoints"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if let Some(node) = stage.content.native_format
        && stage.platform != Dialect::Kubernetes
        && stage.facts.engine_upgrade == Some(true)
    {
        let (message, next) = match stage.platform {
            Dialect::Alibaba => (
                "an engine upgrade is planned: a savepoint in native format is not sure to be readable by another version",
                "send `nativeFormat: false`",
            ),
            _ => (
                "an engine upgrade is planned: a savepoint in native format is not sure to be readable by another version",
                "send `formatType: CANONICAL`",
            ),
        };
        report.main(&Place::Body(node), message).observed("native").expected("canonical").remedy(next);
    }
    if stage.starts().next().is_none() || stage.platform == Dialect::Alibaba {
        return;
    }
    let Backend::Changed { before, after } = backend(stage) else { return };
    if kept(stage).is_some_and(|kept| kept.format == Format::Native) {
        let message = format!("the savepoint is in the format of `{before}`, and `{after}` is to read it");
        let (key, next) = match stage.platform {
            Dialect::Kubernetes => (
                stage.current.configuration.entry(crate::configuration::SAVEPOINT_FORMAT),
                "set `kubernetes.operator.savepoint.format.type: CANONICAL` for this upgrade",
            ),
            _ => (None, "take a savepoint with `formatType: CANONICAL`, and start from that"),
        };
        report.main(&stage.place_of(key), message).observed("NATIVE").expected("CANONICAL").remedy(next);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, only, says, stage, start, stop, trigger};

    #[test]
    fn native_alone_is_nothing() {
        for platform in [Dialect::Alibaba, Dialect::FlinkRest] {
            let native = || stage(platform, trigger(None)).with(|it| it.content.native_format = Some(body("true")));
            assert_eq!(says(&RULE, &native()), SILENT);
            assert_eq!(says(&RULE, &native().with_facts("intent: {engineUpgrade: false}")), SILENT);
            assert_eq!(says(&RULE, &native().with_facts("intent: {engineUpgrade: true}")), only(Effect::Warn));
            let canonical = stage(platform, trigger(None)).with_facts("intent: {engineUpgrade: true}");
            assert_eq!(says(&RULE, &canonical), SILENT);
        }
    }

    #[test]
    fn native_with_another_backend_warns() {
        let upgrade = |mode, format: &str, backend: &str| -> Stage<'static> {
            let map = format!("{{kubernetes.operator.savepoint.format.type: {format}, state.backend.type: {backend}}}");
            let mut before = Configuration::default();
            before.overlay(body("state.backend: hashmap"));
            stage(Dialect::Kubernetes, stop(mode, StopCause::Upgrade))
                .and(start(StartCause::Upgrade, Restore::Stopped))
                .with(|stage| {
                    stage.current.configuration.overlay(body(&map));
                    stage.current.before = Some(before);
                })
        };
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, "NATIVE", "rocksdb")), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, "NATIVE", "hashmap")), SILENT);
        assert_eq!(says(&RULE, &upgrade(StopMode::Savepoint, "CANONICAL", "rocksdb")), SILENT);
        assert_eq!(says(&RULE, &upgrade(StopMode::LastState, "NATIVE", "rocksdb")), SILENT);
    }
}
