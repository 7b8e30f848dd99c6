//! An initial savepoint path that is changed after the first deployment: nothing reads it (DOMAIN 4.2-1, 6.12).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Kind, Place, Stage, UpgradeMode};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "initial-savepoint-path-change-ignored",
    title: "changed initial savepoint path is ignored",
    family: "restore",
    why: "The path counts for the first deployment and for a redeploy alone. People who see it ignored delete the resource and \
          make it anew, and lose what came after that savepoint.",
    source: "FKO JobSpec (SpecDiff IGNORE); user@flink 2023-07; DOMAIN 4.2-1, 6.12",
    looks_at: &[(Dialect::Kubernetes, "`initialSavepointPath` without `savepointRedeployNonce`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let stored = stage.operations.iter().find_map(|operation| match &operation.action {
        Action::Change(change) => change.stores_location,
        _ => None,
    });
    let Some(path) = stored.filter(|path| path.scalar().is_some_and(|text| !text.trim().is_empty())) else { return };
    let Some((declaration, old, new)) = stage.edit() else { return };
    // Each change of a stateless blue/green resource is a first deployment of the other colour.
    let new_colour = declaration.kind == Kind::BlueGreen && new.upgrade_mode() == UpgradeMode::Stateless;
    if stage.current.deployed != Some(true) || new.redeploys(&old) || new_colour {
        return;
    }
    report
        .main(
            &Place::Body(path),
            "the job was deployed before: the operator ignores this path, now and on later changes",
        )
        .observed(path.scalar().unwrap_or_default())
        .remedy(
            "to go back to that savepoint, and drop what came after it, change `savepointRedeployNonce` in the same \
             request; do not delete the resource for it",
        );
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Stage};
    use crate::rules::testing::{SILENT, body, only, says, updated};

    fn edit(new: &str, deployed: Option<bool>) -> Stage<'static> {
        let path = body(new).path(&["job", "initialSavepointPath"]);
        updated("job: {initialSavepointPath: s3://b/old}", new)
            .and(Action::Change(Change { stores_location: path, ..Change::default() }))
            .with(|it| it.current.deployed = deployed)
    }

    #[test]
    fn a_path_that_nothing_reads_is_told() {
        let path = "job: {initialSavepointPath: s3://b/new}";
        assert_eq!(says(&RULE, &edit(path, Some(true))), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit(path, Some(false))), SILENT);
        assert_eq!(says(&RULE, &edit(path, None)), SILENT);
        assert_eq!(says(&RULE, &edit("job: {initialSavepointPath: ''}", Some(true))), SILENT);
        assert_eq!(says(&RULE, &edit("job: {parallelism: 1}", Some(true))), SILENT);
        let redeploy = "job: {initialSavepointPath: s3://b/new, savepointRedeployNonce: 1}";
        assert_eq!(says(&RULE, &edit(redeploy, Some(true))), SILENT);
    }
}
