//! A start from another deployment's savepoint (DOMAIN 6.4).

use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage, Want};
use crate::restore::{Choice, select};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-savepoint-of-other-deployment",
    title: "restore from another deployment's savepoint",
    family: "restore",
    why: "The state of another job fits only a job that was copied from it; otherwise the start fails, or goes on with \
          foreign counts and positions. A fork may mean it.",
    source: "DOMAIN 6.4 (inferred)",
    looks_at: &[(Dialect::Alibaba, "`restoreStrategy.savepointId`")],
    facts: &["savepoints"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (operation, start) in stage.starts() {
        let Restore::Savepoint(Some(id)) = &start.restore else { continue };
        let selection = select(stage, start);
        let owner = match &selection.choice {
            Choice::One(savepoint) => savepoint.deployment_id.as_deref(),
            _ => None,
        };
        let Some(owner) = owner else {
            report.wish(Want::Savepoints, format!("whose savepoint `{id}` is"));
            continue;
        };
        // A plan names the deployment; only a request gives its id.
        if owner != operation.target.name && !stage.in_plan {
            let place = start.savepoint_id.map_or_else(|| start.restore_place.clone(), crate::operation::Place::Body);
            report
                .main(&place, format!("savepoint `{id}` belongs to deployment `{owner}`, not to this one"))
                .observed(owner)
                .expected(operation.target.name.as_ref())
                .remedy("go on if this is a copy of that deployment; else choose one of its own (ListSavepoints)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start};

    #[test]
    fn the_owner_must_be_known_to_be_another() {
        let of = |owner: &str| {
            let named = start(StartCause::Request, Restore::Savepoint(Some("a".into())));
            let facts = format!("savepoints: [{{id: a, deploymentId: {owner}}}]");
            says(&RULE, &stage(Dialect::Alibaba, named).with_facts(&facts))
        };
        assert_eq!(of("refund"), only(Effect::Warn));
        assert_eq!(of("orders"), SILENT);
    }
}
