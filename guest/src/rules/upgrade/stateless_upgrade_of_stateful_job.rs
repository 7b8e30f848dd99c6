//! A job that keeps its state is turned into one that starts empty (DOMAIN 6.5, 6.12). A suspend of a job
//! that was stateless before is `cancel-without-savepoint`.

use crate::facts::Savepoint;
use crate::finding::Report;
use crate::operation::{
    Action, Declaration, Desired, Dialect, JobState, Place, Restart, Stage, StartCause, StopCause, StopMode,
    UpgradeMode, Want,
};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "stateless-upgrade-of-stateful-job",
    title: "stateless upgrade of a stateful job",
    family: "upgrade",
    why: "The job is cancelled and the new one starts empty: what it had counted, joined or deduplicated is gone.",
    source: "DOMAIN 1.3, 4.2-2, 4.2-5, 6.0-10, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "`upgradeMode` that becomes `stateless`, or is removed"),
        (Dialect::Ververica, "`upgradeStrategy.kind` that becomes STATELESS"),
    ],
    facts: &["deployment.upgradeStrategy", "deployment.hasState", "deployment.neverStarted"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let known = &stage.facts.deployment;
    if known.has_state == Some(false) || known.never_started == Some(true) {
        return;
    }
    match stage.platform {
        Dialect::Ververica => ververica(stage, report),
        _ => kubernetes(stage, report),
    }
}

fn kubernetes(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((declaration, old, new)) = stage.edit() else { return };
    let stateless = new.job().is_some_and(|job| job.is_object()) && new.upgrade_mode() == UpgradeMode::Stateless;
    // A mode that is not known may keep state: what the operator has seen tells.
    let stateful = old.job().is_some() && old.keeps_state().or(stage.current.stateful) == Some(true);
    // A redeploy says itself what it starts from. A suspend of a running job drops its state as well: the resume is empty.
    let suspends = stage.stops().any(|(_, stop)| stop.cause == StopCause::Suspend);
    let running = stage.current.state == Some(JobState::Running);
    if suspends && (!running || matches!(stage.intent.restart(), Restart::Final(_))) {
        return;
    }
    if !stateless || !stateful || new.redeploys(&old) || stage.current.deployed == Some(false) {
        return;
    }
    let stored = declaration.last.filter(|last| last.desired() == Desired::Suspended);
    if stored.is_some_and(|last| last.upgrade_mode() == UpgradeMode::Stateless) {
        // The suspend kept nothing that could be lost now.
        return;
    }
    let word = new.of_job("upgradeMode");
    let place = Place::of(word.or(new.job()));
    let removed = if word.is_none() { "without `upgradeMode` it is `stateless`: " } else { "" };
    let path = words::spec(stage);
    let mode = old.of_job("upgradeMode").and_then(|mode| mode.text()).unwrap_or_default();
    let remedy = format!("keep `{path}.job.upgradeMode: {mode}`; override this rule if the job is meant to start over");
    let starts = stage.starts().any(|(_, start)| matches!(start.cause, StartCause::Upgrade | StartCause::Resume));
    let over = stage.current.state.as_ref().is_some_and(|state| state.is_over() && *state != JobState::Suspended);
    let unknown = stored.is_none() && over && !knows_state(stage, declaration);
    let draft = if !starts && !suspends {
        let message = format!("{removed}nothing happens now, but with the next change the job starts empty");
        report.warn(&place, message)
    } else if unknown {
        let message = format!("{removed}the job starts empty; it has ended, and no snapshot of it is known");
        report.warn(&place, message)
    } else if stage.current.deployed.is_none() {
        report.unjudged("whether the job was ever deployed");
        report.warn(&place, format!("{removed}the job starts empty, whatever state it has now"))
    } else {
        report.main(&place, format!("{removed}the job's state is dropped, and it starts empty"))
    };
    draft
        .observed(if word.is_some() { "stateless" } else { "none, which means stateless" })
        .expected(mode)
        .remedy(remedy);
}

fn knows_state(stage: &Stage<'_>, declaration: &Declaration<'_>) -> bool {
    let completed = |savepoint: &Savepoint<'_>| savepoint.state.as_deref() == Some("COMPLETED");
    stage.facts.deployment.has_state == Some(true)
        || declaration.before().is_some_and(|before| before.knows_state())
        || stage.facts.savepoints.iter().flatten().any(completed)
}

fn ververica(stage: &Stage<'_>, report: &mut Report<'_>) {
    let change = stage.operations.iter().find_map(|operation| match &operation.action {
        Action::Change(change) => change.turns_stateless.as_ref(),
        _ => None,
    });
    let Some(place) = change else { return };
    let upgrades = |cause: StopCause, mode: StopMode| cause == StopCause::Upgrade && mode == StopMode::Cancel;
    let now = stage.stops().any(|(_, stop)| upgrades(stop.cause, stop.mode));
    let draft = match (stage.current.stateful, now) {
        (Some(true), true) => report.main(
            place,
            "this upgrade takes no savepoint any more: the job loses what came after its last snapshot, or all state",
        ),
        (Some(true), false) => report.warn(
            place,
            "nothing happens now, but the next upgrade takes no savepoint: the job loses what came after its last \
             snapshot, or all state",
        ),
        (None, true) => return report.lacks(Want::Deployment, "the upgrade strategy until now"),
        _ => return,
    };
    draft
        .observed("STATELESS")
        .expected("STATEFUL")
        .remedy("keep `spec.upgradeStrategy.kind: STATEFUL`; override this rule if the job is meant to start over");
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Place, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, findings, only, says, stage, start, stop, unjudged, updated};

    /// An update from one job to another that restarts it.
    fn upgrade(old: &str, new: &str) -> Stage<'static> {
        edit(old, new)
            .and(stop(StopMode::Cancel, StopCause::Upgrade))
            .and(start(StartCause::Upgrade, Restore::Empty))
            .in_state("RUNNING")
    }

    fn edit(old: &str, new: &str) -> Stage<'static> {
        let job = |fields: &str| format!("job: {{{fields}}}");
        updated(&job(old), &job(new)).with(|it| it.current.deployed = Some(true))
    }

    const SAVEPOINT: &str = "upgradeMode: savepoint";
    const STATELESS: &str = "upgradeMode: stateless";

    #[test]
    fn an_upgrade_that_drops_state_denies() {
        for old in [SAVEPOINT, "upgradeMode: last-state"] {
            assert_eq!(says(&RULE, &upgrade(old, STATELESS)), only(Effect::Deny));
            assert_eq!(says(&RULE, &upgrade(old, "")), only(Effect::Deny));
            assert_eq!(says(&RULE, &upgrade(old, SAVEPOINT)), SILENT);
        }
        assert_eq!(says(&RULE, &upgrade(STATELESS, "")), SILENT);
        assert_eq!(says(&RULE, &upgrade(STATELESS, "").with(|it| it.current.stateful = Some(true))), SILENT);
        assert!(findings(&RULE, &upgrade(SAVEPOINT, ""))[0].message.starts_with("without `upgradeMode`"));
        let unknown = upgrade("upgradeMode: newer", STATELESS);
        assert_eq!(says(&RULE, &unknown), SILENT);
        assert_eq!(says(&RULE, &unknown.with(|it| it.current.stateful = Some(true))), only(Effect::Deny));
    }

    #[test]
    fn what_only_arms_or_loses_nothing_does_not() {
        assert_eq!(says(&RULE, &edit(SAVEPOINT, STATELESS).in_state("RUNNING")), only(Effect::Warn));
        let redeploy = "upgradeMode: stateless, savepointRedeployNonce: 1";
        assert_eq!(says(&RULE, &upgrade(SAVEPOINT, redeploy)), SILENT);
        assert_eq!(says(&RULE, &upgrade(SAVEPOINT, STATELESS).in_state("FAILED")), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(SAVEPOINT, STATELESS).in_state("RESTARTING")), only(Effect::Deny));
        for facts in ["deployment: {hasState: false}", "deployment: {neverStarted: true}"] {
            assert_eq!(says(&RULE, &upgrade(SAVEPOINT, STATELESS).with_facts(facts)), SILENT);
        }
        let deployed = |known| upgrade(SAVEPOINT, STATELESS).with(|it| it.current.deployed = known);
        assert_eq!(says(&RULE, &deployed(Some(false))), SILENT);
        assert_eq!(says(&RULE, &deployed(None)), at_least(Effect::Warn));
        let suspend = edit(SAVEPOINT, STATELESS).and(stop(StopMode::Cancel, StopCause::Suspend));
        assert_eq!(says(&RULE, &suspend), SILENT);
        let suspend = || edit(SAVEPOINT, STATELESS).and(stop(StopMode::Cancel, StopCause::Suspend)).in_state("RUNNING");
        assert_eq!(says(&RULE, &suspend()), only(Effect::Deny));
        assert_eq!(says(&RULE, &suspend().restart_planned(false)), SILENT);
        assert_eq!(says(&RULE, &suspend().in_state("RESTARTING")), SILENT);
    }

    #[test]
    fn a_strategy_that_is_turned_stateless_is_told() {
        let change = || Change { turns_stateless: Some(Place::Request), ..Change::default() };
        let patch =
            |stateful| stage(Dialect::Ververica, Action::Change(change())).with(|it| it.current.stateful = stateful);
        let upgrade = |stateful| patch(stateful).and(stop(StopMode::Cancel, StopCause::Upgrade));
        assert_eq!(says(&RULE, &upgrade(Some(true))), only(Effect::Deny));
        assert_eq!(says(&RULE, &patch(Some(true))), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(Some(false))), SILENT);
        assert_eq!(says(&RULE, &upgrade(None)), unjudged());
        assert_eq!(says(&RULE, &patch(None)), SILENT);
        let other = stage(Dialect::Ververica, Action::Change(Change::default()));
        assert_eq!(says(&RULE, &other.with(|it| it.current.stateful = Some(true))), SILENT);
    }
}
