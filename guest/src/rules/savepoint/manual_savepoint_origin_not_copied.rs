//! A savepoint registered by hand is COPIED, whatever the request says (S2-6).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "manual-savepoint-origin-not-copied",
    title: "registered savepoint with a foreign origin",
    family: "savepoint",
    why: "A savepoint registered by hand has the origin COPIED. Under another it passes for one that the \
        platform took itself, and whoever cleans up or restores by origin is misled.",
    source: "S2-2, S2-6",
    looks_at: &[(Dialect::Ververica, "`metadata.origin` of a registered savepoint")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Register(registration) = &operation.action else { continue };
        let Some(node) = registration.origin.filter(|origin| !origin.is("COPIED")) else { continue };
        let origin = node.scalar().unwrap_or(node.source().into());
        report
            .main(
                &Place::Body(node),
                format!(
                    "origin `{origin}` makes a savepoint that was registered by hand pass for one the platform took"
                ),
            )
            .observed(format!("`{origin}`"))
            .expected("COPIED")
            .remedy("remove `metadata.origin`, the platform sets COPIED by itself, or send `COPIED`");
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
        for value in ["USER_REQUEST", "copied", "7"] {
            let stage = registered(&format!("metadata: {{origin: {}}}", value));
            assert_eq!(says(&RULE, &stage), only(Effect::Warn), "{value}");
        }
    }

    #[test]
    fn the_documented_value_is_fine() {
        assert_eq!(says(&RULE, &registered("metadata: {origin: COPIED}")), SILENT);
    }

    #[test]
    fn an_absent_value_is_fine() {
        assert_eq!(says(&RULE, &registered("kind: Savepoint")), SILENT);
    }
}
