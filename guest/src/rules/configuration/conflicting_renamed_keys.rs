//! One option said twice, with different values (REC R21): in an older spelling, or nested and flat.

use std::borrow::Cow;

use crate::configuration::{Entry, FEW, RENAMED, STATE_BACKEND};
use crate::document::{Node, Slots, equal};
use crate::finding::Report;
use crate::location;
use crate::operation::{Dialect, Place, Stage};
use crate::rules::upgrade::state_backend_changed::short;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "conflicting-renamed-keys",
    title: "one option, two values",
    family: "configuration",
    why: "Of two spellings of one option the current one wins; of a nested and a flat one, whichever comes last. The \
          other value looks as if it were in effect.",
    source: "REC R21; DOMAIN 3.6, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "`flinkConfiguration`"),
        (Dialect::Ververica, "`flinkConfiguration` of the template"),
        (Dialect::Alibaba, "`flinkConf`"),
        (Dialect::FlinkRest, "`flinkConfiguration` of a jar run"),
    ],
    facts: &["deployment.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// So many conflicts are enough for one verdict.
const MOST: usize = 20;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(map) = stage.content.configuration else { return };
    let entries = stage.current.configuration.entries();
    let Some(layer) = entries.iter().rev().find(|entry| map.holds(entry.node)).map(|entry| entry.layer) else { return };
    let own = entries.get(entries.partition_point(|entry| entry.layer < layer)..).unwrap_or_default();
    renamed(map, own, report);
    // An API server has left one of two equal keys.
    if stage.platform != Dialect::Kubernetes || map.members().any(|(_, value)| value.is_object()) {
        collisions(stage, map, own, report);
    }
}

fn renamed(map: Node<'_>, own: &[Entry<'_>], report: &mut Report<'_>) {
    let last = |name: &str| own.iter().rev().find(|entry| entry.key == name);
    for names in &RENAMED {
        let Some((_, older)) = names.split_first() else { continue };
        let Some(loser) = older.iter().rev().find_map(|name| last(name)) else { continue };
        let Some(winner) = names.iter().find_map(|name| last(name)) else { continue };
        let told = map.holds(loser.node) || map.holds(winner.node);
        if winner.key == loser.key || !told || alike(names, &winner.value, &loser.value) {
            continue;
        }
        let place = if map.holds(loser.node) { loser.node } else { winner.node };
        let message = format!("`{}` and `{}` are one option with two values: the former wins", winner.key, loser.key);
        report
            .warn(&Place::Body(place), message)
            .observed(loser.value.as_ref())
            .expected(winner.value.as_ref())
            .remedy(format!("remove `{}`", loser.key));
    }
}

/// Whether Flink would see the same in both.
fn alike(names: &'static [&'static str], ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (ours.trim(), theirs.trim());
    let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    ours == theirs
        || (word(ours) && ours.eq_ignore_ascii_case(theirs))
        || (ours.contains('/') && location::same(ours, theirs))
        || (names == STATE_BACKEND && short(ours) == short(theirs))
}

/// The same key twice: nested and flat, or flat and flat, of which the last wins.
fn collisions(stage: &Stage<'_>, map: Node<'_>, own: &[Entry<'_>], report: &mut Report<'_>) {
    let mut seen = Slots::new();
    let mut found = 0;
    for (at, entry) in own.iter().enumerate() {
        let earlier = match own.len() > FEW {
            true => seen.insert(Cow::Borrowed(entry.key.as_ref()), at).and_then(|at| own.get(at)),
            false => own.iter().take(at).rev().find(|it| equal(it.key.as_bytes(), entry.key.as_bytes())),
        };
        let Some(earlier) = earlier.filter(|earlier| earlier.value != entry.value) else { continue };
        found += 1;
        if found > MOST {
            return;
        }
        let flat = |entry: &Entry<'_>| map.members().any(|(key, value)| key.is(&entry.key) && !value.is_object());
        let nested =
            map.members().any(|(key, value)| value.is_object() && key.text().is_some_and(|it| below(&it, entry)));
        let place = Place::Body(entry.node);
        let draft = match flat(entry) && !nested {
            true => {
                report.warn(&place, format!("`{}` stands here twice with two values: the last one wins", entry.key))
            }
            false => {
                let message =
                    format!("`{}` stands here twice with two values: which one wins depends on their order", entry.key);
                let old = stage.current.before.as_ref().is_some_and(|before| {
                    let has = |value: &str| before.entries().iter().any(|it| it.key == entry.key && it.value == value);
                    has(&entry.value) && has(&earlier.value)
                });
                if old { report.warn(&place, message) } else { report.main(&place, message) }
            }
        };
        draft
            .observed(format!("{}, {}", earlier.value, entry.value))
            .expected("one value")
            .remedy(format!("give `{}` once", entry.key));
    }
}

/// Whether a flattened key comes from below this one.
fn below(parent: &str, entry: &Entry<'_>) -> bool {
    entry.key.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Reach, Stage};
    use crate::rules::testing::{SILENT, Says, body, change, findings, only, says, stage};

    fn with(platform: Dialect, below: &str, map: &str) -> Stage<'static> {
        stage(platform, change(Reach::Applied)).with(|stage| {
            let map = body(map);
            stage.current.configuration.overlay(body(below));
            stage.current.configuration.overlay(map);
            stage.content.configuration = Some(map);
        })
    }

    fn on_kubernetes(map: &str) -> Says {
        says(&RULE, &with(Dialect::Kubernetes, "{}", map))
    }

    #[test]
    fn an_older_spelling_with_another_value_loses() {
        for (platform, _) in RULE.looks_at {
            let map = "{state.savepoints.dir: 's3://b/a', execution.checkpointing.savepoint-dir: 's3://b/b'}";
            assert_eq!(says(&RULE, &with(*platform, "{}", map)), only(Effect::Warn));
        }
        let three = "{recovery.mode: zookeeper, high-availability: kubernetes, state.backend: rocksdb}";
        let finding = findings(&RULE, &with(Dialect::Kubernetes, "{}", three)).remove(0);
        assert!(finding.message.starts_with("`recovery.mode` and `high-availability`"), "{}", finding.message);
    }

    #[test]
    fn equal_values_and_other_layers_are_quiet() {
        for map in [
            "{state.savepoints.dir: 's3://b/a', execution.checkpointing.savepoint-dir: 's3://b/a/'}",
            "{state.backend: rocksdb, state.backend.type: RocksDB}",
            "{state.backend: rocksdb, state.backend.type: org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackendFactory}",
            "{state.backend.incremental: true, execution.checkpointing.incremental: 'TRUE'}",
            "{state.checkpoints.num-retained: 3, execution.checkpointing.num-retained: '3'}",
            "{state.backend: rocksdb, state.backend.incremental: true}",
        ] {
            assert_eq!(on_kubernetes(map), SILENT, "{map}");
        }
        let defaults = "execution.checkpointing.savepoint-dir: s3://b/default";
        let own = with(Dialect::Kubernetes, defaults, "state.savepoints.dir: s3://b/own");
        assert_eq!(says(&RULE, &own), SILENT);
    }

    #[test]
    fn nested_and_flat_keys_must_not_differ() {
        let collides = "{state.savepoints.dir: 's3://b/a', state: {savepoints.dir: 's3://b/b'}}";
        assert_eq!(on_kubernetes(collides), only(Effect::Deny));
        assert_eq!(on_kubernetes("{state.savepoints.dir: 's3://b/a', state: {savepoints: {dir: 's3://b/a'}}}"), SILENT);
        assert_eq!(on_kubernetes("{state.backend: rocksdb, state: {savepoints.dir: 's3://b/a'}}"), SILENT);
        assert_eq!(on_kubernetes("{a: {b: 1}, a.b: '1'}"), SILENT);
        assert_eq!(on_kubernetes("{a: {b.c: 1}, a.b: {c: 2}}"), only(Effect::Deny));
        let old = with(Dialect::Kubernetes, "{}", collides).with(|stage| {
            let mut before = Configuration::default();
            before.overlay(body(collides));
            stage.current.before = Some(before);
        });
        assert_eq!(says(&RULE, &old), only(Effect::Warn), "an old blemish");
    }

    #[test]
    fn of_two_equal_keys_the_last_wins() {
        let twice = r#"{"state.backend": "hashmap", "state.backend": "rocksdb"}"#;
        assert_eq!(says(&RULE, &with(Dialect::FlinkRest, "{}", twice)), only(Effect::Warn));
        let same = r#"{"state.backend": "rocksdb", "state.backend": "rocksdb"}"#;
        assert_eq!(says(&RULE, &with(Dialect::FlinkRest, "{}", same)), SILENT);
    }
}
