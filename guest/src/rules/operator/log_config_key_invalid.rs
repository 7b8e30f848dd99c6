//! A key of `logConfiguration` that the operator has no file for (DOMAIN 4.5, V10).

use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "log-config-key-invalid",
    title: "log configuration for an unknown file",
    family: "operator",
    why: "The operator refuses the deployment: it puts two files beside Flink, and no others.",
    source: "FKO V10",
    looks_at: &[(Dialect::Kubernetes, "the keys of `spec.logConfiguration` of a FlinkDeployment")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

const FILES: [&str; 2] = ["log4j-console.properties", "logback-console.xml"];

/// Nobody reads more; a document made to be large must not cost more.
const MOST: usize = 10;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    for (key, _) in keys(subject.spec).filter(|(key, _)| !FILES.iter().any(|file| key.is(file))).take(MOST) {
        let name = key.text().unwrap_or_default();
        let was = subject.old.is_some_and(|old| keys(old).any(|(old, _)| old.is(&name)));
        let message = format!("there is no log configuration `{name}`: the operator refuses it");
        if let Some(draft) = subject.refuse(report, ALWAYS, was, &Place::Body(key), &message) {
            draft.observed(name).expected(FILES.join(", ")).remedy(
                "name the file that Flink reads, `log4j-console.properties` or `logback-console.xml`; mount other files \
                 with `podTemplate`",
            );
        }
    }
}

/// What is null is not stored.
fn keys<'d>(spec: Spec<'d>) -> impl Iterator<Item = (Node<'d>, Node<'d>)> {
    let configuration = spec.get("logConfiguration");
    configuration.into_iter().flat_map(|node| node.members()).filter(|(_, value)| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, Says, deployment, of_manifest, of_update, only};

    fn with(keys: &str) -> String {
        deployment("").replace("spec: {", &format!("spec: {{logConfiguration: {{{keys}}}, "))
    }

    #[test]
    fn only_the_files_of_flink_are_known() {
        let says = |keys| of_manifest(&RULE, &with(keys), "{}");
        assert_eq!(says("log4j-console.properties: a"), SILENT);
        assert_eq!(says("logback-console.xml: a"), SILENT);
        assert_eq!(says("random: config"), only(Effect::Deny));
        assert_eq!(says("log4j.properties: a, x: null"), only(Effect::Deny));
        assert_eq!(says("a: a, b: b"), Says { effects: vec![Effect::Deny; 2], unjudged: false });
        assert_eq!(of_manifest(&RULE, &deployment(""), "{}"), SILENT);
    }

    #[test]
    fn an_old_blemish_is_a_warning() {
        let live = with("random: config");
        let scaled = live.replace("parallelism: 2", "parallelism: 4");
        assert_eq!(of_update(&RULE, &scaled, &live, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &live, &live, "{}"), SILENT);
        assert_eq!(of_update(&RULE, &with("other: config"), &live, "{}"), only(Effect::Deny));
    }
}
