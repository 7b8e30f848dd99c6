//! A drain of a job that is to run again (DOMAIN 6.2, 6.12). A drain nobody said anything about is
//! `drain-intent-missing`.

use crate::configuration::{Configuration, DRAIN_ON_SAVEPOINT, SAVEPOINT_ON_DELETION};
use crate::finding::Report;
use crate::operation::{
    Action, Dialect, JobState, Kind, Operation, Place, Restart, Stage, Stop, StopCause, StopMode, Verb, Want,
};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "drain-with-planned-restart",
    title: "drain although the job is to run again",
    family: "stop",
    why: "A drain fires every timer and closes every window early; a job that runs again from its savepoint emits the \
          same windows once more, each time with a part of the data, or fails to resume.",
    source: "S1-6; VVP-DOC draining; REC R4; FLINK-32700, FLINK-22051",
    looks_at: &[
        (Dialect::Kubernetes, "`drain-on-savepoint-deletion` in suspends, upgrades and deletes"),
        (Dialect::Ververica, "the annotation `stop-with-drain` in suspends and upgrades"),
        (Dialect::Alibaba, "`stopStrategy: STOP_WITH_DRAIN`"),
        (Dialect::FlinkRest, "`drain: true`"),
    ],
    facts: &["intent.restartPlanned", "job.status", "deployment.specState", "deployment.statusState", "related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (operation, stop) in stage.stops().filter(|(_, stop)| stop.mode == StopMode::Drain) {
        judge(operation, stop, stage, report);
    }
    at_deletion(stage, report);
    for operation in &stage.operations {
        let Action::Change(change) = &operation.action else { continue };
        let Some(place) = &change.may_drain else { continue };
        report.lacks(Want::Deployment, "whether the deployment runs and its upgrades are stateful");
        report
            .warn(
                place,
                "if the deployment runs, and its upgrades are stateful, this change drains it and starts it again: the same \
                 windows come out twice, each time incomplete",
            )
            .remedy(way_out(StopCause::Upgrade, stage));
    }
    by_cluster(stage, report);
    let known = stage.platform != Dialect::Ververica || stage.facts.deployment.annotations.is_some();
    if !known && stage.stops().any(|(_, stop)| stop.mode == StopMode::Savepoint) {
        report.wish(Want::Deployment, "whether the drain switch of the deployment is on");
    }
}

/// The clean-up of a delete drains as well (DOMAIN 4.2-9), as it is meant to, unless a restart is declared. A resource
/// that is being deleted is judged when one of the switches comes on (DOMAIN 6.0-9).
fn at_deletion(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref() else { return };
    let Restart::Planned(who) = stage.intent.restart() else { return };
    let declared = stage.intent.operator == Some(true) || stage.intent.requester == Some(true);
    let on = |configuration: &Configuration<'_>| {
        configuration.is_on(DRAIN_ON_SAVEPOINT) == Some(true)
            && configuration.is_on(SAVEPOINT_ON_DELETION) == Some(true)
    };
    let first = |it: &Operation<'_>| matches!(&it.action, Action::Delete(it) if it.savepoint_first == Some(true));
    let ends = match declaration.verb {
        Verb::Delete => stage.operations.iter().any(first),
        Verb::Update => {
            let terminating = declaration.old.is_some_and(|old| old.is_terminating());
            terminating && !stage.current.before.as_ref().is_some_and(on)
        }
        Verb::Create => false,
    };
    let kind = matches!(declaration.kind, Kind::Deployment | Kind::SessionJob);
    if !declared || !kind || !ends || !on(&stage.current.configuration) {
        return;
    }
    let Some(operation) = stage.operations.first() else { return };
    let entry = stage.current.configuration.entry(DRAIN_ON_SAVEPOINT);
    let resource = declaration.object.or(declaration.old);
    let place = entry.and_then(|entry| resource?.place_of(entry.node)).unwrap_or_else(|| operation.place.clone());
    let own = resource.and_then(|resource| resource.spec(declaration.kind).get("flinkConfiguration"));
    let drain_left_to_cluster = stage.current.is_left_to_cluster(&stage.current.configuration, DRAIN_ON_SAVEPOINT, own);
    let message = format!("the savepoint of this delete drains the job, and it is to run again ({who}): {TWICE}");
    let draft = match drains(stage) {
        Drains::No => return,
        _ if drain_left_to_cluster => report.warn(&place, message),
        Drains::Yes => report.main(&place, message),
        Drains::NotKnown => report.warn(&place, message),
    };
    draft.observed("true").expected("false").remedy(way_out(StopCause::Delete, stage));
}

/// A session job that takes a savepoint, and leaves it to its cluster, which is not known, whether it drains.
fn by_cluster(stage: &Stage<'_>, report: &mut Report<'_>) {
    if !left_to_cluster(stage) {
        return;
    }
    let takes = |stop: &Stop<'_>| matches!(stop.mode, StopMode::Savepoint) && may_deny(stop, stage);
    if stage.stops().any(|(_, stop)| takes(stop)) && !matches!(drains(stage), Drains::No) {
        report.lacks(Want::Cluster, SWITCH_OF_CLUSTER);
    }
}

const SWITCH_OF_CLUSTER: &str = "the configuration of the session cluster (`related`): whether \
                                 `kubernetes.operator.job.drain-on-savepoint-deletion` is on there";

fn left_to_cluster(stage: &Stage<'_>) -> bool {
    let current = &stage.current;
    current.is_left_to_cluster(&current.configuration, DRAIN_ON_SAVEPOINT, stage.content.configuration)
}

/// An upgrade restarts the job, and a suspend is there to be resumed unless somebody says otherwise.
fn may_deny(stop: &Stop<'_>, stage: &Stage<'_>) -> bool {
    match stop.cause {
        StopCause::Upgrade => true,
        StopCause::Suspend => !matches!(stage.intent.restart(), Restart::Final(_)),
        StopCause::Request | StopCause::Delete => false,
    }
}

const TWICE: &str = "the same windows come out twice, each time incomplete, or the resume fails";

/// Whether the job really drains: the operator takes its savepoint, and drains, only from a running job.
enum Drains {
    Yes,
    No,
    NotKnown,
}

fn drains(stage: &Stage<'_>) -> Drains {
    match (stage.platform, &stage.current.state) {
        (Dialect::Kubernetes, None | Some(JobState::Unknown(_))) => Drains::NotKnown,
        (Dialect::Kubernetes, Some(JobState::Running)) => Drains::Yes,
        (Dialect::Kubernetes, Some(_)) => Drains::No,
        (_, Some(state)) if state.is_over() => Drains::No,
        _ => Drains::Yes,
    }
}

fn judge(operation: &Operation<'_>, stop: &Stop<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let place = stop.drain.as_ref().unwrap_or(&operation.place);
    let who = match (stop.cause, stage.intent.restart()) {
        (StopCause::Delete, _) => return,
        (StopCause::Upgrade, _) => "this change restarts it at once",
        (StopCause::Request | StopCause::Suspend, Restart::Final(who)) => return accept(who, place, stage, report),
        (StopCause::Suspend, Restart::Unknown { refused: true }) => {
            "a suspended job is there to be resumed, and the caller's word for `final` does not count"
        }
        (StopCause::Suspend, Restart::Unknown { refused: false }) => "a suspended job is there to be resumed",
        (StopCause::Request | StopCause::Suspend, Restart::Planned(who)) => who,
        (StopCause::Request, Restart::Unknown { .. }) => {
            if !matches!(drains(stage), Drains::No) && !stage.facts.seen.no_such_job {
                report.unjudged("whether a restart is planned");
            }
            return;
        }
    };
    let message = format!("the drain closes all windows early, and the job is to run again ({who}): {TWICE}");
    let mut draft = match drains(stage) {
        Drains::No => return,
        // On by the operator's defaults alone: the cluster may have it off.
        _ if left_to_cluster(stage) => {
            report.lacks(Want::Cluster, SWITCH_OF_CLUSTER);
            report.warn(place, message)
        }
        Drains::Yes => report.main(place, message),
        Drains::NotKnown => {
            report.unjudged("whether the job is running: only then the operator drains it");
            report.warn(place, message)
        }
    };
    if let Some(value) = words::value(place) {
        draft = draft.observed(value).expected(match stage.platform {
            Dialect::Alibaba => "STOP_WITH_SAVEPOINT",
            _ => "false",
        });
    }
    draft.remedy(way_out(stop.cause, stage));
}

fn way_out(cause: StopCause, stage: &Stage<'_>) -> String {
    let keep = match stage.platform {
        Dialect::Kubernetes => {
            "set `kubernetes.operator.job.drain-on-savepoint-deletion` to `false` first, then repeat"
        }
        Dialect::Ververica => {
            "first remove the annotation `com.dataartisans.appmanager.controller.deployment.stop-with-drain`, then repeat"
        }
        _ => words::stop_with_savepoint(stage),
    };
    match cause {
        StopCause::Upgrade | StopCause::Delete => keep.to_owned(),
        StopCause::Request | StopCause::Suspend => {
            format!("{keep}; only if the job ends for good, {}", words::declare_final(stage))
        }
    }
}

/// What lifts a denial is echoed, as an override would be.
fn accept(who: &str, place: &Place<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    if !matches!(drains(stage), Drains::No) {
        let message = format!("the drain is accepted because the job ends for good ({who})");
        report.note(place, message).remedy("do not start the job again from the savepoint that this drain writes");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, AssumedBy, Dialect, Place, Stage, Stop, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, findings, only, says, stage, stop, unjudged};

    fn drain(platform: Dialect, cause: StopCause) -> Stage<'static> {
        stage(platform, stop(StopMode::Drain, cause)).in_state("RUNNING")
    }

    #[test]
    fn a_planned_restart_denies() {
        for platform in [Dialect::Alibaba, Dialect::FlinkRest, Dialect::Ververica, Dialect::Kubernetes] {
            assert_eq!(
                says(&RULE, &drain(platform, StopCause::Request).restart_planned(true)),
                only(Effect::Deny),
                "{platform:?}"
            );
        }
        let savepoint = stage(Dialect::Alibaba, stop(StopMode::Savepoint, StopCause::Request)).restart_planned(true);
        assert_eq!(says(&RULE, &savepoint), SILENT);
    }

    #[test]
    fn an_upgrade_restarts_whatever_is_declared_and_a_suspend_unless_final() {
        for platform in [Dialect::Kubernetes, Dialect::Ververica] {
            let upgrade = drain(platform, StopCause::Upgrade).restart_planned(false);
            assert_eq!(says(&RULE, &upgrade), only(Effect::Deny));
            assert_eq!(says(&RULE, &drain(platform, StopCause::Suspend)), only(Effect::Deny));
            let last = drain(platform, StopCause::Suspend).restart_planned(false);
            assert_eq!(says(&RULE, &last), only(Effect::Note));
        }
        assert_eq!(says(&RULE, &drain(Dialect::Kubernetes, StopCause::Delete)), SILENT);
    }

    #[test]
    fn a_word_for_final_counts_only_from_whom_the_settings_trust() {
        let mut said = drain(Dialect::Kubernetes, StopCause::Suspend).with(|it| it.intent.requester = Some(false));
        let found = findings(&RULE, &said);
        assert_eq!(found[0].effect, Effect::Deny);
        assert!(found[0].message.contains("does not count"), "{}", found[0].message);
        assert!(found[0].remedy.contains("intent.acceptFrom"), "{}", found[0].remedy);
        said.intent.trusted = true;
        assert_eq!(says(&RULE, &said), only(Effect::Note));
    }

    #[test]
    fn the_operator_drains_only_a_running_job() {
        let upgrade = || stage(Dialect::Kubernetes, stop(StopMode::Drain, StopCause::Upgrade));
        assert_eq!(says(&RULE, &upgrade()), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade().in_state("A_STATE_OF_FLINK_3")), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade().in_state("RESTARTING")), SILENT);
        assert_eq!(says(&RULE, &upgrade().in_state("FINISHED")), SILENT);
    }

    #[test]
    fn a_session_job_may_leave_it_to_its_cluster() {
        let session =
            |mode, cause| stage(Dialect::Kubernetes, stop(mode, cause)).with(|it| it.current.cluster_unknown = true);
        for cause in [StopCause::Upgrade, StopCause::Suspend] {
            let stops = |mode, state| says(&RULE, &session(mode, cause).in_state(state));
            assert_eq!(stops(StopMode::Savepoint, "RUNNING"), unjudged(), "{cause:?}");
            assert_eq!(stops(StopMode::Savepoint, "FAILED"), SILENT, "{cause:?}");
            assert_eq!(stops(StopMode::Cancel, "RUNNING"), SILENT, "{cause:?}");
            assert_eq!(stops(StopMode::Drain, "RUNNING"), at_least(Effect::Warn), "{cause:?}");
            assert_eq!(says(&RULE, &session(StopMode::Savepoint, cause)), unjudged(), "{cause:?}");
        }
        let last = session(StopMode::Savepoint, StopCause::Suspend).in_state("RUNNING").restart_planned(false);
        assert_eq!(says(&RULE, &last), SILENT);
    }

    #[test]
    fn elsewhere_the_state_matters_only_when_the_job_is_over() {
        let unknown = stage(Dialect::FlinkRest, stop(StopMode::Drain, StopCause::Request)).restart_planned(true);
        assert_eq!(says(&RULE, &unknown), only(Effect::Deny));
        assert_eq!(says(&RULE, &unknown.in_state("FINISHED")), SILENT);
    }

    #[test]
    fn an_unknown_intent_is_not_judged() {
        let unknown = || stage(Dialect::Alibaba, stop(StopMode::Drain, StopCause::Request));
        assert_eq!(says(&RULE, &unknown()), unjudged());
        assert_eq!(says(&RULE, &unknown().in_state("RUNNING")), unjudged());
        assert_eq!(says(&RULE, &unknown().in_state("FAILED")), SILENT);
        let gone = unknown().with(|it| it.facts.seen.no_such_job = true);
        assert_eq!(says(&RULE, &gone), SILENT);
        let assumed = drain(Dialect::Alibaba, StopCause::Request)
            .with(|it| it.intent.restart_assumed = Some(AssumedBy::Settings));
        assert_eq!(says(&RULE, &assumed), only(Effect::Deny));
    }

    #[test]
    fn the_finding_points_at_the_switch_and_says_what_to_send() {
        let strategy = body(r#"{"stopStrategy": "STOP_WITH_DRAIN"}"#).get("stopStrategy").unwrap();
        let asked = drain(Dialect::Alibaba, StopCause::Request)
            .restart_planned(true)
            .with(|it| it.operations[0].place = Place::Body(strategy));
        let finding = findings(&RULE, &asked).remove(0);
        assert_eq!(finding.observed.as_deref(), Some("STOP_WITH_DRAIN"));
        assert_eq!(finding.expected.as_deref(), Some("STOP_WITH_SAVEPOINT"));
        assert!(finding.remedy.starts_with("send `stopStrategy: STOP_WITH_SAVEPOINT`"), "{}", finding.remedy);

        let key = body(r#"{"kubernetes.operator.job.drain-on-savepoint-deletion": true}"#)
            .get("kubernetes.operator.job.drain-on-savepoint-deletion");
        let action = Action::Stop(Stop {
            mode: StopMode::Drain,
            cause: StopCause::Upgrade,
            drain: Some(Place::of(key)),
            directory: None,
        });
        let finding = findings(&RULE, &stage(Dialect::Kubernetes, action).in_state("RUNNING")).remove(0);
        assert_eq!((finding.observed.as_deref(), finding.expected.as_deref()), (Some("true"), Some("false")));
        assert!(!finding.remedy.contains("final"), "{}", finding.remedy);
    }
}
