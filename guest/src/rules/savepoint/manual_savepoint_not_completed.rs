//! A savepoint registered in another state than COMPLETED is never a restore candidate (DOMAIN 1.6).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "manual-savepoint-not-completed",
    title: "registered savepoint not COMPLETED",
    family: "savepoint",
    why: "A restore looks at COMPLETED savepoints only: registered in any other state this one is never used, \
        and nothing fails.",
    source: "S2-6; DOMAIN 1.6",
    looks_at: &[(Dialect::Ververica, "`status.state` of a registered savepoint")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Register(registration) = &operation.action else { continue };
        let state = registration.state;
        if state.is_some_and(|state| state.is("COMPLETED")) {
            continue;
        }
        let place = Place::Body(state.unwrap_or(registration.resource));
        let finding = match state {
            Some(node) => {
                let state = node.scalar().unwrap_or(node.source().into());
                let message = format!(
                    "registered in state `{state}`, this savepoint is never used: a restore looks at COMPLETED \
                     ones only"
                );
                report.main(&place, message).observed(format!("`{state}`"))
            }
            None => report.main(
                &place,
                "registered without a state, this savepoint is never used: a restore looks at COMPLETED ones only",
            ),
        };
        finding.expected("COMPLETED").remedy(
            "make sure that the snapshot is complete at its location, then register it with `status.state: \
             COMPLETED`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Stage};
    use crate::rules::testing::{SILENT, body, only, registration, says, stage};

    fn registered(resource: &str) -> Stage<'static> {
        stage(Dialect::Ververica, registration(body(resource)))
    }

    #[test]
    fn other_values_are_told() {
        for value in ["STARTED", "FAILED", "completed"] {
            let stage = registered(&format!("status: {{state: {}}}", value));
            assert_eq!(says(&RULE, &stage), only(Effect::Deny), "{value}");
        }
    }

    #[test]
    fn the_documented_value_is_fine() {
        assert_eq!(says(&RULE, &registered("status: {state: COMPLETED}")), SILENT);
    }

    #[test]
    fn an_absent_value_is_told() {
        assert_eq!(says(&RULE, &registered("kind: Savepoint")), only(Effect::Deny));
    }
}
