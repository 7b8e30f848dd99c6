//! The flag that lets a restore drop state without a word (DOMAIN 3.3, 6.4). Where the operator restores by the metadata of
//! high availability it does nothing: that is `allow-non-restored-state-no-effect`.

use super::allow_non_restored_state_no_effect;
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Restore, Spec, Stage, Start};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "allow-non-restored-state",
    title: "restore that may drop state",
    family: "restore",
    why: "State that no operator of the new job claims is dropped, and nothing says so. A renamed operator or a changed \
          graph then loses what it had counted.",
    source: "REC R8; FLINK-34352; DOMAIN 3.3",
    looks_at: &[
        (Dialect::Kubernetes, "`job.allowNonRestoredState`, `execution.state-recovery.ignore-unclaimed-state`"),
        (Dialect::Ververica, "`restoreStrategy.allowNonRestoredState`"),
        (Dialect::Alibaba, "`restoreStrategy.allowNonRestoredState`"),
        (Dialect::FlinkRest, "`allowNonRestoredState` in body, query or configuration"),
    ],
    facts: &["deployment.restoreStrategy", "deployment.artifactKind"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let start = stage.starts().map(|(_, start)| start).find(|start| drops(start));
    let armed = stage.operations.iter().find_map(|operation| match &operation.action {
        Action::Change(change) => change.allows_non_restored.as_ref(),
        _ => None,
    });
    let draft = match (start, armed) {
        (None, None) => return,
        // The restore of this request ignores the flag, and another rule says so; but what switches it on stays.
        _ if allow_non_restored_state_no_effect::applies(stage) => match switched_on(stage) {
            Some(flag) => report.main(
                &Place::Body(flag),
                "the flag does nothing now, but stays: the next restore from a savepoint may drop state, and nothing will \
                 say so",
            ),
            None => return,
        },
        (None, Some(place)) => report.main(place, "from now on every restore may drop state, and nothing will say so"),
        (Some(start), armed) => {
            let (place, message) = (
                start.allow_place.as_ref().unwrap_or(&start.restore_place),
                "state that the new job does not claim is dropped, and nothing says so",
            );
            let sql = stage.facts.deployment.artifact_kind.as_deref().is_some_and(|kind| kind.starts_with("SQL"));
            // What the deployment keeps is not this request's doing (DOMAIN 6.0-4).
            let kept =
                matches!(stage.platform, Dialect::Kubernetes | Dialect::Ververica) && armed.is_none() && !stage.in_plan;
            match stage.platform {
                Dialect::Alibaba if sql => {
                    report.note(place, "`allowNonRestoredState` means nothing to a SQL deployment")
                }
                _ if kept => report.warn(place, message),
                _ => report.main(place, message),
            }
        }
    };
    draft.observed("true").expected("false").remedy(
        "leave it out, so that the start fails instead of losing state; set it for one start only, after a look at what \
         would be dropped",
    );
}

/// The flag, where an update of a Kubernetes resource brings it in (DOMAIN 6.0-10).
fn switched_on<'d>(stage: &Stage<'d>) -> Option<Node<'d>> {
    let (_, old, new) = stage.edit()?;
    let flag = |spec: &Spec<'d>| spec.of_job("allowNonRestoredState").filter(|flag| flag.bool() == Some(true));
    flag(&new).filter(|_| flag(&old).is_none())
}

fn drops(start: &Start<'_>) -> bool {
    let restores = match &start.restore {
        Restore::Empty => false,
        Restore::Location(location) => !location.trim().is_empty(),
        _ => true,
    };
    restores && start.allow_non_restored_state == Some(true)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Place, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start_with};

    fn with(platform: Dialect, flag: bool, restore: Restore<'static>) -> Stage<'static> {
        stage(platform, start_with(StartCause::Request, restore, |it| it.allow_non_restored_state = Some(flag)))
    }

    #[test]
    fn only_a_restore_can_drop_state() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &with(*platform, true, Restore::LatestState)), only(Effect::Warn), "{platform:?}");
            assert_eq!(says(&RULE, &with(*platform, false, Restore::LatestState)), SILENT, "{platform:?}");
            assert_eq!(says(&RULE, &with(*platform, true, Restore::Empty)), SILENT, "{platform:?}");
            assert_eq!(says(&RULE, &with(*platform, true, Restore::Location("".into()))), SILENT, "{platform:?}");
        }
    }

    #[test]
    fn a_stored_flag_is_judged_when_it_is_set() {
        let change = Change { allows_non_restored: Some(Place::Request), ..Change::default() };
        assert_eq!(says(&RULE, &stage(Dialect::Ververica, Action::Change(change))), only(Effect::Warn));
        assert_eq!(says(&RULE, &stage(Dialect::Ververica, Action::Change(Change::default()))), SILENT);
    }

    #[test]
    fn sql_has_no_such_flag() {
        let sql =
            with(Dialect::Alibaba, true, Restore::LatestState).with_facts("deployment: {artifactKind: SQLSCRIPT}");
        assert_eq!(says(&RULE, &sql), only(Effect::Note));
    }
}
