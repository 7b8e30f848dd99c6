//! Names that the platform takes for nothing it could run under (DOMAIN 1.1; 4.5, V01).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, OddityKind, Place, Stage};
use crate::rules::operator::{self, NAMES};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource-name-invalid",
    title: "name that the platform does not take",
    family: "hygiene",
    why: "The platform refuses the resource, or creates and destroys its cluster over and over: services and pods carry \
        the name with an ending of their own.",
    source: "FKO V01, FLINK-28087; VVP-DOC resource naming; DOMAIN 6.12",
    looks_at: &[
        (
            Dialect::Kubernetes,
            "`metadata.name` of a FlinkDeployment or FlinkBlueGreenDeployment, `spec.deploymentName` of a session job",
        ),
        (Dialect::Ververica, "`metadata.name` of a new deployment"),
    ],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// The operator's own limit.
const LONGEST: usize = 45;
/// The children's names end in `-green`.
const LONGEST_PARENT: usize = 39;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::ResourceNameInvalid, stage, report);
    let Some(subject) = operator::subject(stage, &[Kind::Deployment, Kind::SessionJob, Kind::BlueGreen]) else {
        return;
    };
    let kind = subject.declaration.kind;
    let (field, name, longest) = match kind {
        Kind::SessionJob => ("spec.deploymentName", subject.spec.get("deploymentName"), LONGEST),
        Kind::BlueGreen => ("metadata.name", subject.object.metadata("name"), LONGEST_PARENT),
        _ => ("metadata.name", subject.object.metadata("name"), LONGEST),
    };
    let text = name.and_then(|name| name.scalar());
    let generated = kind != Kind::SessionJob && subject.object.metadata("generateName").is_some();
    let message = match &text {
        Some(text) if fits(text, longest) || text.is_empty() && generated => return,
        Some(text) => format!("`{text}` in `{field}` is no name for a Flink cluster: the operator refuses it"),
        None if kind == Kind::SessionJob => {
            "the session job names no cluster in `spec.deploymentName`: the operator refuses it".to_owned()
        }
        // The API server makes one up, or refuses.
        None => return,
    };
    // A name of its own never changes.
    let was = subject.old.is_some_and(|old| {
        let other = old.get("deploymentName").and_then(|name| name.scalar());
        kind != Kind::SessionJob || other == text
    });
    let place = name.map_or_else(|| subject.field("deploymentName"), Place::Body);
    if let Some(draft) = subject.refuse(report, NAMES, was, &place, &message) {
        draft
            .observed(text.unwrap_or_default())
            .expected(format!("at most {longest} lower case letters, digits and `-`, a letter first, no `-` last"))
            .remedy(match kind {
                Kind::SessionJob => "name the session cluster as its FlinkDeployment is named",
                _ => "choose another `metadata.name`; a resource cannot be renamed, so this is the time",
            });
    }
}

/// `[a-z]([-a-z0-9]*[a-z0-9])?`
fn fits(name: &str, longest: usize) -> bool {
    name.len() <= longest
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|c| c == b'-' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{RULE, fits};
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only, session_job};

    #[test]
    fn names_are_labels_with_room_for_an_ending() {
        let long = "a".repeat(45);
        for good in ["a", "session-cluster", "a1", "a-1", long.as_str()] {
            assert!(fits(good, 45), "{good}");
        }
        for bad in ["", "session-cluster-1.13", "1a", "-a", "a-", "A", "a_b", "ä", &format!("{long}a")] {
            assert!(!fits(bad, 45), "{bad}");
        }
    }

    #[test]
    fn each_kind_has_its_own_limit() {
        let named = |name: &str| deployment("").replace("name: orders", &format!("name: {name}"));
        assert_eq!(of_manifest(&RULE, &named("session-cluster-1.13"), "{}"), only(Effect::Deny));
        assert_eq!(of_manifest(&RULE, &named("orders"), "{}"), SILENT);
        let blue_green =
            |length: usize| named(&"a".repeat(length)).replace("FlinkDeployment", "FlinkBlueGreenDeployment");
        assert_eq!(of_manifest(&RULE, &blue_green(39), "{}"), SILENT);
        assert_eq!(of_manifest(&RULE, &blue_green(40), "{}"), only(Effect::Deny));
        let snapshot = named("A.b").replace("FlinkDeployment", "FlinkStateSnapshot");
        assert_eq!(of_manifest(&RULE, &snapshot, "{}"), SILENT);
        let generated = deployment("").replace("name: orders", "generateName: orders-");
        assert_eq!(of_manifest(&RULE, &generated, "{}"), SILENT);
        let blank = generated.replace("generateName", "name: '', generateName");
        assert_eq!(of_manifest(&RULE, &blank, "{}"), SILENT);
        assert_eq!(of_manifest(&RULE, &named("''"), "{}"), only(Effect::Deny));
        let scaled = named("a.b").replace("lism: 2", "lism: 3");
        assert_eq!(of_update(&RULE, &scaled, &named("a.b"), "{}"), only(Effect::Warn));
        assert_eq!(of_manifest(&RULE, &named("a.b"), "platform: {operatorVersion: '1.0'}"), only(Effect::Note));
    }

    #[test]
    fn a_session_job_names_its_cluster() {
        let job = session_job("parallelism: 1").replace("name: orders", "name: Orders.1");
        assert_eq!(of_manifest(&RULE, &job, "{}"), SILENT, "its own name is free");
        assert_eq!(
            of_manifest(&RULE, &job.replace("deploymentName: session", "deploymentName: Ses"), "{}"),
            only(Effect::Deny)
        );
        assert_eq!(of_manifest(&RULE, &job.replace("deploymentName: session, ", ""), "{}"), only(Effect::Deny));
    }
}
