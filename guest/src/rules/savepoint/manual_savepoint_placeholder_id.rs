//! A savepoint registered by hand carries the all-zero id of Flink (S2-6).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Stage};
use crate::rules::{Level, Rule};

const PLACEHOLDER: &str = "00000000-0000-0000-0000-000000000000";

pub(in crate::rules) static RULE: Rule = Rule {
    id: "manual-savepoint-placeholder-id",
    title: "registered savepoint without placeholder id",
    family: "savepoint",
    why: "The documented registration carries the all-zero id, since Flink gave this savepoint none that the \
        platform knows. What the platform does with another or none is not defined.",
    source: "S2-6",
    looks_at: &[(Dialect::Ververica, "`spec.flinkSavepointId` of a registered savepoint")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Register(registration) = &operation.action else { continue };
        let id = registration.flink_savepoint_id;
        if id.is_some_and(|id| id.is(PLACEHOLDER)) {
            continue;
        }
        let place = Place::Body(id.unwrap_or(registration.resource));
        let mut finding = report.main(
            &place,
            "a savepoint registered by hand carries the all-zero `flinkSavepointId`; what the platform does \
             without it is not defined",
        );
        if let Some(node) = id {
            finding = finding.observed(format!("`{}`", node.scalar().unwrap_or(node.source().into())));
        }
        finding.expected(PLACEHOLDER).remedy(format!("set `spec.flinkSavepointId: {PLACEHOLDER}`"));
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
        for value in ["4e39b3a8-4d2c-4bd6-9a0f-0a8f5b0a0e11", "''"] {
            let stage = registered(&format!("spec: {{flinkSavepointId: {}}}", value));
            assert_eq!(says(&RULE, &stage), only(Effect::Warn), "{value}");
        }
    }

    #[test]
    fn the_documented_value_is_fine() {
        assert_eq!(says(&RULE, &registered("spec: {flinkSavepointId: 00000000-0000-0000-0000-000000000000}")), SILENT);
    }

    #[test]
    fn an_absent_value_is_told() {
        assert_eq!(says(&RULE, &registered("kind: Savepoint")), only(Effect::Warn));
    }
}
