//! Another Flink version for a job that was suspended with last-state (DOMAIN 4.5, V04).

use crate::finding::Report;
use crate::operation::{Desired, Dialect, Kind, Stage, UpgradeMode};
use crate::rules::operator::{self, ALWAYS, Last};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "version-change-after-last-state-suspend",
    title: "new Flink version after a last-state suspend",
    family: "upgrade",
    why: "After a last-state suspend the job comes back from the metadata of high availability, which another Flink \
        version cannot read: the state is lost.",
    source: "FKO V04; FLINK-30527",
    looks_at: &[(Dialect::Kubernetes, "`spec.flinkVersion` beside `status.reconciliationStatus.lastReconciledSpec`")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let Some(version) = subject.spec.get("flinkVersion") else { return };
    // Only a written `stateless`, or nothing, gives the state up.
    let gives_up = subject.spec.upgrade_mode() == UpgradeMode::Stateless
        && !subject.spec.job().and_then(|job| job.member("upgradeMode")).is_some_and(|mode| mode.is_null());
    if subject.spec.job().is_none() || gives_up {
        return;
    }
    let differs = |other: Option<crate::document::Node<'_>>| other.is_none_or(|other| !other.same(&version));
    let last = match subject.last() {
        Last::Spec(last) => last,
        Last::Never => return,
        Last::Unknown => {
            let suspended =
                subject.old.is_some_and(|old| old.desired() == Desired::Suspended && differs(old.get("flinkVersion")));
            if suspended {
                report.unjudged(operator::LAST_SPEC);
            }
            return;
        }
    };
    let suspended =
        last.job().is_some() && last.desired() == Desired::Suspended && last.upgrade_mode() == UpgradeMode::LastState;
    if !suspended || !differs(last.get("flinkVersion")) {
        return;
    }
    let before = last.get("flinkVersion").and_then(|version| version.text()).unwrap_or_default();
    let message = format!(
        "the job was suspended with last-state on `{before}`: its state cannot be read by another Flink version, and \
         the operator refuses the change"
    );
    if let Some(draft) = subject.refuse(report, ALWAYS, false, &subject.field("flinkVersion"), &message) {
        draft.observed(version.text().unwrap_or_default()).expected(before.as_ref()).remedy(format!(
            "resume the job with `flinkVersion: {before}`, and change the version while it runs; \
             `upgradeMode: stateless` gives its state up"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, last_ran, of_manifest, of_update, only, unjudged};

    fn job(mode: &str) -> String {
        deployment("").replace("upgradeMode: stateless", &format!("upgradeMode: {mode}"))
    }

    fn suspended(mode: &str, state: &str) -> String {
        let last = format!(r#"{{"flinkVersion": "v1_20", "job": {{"state": "{state}", "upgradeMode": "{mode}"}}}}"#);
        last_ran(
            &job(mode).replace("v2_2", "v1_20").replace("parallelism", &format!("state: {state}, parallelism")),
            &last,
        )
    }

    #[test]
    fn only_stateless_leaves_a_last_state_suspend() {
        let resumed = |mode: &str, live: &str| of_update(&RULE, &job(mode), live, "{}");
        for mode in ["savepoint", "last-state", "null"] {
            assert_eq!(resumed(mode, &suspended("last-state", "suspended")), only(Effect::Deny), "{mode}");
            for (was, state) in [("savepoint", "suspended"), ("stateless", "suspended"), ("last-state", "running")] {
                assert_eq!(resumed(mode, &suspended(was, state)), SILENT, "{mode} after {was} {state}");
            }
        }
        assert_eq!(resumed("stateless", &suspended("last-state", "suspended")), SILENT);
        let same = job("last-state").replace("v2_2", "v1_20");
        assert_eq!(of_update(&RULE, &same, &suspended("last-state", "suspended"), "{}"), SILENT);
        assert_eq!(of_manifest(&RULE, &job("last-state"), "{}"), SILENT);
    }

    #[test]
    fn what_the_operator_last_ran_counts_and_not_the_old_spec() {
        let live = suspended("last-state", "suspended").replacen("flinkVersion: v1_20", "flinkVersion: v2_2", 1);
        assert_eq!(of_update(&RULE, &job("last-state"), &live, "{}"), only(Effect::Deny));
        let unknown =
            job("last-state").replace("v2_2", "v1_20").replace("parallelism", "state: suspended, parallelism");
        assert_eq!(of_update(&RULE, &job("last-state"), &unknown, "{}"), unjudged(), "no status");
    }
}
