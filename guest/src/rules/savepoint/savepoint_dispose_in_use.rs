//! The data of a savepoint is deleted that a job would come back from, or that others refer to (S2-1, DOMAIN 6.12).

use crate::facts::Savepoint;
use crate::finding::Report;
use crate::instant::Instant;
use crate::location;
use crate::operation::{Action, Dialect, JobState, Restart, Stage, Want};
use crate::restore::{is_unversioned, same_place};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-dispose-in-use",
    title: "savepoint is deleted that is still needed",
    family: "savepoint",
    why: "A stopped job comes back from its newest savepoint: without it, from an older one or empty. And several \
          savepoint resources can stand for one savepoint, whose data goes with the first of them.",
    source: "S2-1; FLINK-38033; DOMAIN 1.6, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "deletes of a COMPLETED FlinkStateSnapshot with `disposeOnDelete`"),
        (Dialect::Ververica, "deletes of a savepoint"),
        (Dialect::Alibaba, "DeleteSavepoint"),
        (Dialect::FlinkRest, "`/savepoint-disposal`"),
    ],
    facts: &["savepoints", "job.status", "deployment.specState", "related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Dispose(disposal) = &operation.action else { continue };
        let given = disposal.location.and_then(|node| node.scalar());
        let all = stage.facts.savepoints.as_deref().unwrap_or_default();
        let own = all.iter().find(|savepoint| match &given {
            Some(location) => savepoint.lies_at(location),
            None => savepoint.id.as_ref() == Some(&operation.target.name),
        });
        let location = given.as_deref().or(own.and_then(|own| own.location.as_deref()));
        let there = |savepoint: &&Savepoint<'_>| {
            own.is_some_and(|own| std::ptr::eq(own, *savepoint)) || location.is_some_and(|at| savepoint.lies_at(at))
        };
        let records = || all.iter().filter(there);
        let left = stage.current.stopped_at.as_deref().zip(location).is_some_and(|(left, at)| location::same(left, at));
        let declared = left || records().any(|savepoint| savepoint.restore_candidate == Some(true));
        let newest = records().any(|own| is_newest(stage, own, all));

        let place = &operation.place;
        let draft = match (runs(stage), stage.intent.restart()) {
            (runs, restart) if declared || newest => match (runs, restart) {
                (Some(true), _) => report.warn(
                    place,
                    "the job would come back from this savepoint, should it be stopped before its next one is complete",
                ),
                (_, Restart::Final(_)) => report.warn(
                    place,
                    "no restart follows, it is declared; the job would have come back from this savepoint",
                ),
                // A disposal over Flink's REST API is of no job.
                (None, _) if !declared || stage.platform != Dialect::FlinkRest => {
                    report.lacks(Want::Job, "whether the job runs: a stopped one comes back from this savepoint");
                    report.warn(place, "a stopped job would come back from this savepoint, as far as is known")
                }
                _ => report
                    .main(place, "the job is to come back from this savepoint: without it, it starts older or empty"),
            },
            _ => match others(records()) {
                0 => {
                    let lacks = "whether a job would come back from this savepoint";
                    match (stage.platform, runs(stage)) {
                        // The job's own resource says where it was stopped.
                        (Dialect::Kubernetes, None) => report.lacks(Want::Job, lacks),
                        (Dialect::Kubernetes, Some(_)) | (_, Some(true)) => {}
                        _ if own.is_none() => report.lacks(Want::Savepoints, lacks),
                        _ => {}
                    }
                    continue;
                }
                more => report.warn(place, format!("{more} more refer to this savepoint, and its data goes with it")),
            },
        };
        let label = own.map_or(location.unwrap_or(&operation.target.name), Savepoint::label);
        draft
            .observed(label)
            .remedy("take a newer savepoint first, or make sure that no job and no other resource needs this one");
    }
}

/// Whether the job runs, or is kept running; `None`: not known.
fn runs(stage: &Stage<'_>) -> Option<bool> {
    let state = stage.current.state.as_ref();
    match (stage.current.desired.as_deref(), state) {
        // Whatever it is asked to be: a failed one is not started again by itself.
        (_, Some(JobState::Failed)) => Some(false),
        (Some(desired), _) => Some(desired == "RUNNING"),
        (None, None | Some(JobState::Transitioning | JobState::Unknown(_))) => None,
        (None, Some(state)) => Some(!state.is_over()),
    }
}

/// How many refer to it besides the record that is deleted.
fn others<'s, 'd: 's>(records: impl Iterator<Item = &'s Savepoint<'d>>) -> usize {
    let (mut more, mut named) = (0, 0);
    for (index, savepoint) in records.enumerate() {
        more = index;
        named = named.max(savepoint.referenced_by.as_ref().map_or(0, Vec::len));
    }
    more.max(named)
}

/// Whether it is certain to be the newest one that its deployment starts from (DOMAIN 1.6), or a record of that.
fn is_newest(stage: &Stage<'_>, own: &Savepoint<'_>, all: &[Savepoint<'_>]) -> bool {
    let managed = matches!(stage.platform, Dialect::Ververica | Dialect::Alibaba);
    let strategy = stage.facts.deployment.restore_kind.as_deref();
    let counts = |savepoint: &Savepoint<'_>| {
        let passed = strategy == Some("LATEST_SAVEPOINT") && savepoint.origin.as_deref() == Some("RETAINED_CHECKPOINT");
        let unversioned = stage.platform == Dialect::Ververica && is_unversioned(savepoint) == Some(true);
        savepoint.state.as_deref() == Some("COMPLETED") && !passed && !unversioned
    };
    let time = |savepoint: &Savepoint<'_>| savepoint.created_at.as_deref().and_then(Instant::parse);
    let rival = |other: &Savepoint<'_>| {
        let same =
            other.deployment_id.is_none() || own.deployment_id.is_none() || other.deployment_id == own.deployment_id;
        let older = time(other).zip(time(own)).is_some_and(|(theirs, ours)| theirs < ours);
        !std::ptr::eq(other, own) && counts(other) && same && !older && !same_place(own, other)
    };
    managed && strategy != Some("NONE") && counts(own) && !all.iter().any(rival)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Disposal, Stage};
    use crate::rules::testing::{SILENT, Says, at_least, body, only, says, stage, unjudged};

    /// Deletes `orders`, or what lies at this location.
    fn dispose(platform: Dialect, location: Option<&str>, facts: &str) -> Stage<'static> {
        stage(platform, Action::Dispose(Disposal { location: location.map(body) })).with_facts(facts)
    }

    #[test]
    fn what_a_stopped_job_comes_back_from_stays() {
        let facts = "savepoints: [{id: orders, state: COMPLETED, restoreCandidate: true}]";
        for platform in [Dialect::Alibaba, Dialect::Ververica] {
            let of = |state| says(&RULE, &dispose(platform, None, facts).in_state(state));
            assert_eq!(of("CANCELLED"), only(Effect::Deny), "{platform:?}");
            assert_eq!(of("FAILED"), only(Effect::Deny), "{platform:?}");
            assert_eq!(of("RUNNING"), only(Effect::Warn), "{platform:?}");
            let ended = dispose(platform, None, facts).in_state("CANCELLED").restart_planned(false);
            assert_eq!(says(&RULE, &ended), only(Effect::Warn), "{platform:?}");
        }
        let there = "savepoints: [{location: 's3://b/sp', restoreCandidate: true}]";
        for at in ["s3://b/sp", "S3://b//sp/_metadata", "s3://b/x/../sp/"] {
            assert_eq!(says(&RULE, &dispose(Dialect::FlinkRest, Some(at), there)), only(Effect::Deny), "{at}");
        }
        assert_eq!(says(&RULE, &dispose(Dialect::FlinkRest, Some("s3://b/sp2"), there)), unjudged());
        let left = dispose(Dialect::Kubernetes, Some("s3://b/sp"), "{}").in_state("SUSPENDED");
        assert_eq!(says(&RULE, &left.with(|it| it.current.stopped_at = Some("s3://b/sp/".into()))), only(Effect::Deny));
    }

    #[test]
    fn the_newest_is_told_where_all_are_dated() {
        let of = |others: &str, state: &str| -> Says {
            let own = "{id: orders, state: COMPLETED, createdAt: '2026-11-02T00:00:00Z'}";
            let facts = format!("savepoints: [{own}{others}]");
            says(&RULE, &dispose(Dialect::Alibaba, None, &facts).in_state(state))
        };
        let older = ", {id: b, state: COMPLETED, createdAt: '2026-11-01T00:00:00Z'}";
        let newer = ", {id: c, state: COMPLETED, createdAt: '2026-11-03T00:00:00Z'}";
        assert_eq!(of(older, "CANCELLED"), only(Effect::Deny));
        assert_eq!(of(older, "RUNNING"), only(Effect::Warn));
        assert_eq!(of(older, "TRANSITIONING"), at_least(Effect::Warn));
        assert_eq!(of(newer, "CANCELLED"), SILENT);
        assert_eq!(of(", {id: d, state: COMPLETED}", "CANCELLED"), SILENT);
        assert_eq!(of(", {id: e, state: FAILED}", "CANCELLED"), only(Effect::Deny));
    }

    #[test]
    fn what_the_strategy_passes_over_is_not_the_newest() {
        let of = |strategy: &str, own: &str, other: &str| {
            let at = |id: &str, day: u8, more: &str| {
                format!("{{id: {id}, state: COMPLETED, createdAt: '2026-11-0{day}T00:00:00Z', {more}}}")
            };
            let facts = format!(
                "deployment: {{restoreStrategy: {{kind: {strategy}}}}}\nsavepoints: [{}, {}]",
                at("orders", 1, own),
                at("b", 2, other)
            );
            says(&RULE, &dispose(Dialect::Ververica, None, &facts).in_state("CANCELLED"))
        };
        let checkpoint = "origin: RETAINED_CHECKPOINT";
        assert_eq!(of("LATEST_SAVEPOINT", "origin: SUSPEND", checkpoint), only(Effect::Deny));
        assert_eq!(of("LATEST_STATE", "origin: SUSPEND", checkpoint), SILENT);
        assert_eq!(of("LATEST_STATE", "origin: SUSPEND", "origin: COPIED, annotations: {}"), only(Effect::Deny));
        let there = "location: 's3://b/sp'";
        assert_eq!(of("LATEST_STATE", there, there), only(Effect::Deny), "two records of one savepoint");
        assert_eq!(of("NONE", there, "location: 's3://b/sp2'"), SILENT);
    }

    #[test]
    fn others_that_refer_to_it_warn() {
        let of = |facts| says(&RULE, &dispose(Dialect::FlinkRest, Some("s3://b/sp"), facts));
        assert_eq!(of("savepoints: [{location: 's3://b/sp', referencedBy: [a]}]"), only(Effect::Warn));
        assert_eq!(
            of("savepoints: [{id: a, location: 's3://b/sp'}, {id: b, location: 's3://b/sp/'}]"),
            only(Effect::Warn)
        );
        assert_eq!(of("savepoints: [{location: 's3://b/sp'}]"), SILENT);
        assert_eq!(of("{}"), unjudged());
    }
}
