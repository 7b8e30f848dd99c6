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
    let disposes = |resource: Option<Resource<'_>>| resource.is_some_and(|resource| resource.is_disposed_of());
    if !disposes(declaration.object) || disposes(declaration.old) {
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
    Some((declaration, declaration.object?.in_spec(&[name])?))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::Kind;
    use crate::rules::testing::{SILENT, declared, only, says};

    const JOB: &str = "jobReference: {kind: FlinkDeployment, name: orders}\n";

    #[test]
    fn a_savepoint_that_goes_with_its_resource_is_told() {
        let of = |spec: &str| says(&RULE, &declared(Kind::Snapshot, None, Some(spec)));
        let create = |spec: &str| of(&format!("{JOB}{spec}"));
        assert_eq!(create("savepoint: {formatType: CANONICAL}"), only(Effect::Warn));
        assert_eq!(create("savepoint: {disposeOnDelete: true}"), only(Effect::Warn));
        assert_eq!(create("savepoint: {disposeOnDelete: false}"), SILENT);
        // The data of others is left alone: without a job nothing disposes of it (DOMAIN 4.2-10).
        assert_eq!(of("savepoint: {alreadyExists: true, path: s3://b/sp}"), SILENT);
        assert_eq!(create("savepoint: {alreadyExists: true, path: s3://b/sp}"), only(Effect::Warn));
        assert_eq!(create("checkpoint: {}"), SILENT);
    }

    #[test]
    fn an_edit_counts_when_it_switches_that_on() {
        let edit = |old: &str, new: &str| {
            let [old, new] = [old, new].map(|spec| format!("{JOB}{spec}"));
            says(&RULE, &declared(Kind::Snapshot, Some(&old), Some(&new)))
        };
        let (on, off) = ("savepoint: {disposeOnDelete: true}", "savepoint: {disposeOnDelete: false}");
        assert_eq!(edit(off, on), only(Effect::Warn));
        assert_eq!(edit(on, "savepoint: {disposeOnDelete: true}\nbackoffLimit: 1"), SILENT);
        assert_eq!(edit(on, off), SILENT);
    }
}
