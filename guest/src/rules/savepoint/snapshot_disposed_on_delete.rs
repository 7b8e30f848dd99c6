//! A savepoint whose data goes with its resource (DOMAIN 4.1, 4.2-10).

use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Declaration, Dialect, Kind, Place, Resource, Stage, Verb};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "snapshot-disposed-on-delete",
    title: "savepoint is disposed of with its resource",
    family: "savepoint",
    why: "`disposeOnDelete` is on unless it is switched off: whoever cleans up the resource, a namespace or a GitOps prune \
          included, deletes the savepoint itself.",
    source: "FKO snapshots page; DOMAIN 4.1, 4.2-10, 4.3",
    looks_at: &[(Dialect::Kubernetes, "`disposeOnDelete` of a FlinkStateSnapshot")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((declaration, savepoint)) = snapshot(stage, "savepoint") else { return };
    let kept = declaration.old.and_then(|old| part(old, "savepoint")).is_some_and(disposes);
    if !disposes(savepoint) || kept {
        return;
    }
    let given = savepoint.get("disposeOnDelete");
    report
        .main(
            &Place::Body(given.unwrap_or(savepoint)),
            "the savepoint's data is deleted together with this resource, whoever deletes that",
        )
        .observed(if given.is_some() { "true" } else { "none, which means true" })
        .expected("false")
        .remedy("set `spec.savepoint.disposeOnDelete: false`, unless it is meant to go with the resource");
}

/// This part of a snapshot that is created or changed.
pub(super) fn snapshot<'s, 'd>(stage: &'s Stage<'d>, name: &str) -> Option<(&'s Declaration<'d>, Node<'d>)> {
    let declaration = stage.declaration.as_ref().filter(|it| it.kind == Kind::Snapshot && it.verb != Verb::Delete)?;
    Some((declaration, part(declaration.object?, name)?))
}

fn part<'d>(snapshot: Resource<'d>, name: &str) -> Option<Node<'d>> {
    snapshot.node.path(&["spec", name])
}

/// The operator leaves alone what it did not take.
fn disposes(savepoint: Node<'_>) -> bool {
    let is = |name: &str| savepoint.get(name).and_then(|flag| flag.bool());
    is("disposeOnDelete") != Some(false) && is("alreadyExists") != Some(true)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::Kind;
    use crate::rules::testing::{SILENT, declared, only, says};

    #[test]
    fn a_savepoint_that_goes_with_its_resource_is_told() {
        let create = |spec: &str| says(&RULE, &declared(Kind::Snapshot, None, Some(spec)));
        assert_eq!(create("savepoint: {formatType: CANONICAL}"), only(Effect::Warn));
        assert_eq!(create("savepoint: {disposeOnDelete: true}"), only(Effect::Warn));
        assert_eq!(create("savepoint: {disposeOnDelete: false}"), SILENT);
        assert_eq!(create("savepoint: {alreadyExists: true, path: s3://b/sp}"), SILENT);
        assert_eq!(create("checkpoint: {}"), SILENT);
    }

    #[test]
    fn an_edit_counts_when_it_switches_that_on() {
        let edit = |old: &str, new: &str| says(&RULE, &declared(Kind::Snapshot, Some(old), Some(new)));
        let (on, off) = ("savepoint: {disposeOnDelete: true}", "savepoint: {disposeOnDelete: false}");
        assert_eq!(edit(off, on), only(Effect::Warn));
        assert_eq!(edit(on, "savepoint: {disposeOnDelete: true}\nbackoffLimit: 1"), SILENT);
        assert_eq!(edit(on, off), SILENT);
    }
}
