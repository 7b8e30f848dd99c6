//! A stop that does not wait for a savepoint which is being taken (DOMAIN 4.2-11).

use crate::configuration::IGNORE_PENDING_SAVEPOINT;
use crate::finding::Report;
use crate::operation::{Dialect, JobState, Kind, Resource, Stage, StopCause, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "pending-savepoint-ignored",
    title: "stop breaks a savepoint in progress",
    family: "savepoint",
    why: "With `ignore-pending-savepoint` the operator does not wait: the savepoint that somebody is waiting for fails.",
    source: "DOMAIN 4.2-11, 4.3",
    looks_at: &[(Dialect::Kubernetes, "upgrades and suspends with `job.upgrade.ignore-pending-savepoint`")],
    facts: &["savepoints", "related", "platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let on = stage.current.configuration.is_on(IGNORE_PENDING_SAVEPOINT) == Some(true);
    // A blue/green job goes on until the other colour runs.
    if !on || stage.current.savepoint_always || stage.current.state.as_ref().is_some_and(JobState::is_over) {
        return;
    }
    let ends = |cause: StopCause| matches!(cause, StopCause::Upgrade | StopCause::Suspend);
    let Some((operation, _)) = stage.stops().find(|(_, stop)| ends(stop.cause)) else { return };
    let Some((declaration, ..)) = stage.edit() else { return };
    let target = &operation.target;
    let snapshots =
        || stage.facts.related.iter().filter(|node| node.get("kind").is_some_and(|it| it.is(Kind::Snapshot.word())));
    let snapshot =
        snapshots().find(|node| Resource::at(**node).is_savepoint_of(declaration.kind, target, "IN_PROGRESS"));
    let declared = stage.facts.savepoints.iter().flatten();
    let started = declared.map(|it| it.state.as_deref()).any(|it| matches!(it, Some("STARTED" | "IN_PROGRESS")));
    let trigger = declaration.before().and_then(|it| it.status_text(&["jobStatus", "savepointInfo", "triggerId"]));
    if snapshot.is_none() && !started && trigger.is_none() {
        if snapshots().next().is_none() && stage.facts.savepoints.is_none() {
            report.wish(Want::Savepoints, "whether a savepoint of the job is in progress");
        }
        return;
    }
    let name = snapshot.and_then(|node| node.path(&["metadata", "name"])).and_then(|name| name.text()).or(trigger);
    report
        .main(&operation.place, "a savepoint of this job is being taken, and the operator does not wait for it: it is broken off")
        .observed(name.as_deref().unwrap_or("in progress"))
        .remedy(
            "wait until it is COMPLETED; or take `kubernetes.operator.job.upgrade.ignore-pending-savepoint` away, and the \
             operator waits",
        );
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Resource, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, only, says, stop, updated};

    fn upgrade(facts: &str) -> Stage<'static> {
        let stage =
            updated("image: a", "image: b").and(stop(StopMode::Savepoint, StopCause::Upgrade)).with_facts(facts);
        stage.with(|it| {
            it.current.configuration = Configuration::default();
            it.current.configuration.overlay(body("kubernetes.operator.job.upgrade.ignore-pending-savepoint: true"));
        })
    }

    const SNAPSHOT: &str = "related: [{kind: FlinkStateSnapshot, metadata: {name: s1}, spec: {jobReference: {kind: \
                            FlinkDeployment, name: orders}, savepoint: {}}, status: {state: IN_PROGRESS}}]";

    #[test]
    fn a_savepoint_in_progress_is_told() {
        assert_eq!(says(&RULE, &upgrade("savepoints: [{state: IN_PROGRESS}]")), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(SNAPSHOT)), only(Effect::Warn));
        let by_status = upgrade("{}").with(|it| {
            let old = "spec: {image: a}\nstatus: {jobStatus: {savepointInfo: {triggerId: abc}}}";
            it.declaration.as_mut().unwrap().old = Some(Resource::at(body(old)));
        });
        assert_eq!(says(&RULE, &by_status), only(Effect::Warn));
    }

    #[test]
    fn none_in_progress_or_no_stop_is_fine() {
        assert_eq!(says(&RULE, &upgrade("{}")), SILENT);
        assert_eq!(says(&RULE, &upgrade("savepoints: [{state: COMPLETED}]")), SILENT);
        assert_eq!(says(&RULE, &upgrade(&SNAPSHOT.replace("IN_PROGRESS", "COMPLETED"))), SILENT);
        assert_eq!(says(&RULE, &upgrade(&SNAPSHOT.replace("orders", "bills"))), SILENT);
        let waits = upgrade(SNAPSHOT).with(|it| it.current.configuration = Configuration::default());
        assert_eq!(says(&RULE, &waits), SILENT);
        assert_eq!(says(&RULE, &upgrade(SNAPSHOT).with(|it| it.operations.clear())), SILENT);
    }
}
