//! A drained savepoint ends a job; one that goes on from it repeats windows that were closed early (S1-6, REC R4).

use crate::facts::Savepoint;
use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage, Start, StartCause, Want};
use crate::restore::{Choice, same_place, select};
use crate::rules::{Level, Rule, words};

/// How many files are read to find out which of several snapshots was drained.
const MOST_READS: usize = 5;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-from-drained-savepoint",
    title: "restore from a drained savepoint",
    family: "restore",
    why: "A drain closes every window before its savepoint is taken. A job that goes on from it sends the rest \
        of the same windows as second, partial results, and nothing fails.",
    source: "S1-6; REC R4; DOMAIN 3.4, 9",
    looks_at: &[
        (Dialect::Alibaba, "the savepoint that a start chooses"),
        (Dialect::Ververica, "the savepoint that a start or an upgrade chooses"),
        (Dialect::FlinkRest, "`savepointPath`, in the body, the query or the configuration"),
        (Dialect::Kubernetes, "`initialSavepointPath`, and the savepoint of the suspend before"),
    ],
    facts: &["savepoints", "deployment.restoreStrategy", "deployment.specState", "deployment.statusState"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        match select(stage, start).choice {
            Choice::One(savepoint) => match drained(stage, savepoint) {
                Some(true) => deny(stage, start, savepoint.label(), report),
                Some(false) => {}
                None => {
                    let lacks = format!("whether `{}` was written by a drain", savepoint.label());
                    unknown(stage, start, place_of(savepoint), lacks, report);
                }
            },
            Choice::OneOf { possible, or_empty, lacks } => {
                let drained = possible.iter().find(|savepoint| savepoint.drained == Some(true));
                let all = possible.iter().all(|savepoint| savepoint.drained == Some(true));
                match drained {
                    Some(savepoint) if all && !or_empty => deny(stage, start, savepoint.label(), report),
                    Some(savepoint) => {
                        let message =
                            format!("the job may come back from `{}`, which was written by a drain", savepoint.label());
                        report
                            .warn(&start.restore_place, message)
                            .observed(format!("`{}`", savepoint.label()))
                            .remedy(remedy(stage));
                        report.lacks(Want::Savepoints, lacks);
                    }
                    None if possible.iter().any(|savepoint| savepoint.drained.is_none()) => {
                        for savepoint in
                            possible.iter().filter(|savepoint| savepoint.drained.is_none()).take(MOST_READS)
                        {
                            let why = format!("whether `{}` was written by a drain", savepoint.label());
                            place_of(savepoint).into_iter().for_each(|want| report.wish(want, why.as_str()));
                        }
                        report.lacks(Want::Savepoints, lacks);
                    }
                    None => {}
                }
            }
            // What is blank is for savepoint-location-invalid.
            Choice::Named(name) if name.trim().is_empty() => {}
            Choice::Named(name) => {
                let lacks = format!("whether `{name}` was written by a drain");
                let known = stage.facts.seen.at(name).and_then(|seen| seen.metadata).and_then(|it| it.drained);
                match (known, &start.restore) {
                    (Some(true), _) => deny(stage, start, name, report),
                    (Some(false), _) => {}
                    (None, Restore::Savepoint(_)) => unknown(stage, start, Some(Want::Savepoints), lacks, report),
                    (None, _) => unknown(stage, start, Some(Want::Location(name.to_owned())), lacks, report),
                }
            }
            // What this request itself stops is for drain-with-planned-restart.
            Choice::Stopped if start.cause == StartCause::Resume && stage.stops().next().is_none() => {
                unknown(stage, start, None, "whether the stop before was a drain".to_owned(), report);
            }
            // A missing id is for restore-from-savepoint-needs-id.
            Choice::Unknown(_) if start.restore == Restore::Savepoint(None) => {}
            Choice::Unknown(lacks) => report.lacks(words::unknown_choice(start), lacks),
            Choice::Stopped if stage.in_plan && stage.current.stopped_by_drain => {
                let message = "an earlier step of this plan drains: its windows are closed early, and the job would send the \
                               rest of them as second, partial results";
                report.warn(&start.restore_place, message).remedy(remedy(stage));
            }
            Choice::Stopped | Choice::Empty => {}
        }
    }
}

/// Nothing tells whether it was drained, but for a resume the operator's own record of the suspend may hint at it.
fn unknown(stage: &Stage<'_>, start: &Start<'_>, want: Option<Want>, lacks: String, report: &mut Report<'_>) {
    if start.restore == Restore::Stopped && stage.current.stopped_by_drain {
        report
            .warn(
                &start.restore_place,
                "the job was suspended while `kubernetes.operator.job.drain-on-savepoint-deletion` was on: its windows \
                 were most likely closed early, and the job would send the rest of them as second, partial results",
            )
            .remedy(remedy(stage));
    }
    match want {
        Some(want) => report.lacks(want, lacks),
        None => report.unjudged(lacks),
    }
}

/// Whether it was written by a drain; what is known of one record is known of all that stand for it (S2-1).
fn drained(stage: &Stage<'_>, savepoint: &Savepoint<'_>) -> Option<bool> {
    let known = || stage.facts.savepoints.iter().flatten().filter(|other| same_place(savepoint, other));
    savepoint.drained.or_else(|| known().find_map(|other| other.drained))
}

/// Its metadata tells.
fn place_of(savepoint: &Savepoint<'_>) -> Option<Want> {
    savepoint.location.as_deref().map(|at| Want::Location(at.to_owned()))
}

fn deny(stage: &Stage<'_>, start: &Start<'_>, label: &str, report: &mut Report<'_>) {
    let message = format!(
        "`{label}` was written by a drain: its windows were closed early, and the job would send the rest of them as \
         second, partial results"
    );
    report
        .main(&start.restore_place, message)
        .observed(format!("`{label}`"))
        .expected("a snapshot that was not drained")
        .remedy(remedy(stage));
}

fn remedy(stage: &Stage<'_>) -> String {
    let how = match stage.platform {
        Dialect::Alibaba => "restore with FROM_SAVEPOINT",
        Dialect::Ververica => "register it again as the newest (POST …/savepoints) and restore",
        Dialect::Kubernetes => "set `initialSavepointPath` with a new `savepointRedeployNonce` to restore",
        Dialect::FlinkRest | Dialect::Plan => "give `savepointPath` to restore",
    };
    let other = stage
        .facts
        .savepoints
        .iter()
        .flatten()
        .find(|savepoint| savepoint.drained == Some(false) && savepoint.state.as_deref() == Some("COMPLETED"));
    let from = match other {
        Some(savepoint) => format!("from `{}`, which was not drained", savepoint.label()),
        None => "from a snapshot older than the drain".to_owned(),
    };
    format!("{how} {from}; if the windows were flushed on purpose, override this rule with a reason")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, findings, only, says, stage, start, stop, unjudged};

    fn starts(platform: Dialect, restore: Restore<'static>, facts: &str) -> Stage<'static> {
        stage(platform, start(StartCause::Resume, restore)).with_facts(facts)
    }

    #[test]
    fn the_named_savepoint_decides() {
        let facts = "savepoints: [{id: a, state: COMPLETED, drained: true}, {id: b, state: COMPLETED, drained: \
            false}, {id: c}]";
        let from = |id: &'static str| starts(Dialect::Alibaba, Restore::Savepoint(Some(id.into())), facts);
        assert_eq!(says(&RULE, &from("a")), only(Effect::Deny));
        assert!(findings(&RULE, &from("a"))[0].remedy.contains("`b`"));
        assert_eq!(says(&RULE, &from("b")), SILENT);
        assert_eq!(says(&RULE, &from("c")), unjudged());
        assert_eq!(says(&RULE, &from("stranger")), unjudged());
        assert_eq!(says(&RULE, &starts(Dialect::Alibaba, Restore::Savepoint(None), facts)), SILENT);
    }

    #[test]
    fn the_newest_one_decides() {
        let older = "{id: a, state: COMPLETED, origin: SUSPEND, drained: true, createdAt: '2026-11-20T10:00:00Z'}";
        let newer = "{id: b, state: COMPLETED, origin: SUSPEND, drained: false, createdAt: '2026-11-21T10:00:00Z'}";
        for platform in [Dialect::Ververica, Dialect::Alibaba] {
            let latest = |list: &str| starts(platform, Restore::LatestState, &format!("savepoints: [{list}]"));
            assert_eq!(says(&RULE, &latest(&format!("{older}, {newer}"))), SILENT);
            assert_eq!(says(&RULE, &latest(older)), only(Effect::Deny));
            // Without the times it may be either.
            let undated = "{id: c, state: COMPLETED, origin: SUSPEND, drained: false}";
            assert_eq!(says(&RULE, &latest(&format!("{older}, {undated}"))), at_least(Effect::Warn));
            assert_eq!(says(&RULE, &starts(platform, Restore::LatestState, "{}")), unjudged());
            assert_eq!(says(&RULE, &latest("")), SILENT);
        }
        // A savepoint that may lack the annotation may be passed over.
        let registered = "savepoints: [{id: a, state: COMPLETED, origin: COPIED, drained: true}]";
        assert_eq!(says(&RULE, &starts(Dialect::Ververica, Restore::LatestState, registered)), at_least(Effect::Warn));
    }

    #[test]
    fn a_location_is_found_in_any_spelling() {
        let facts = "savepoints: [{location: 'file:///sp/a', drained: true}, {location: 's3://b/sp', drained: \
            false}]";
        for platform in [Dialect::FlinkRest, Dialect::Kubernetes] {
            let from = |location: &'static str| starts(platform, Restore::Location(location.into()), facts);
            assert_eq!(says(&RULE, &from("/sp/x/../a/_metadata")), only(Effect::Deny));
            assert_eq!(says(&RULE, &from("s3://b/sp/")), SILENT);
            assert_eq!(says(&RULE, &from("s3://b/other")), unjudged());
            let candidate = "savepoints: [{restoreCandidate: true, drained: true}]";
            assert_eq!(
                says(&RULE, &starts(platform, Restore::Location("s3://b/sp".into()), candidate)),
                only(Effect::Deny)
            );
        }
    }

    #[test]
    fn the_path_that_a_suspend_left_decides() {
        let facts = "savepoints: [{location: 's3://b/a', drained: true}, {location: 's3://b/b', drained: false}]";
        let resumed = |at: &'static str| {
            starts(Dialect::Kubernetes, Restore::Stopped, facts).with(|it| it.current.stopped_at = Some(at.into()))
        };
        assert_eq!(says(&RULE, &resumed("s3://b/a/")), only(Effect::Deny));
        assert_eq!(says(&RULE, &resumed("s3://b/b")), SILENT);
        assert_eq!(says(&RULE, &resumed("s3://b/c")), unjudged());
        let drained = |stage: Stage<'static>| stage.with(|it| it.current.stopped_by_drain = true);
        assert_eq!(says(&RULE, &drained(resumed("s3://b/c"))), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &drained(resumed("s3://b/b"))), SILENT);
        assert_eq!(says(&RULE, &drained(starts(Dialect::Kubernetes, Restore::Stopped, "{}"))), at_least(Effect::Warn));
        let elsewhere = starts(Dialect::Kubernetes, Restore::Location("s3://b/c".into()), facts);
        assert_eq!(says(&RULE, &drained(elsewhere)), unjudged());
    }

    #[test]
    fn a_drain_of_the_same_request_is_another_rule() {
        let facts = "savepoints: [{restoreCandidate: true, drained: true}]";
        let resumed = || starts(Dialect::Kubernetes, Restore::Stopped, facts);
        assert_eq!(says(&RULE, &resumed()), only(Effect::Deny));
        assert_eq!(says(&RULE, &resumed().and(stop(StopMode::Drain, StopCause::Upgrade))), SILENT);
        assert_eq!(says(&RULE, &starts(Dialect::Kubernetes, Restore::Stopped, "{}")), unjudged());
        // An earlier step of a plan stopped it: what was known before is older than that.
        let planned = stage(Dialect::Alibaba, start(StartCause::Request, Restore::Stopped)).with_facts(facts);
        assert_eq!(says(&RULE, &planned), SILENT);
        assert_eq!(says(&RULE, &starts(Dialect::FlinkRest, Restore::Empty, facts)), SILENT);
    }
}
