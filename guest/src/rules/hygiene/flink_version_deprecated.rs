//! A Flink version that the operator will not run for much longer (DOMAIN 4.1).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, Since};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "flink-version-deprecated",
    title: "deprecated Flink version",
    family: "hygiene",
    why: "The next operator may refuse the deployment; an upgrade of Flink takes a savepoint and time.",
    source: "FKO FlinkVersion",
    looks_at: &[(Dialect::Kubernetes, "`spec.flinkVersion` of a FlinkDeployment")],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let since: Since = match subject.spec.flink_version() {
        Some((1, 15)) => (1, 10),
        Some((1, 16)) => (1, 11),
        Some((1, 17 | 18)) => (1, 13),
        _ => return,
    };
    let was = subject.old.is_some_and(|old| old.flink_version() == subject.spec.flink_version());
    // A note to an operator to come is all it could be: there the version is as good as any.
    if subject.is_newer(since) {
        return;
    }
    let message = "the operator marks this Flink version as deprecated";
    if let Some(draft) = subject.refuse(report, since, was, &subject.field("flinkVersion"), message) {
        let version = subject.spec.get("flinkVersion").and_then(|version| version.text()).unwrap_or_default();
        draft.observed(version).expected("v1_19 or newer").remedy(
            "plan the upgrade: with `upgradeMode: savepoint`, change `spec.image` and `spec.flinkVersion` together",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, only};

    #[test]
    fn four_versions_are_on_their_way_out() {
        let with = |version: &str, facts: &str| of_manifest(&RULE, &deployment("").replace("v2_2", version), facts);
        for version in ["v1_15", "v1_16", "v1_17", "v1_18"] {
            assert_eq!(with(version, "{}"), only(Effect::Warn), "{version}");
        }
        for version in ["v1_14", "v1_19", "v2_2"] {
            assert_eq!(with(version, "{}"), SILENT, "{version}");
        }
        assert_eq!(with("v1_15", "platform: {operatorVersion: '1.10'}"), only(Effect::Warn));
        assert_eq!(with("v1_16", "platform: {operatorVersion: '1.10'}"), SILENT);
    }
}
