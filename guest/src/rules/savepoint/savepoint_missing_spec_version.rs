//! A savepoint registered without the annotation of the spec version is never used by a restore (S2-8).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Stage};
use crate::restore::SPEC_VERSION;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-missing-spec-version",
    title: "registered savepoint without spec version",
    family: "savepoint",
    why: "Ververica Platform never restores from a savepoint without this annotation, and nothing fails: the \
        next start passes it over and may come up empty.",
    source: "S2-8, S2-6; DOMAIN 1.6",
    looks_at: &[(Dialect::Ververica, "the annotation of a registered savepoint")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Register(registration) = &operation.action else { continue };
        let version = registration.spec_version.and_then(|node| node.scalar());
        if version.as_ref().is_some_and(|version| !version.trim().is_empty()) {
            continue;
        }
        let place = Place::Body(registration.spec_version.unwrap_or(registration.resource));
        let known = stage.facts.deployment.spec_version.as_deref();
        let message = format!(
            "no restore will ever use this savepoint: it lacks the annotation `{SPEC_VERSION}`, and nothing fails"
        );
        let mut finding = report.main(&place, message);
        if let Some(version) = &version {
            finding = finding.observed(format!("`{version}`"));
        }
        let remedy = match known {
            Some(known) => format!(
                "set `{SPEC_VERSION}: \"{known}\"` in `metadata.annotations`, as the deployment has it, and register \
                 again"
            ),
            None => format!(
                "read the annotation `{SPEC_VERSION}` of the deployment (GET its resource), set the same in \
                 `metadata.annotations`, and register again"
            ),
        };
        finding.expected(known.unwrap_or("the value of the deployment's annotation of the same name")).remedy(remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::{Effect, Position};
    use crate::operation::Dialect;
    use crate::rules::testing::{SILENT, body, findings, only, registration, says, stage};

    fn annotated(annotations: &str) -> crate::operation::Stage<'static> {
        let resource = format!("metadata: {{annotations: {annotations}}}\nspec: {{savepointLocation: s3://b/sp}}");
        stage(Dialect::Ververica, registration(body(&resource)))
    }

    #[test]
    fn an_absent_or_blank_annotation_is_told() {
        assert_eq!(says(&RULE, &annotated("{}")), only(Effect::Warn));
        let blank = annotated("{com.dataartisans.appmanager.controller.deployment.spec.version: ' '}");
        assert_eq!(says(&RULE, &blank), only(Effect::Warn));
        let place = &findings(&RULE, &blank)[0].position;
        assert!(
            matches!(place, Some(Position::Body { pointer, .. }) if pointer.ends_with("spec.version")),
            "{place:?}"
        );
    }

    #[test]
    fn an_annotation_with_a_value_is_fine() {
        let versioned = annotated("{com.dataartisans.appmanager.controller.deployment.spec.version: 4}");
        assert_eq!(says(&RULE, &versioned), SILENT);
    }

    #[test]
    fn the_known_version_stands_in_the_remedy() {
        let remedy = |stage: &_| findings(&RULE, stage)[0].remedy.clone();
        assert!(remedy(&annotated("{}").with_facts("deployment: {specVersion: '7'}")).contains("\"7\""));
        assert!(remedy(&annotated("{}")).contains("GET"));
    }
}
