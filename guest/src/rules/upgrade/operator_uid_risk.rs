//! Another program over kept state, while operators may go without a uid (FLINK-34352). No request shows the uids.

use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Stage, StartCause};
use crate::rules::kept::kept;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "operator-uid-risk",
    title: "new program over kept state without a guard on uids",
    family: "upgrade",
    why: "Without explicit uids, state finds its operator by the shape of the job: another program may get the wrong \
          state, or none.",
    source: "FLINK-34352; BEAM-5396; DOMAIN 3.6",
    looks_at: &[
        (Dialect::Kubernetes, "a changed `image` or `jarURI`, `pipeline.auto-generate-uids`"),
        (Dialect::Ververica, "a changed `artifact`, `pipeline.auto-generate-uids`"),
        (Dialect::Alibaba, "a changed `artifact`, `pipeline.auto-generate-uids`"),
        (Dialect::FlinkRest, "a jar run that restores, `pipeline.auto-generate-uids`"),
    ],
    facts: &["platform.flinkConfiguration", "deployment.flinkConfiguration"],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let run = stage
        .starts()
        .find(|(_, start)| start.cause == StartCause::Request && stage.platform == Dialect::FlinkRest)
        .map(|(operation, _)| operation.place.clone());
    // The planner gives SQL its uids.
    let program =
        stage.content.artifact.filter(|artifact| !artifact.get("kind").is_some_and(|kind| kind.is("SQLSCRIPT")));
    let Some(place) = program.map(Place::Body).or(run) else { return };
    let guarded = stage.current.configuration.is_on(&["pipeline.auto-generate-uids"]) == Some(false);
    let creates = stage.operations.iter().all(|operation| !matches!(operation.action, Action::Start(_)))
        && stage.content.restores == Some(false);
    if guarded || creates || kept(stage).is_none() {
        return;
    }
    let message = "another program gets the state of the old one: operators without an explicit uid may get the wrong \
                   state, or none";
    report.main(&place, message).expected("pipeline.auto-generate-uids: false").remedy(
        "give every operator a uid, and set `pipeline.auto-generate-uids: false`, so that Flink refuses a job without",
    );
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, only, says, stage, start, stop};

    fn upgrade(mode: StopMode, restore: Restore<'static>) -> Stage<'static> {
        let change = Change { content: true, reach: Reach::Applied, ..Change::default() };
        stage(Dialect::Ververica, Action::Change(change))
            .and(stop(mode, StopCause::Upgrade))
            .and(start(StartCause::Upgrade, restore))
            .with(|stage| stage.content.artifact = Some(body("{kind: JAR, jarUri: 's3://b/a.jar'}")))
    }

    #[test]
    fn a_new_program_over_old_state_is_told_of() {
        let kept = || upgrade(StopMode::Savepoint, Restore::Stopped);
        assert_eq!(says(&RULE, &kept()), only(Effect::Warn));
        let with = |map: &'static str| kept().with(|stage| stage.current.configuration.overlay(body(map)));
        assert_eq!(says(&RULE, &with("pipeline.auto-generate-uids: false")), SILENT);
        assert_eq!(says(&RULE, &with("pipeline.auto-generate-uids: true")), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade(StopMode::Cancel, Restore::Empty)), SILENT);
        let sql = kept().with(|stage| stage.content.artifact = Some(body("{kind: SQLSCRIPT}")));
        assert_eq!(says(&RULE, &sql), SILENT);
        assert_eq!(says(&RULE, &kept().with(|stage| stage.content.artifact = None)), SILENT);
    }

    #[test]
    fn a_jar_run_counts_where_it_restores() {
        let run = |restore| stage(Dialect::FlinkRest, start(StartCause::Request, restore));
        assert_eq!(says(&RULE, &run(Restore::Location("s3://b/sp".into()))), only(Effect::Warn));
        assert_eq!(says(&RULE, &run(Restore::Empty)), SILENT);
    }
}
