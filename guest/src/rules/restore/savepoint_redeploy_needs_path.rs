//! A redeploy from a savepoint that names none (DOMAIN 4.5, V40).

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage};
use crate::rules::operator::{self, Last, REDEPLOY};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-redeploy-needs-path",
    title: "redeploy without a savepoint",
    family: "restore",
    why: "A changed `savepointRedeployNonce` cancels the job and starts it from `initialSavepointPath`: with a blank one \
        it would start empty, and the operator refuses it.",
    source: "FKO V40; DOMAIN 4.2-6",
    looks_at: &[(
        Dialect::Kubernetes,
        "`savepointRedeployNonce` beside `initialSavepointPath` and `status.reconciliationStatus.lastReconciledSpec`",
    )],
    facts: &["platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    // The validator leaves session jobs out, their reconciler does not.
    let Some(subject) = operator::subject(stage, &[Kind::Deployment, Kind::SessionJob]) else { return };
    let Some(nonce) = subject.spec.of_job("savepointRedeployNonce") else { return };
    let path = subject.spec.initial_savepoint();
    if path.and_then(|path| path.scalar()).is_some_and(|path| !path.trim().is_empty()) {
        return;
    }
    let changed = |spec: crate::operation::Spec<'_>| {
        spec.job().is_some() && spec.of_job("savepointRedeployNonce").is_none_or(|old| !old.same(&nonce))
    };
    match subject.last() {
        Last::Spec(last) if changed(last) => {}
        Last::Unknown if subject.old.is_some_and(changed) && !subject.is_newer(REDEPLOY) => {
            return report.unjudged(operator::LAST_SPEC);
        }
        _ => return,
    }
    let message = "the changed `savepointRedeployNonce` cancels the job and starts it from `initialSavepointPath`, which \
        is blank: the operator refuses it";
    let place = crate::operation::Place::Body(path.unwrap_or(nonce));
    if let Some(draft) = subject.refuse(report, REDEPLOY, false, &place, message) {
        draft
            .expected("spec.job.initialSavepointPath")
            .remedy("set `spec.job.initialSavepointPath` to the savepoint to go back to, or leave the nonce as it was");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, last_ran, of_manifest, of_update, only, session_job, unjudged};

    fn job(fields: &str) -> String {
        deployment("").replace("parallelism: 2", &format!("parallelism: 2, {fields}"))
    }

    #[test]
    fn a_redeploy_names_its_savepoint() {
        let last = |nonce: &str| format!(r#"{{"job": {{"savepointRedeployNonce": {nonce}}}}}"#);
        let path = "initialSavepointPath: 's3://b/s'";
        for (fields, nonce, expected) in [
            (format!("savepointRedeployNonce: 1, {path}"), "null", SILENT),
            (path.to_owned(), "1", SILENT),
            ("entryClass: a.B".to_owned(), "1", SILENT),
            (format!("savepointRedeployNonce: 2, {path}"), "1", SILENT),
            ("savepointRedeployNonce: 1".to_owned(), "1", SILENT),
            ("savepointRedeployNonce: 1".to_owned(), "null", only(Effect::Deny)),
            ("savepointRedeployNonce: 1, initialSavepointPath: ' '".to_owned(), "null", only(Effect::Deny)),
            ("savepointRedeployNonce: 2".to_owned(), "1", only(Effect::Deny)),
        ] {
            let live = last_ran(&deployment(""), &last(nonce));
            assert_eq!(of_update(&RULE, &job(&fields), &live, "{}"), expected, "{nonce} -> {fields}");
        }
        let (nonce, live) = (job("savepointRedeployNonce: 1"), last_ran(&deployment(""), &last("null")));
        assert_eq!(of_update(&RULE, &nonce, &live, "platform: {operatorVersion: '1.7'}"), only(Effect::Note));
        assert_eq!(of_manifest(&RULE, &nonce, "{}"), SILENT, "nothing runs yet");
        assert_eq!(of_update(&RULE, &nonce, &deployment(""), "{}"), unjudged(), "no status");
        let session = last_ran(&deployment(""), r#"{"job": null}"#);
        assert_eq!(of_update(&RULE, &nonce, &session, "{}"), SILENT, "cluster-type-switch");
        let session_job = |fields: &str| session_job(&format!("parallelism: 1{fields}"));
        let live = last_ran(&session_job(""), &last("null"));
        assert_eq!(of_update(&RULE, &session_job(", savepointRedeployNonce: 1"), &live, "{}"), only(Effect::Deny));
    }

    #[test]
    fn a_rollback_redeploys_no_better() {
        let stable = r#"{"job": {"parallelism": 2}}"#;
        let live = last_ran(&deployment(""), stable)
            .replace("reconciliationStatus: {", "reconciliationStatus: {lastStableSpec: '{\"spec\": {\"job\": {}}}', ");
        assert_eq!(of_update(&RULE, &job("savepointRedeployNonce: 1"), &live, "{}"), only(Effect::Deny));
    }
}
