//! A session job that is moved to another cluster (DOMAIN 4.5, V47).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, ALWAYS, Last};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "session-cluster-reference-changed",
    title: "session job moved to another cluster",
    family: "upgrade",
    why: "The operator refuses it: the job that runs on the old cluster would be left behind, with nobody to stop it.",
    source: "FKO V47",
    looks_at: &[(
        Dialect::Kubernetes,
        "`spec.deploymentName` of a session job beside `status.reconciliationStatus.lastReconciledSpec`",
    )],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::SessionJob]) else { return };
    let name = |spec: crate::operation::Spec<'_>| {
        spec.get("deploymentName").and_then(|name| name.text()).unwrap_or_default().into_owned()
    };
    let new = name(subject.spec);
    let last = match subject.last() {
        Last::Spec(last) => name(last),
        Last::Never => return,
        Last::Unknown => {
            if subject.old.is_some_and(|old| name(old) != new) {
                report.unjudged(operator::LAST_SPEC);
            }
            return;
        }
    };
    if last == new {
        return;
    }
    let message = format!("the session job runs on `{last}`: it cannot be moved, and the operator refuses it");
    if let Some(draft) = subject.refuse(report, ALWAYS, false, &subject.field("deploymentName"), &message) {
        draft.observed(new).expected(last).remedy(
            "suspend the job with `upgradeMode: savepoint`, and create a session job of another name on the new \
             cluster, with that savepoint as `initialSavepointPath`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, last_ran, of_manifest, of_update, only, session_job, unjudged};

    #[test]
    fn the_cluster_stays() {
        let job = session_job("parallelism: 1");
        let moved = job.replace("deploymentName: session", "deploymentName: other");
        let live = last_ran(&job, r#"{"deploymentName": "session"}"#);
        assert_eq!(of_update(&RULE, &moved, &live, "{}"), only(Effect::Deny));
        assert_eq!(of_update(&RULE, &session_job("parallelism: 2"), &live, "{}"), SILENT);
        let fresh = job.replacen("spec: {", "status: {}, spec: {", 1);
        assert_eq!(of_update(&RULE, &moved, &fresh, "{}"), SILENT, "before the first deployment");
        assert_eq!(of_update(&RULE, &moved, &job, "{}"), unjudged(), "no status");
        assert_eq!(of_manifest(&RULE, &moved, "{}"), SILENT);
    }
}
