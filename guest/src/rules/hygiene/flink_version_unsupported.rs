//! A Flink version that the operator does not run, or none (DOMAIN 4.5, V02 and V03).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Spec, Stage};
use crate::rules::operator::{self, ALWAYS, OLD_FLINK};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "flink-version-unsupported",
    title: "Flink version that the operator does not run",
    family: "hygiene",
    why: "The operator refuses the deployment: it does not know how to run this version.",
    source: "FKO V02, V03, FlinkVersion",
    looks_at: &[(Dialect::Kubernetes, "`spec.flinkVersion` of a FlinkDeployment")],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

const OLDEST: (u32, u32) = (1, 15);

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let Some(message) = refused(subject.spec) else { return };
    let was = subject.old.is_some_and(|old| refused(old).is_some());
    let version = subject.spec.get("flinkVersion");
    let since = if version.is_some() { OLD_FLINK } else { ALWAYS };
    if let Some(mut draft) = subject.refuse(report, since, was, &subject.field("flinkVersion"), message) {
        if let Some(version) = version {
            draft = draft.observed(version.text().unwrap_or_default());
        }
        draft.expected("v1_15 or newer").remedy("set `spec.flinkVersion` to the version of Flink in the image");
    }
}

fn refused(spec: Spec<'_>) -> Option<&'static str> {
    match (spec.get("flinkVersion"), spec.flink_version()) {
        (None, _) => Some("the deployment does not say its Flink version: the operator refuses it"),
        (_, Some(version)) if version < OLDEST => {
            Some("this Flink version is no longer supported: the operator refuses the deployment")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only};

    #[test]
    fn versions_from_1_15_on_are_run() {
        let with = |version: &str| deployment("").replace("flinkVersion: v2_2, ", version);
        for (version, expected) in [
            ("", only(Effect::Deny)),
            ("flinkVersion: null, ", only(Effect::Deny)),
            ("flinkVersion: v1_13, ", only(Effect::Deny)),
            ("flinkVersion: v1_14, ", only(Effect::Deny)),
            ("flinkVersion: v1_15, ", SILENT),
            ("flinkVersion: v1_19, ", SILENT),
            ("flinkVersion: v2_4, ", SILENT),
            ("flinkVersion: v9_0, ", SILENT),
        ] {
            assert_eq!(of_manifest(&RULE, &with(version), "{}"), expected, "{version}");
        }
        let (old, older) = ("platform: {operatorVersion: '1.6'}", with("flinkVersion: v1_14, "));
        assert_eq!(of_manifest(&RULE, &older, old), only(Effect::Note), "that one runs it");
        assert_eq!(of_manifest(&RULE, &with(""), old), only(Effect::Deny));
        assert_eq!(of_update(&RULE, &older.replace("lism: 2", "lism: 3"), &older, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &older, &with("flinkVersion: v1_15, "), "{}"), only(Effect::Deny));
    }
}
