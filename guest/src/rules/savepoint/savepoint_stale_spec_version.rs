//! The spec version of a registered savepoint must be the deployment's own (S2-6).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Operation, Place, Stage, Want};
use crate::restore::SPEC_VERSION;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-stale-spec-version",
    title: "registered savepoint with another spec version",
    family: "savepoint",
    why: "The annotation ties a savepoint to the deployment's spec. With a value that is not the deployment's \
        own, it is open whether a restore uses it.",
    source: "S2-6; DOMAIN 1.6 (effect inferred)",
    looks_at: &[(Dialect::Ververica, "the annotation of a registered savepoint, and the deployment's")],
    facts: &["deployment.specVersion"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(current) = stage.facts.deployment.spec_version.as_deref() else {
        let says = |operation: &Operation<'_>| match &operation.action {
            Action::Register(registration) => registration.spec_version.is_some(),
            _ => false,
        };
        if stage.operations.iter().any(says) {
            report.wish(Want::Deployment, "the spec version of the deployment");
        }
        return;
    };
    for operation in &stage.operations {
        let Action::Register(registration) = &operation.action else { continue };
        let Some(node) = registration.spec_version else { continue };
        let Some(version) = node.scalar().filter(|version| !version.trim().is_empty()) else { continue };
        if version.trim() == current.trim() {
            continue;
        }
        let message = format!(
            "the savepoint says spec version `{version}`, the deployment is at `{current}`: it is open whether \
             a restore uses it"
        );
        report
            .main(&Place::Body(node), message)
            .observed(format!("`{version}`"))
            .expected(format!("`{current}`"))
            .remedy(format!("take the value from the deployment's annotation `{SPEC_VERSION}`: `{current}`"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Stage};
    use crate::rules::testing::{SILENT, body, only, registration, says, stage};

    fn of_version(version: &str) -> Stage<'static> {
        let annotation = "com.dataartisans.appmanager.controller.deployment.spec.version";
        let resource = format!("metadata: {{annotations: {{{annotation}: {version}}}}}");
        stage(Dialect::Ververica, registration(body(&resource)))
    }

    #[test]
    fn another_version_is_told_the_same_is_not() {
        let facts = "deployment: {specVersion: '4'}";
        assert_eq!(says(&RULE, &of_version("'2'").with_facts(facts)), only(Effect::Warn));
        assert_eq!(says(&RULE, &of_version("'4'").with_facts(facts)), SILENT);
        assert_eq!(says(&RULE, &of_version("4").with_facts(facts)), SILENT);
    }

    #[test]
    fn blank_is_another_rule_and_unknown_is_no_finding() {
        assert_eq!(says(&RULE, &of_version("''").with_facts("deployment: {specVersion: '4'}")), SILENT);
        assert_eq!(says(&RULE, &of_version("'2'")), SILENT);
    }
}
