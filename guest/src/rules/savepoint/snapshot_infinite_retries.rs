//! A snapshot that is tried again for ever (DOMAIN 4.1).

use super::snapshot_disposed_on_delete::snapshot;
use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot-infinite-retries",
    title: "snapshot is retried without end",
    family: "savepoint",
    why: "Without a `backoffLimit` a snapshot that cannot succeed is tried again for ever, and disturbs the job each time.",
    source: "FKO FlinkStateSnapshotSpec; DOMAIN 4.1",
    looks_at: &[(Dialect::Kubernetes, "`backoffLimit` of a FlinkStateSnapshot")],
    facts: &[],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((declaration, spec)) = snapshot(stage, "savepoint").or_else(|| snapshot(stage, "checkpoint")) else {
        return;
    };
    let exists = spec.get("alreadyExists").is_some_and(|flag| flag.bool() == Some(true));
    let limit = declaration.object.and_then(|object| object.in_spec(&["backoffLimit"]));
    if exists || limit.is_some_and(|limit| limit.integer().is_none_or(|limit| limit >= 0)) {
        return;
    }
    let observed = limit.and_then(|limit| limit.scalar());
    report
        .main(&Place::Body(limit.unwrap_or(spec)), "a snapshot that fails is tried again without end")
        .observed(observed.as_deref().unwrap_or("none, which means -1"))
        .expected("0 or more")
        .remedy("set `spec.backoffLimit`, such as 3");
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::Kind;
    use crate::rules::testing::{SILENT, declared, only, says};

    #[test]
    fn retries_need_an_end() {
        let create = |spec: &str| says(&RULE, &declared(Kind::Snapshot, None, Some(spec)));
        for kind in ["savepoint: {}", "checkpoint: {}"] {
            let kind = kind.replace("{}", "{a: b}");
            assert_eq!(create(&kind), only(Effect::Warn));
            assert_eq!(create(&format!("{kind}\nbackoffLimit: -1")), only(Effect::Warn));
            assert_eq!(create(&format!("{kind}\nbackoffLimit: 0")), SILENT);
        }
        assert_eq!(create("savepoint: {alreadyExists: true}"), SILENT);
    }
}
