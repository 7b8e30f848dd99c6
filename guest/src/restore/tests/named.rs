//! Where the platform or the request names snapshots: Ververica Platform, Alibaba, Flink's REST API.

use super::{plan_of, reason, starts, told};
use crate::operation::{
    Action, Claim, ClaimMode, Dialect, Place, Restore, Retention, Stage, StartCause, StopCause, StopMode,
};
use crate::restore::{Basis, Fate, plan};
use crate::rules::testing::{stage, start, stop};

const SAVEPOINTS: &str = "savepoints:
- {id: old, state: COMPLETED, origin: USER_REQUEST, createdAt: '2026-11-19T10:00:00Z'}
- {id: new, state: COMPLETED, origin: SUSPEND, createdAt: '2026-11-20T10:00:00Z'}
- {id: kept, state: COMPLETED, origin: RETAINED_CHECKPOINT, createdAt: '2026-11-21T10:00:00Z'}
- {id: running, state: STARTED, origin: USER_REQUEST}
- {id: unseen, state: COMPLETED, origin: COPIED, annotations: {}}";

const VERSION: &str = "com.dataartisans.appmanager.controller.deployment.spec.version";

#[test]
fn the_newest_that_counts_is_used_and_every_other_has_a_reason() {
    let stage = starts(Dialect::Ververica, Restore::LatestState, SAVEPOINTS);
    let (chosen, fates) = told(&stage);
    assert_eq!(chosen.as_deref(), Some("kept"));
    assert_eq!(fates, ["kept", "-old", "-new", "-running", "-unseen"]);
    let plan = plan_of(&stage);
    assert_eq!((plan.strategy.as_str(), plan.basis), ("LATEST_STATE", Basis::Snapshot));
    assert_eq!(plan.reason, reason(&plan, "kept"));
    assert_eq!(reason(&plan, "old"), "savepoint of a user, older than `kept`");
    assert_eq!(reason(&plan, "new"), "savepoint of a suspend, older than `kept`");
    assert_eq!(reason(&plan, "running"), "savepoint of a user, STARTED, not COMPLETED");
    assert!(reason(&plan, "unseen").starts_with("registered by hand, without the annotation `com."));
}

#[test]
fn retained_checkpoints_are_no_savepoints() {
    let stage = starts(Dialect::Ververica, Restore::LatestSavepoint, SAVEPOINTS);
    assert_eq!(told(&stage).0.as_deref(), Some("new"));
    assert_eq!(reason(&plan_of(&stage), "kept"), "retained checkpoint, and only savepoints are asked for");
}

#[test]
fn the_annotation_matters_to_ververica_only() {
    let facts = "savepoints: [{id: a, state: COMPLETED, annotations: {}}]";
    assert_eq!(told(&starts(Dialect::Ververica, Restore::LatestState, facts)).0, None);
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("a"));
}

#[test]
fn another_spec_version_is_suspicious_not_fatal() {
    let facts = format!(
        "deployment: {{specVersion: '5'}}\nsavepoints: [{{id: a, state: COMPLETED, annotations: {{{VERSION}: '4'}}}}, \
         {{id: b, state: FAILED, annotations: {{{VERSION}: '5'}}}}]"
    );
    let plan = plan_of(&starts(Dialect::Ververica, Restore::LatestState, &facts));
    assert_eq!(plan.chosen.as_deref(), Some("a"));
    assert!(reason(&plan, "a").ends_with(", of spec version `4` while the deployment has `5`"));
    assert!(!reason(&plan, "b").contains("spec version"));
    assert!(!plan_of(&starts(Dialect::Alibaba, Restore::LatestState, &facts)).reason.contains("spec version"));
}

#[test]
fn a_declared_candidate_settles_it() {
    let facts = "savepoints: [{id: a, state: COMPLETED}, {id: b, state: COMPLETED, restoreCandidate: true}]";
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("b"));
    let open = facts.replace(", restoreCandidate: true", "");
    let plan = plan_of(&starts(Dialect::Alibaba, Restore::LatestState, &open));
    assert!(plan.basis == Basis::Unknown && plan.reason.contains("createdAt"), "{plan:?}");
}

#[test]
fn savepoints_of_another_deployment_do_not_count() {
    let id = "0cb796fc-2641-488e-bde8-52b2199c5747";
    let facts = "savepoints: [{id: a, state: COMPLETED, deploymentId: 354dde66-a3ae-463e-967a-0b4107fd0003}]";
    let mut by_id = starts(Dialect::Alibaba, Restore::LatestState, facts);
    by_id.operations[0].target.name = id.into();
    assert_eq!(told(&by_id).0, None);
    assert_eq!(reason(&plan_of(&by_id), "a"), "of another deployment, `354dde66-a3ae-463e-967a-0b4107fd0003`");
    // A target given by name tells nothing.
    assert_eq!(told(&starts(Dialect::Alibaba, Restore::LatestState, facts)).0.as_deref(), Some("a"));
    // A fork names it.
    let mut fork = starts(Dialect::Alibaba, Restore::Savepoint(Some("a".into())), facts);
    fork.operations[0].target.name = id.into();
    assert!(plan_of(&fork).reason.contains("of another deployment"));
}

#[test]
fn resources_of_one_flink_savepoint_are_told_apart() {
    let facts = "savepoints: [{id: a, state: COMPLETED, location: 's3://b/sp', origin: SUSPEND, annotations: {V: '1'}}, \
        {id: b, state: COMPLETED, location: 's3://b/sp/_metadata', origin: COPIED, annotations: {V: '1'}}, {id: c, state: \
        STARTED, location: 's3://b/other'}]"
        .replace("V:", &format!("{VERSION}:"));
    let plan = plan_of(&starts(Dialect::Ververica, Restore::LatestState, &facts));
    // Which of them is newer does not matter.
    assert_eq!(plan.chosen.as_deref(), Some("a"));
    assert!(reason(&plan, "a").ends_with("the same Flink savepoint as `b`"));
    assert_eq!(reason(&plan, "b"), "registered by hand, passed over for `a`, the same Flink savepoint as `a`");
    assert!(!reason(&plan, "c").contains("the same"));
}

#[test]
fn what_makes_a_snapshot_suspicious_is_said() {
    let facts = "absent: [{kind: Location, name: 's3://b/gone'}]
savepoints:
- {id: a, state: COMPLETED, location: 's3://b/gone', createdAt: '2026-11-20T10:00:00Z', drained: true}
- {id: b, state: COMPLETED, claimed: true, readable: false, createdAt: '2026-11-19T10:00:00Z'}";
    let plan = plan_of(&starts(Dialect::Alibaba, Restore::LatestState, facts));
    assert!(reason(&plan, "a").ends_with(", written by a drain, at a location that cannot be read: the start fails"));
    assert_eq!(
        reason(&plan, "b"),
        "older than `a`, claimed by an earlier start, so that Flink may have deleted it, at a location that cannot be read"
    );
}

#[test]
fn what_the_request_names_is_used() {
    let by_id = starts(Dialect::Alibaba, Restore::Savepoint(Some("old".into())), SAVEPOINTS);
    assert_eq!(told(&by_id).0.as_deref(), Some("old"));
    assert_eq!(reason(&plan_of(&by_id), "new"), "savepoint of a suspend, the request names another");
    let failed = starts(Dialect::Alibaba, Restore::Savepoint(Some("running".into())), SAVEPOINTS);
    assert!(plan_of(&failed).reason.ends_with("but it is STARTED, not COMPLETED: the start fails"));
    for platform in [Dialect::FlinkRest, Dialect::Kubernetes] {
        let by_path =
            starts(platform, Restore::Location("s3://b/sp/".into()), "savepoints: [{id: a, location: 's3://b/sp'}]");
        assert_eq!(told(&by_path), (Some("s3://b/sp/".to_owned()), vec!["a".to_owned()]));
        let unknown = starts(platform, Restore::Location("s3://b/sp".into()), "{}");
        assert_eq!(told(&unknown).0.as_deref(), Some("s3://b/sp"));
        assert_eq!(plan_of(&starts(platform, Restore::Location(" ".into()), "{}")).basis, Basis::Nothing);
    }
}

#[test]
fn who_owns_it_afterwards_is_said() {
    let owned = |mode| {
        let mut stage = starts(Dialect::FlinkRest, Restore::Location("s3://b/sp".into()), "{}");
        if let Action::Start(start) = &mut stage.operations[0].action {
            start.claim = mode;
        }
        plan_of(&stage).reason
    };
    let claim = |mode| Some(Claim { mode, place: Place::Request });
    assert!(owned(None).contains("NO_CLAIM: it stays yours"));
    assert!(owned(claim(ClaimMode::NoClaim)).contains("NO_CLAIM"));
    assert!(owned(claim(ClaimMode::Claim)).contains("deletes it once"));
    assert!(owned(claim(ClaimMode::Legacy)).contains("can never be deleted"));
}

#[test]
fn no_state_and_the_state_of_the_stop_are_explained() {
    let empty = plan_of(&starts(Dialect::Alibaba, Restore::Empty, SAVEPOINTS));
    assert_eq!((empty.basis, empty.strategy.as_str()), (Basis::Empty, "NONE"));
    assert!(empty.candidates.iter().all(|candidate| candidate.fate == Fate::Ignored));
    let batch = "deployment: {executionMode: BATCH}";
    assert!(plan_of(&starts(Dialect::Alibaba, Restore::Empty, batch)).reason.contains("batch"));
    let rest = plan_of(&starts(Dialect::FlinkRest, Restore::Empty, SAVEPOINTS));
    assert!(rest.reason.contains("`savepointPath`") && reason(&rest, "old").ends_with("only what a request names"));
    let upgrade =
        starts(Dialect::Ververica, Restore::Stopped, SAVEPOINTS).and(stop(StopMode::Savepoint, StopCause::Upgrade));
    let upgrade = plan_of(&upgrade);
    assert!(upgrade.basis == Basis::Kept && upgrade.reason.contains("this request stops"));
    assert_eq!(reason(&upgrade, "kept"), "retained checkpoint, older than the state of the stop");
    assert!(reason(&upgrade, "running").contains("not COMPLETED"));
    let unknown = plan_of(&starts(Dialect::Ververica, Restore::LatestState, "{}"));
    assert!(unknown.basis == Basis::Unknown && unknown.reason.contains("without the savepoints"));
    assert!(plan(&stage(Dialect::Ververica, stop(StopMode::Cancel, StopCause::Request))).is_none());
    let opaque = stage(Dialect::FlinkRest, Action::OpaqueStart);
    assert_eq!(plan_of(&opaque).basis, Basis::Unknown);
}

#[test]
fn nothing_that_counts_means_empty() {
    let of = |facts: &str| plan_of(&starts(Dialect::Ververica, Restore::LatestState, facts));
    assert!(of("savepoints: []").reason.starts_with("there is no snapshot: the job starts empty"));
    let passed = of("savepoints: [{id: a, state: COMPLETED, annotations: {}}]");
    assert!(passed.basis == Basis::Empty && passed.reason.starts_with("no known snapshot counts"));
    let new = stage(Dialect::Ververica, start(StartCause::Create, Restore::LatestState));
    assert!(plan_of(&new).reason.starts_with("a new deployment"));
}

#[test]
fn an_unknown_strategy_still_tells_what_none_would_take() {
    let plan = plan_of(&starts(Dialect::Ververica, Restore::Unknown, SAVEPOINTS));
    assert_eq!(plan.basis, Basis::Unknown);
    assert!(reason(&plan, "running").contains("not COMPLETED") && reason(&plan, "unseen").contains("annotation"));
    assert_eq!(reason(&plan, "new"), "savepoint of a suspend, it cannot be told whether it is used");
}

#[test]
fn a_cancel_leaves_a_checkpoint_only_where_it_is_retained() {
    let cancels = |retention, restore| {
        let mut stage = starts(Dialect::Ververica, restore, SAVEPOINTS).and(stop(StopMode::Cancel, StopCause::Upgrade));
        stage.current.retention = retention;
        plan_of(&stage)
    };
    let kept = cancels(Some(Retention::Kept), Restore::LatestState);
    assert!(kept.basis == Basis::Kept && kept.reason.contains("RETAIN_ON_CANCELLATION"));
    let savepoint = cancels(Some(Retention::Kept), Restore::LatestSavepoint);
    assert_eq!(savepoint.chosen.as_deref(), Some("new"));
    let without = "savepoints: [{id: a, state: COMPLETED, origin: SUSPEND}]";
    let mut stage: Stage<'_> = starts(Dialect::Ververica, Restore::LatestState, without);
    stage.current.retention = Some(Retention::Deleted);
    assert!(plan_of(&stage).reason.contains("LATEST_STATE acts like LATEST_SAVEPOINT"));
}

#[test]
fn texts_from_facts_are_cleaned_and_lists_bounded() {
    let many = "{id: \"a\\u001b[31m\", state: FAILED}, ".repeat(500) + "{id: b, state: COMPLETED}";
    let plan = plan_of(&starts(Dialect::Alibaba, Restore::LatestState, &format!("savepoints: [{many}]")));
    assert_eq!(plan.candidates.len(), 100);
    assert_eq!((plan.candidates[0].id.as_str(), plan.candidates[1].id.as_str()), ("b", "a [31m"));
}
