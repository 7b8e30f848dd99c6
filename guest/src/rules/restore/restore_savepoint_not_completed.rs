//! A start from a savepoint that was never completed (DOMAIN 1.6).

use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage, Want};
use crate::restore::{Choice, select};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-savepoint-not-completed",
    title: "restore from an incomplete savepoint",
    family: "restore",
    why: "A savepoint that is not COMPLETED has no state to give: it is still being written, has failed, or is being \
          deleted.",
    source: "ALI-SDK Savepoint.status; DOMAIN 1.5, 1.6",
    looks_at: &[
        (Dialect::Ververica, "the savepoint that a start is declared to use"),
        (Dialect::Alibaba, "the savepoint that a start names, or is declared to use"),
    ],
    facts: &["savepoints"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let choice;
        let state = match &start.restore {
            Restore::Savepoint(Some(_)) | Restore::Location(_) => {
                choice = select(stage, start).choice;
                match &choice {
                    Choice::One(savepoint) => savepoint.state.as_deref(),
                    _ => None,
                }
            }
            // The latest ones are chosen among the completed, unless somebody knows better.
            Restore::LatestState | Restore::LatestSavepoint => {
                let declared = stage.facts.savepoints.iter().flatten().find(|it| it.restore_candidate == Some(true));
                declared.and_then(|it| it.state.as_deref())
            }
            _ => continue,
        };
        match (state, &start.restore) {
            (Some("COMPLETED"), _) => {}
            (Some(state), _) => report
                .main(&start.restore_place, format!("the savepoint that is asked for is `{state}`, not COMPLETED"))
                .observed(state)
                .expected("COMPLETED")
                .remedy("wait until it is COMPLETED, or start from another one that is"),
            (None, Restore::Savepoint(Some(id))) => {
                report.lacks(Want::Savepoints, format!("whether savepoint `{id}` is COMPLETED"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start, unjudged};

    #[test]
    fn the_named_savepoint_must_be_complete() {
        let from = |restore, facts: &str| {
            says(&RULE, &stage(Dialect::Alibaba, start(StartCause::Request, restore)).with_facts(facts))
        };
        let named = || Restore::Savepoint(Some("a".into()));
        for state in ["STARTED", "FAILED", "PENDING_DELETION"] {
            let facts = format!("savepoints: [{{id: a, state: {state}}}]");
            assert_eq!(from(named(), &facts), only(Effect::Deny), "{state}");
            assert_eq!(from(Restore::LatestState, &facts), SILENT, "{state}");
            let declared = format!("savepoints: [{{id: a, state: {state}, restoreCandidate: true}}]");
            assert_eq!(from(Restore::LatestState, &declared), only(Effect::Deny), "{state}");
        }
        assert_eq!(from(named(), "savepoints: [{id: a, state: COMPLETED}]"), SILENT);
        assert_eq!(from(named(), "savepoints: [{id: b, state: FAILED}]"), unjudged());
        assert_eq!(from(Restore::Savepoint(None), "{}"), SILENT);
    }
}
