use super::{Fate, plan};
use crate::operation::{Dialect, Restore, Stage, StartCause, StopCause, StopMode};
use crate::rules::testing::{stage, start, stop};

const SAVEPOINTS: &str = "savepoints:
- {id: old, state: COMPLETED, origin: USER_REQUEST, createdAt: '2026-11-19T10:00:00Z'}
- {id: new, state: COMPLETED, origin: SUSPEND, createdAt: '2026-11-20T10:00:00Z'}
- {id: kept, state: COMPLETED, origin: RETAINED_CHECKPOINT, createdAt: '2026-11-21T10:00:00Z'}
- {id: running, state: STARTED, origin: USER_REQUEST}
- {id: unseen, state: COMPLETED, origin: COPIED, annotations: {}}";

fn starts(platform: Dialect, restore: Restore<'static>, facts: &str) -> Stage<'static> {
    stage(platform, start(StartCause::Request, restore)).with_facts(facts)
}

/// The chosen one, and the fates in short.
fn told(stage: &Stage<'_>) -> (Option<String>, Vec<String>) {
    let plan = plan(stage).unwrap();
    let short = |candidate: &super::Candidate| match candidate.fate {
        Fate::Used => candidate.id.clone(),
        Fate::Ignored => format!("-{}", candidate.id),
    };
    (plan.chosen.clone(), plan.candidates.iter().map(short).collect())
}

#[test]
fn the_newest_that_counts_is_used_and_every_other_has_a_reason() {
    let stage = starts(Dialect::Ververica, Restore::LatestState, SAVEPOINTS);
    let (chosen, fates) = told(&stage);
    assert_eq!(chosen.as_deref(), Some("kept"));
    assert_eq!(fates, ["kept", "-old", "-new", "-running", "-unseen"]);
    let plan = plan(&stage).unwrap();
    assert_eq!(plan.strategy, "LATEST_STATE");
    let reason = |id: &str| &plan.candidates.iter().find(|candidate| candidate.id == id).unwrap().reason;
    assert!(reason("old").contains("newer") && reason("running").contains("STARTED"));
    assert!(reason("unseen").contains("spec.version"));
}

#[test]
fn retained_checkpoints_are_no_savepoints() {
    let (chosen, _) = told(&starts(Dialect::Ververica, Restore::LatestSavepoint, SAVEPOINTS));
    assert_eq!(chosen.as_deref(), Some("new"));
}

#[test]
fn the_annotation_matters_to_ververica_only() {
    let facts = "savepoints: [{id: a, state: COMPLETED, annotations: {}}]";
    assert_eq!(told(&starts(Dialect::Ververica, Restore::LatestState, facts)).0, None);
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("a"));
}

#[test]
fn a_declared_candidate_settles_it() {
    let facts = "savepoints: [{id: a, state: COMPLETED}, {id: b, state: COMPLETED, restoreCandidate: true}]";
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("b"));
    let open = facts.replace(", restoreCandidate: true", "");
    let plan = plan(&starts(Dialect::Alibaba, Restore::LatestState, &open)).unwrap();
    assert!(plan.chosen.is_none() && plan.reason.contains("createdAt"), "{plan:?}");
}

#[test]
fn savepoints_of_another_deployment_do_not_count() {
    let id = "0cb796fc-2641-488e-bde8-52b2199c5747";
    let facts = "savepoints: [{id: a, state: COMPLETED, deploymentId: 354dde66-a3ae-463e-967a-0b4107fd0003}]";
    let mut by_id = starts(Dialect::Alibaba, Restore::LatestState, facts);
    by_id.operations[0].target.name = id.into();
    assert_eq!(told(&by_id).0, None);
    // A target given by name tells nothing.
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("a"));
}

#[test]
fn what_the_request_names_is_used() {
    let by_id = starts(Dialect::Alibaba, Restore::Savepoint(Some("old".into())), SAVEPOINTS);
    assert_eq!(told(&by_id).0.as_deref(), Some("old"));
    for platform in [Dialect::FlinkRest, Dialect::Kubernetes] {
        let by_path =
            starts(platform, Restore::Location("s3://b/sp/".into()), "savepoints: [{id: a, location: 's3://b/sp'}]");
        assert_eq!(told(&by_path), (Some("s3://b/sp/".to_owned()), vec!["a".to_owned()]));
        assert_eq!(
            told(&starts(platform, Restore::Location("s3://b/sp".into()), "{}")).0.as_deref(),
            Some("s3://b/sp")
        );
    }
}

#[test]
fn no_state_and_the_state_of_the_stop_are_explained() {
    let plan_of = |stage: &Stage<'_>| plan(stage).unwrap();
    let empty = plan_of(&starts(Dialect::Alibaba, Restore::Empty, SAVEPOINTS));
    assert!(empty.chosen.is_none() && empty.reason.contains("starts empty"));
    assert!(empty.candidates.iter().all(|candidate| candidate.fate == Fate::Ignored));
    let upgrade =
        starts(Dialect::Ververica, Restore::Stopped, SAVEPOINTS).and(stop(StopMode::Savepoint, StopCause::Upgrade));
    assert!(plan_of(&upgrade).reason.contains("this request stops it"));
    let unknown = plan_of(&starts(Dialect::Ververica, Restore::LatestState, "{}"));
    assert!(unknown.chosen.is_none() && unknown.reason.contains("without the savepoints"));
    assert!(plan(&stage(Dialect::Ververica, stop(StopMode::Cancel, StopCause::Request))).is_none());
}

#[test]
fn the_path_that_a_suspend_left_is_used() {
    let facts = "savepoints: [{id: a, location: 's3://b/a'}, {id: b, location: 's3://b/b'}]";
    let mut resumed = starts(Dialect::Kubernetes, Restore::Stopped, facts);
    resumed.current.stopped_at = Some("s3://b/b".into());
    assert_eq!(told(&resumed), (Some("b".to_owned()), vec!["b".to_owned(), "-a".to_owned()]));
    resumed.current.stopped_at = Some("s3://b/c".into());
    assert_eq!(told(&resumed), (Some("s3://b/c".to_owned()), vec!["-a".to_owned(), "-b".to_owned()]));
    assert!(plan(&resumed).unwrap().candidates[0].reason.contains("left another"));
    let upgrade =
        starts(Dialect::Kubernetes, Restore::Stopped, facts).and(stop(StopMode::LastState, StopCause::Upgrade));
    assert!(plan(&upgrade).unwrap().reason.contains("last checkpoint"));
}

#[test]
fn texts_from_facts_are_cleaned_and_lists_bounded() {
    let many = "{id: \"a\\u001b[31m\", state: FAILED}, ".repeat(500) + "{id: b, state: COMPLETED}";
    let plan = plan(&starts(Dialect::Alibaba, Restore::LatestState, &format!("savepoints: [{many}]"))).unwrap();
    assert_eq!(plan.candidates.len(), 100);
    assert_eq!((plan.candidates[0].id.as_str(), plan.candidates[1].id.as_str()), ("b", "a [31m"));
}
