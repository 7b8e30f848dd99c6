//! Stateful upgrades of a deployment whose starts restore nothing (DOMAIN 1.3).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-none-with-stateful-upgrade",
    title: "stateful upgrade that restores nothing",
    family: "restore",
    why: "The upgrade takes a savepoint and then starts the job without it: each change of the template loses the state \
          that STATEFUL promises to keep.",
    source: "VVP-DOC deployment-upgrades; S2-3; DOMAIN 1.3",
    looks_at: &[(Dialect::Ververica, "`upgradeStrategy.kind` with `restoreStrategy.kind`")],
    facts: &["deployment.upgradeStrategy", "deployment.restoreStrategy"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Change(change) = &operation.action else { continue };
        let Some(place) = &change.forgets_state else { continue };
        let known = &stage.facts.deployment;
        let message = "upgrades are STATEFUL, but the restore strategy is NONE: the job comes up empty after each";
        // It was so before: any other change must stay possible (DOMAIN 6.0-4).
        let before = known.upgrade_kind.as_deref() == Some("STATEFUL") && known.restore_kind.as_deref() == Some("NONE");
        let ends = stage.stops().next().is_some() && stage.starts().next().is_none();
        let not_known = known.upgrade_kind.is_none() || known.restore_kind.is_none();
        let draft =
            if before || (ends && not_known) { report.warn(place, message) } else { report.main(place, message) };
        draft.observed("STATEFUL with NONE").expected("LATEST_STATE or LATEST_SAVEPOINT").remedy(
            "set `spec.restoreStrategy.kind` to LATEST_STATE; if the job is meant to start empty, make the upgrade \
                 strategy STATELESS",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Place, Stage};
    use crate::rules::testing::{SILENT, only, says, stage};

    fn forgetting(forgets_state: Option<Place<'static>>) -> Stage<'static> {
        stage(Dialect::Ververica, Action::Change(Change { forgets_state, ..Change::default() }))
    }

    #[test]
    fn what_was_so_before_warns() {
        let facts = "deployment: {upgradeStrategy: {kind: STATEFUL}, restoreStrategy: {kind: NONE}}";
        assert_eq!(says(&RULE, &forgetting(Some(Place::Request))), only(Effect::Deny));
        assert_eq!(says(&RULE, &forgetting(Some(Place::Request)).with_facts(facts)), only(Effect::Warn));
        assert_eq!(says(&RULE, &forgetting(None).with_facts(facts)), SILENT);
    }
}
