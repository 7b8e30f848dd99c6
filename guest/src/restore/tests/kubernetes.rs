//! The reconciler's ways (DOMAIN 4.2), from AdmissionReviews on.

use super::{readable, reason};
use crate::dialect;
use crate::document::{Document, Reading};
use crate::facts::{Declared, Observed, Voice};
use crate::gate::{Envelope, Request};
use crate::restore::{Basis, RestorePlan, plan};
use crate::settings::Settings;

const HA: &str = "high-availability.type: kubernetes";

/// A FlinkDeployment: what is set in `job` and in `flinkConfiguration`, its image, its status.
#[derive(Clone)]
struct Resource {
    kind: &'static str,
    job: String,
    configuration: String,
    version: &'static str,
    image: &'static str,
    status: String,
}

impl Resource {
    fn new(job: &str) -> Self {
        Self {
            kind: "FlinkDeployment",
            job: job.to_owned(),
            configuration: String::new(),
            version: "v2_2",
            image: "flink:2.2",
            status: status("RUNNING", ""),
        }
    }

    fn with(mut self, configuration: &str) -> Self {
        self.configuration = configuration.to_owned();
        self
    }

    fn status(mut self, status: String) -> Self {
        self.status = status;
        self
    }

    fn job(mut self, job: &str) -> Self {
        self.job = job.to_owned();
        self
    }

    fn next_image(mut self) -> Self {
        self.image = "flink:2.3";
        self
    }

    fn yaml(&self) -> String {
        let Self { kind, job, configuration, version, image, status } = self;
        let spec = format!(
            "{{image: '{image}', flinkVersion: {version}, flinkConfiguration: {{{configuration}}}, job: {{jarURI: local:///a.jar, {job}}}}}"
        );
        let spec = if *kind == "FlinkBlueGreenDeployment" { format!("{{template: {{spec: {spec}}}}}") } else { spec };
        format!(
            "{{apiVersion: flink.apache.org/v1beta1, kind: {kind}, metadata: {{name: orders, namespace: prod}}, spec: {spec}, status: {status}}}"
        )
    }
}

/// A status: the job's state, and more of `jobStatus`.
fn status(state: &str, job: &str) -> String {
    format!(
        "{{lifecycleState: STABLE, jobStatus: {{state: {state}, {job}}}, reconciliationStatus: {{state: DEPLOYED, lastReconciledSpec: '{{\"spec\": {{\"job\": {{}}}}}}'}}}}"
    )
}

/// The status of a job that was suspended in this mode.
fn suspended(mode: &str, job: &str) -> String {
    format!(
        "{{lifecycleState: SUSPENDED, jobStatus: {{state: FINISHED, {job}}}, reconciliationStatus: {{state: DEPLOYED, lastReconciledSpec: '{{\"spec\": {{\"flinkVersion\": \"v2_2\", \"job\": {{\"state\": \"suspended\", \"upgradeMode\": \"{mode}\"}}}}}}'}}}}"
    )
}

fn judge(new: &Resource, old: Option<&Resource>, facts: &str) -> RestorePlan {
    let kind = new.kind;
    let (verb, old) = old.map_or(("CREATE", "null".to_owned()), |old| ("UPDATE", old.yaml()));
    let body = format!(
        "---\n{{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {{uid: u, kind: {{group: flink.apache.org, version: v1beta1, kind: {kind}}}, resource: {{group: flink.apache.org, version: v1beta1, resource: x}}, operation: {verb}, name: orders, namespace: prod, userInfo: {{username: jane}}, object: {}, oldObject: {old}}}}}",
        new.yaml()
    );
    let facts = format!("---\n{facts}");
    let documents = [(Document::parse(facts.as_bytes(), Reading::JsonOrYaml).unwrap(), Voice::Trusted)];
    let declared = Declared::new(&documents).unwrap();
    let request = Request { envelope: Envelope::AdmissionReview, body: body.as_bytes() };
    let plan = dialect::decode(&request, &declared, &Observed::default(), &Settings::default(), |decoded| {
        plan(&decoded.stages[0]).unwrap()
    });
    let plan = plan.unwrap();
    readable(&plan);
    plan
}

/// An upgrade by another image.
fn upgrade(resource: &Resource, facts: &str) -> RestorePlan {
    judge(&resource.clone().next_image(), Some(resource), facts)
}

fn told(plan: &RestorePlan) -> (&str, Basis) {
    (plan.strategy.as_str(), plan.basis)
}

#[test]
fn a_first_deployment_reads_its_path_or_starts_empty() {
    let facts = "savepoints: [{id: a, location: 's3://b/sp', state: COMPLETED}, {id: b, location: 's3://b/other'}]";
    let plan = judge(&Resource::new("initialSavepointPath: 's3://b/sp/'"), None, facts);
    assert_eq!((told(&plan), plan.chosen.as_deref()), (("initialSavepointPath", Basis::Snapshot), Some("s3://b/sp/")));
    assert!(reason(&plan, "a").contains("first deployment"));
    assert_eq!(reason(&plan, "b"), "`initialSavepointPath` names another");
    let empty = judge(&Resource::new("upgradeMode: savepoint").status("{}".to_owned()), None, facts);
    assert_eq!(told(&empty), ("none", Basis::Empty));
    assert_eq!(reason(&empty, "a"), "a first deployment reads only `initialSavepointPath`");
    let blank = judge(&Resource::new("initialSavepointPath: ' '"), None, "{}");
    assert_eq!(told(&blank), ("initialSavepointPath", Basis::Nothing));
    let claimed = Resource::new("initialSavepointPath: 's3://b/sp'").with("execution.state-recovery.claim-mode: claim");
    assert!(judge(&claimed, None, "{}").reason.contains("CLAIM: Flink owns it"));
}

#[test]
fn an_upgrade_goes_by_its_mode() {
    let savepoint = Resource::new("upgradeMode: savepoint");
    let plan = upgrade(&savepoint, "savepoints: [{id: a, state: COMPLETED, drained: true}]");
    assert_eq!(told(&plan), ("savepoint", Basis::Kept));
    assert_eq!(reason(&plan, "a"), "older than the savepoint that is taken, written by a drain");
    let drains = savepoint.with("kubernetes.operator.job.drain-on-savepoint-deletion: 'true'");
    assert!(upgrade(&drains, "{}").reason.ends_with("written by a drain"));
    assert_eq!(told(&upgrade(&Resource::new("upgradeMode: stateless"), "{}")), ("stateless", Basis::Empty));
    assert_eq!(told(&upgrade(&Resource::new("parallelism: 2"), "{}")), ("stateless", Basis::Empty));
    assert_eq!(told(&upgrade(&Resource::new("upgradeMode: newest"), "{}")), ("unknown", Basis::Unknown));
}

#[test]
fn last_state_needs_high_availability_or_a_retained_checkpoint() {
    let of = |configuration: &str| {
        let plan = upgrade(
            &Resource::new("upgradeMode: last-state").with(configuration),
            "platform: {flinkConfiguration: {}}",
        );
        (plan.basis, plan.reason)
    };
    let (basis, reason) = of(HA);
    assert!(basis == Basis::Kept && reason.contains("metadata of high availability"), "{reason}");
    let (basis, reason) = of("high-availability: NONE");
    assert!(basis == Basis::Kept && reason.starts_with("without high availability the job is cancelled"), "{reason}");
    let (_, reason) = of(&format!("{HA}, kubernetes.operator.job.upgrade.last-state.job-cancel.enabled: 'true'"));
    assert!(reason.starts_with("the job is cancelled, and comes back"), "{reason}");
    let retention = "execution.checkpointing.externalized-checkpoint-retention";
    let (basis, reason) = of(&format!("{retention}: DELETE_ON_CANCELLATION"));
    assert!(basis == Basis::Nothing && reason.contains("DELETE_ON_CANCELLATION deletes its last"), "{reason}");
    // With the metadata nothing is cancelled.
    assert_eq!(of(&format!("{HA}, {retention}: DELETE_ON_CANCELLATION")).0, Basis::Kept);
    let (_, reason) =
        of(&format!("{HA}, kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age: 5 min"));
    assert!(reason.ends_with("or with a savepoint if that is older than 5 min"), "{reason}");
    let unknown = upgrade(&Resource::new("upgradeMode: last-state"), "{}");
    assert!(unknown.reason.contains("of which none is known"));
    let mut session = Resource::new("upgradeMode: last-state").with(HA);
    session.kind = "FlinkSessionJob";
    assert!(upgrade(&session, "{}").reason.starts_with("a session job is cancelled"));
    let (with, without) = (Resource::new("upgradeMode: last-state").with(HA), Resource::new("upgradeMode: last-state"));
    assert_eq!(judge(&without, Some(&with), "{}").basis, Basis::Nothing);
}

#[test]
fn savepoint_mode_falls_back_while_the_job_does_not_run() {
    let restarting = |configuration: &str| {
        Resource::new("upgradeMode: savepoint").with(configuration).status(status("RESTARTING", ""))
    };
    let plan = upgrade(&restarting(HA), "{}");
    assert_eq!(told(&plan), ("last-state", Basis::Kept));
    assert!(plan.reason.starts_with("the job is RESTARTING, so no savepoint"), "{}", plan.reason);
    let off = restarting("kubernetes.operator.job.upgrade.last-state-fallback.enabled: 'false'");
    let plan = upgrade(&off, "savepoints: [{id: a, state: COMPLETED}]");
    assert_eq!((told(&plan), reason(&plan, "a")), (("savepoint", Basis::Nothing), "nothing starts"));
    assert!(plan.reason.ends_with("waits until it runs"));
    let mut version = off.clone().next_image();
    version.version = "v2_3";
    assert_eq!(told(&judge(&version, Some(&off), "{}")), ("last-state", Basis::Kept));
}

#[test]
fn another_version_takes_a_savepoint_where_it_can() {
    let of = |configuration: &str| {
        let old = Resource::new("upgradeMode: last-state").with(configuration);
        let mut new = old.clone();
        new.version = "v2_3";
        judge(&new, Some(&old), "{}")
    };
    assert_eq!(told(&of(&format!("{HA}, state.savepoints.dir: 's3://b'"))), ("savepoint", Basis::Kept));
    let plan = of(HA);
    assert_eq!(told(&plan), ("last-state", Basis::Kept));
    assert!(plan.reason.contains("no savepoint directory: the job is cancelled"), "{}", plan.reason);
}

#[test]
fn a_job_that_ended_goes_by_the_last_state_seen() {
    let ended = |job: &str, configuration: &str| {
        let resource = Resource::new("upgradeMode: savepoint").with(configuration).status(status("FAILED", job));
        upgrade(&resource, "savepoints: [{id: a, location: 's3://b/1', state: COMPLETED}, {id: b, state: COMPLETED}]")
    };
    let known = ended("upgradeSavepointPath: 's3://b/1'", "");
    assert_eq!((told(&known), known.chosen.as_deref()), (("last-state", Basis::Snapshot), Some("s3://b/1")));
    assert_eq!(reason(&known, "b"), "not the last state that the operator has seen");
    let lost = ended("", "");
    assert!(lost.basis == Basis::Nothing && lost.reason.contains("manual restore"));
    assert_eq!(ended("upgradeSavepointPath: KUBERNETES_OPERATOR_LAST_STATE", "").basis, Basis::Nothing);
    assert_eq!(ended("upgradeSavepointPath: KUBERNETES_OPERATOR_LAST_STATE", HA).basis, Basis::Kept);
}

#[test]
fn the_mode_of_the_suspend_wins_over_the_new_one() {
    let resume = |stored: &str, mode: &str, job: &str| {
        let old = Resource::new(&format!("upgradeMode: {stored}, state: suspended")).status(suspended(stored, job));
        judge(
            &old.clone().job(&format!("upgradeMode: {mode}")),
            Some(&old),
            "savepoints: [{id: a, location: 's3://b/1'}]",
        )
    };
    let path = "upgradeSavepointPath: 's3://b/1'";
    let plan = resume("savepoint", "last-state", path);
    assert_eq!((told(&plan), plan.chosen.as_deref()), (("savepoint", Basis::Snapshot), Some("s3://b/1")));
    assert_eq!(reason(&plan, "a"), "the savepoint of the suspend");
    assert_eq!(told(&resume("savepoint", "savepoint", "")), ("savepoint", Basis::Kept));
    let stateless = resume("stateless", "savepoint", "");
    assert!(stateless.basis == Basis::Empty && stateless.reason.contains("the mode of the suspend wins"));
    assert_eq!(reason(&stateless, "a"), "a stateless start looks at none");
    assert_eq!(told(&resume("savepoint", "stateless", path)), ("stateless", Basis::Empty));
    let kept = resume("last-state", "savepoint", path);
    assert!(told(&kept) == ("last-state", Basis::Kept) && kept.reason.contains("high availability"));
}

#[test]
fn after_a_last_state_suspend_the_version_stays() {
    let old = Resource::new("upgradeMode: last-state, state: suspended").status(suspended("last-state", ""));
    let mut new = old.clone().job("upgradeMode: last-state");
    new.version = "v2_3";
    assert_eq!(judge(&new, Some(&old), "{}").basis, Basis::Nothing);
}

#[test]
fn a_redeploy_discards_what_is_newer() {
    let facts = "savepoints:
- {id: old, location: 's3://b/1', state: COMPLETED, createdAt: '2026-11-19T10:00:00Z'}
- {id: new, location: 's3://b/2', state: COMPLETED, createdAt: '2026-11-20T10:00:00Z'}
- {id: older, location: 's3://b/0', state: COMPLETED, createdAt: '2026-11-18T10:00:00Z'}";
    let old = Resource::new("upgradeMode: savepoint");
    let redeploy = |job: &str| {
        judge(&old.clone().job(&format!("upgradeMode: savepoint, savepointRedeployNonce: 1, {job}")), Some(&old), facts)
    };
    let plan = redeploy("initialSavepointPath: 's3://b/1'");
    assert_eq!(told(&plan), ("initialSavepointPath", Basis::Snapshot));
    assert_eq!(reason(&plan, "new"), "newer than the one it goes back to: discarded");
    assert_eq!(reason(&plan, "older"), "`initialSavepointPath` names another");
    assert!(reason(&plan, "old").contains("savepointRedeployNonce"));
    assert_eq!(redeploy("").basis, Basis::Nothing);
    // Without the nonce the path is not read.
    let stored = judge(
        &old.clone().next_image().job("upgradeMode: savepoint, initialSavepointPath: 's3://b/1'"),
        Some(&old),
        facts,
    );
    assert!(stored.basis == Basis::Kept && stored.reason.contains("is not read"), "{}", stored.reason);
}

#[test]
fn the_other_colour_starts_from_a_savepoint() {
    let mut old = Resource::new("upgradeMode: last-state");
    old.kind = "FlinkBlueGreenDeployment";
    let plan = upgrade(&old, "{}");
    assert!(told(&plan) == ("savepoint", Basis::Kept) && plan.reason.contains("colour"), "{plan:?}");
    old.job = "upgradeMode: stateless".to_owned();
    assert_eq!(upgrade(&old, "{}").basis, Basis::Empty);
}

#[test]
fn snapshots_of_resources_and_status_are_told_apart() {
    let facts = "related:
- {kind: FlinkStateSnapshot, metadata: {name: nightly, labels: {snapshot.trigger-type: PERIODIC}}, spec: {jobReference: {kind: FlinkDeployment, name: orders}, savepoint: {}}, status: {state: COMPLETED, path: 's3://b/1'}}
- {kind: FlinkStateSnapshot, metadata: {name: copy}, spec: {savepoint: {path: 's3://b/1', alreadyExists: true}}, status: {state: COMPLETED}}
- {kind: FlinkStateSnapshot, metadata: {name: now}, spec: {jobReference: {kind: FlinkDeployment, name: orders}, savepoint: {path: 's3://b'}}}
- {kind: FlinkStateSnapshot, metadata: {name: chk}, spec: {jobReference: {kind: FlinkDeployment, name: orders}, checkpoint: {}}, status: {state: COMPLETED, path: 's3://b/chk-7'}}
- {kind: FlinkStateSnapshot, metadata: {name: bills}, spec: {jobReference: {kind: FlinkDeployment, name: bills}, savepoint: {}}, status: {state: COMPLETED, path: 's3://b/3'}}
- {kind: FlinkStateSnapshot, metadata: {name: session}, spec: {jobReference: {kind: FlinkSessionJob, name: orders}, savepoint: {}}, status: {state: FAILED}}";
    let listed = "savepointInfo: {lastSavepoint: {location: 's3://b/1', timeStamp: 1}, savepointHistory: [{location: 's3://b/9', timeStamp: 1795255200000, triggerType: UPGRADE}, {location: 's3://b/1'}]}, checkpointInfo: {lastCheckpoint: {timeStamp: 1795255200000}}";
    let plan = upgrade(&Resource::new("upgradeMode: savepoint").status(status("RUNNING", listed)), facts);
    let ids: Vec<_> = plan.candidates.iter().map(|candidate| candidate.id.as_str()).collect();
    assert_eq!(ids, ["nightly", "copy", "now", "chk", "bills", "session", "s3://b/9", "lastCheckpoint"]);
    let older = "older than the savepoint that is taken";
    assert_eq!(reason(&plan, "nightly"), format!("periodic savepoint, {older}, the same Flink savepoint as `copy`"));
    assert_eq!(reason(&plan, "copy"), format!("{older}, the same Flink savepoint as `nightly`"));
    assert_eq!(reason(&plan, "now"), "TRIGGER_PENDING, not COMPLETED");
    assert_eq!(reason(&plan, "chk"), format!("checkpoint, {older}"));
    assert_eq!(reason(&plan, "bills"), "of another job, FlinkDeployment `bills`");
    assert_eq!(reason(&plan, "session"), "of another job, FlinkSessionJob `orders`");
    assert_eq!(reason(&plan, "s3://b/9"), format!("savepoint of an upgrade, {older}"));
    assert_eq!(reason(&plan, "lastCheckpoint"), format!("checkpoint, {older}"));
}
