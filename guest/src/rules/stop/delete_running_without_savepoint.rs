//! A running job's resource is deleted without a savepoint (DOMAIN 6.12, 6.0-9). The operator removes the metadata of
//! high availability with it: there is no way back.

use crate::finding::Report;
use crate::operation::{Action, Change, Deletion, Dialect, JobState, Restart, Skipped, Stage, Want};
use crate::rules::{Level, Parameter, ParameterKind, Rule, duration, words};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "delete-running-without-savepoint",
    title: "delete of a running job without savepoint",
    family: "stop",
    why: "By default the operator takes no savepoint on a delete, and it removes the job's checkpoint metadata: the state \
          of a running job is gone.",
    source: "FKO documentation, danger box on deletion; DOMAIN 4.2-7 and 6.12",
    looks_at: &[(Dialect::Kubernetes, "deletes, lost finalizers, the canary label, `savepoint-on-deletion`")],
    facts: &["intent.restartPlanned", "platform.flinkConfiguration", "related", "savepoints", "now"],
    parameters: &[FRESH_FOR],
    level: Level::Deny,
    check,
};

const FRESH_FOR: Parameter = Parameter {
    name: "freshFor",
    title: "how long a completed savepoint stands for the one that the delete does not take",
    kind: ParameterKind::Duration(15 * 60),
};

const SWITCH: &str = "kubernetes.operator.job.savepoint-on-deletion";
const FRESH: &str = "whether a fresh savepoint of the job is there";
/// What a session job does not say itself.
const BY_CLUSTER: &str = "the configuration of the session cluster (`related`): whether \
                          `kubernetes.operator.job.savepoint-on-deletion` is on there";

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        match &operation.action {
            Action::Delete(deletion) => judge(deletion, stage, report),
            Action::Change(change) => arming(change, stage, report),
            _ => {}
        }
    }
}

/// An edit after which a delete takes no savepoint any more (DOMAIN 6.0-10).
fn arming(change: &Change<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(place) = &change.drops_savepoint_on_delete else { return };
    let stateful = stage.current.stateful == Some(true) || change.stateful == Some(true);
    if !stateful || matches!(stage.intent.restart(), Restart::Final(_)) {
        return;
    }
    let message = "the savepoint on deletion is switched off: nothing happens now, but a later delete takes none, and the \
                   job's state goes with it";
    report.warn(place, message).expected("true").remedy(format!("leave `{SWITCH}: \"true\"` as it was"));
}

/// Whether the delete of a job in this state is refused.
pub(super) fn refuses(
    deletion: &Deletion<'_>,
    state: Option<&JobState>,
    stage: &Stage<'_>,
    settings: &Settings,
) -> bool {
    let fresh_for = settings.seconds(&RULE, &FRESH_FOR);
    let last = matches!(stage.intent.restart(), Restart::Final(_)) && !stage.intent.by_plan;
    state == Some(&JobState::Running)
        && !nothing_to_lose(deletion, state)
        && deletion.savepoint_first.is_some()
        && deletion.stateful.is_some()
        && deletion.savepoint_age.is_none_or(|age| age > fresh_for)
        && !last
}

fn nothing_to_lose(deletion: &Deletion<'_>, state: Option<&JobState>) -> bool {
    deletion.deployed == Some(false)
        || deletion.stateful == Some(false)
        || deletion.savepoint_first == Some(true)
        || state.is_some_and(JobState::is_over)
}

fn judge(deletion: &Deletion<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let state = stage.current.state.as_ref();
    if nothing_to_lose(deletion, state) {
        return;
    }
    let place = &deletion.place;
    let by_cluster = deletion.savepoint_first.is_none() && stage.current.cluster_unknown;
    // That a plan ends with the delete says nothing of whether its state is still wanted: that has to be declared.
    if let Restart::Final(who) = stage.intent.restart()
        && !stage.intent.by_plan
    {
        let message = format!("the job's state is deleted with it; accepted because the job ends for good ({who})");
        return report.note(place, message).remedy("nothing to do if the job is never to run again");
    }
    let left = match &deletion.restore_point {
        Some(point) => format!("the last known restore point is {point}"),
        None => "no restore point is known".to_owned(),
    };
    let fresh_for = report.settings().seconds(&RULE, &FRESH_FOR);
    if deletion.savepoint_age.is_some_and(|age| age <= fresh_for) {
        let message = format!("no savepoint is taken on this delete, but a fresh one is there: {left}");
        return report.note(place, message).remedy("keep that savepoint until the job runs again");
    }
    if by_cluster {
        report.wish(Want::Cluster, BY_CLUSTER);
    }
    let unless = match by_cluster {
        true => ", unless the configuration of its session cluster, which is not known, keeps it on",
        false => "",
    };
    let message = match deletion.skipped {
        None if by_cluster => format!(
            "unless the configuration of its session cluster, which is not known, switches it on, no savepoint is taken on \
             this delete, and the job's metadata is removed: {left}"
        ),
        None => format!("no savepoint is taken on this delete, and the job's metadata is removed: {left}"),
        Some(Skipped::Canary) => format!(
            "with the label `flink.apache.org/canary` the operator skips its clean-up: the resource goes without a \
             savepoint, whatever its settings say, and nobody looks after the job; {left}"
        ),
        Some(Skipped::Finalizer) => format!(
            "without the operator's finalizer there is no clean-up: the resource goes without a savepoint, whatever its \
             settings say, and nobody looks after the job; {left}"
        ),
        Some(Skipped::SwitchedOff) => format!(
            "the resource is being deleted, and this takes away the savepoint that the operator would have taken{unless}: \
             {left}"
        ),
    };
    let draft = match state {
        Some(JobState::Running) => match (deletion.savepoint_first, deletion.stateful) {
            (Some(_), Some(_)) => {
                report.wish(Want::Savepoints, FRESH);
                report.main(place, message)
            }
            (None, _) if by_cluster => {
                report.lacks(Want::Cluster, BY_CLUSTER);
                report.wish(Want::Savepoints, FRESH);
                report.warn(place, message)
            }
            (None, _) => {
                report.unjudged("the operator's default of `kubernetes.operator.job.savepoint-on-deletion`");
                report.warn(place, message)
            }
            (_, None) => {
                report.unjudged("whether the job has state to lose");
                report.warn(place, message)
            }
        },
        None | Some(JobState::Unknown(_)) => {
            report.unjudged("the job's state");
            report.warn(place, message)
        }
        Some(_) => report.warn(place, message),
    };
    let observed = state.map_or("unknown", JobState::word);
    let next = match state {
        _ if deletion.skipped.is_some() => match deletion.skipped {
            Some(Skipped::Canary) => "leave the canary label off; to delete it, take the label away first",
            Some(Skipped::SwitchedOff) => {
                "leave the switch on until the resource is gone; if its savepoint cannot succeed, cancel the job first"
            }
            _ => {
                "leave the finalizer to the operator; if it hangs, take a savepoint by hand and delete soon after it is \
                 completed"
            }
        }
        .to_owned(),
        Some(state) if *state != JobState::Running => {
            "let it come back to RUNNING and take a savepoint first; if it cannot, keep the checkpoint named here or \
             found in its checkpoint directory"
                .to_owned()
        }
        _ => format!(
            "set `{SWITCH}: \"true\"` first, or create a FlinkStateSnapshot and \
             delete within {} of its completion; if the job ends for good, {}",
            duration::write(fresh_for),
            words::declare_final(stage)
        ),
    };
    draft.observed(observed).remedy(next);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Deletion, Dialect, Place, Skipped, Stage};
    use crate::rules::testing::{SILENT, at_least, deletion, findings, only, run, says, stage};

    fn delete(state: &str, change: impl FnOnce(&mut Deletion<'static>)) -> Stage<'static> {
        let mut deletion = deletion();
        change(&mut deletion);
        stage(Dialect::Kubernetes, Action::Delete(deletion)).in_state(state)
    }

    #[test]
    fn a_running_stateful_job_is_not_deleted_like_that() {
        assert_eq!(says(&RULE, &delete("RUNNING", |_| {})), only(Effect::Deny));
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.deployed = None)), only(Effect::Deny));
    }

    #[test]
    fn a_savepoint_before_or_just_now_is_good_enough() {
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.savepoint_first = Some(true))), SILENT);
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.savepoint_age = Some(900))), only(Effect::Note));
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.savepoint_age = Some(901))), only(Effect::Deny));
    }

    #[test]
    fn a_switch_that_is_turned_off_warns_while_nothing_is_deleted() {
        let edit = |stateful: Option<bool>| {
            let change = Change { drops_savepoint_on_delete: Some(Place::Request), stateful, ..Change::default() };
            stage(Dialect::Kubernetes, Action::Change(change)).in_state("RUNNING")
        };
        assert_eq!(says(&RULE, &edit(Some(true))), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit(Some(true)).restart_planned(false)), SILENT);
        assert_eq!(says(&RULE, &edit(Some(false))), SILENT);
        assert_eq!(says(&RULE, &edit(Some(false)).with(|it| it.current.stateful = Some(true))), only(Effect::Warn));
        let other = Action::Change(Change { stateful: Some(true), ..Change::default() });
        assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, other)), SILENT);
    }

    #[test]
    fn what_keeps_the_operator_from_cleaning_up_is_told() {
        for (why, words) in
            [(Skipped::Canary, "canary"), (Skipped::Finalizer, "finalizer"), (Skipped::SwitchedOff, "being deleted")]
        {
            let finding = findings(&RULE, &delete("RUNNING", |it| it.skipped = Some(why))).remove(0);
            assert!(finding.effect == Effect::Deny && finding.message.contains(words), "{finding:?}");
        }
    }

    #[test]
    fn nothing_to_lose_is_nothing_to_say() {
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.stateful = Some(false))), SILENT);
        assert_eq!(says(&RULE, &delete("RECONCILING", |it| it.deployed = Some(false))), SILENT);
        for state in ["FAILED", "FINISHED", "CANCELED", "SUSPENDED"] {
            assert_eq!(says(&RULE, &delete(state, |_| {})), SILENT, "{state}");
        }
    }

    #[test]
    fn a_job_in_trouble_can_be_deleted_with_a_warning() {
        for state in ["RESTARTING", "RECONCILING", "CANCELLING"] {
            let troubled = delete(state, |it| it.restore_point = Some("checkpoint `s3://flink/chk-7`".to_owned()));
            assert_eq!(says(&RULE, &troubled), only(Effect::Warn), "{state}");
            assert!(findings(&RULE, &troubled)[0].message.contains("s3://flink/chk-7"));
        }
    }

    #[test]
    fn a_missing_fact_never_denies() {
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.savepoint_first = None)), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &delete("RUNNING", |it| it.stateful = None)), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &delete("A_NEW_WORD", |_| {})), at_least(Effect::Warn));
        let unknown = delete("RUNNING", |_| {}).with(|it| it.current.state = None);
        assert_eq!(says(&RULE, &unknown), at_least(Effect::Warn));
        let by_cluster =
            |state| delete(state, |it| it.savepoint_first = None).with(|it| it.current.cluster_unknown = true);
        assert_eq!(says(&RULE, &by_cluster("RUNNING")), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &by_cluster("RESTARTING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &by_cluster("FAILED")), SILENT);
        let (found, lacking) = run(&RULE, &by_cluster("RUNNING"));
        assert!(found[0].message.contains("session cluster") && lacking[0].lacks.contains("session cluster"));
    }

    #[test]
    fn controllers_and_a_declared_end_pass() {
        let by_controller = delete("RUNNING", |_| {}).with(|it| it.leniency = Some("a controller asks"));
        assert_eq!(says(&RULE, &by_controller), only(Effect::Warn));
        let declared = delete("RUNNING", |_| {}).restart_planned(false);
        assert_eq!(says(&RULE, &declared), only(Effect::Note));
        assert_eq!(says(&RULE, &declared.with(|it| it.intent.by_plan = true)), only(Effect::Deny));
    }
}
