//! A resume that asks for state after a suspend that kept none: the stored mode wins (DOMAIN 4.2-5, 6.12).

use crate::finding::Report;
use crate::operation::{Desired, Dialect, Kind, Place, Stage, StartCause, UpgradeMode};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resume-inherits-stateless-suspend",
    title: "resume after a stateless suspend",
    family: "restore",
    why: "The operator resumes with the mode of the suspend: a job that was suspended stateless comes back empty, whatever \
          `upgradeMode` says now.",
    source: "FKO AbstractJobReconciler; DOMAIN 4.2-5, 6.12",
    looks_at: &[(Dialect::Kubernetes, "resumes: `lastReconciledSpec` and `upgradeMode`")],
    facts: &["deployment.hasState", "deployment.neverStarted"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if !stage.starts().any(|(_, start)| start.cause == StartCause::Resume) {
        return;
    }
    let Some((declaration, _, new)) = stage.edit().filter(|(it, ..)| it.kind != Kind::BlueGreen) else { return };
    let state = declaration.before().and_then(|before| before.status(&["reconciliationStatus", "state"]));
    if new.keeps_state() != Some(true) || !state.is_none_or(|state| state.is("DEPLOYED")) {
        return;
    }
    let known = &stage.facts.deployment;
    let never = known.has_state == Some(false) || known.never_started == Some(true);
    let Some(last) = declaration.last.filter(|_| state.is_some()) else {
        if !never {
            report.unjudged("the mode of the suspend: `lastReconciledSpec` in the status");
        }
        return;
    };
    if last.desired() != Desired::Suspended || last.upgrade_mode() != UpgradeMode::Stateless {
        return;
    }
    let mode = new.of_job("upgradeMode");
    let place = Place::of(mode.or(new.job()));
    let observed = mode.and_then(|mode| mode.text()).unwrap_or_default();
    let draft = match never {
        true => report.warn(&place, "the job was suspended stateless and comes back empty; it has no state to lose"),
        false => report.main(
            &place,
            "the job was suspended stateless, and that mode wins: it comes back empty, although state is asked for",
        ),
    };
    let path = words::spec(stage);
    let draft = draft.observed(observed);
    if never {
        return draft.remedy("nothing to do, unless state is expected");
    }
    draft.remedy(format!(
        "to restore, give its last savepoint or checkpoint in `{path}.job.initialSavepointPath` and change \
         `savepointRedeployNonce`; to start over, resume with `upgradeMode: stateless` and change the mode afterwards"
    ));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Resource, Restore, Spec, Stage, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, start, unjudged, updated};

    fn resume(last: Option<&str>, mode: &str, state: &str) -> Stage<'static> {
        let job = format!("job: {{upgradeMode: {mode}}}");
        let last = last.map(|job| Spec::at(Some(body(&format!("job: {{{job}}}")))));
        updated("job: {state: suspended}", &job).and(start(StartCause::Resume, Restore::Empty)).with(|it| {
            let declaration = it.declaration.as_mut().unwrap();
            let old =
                format!("spec: {{job: {{state: suspended}}}}\nstatus: {{reconciliationStatus: {{state: {state}}}}}");
            declaration.old = Some(Resource::at(body(&old)));
            declaration.last = last;
        })
    }

    const STATELESS: Option<&str> = Some("state: suspended, upgradeMode: stateless");

    #[test]
    fn a_job_that_asks_for_state_must_get_it() {
        for mode in ["savepoint", "last-state"] {
            assert_eq!(says(&RULE, &resume(STATELESS, mode, "DEPLOYED")), only(Effect::Deny));
        }
        let never = resume(STATELESS, "savepoint", "DEPLOYED").with_facts("deployment: {hasState: false}");
        assert_eq!(says(&RULE, &never), only(Effect::Warn));
    }

    #[test]
    fn other_suspends_and_resumes_pass() {
        assert_eq!(says(&RULE, &resume(STATELESS, "stateless", "DEPLOYED")), SILENT);
        assert_eq!(says(&RULE, &resume(STATELESS, "savepoint", "UPGRADING")), SILENT);
        let kept = Some("state: suspended, upgradeMode: savepoint");
        assert_eq!(says(&RULE, &resume(kept, "savepoint", "DEPLOYED")), SILENT);
        // The suspend was never carried out.
        let running = Some("state: running, upgradeMode: stateless");
        assert_eq!(says(&RULE, &resume(running, "savepoint", "DEPLOYED")), SILENT);
        assert_eq!(says(&RULE, &resume(None, "savepoint", "DEPLOYED")), unjudged());
        let other = updated("job: {state: suspended}", "job: {upgradeMode: savepoint}");
        assert_eq!(says(&RULE, &other.and(start(StartCause::Redeploy, Restore::Empty))), SILENT);
    }
}
