//! The lifecycle as the API server shows it: AdmissionReviews of FlinkDeployments.

use serde_json::{Value, json};

use super::model::{Scenario, states};

/// What a deployment is like before the request.
#[derive(Clone, Copy)]
pub struct Before {
    pub mode: &'static str,
    /// `status.jobStatus.state`; empty: never deployed.
    pub job: &'static str,
    pub ha: bool,
}

/// Every deployment of the model.
pub fn deployments() -> Vec<Before> {
    let mut all = Vec::new();
    for mode in ["savepoint", "last-state", "stateless"] {
        for job in ["RUNNING", "RESTARTING", "FAILED", "FINISHED", ""] {
            all.extend([false, true].map(|ha| Before { mode, job, ha }));
        }
    }
    all
}

impl Before {
    /// The resource, as stored.
    pub fn resource(self) -> Value {
        let mut configuration = json!({
            "execution.checkpointing.dir": "s3://b/cp", "execution.checkpointing.savepoint-dir": "s3://b/sp",
            "execution.checkpointing.interval": "1 min"
        });
        if self.ha {
            configuration["high-availability.type"] = json!("kubernetes");
            configuration["high-availability.storageDir"] = json!("s3://b/ha");
        }
        let spec = json!({
            "image": "orders:1", "flinkVersion": "v2_0", "serviceAccount": "flink",
            "flinkConfiguration": configuration,
            "jobManager": {"resource": {"memory": "2048m", "cpu": 1}},
            "taskManager": {"resource": {"memory": "2048m", "cpu": 1}},
            "job": {"jarURI": "local:///o.jar", "parallelism": 4, "state": "running", "upgradeMode": self.mode}
        });
        let mut resource = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {"name": "orders", "namespace": "prod", "uid": "1",
                "finalizers": ["flinkdeployments.flink.apache.org/finalizer"]},
            "spec": spec
        });
        if !self.job.is_empty() {
            let stored = json!({"spec": spec, "resource_metadata": {"apiVersion": "flink.apache.org/v1beta1"}});
            resource["status"] = json!({
                "jobManagerDeploymentStatus": "READY", "lifecycleState": "STABLE",
                "jobStatus": {"state": self.job, "jobId": "42aedb6e5490ff65f60746294f1d1f35",
                    "checkpointInfo": {"lastCheckpoint": {"timeStamp": 1}}},
                "reconciliationStatus": {"state": "DEPLOYED", "lastReconciledSpec": stored.to_string(),
                    "lastStableSpec": stored.to_string()}
            });
        }
        resource
    }

    fn name(self, what: &str) -> String {
        let job = if self.job.is_empty() { "never deployed" } else { self.job };
        format!("kubernetes {what} of a {} job, {job}, {} HA", self.mode, if self.ha { "with" } else { "without" })
    }
}

/// An AdmissionReview.
pub fn review(operation: &str, object: Option<&Value>, old: Option<&Value>, more: Value) -> Value {
    let mut request = json!({
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": operation, "name": "orders", "namespace": "prod",
        "kind": {"group": "flink.apache.org", "version": "v1beta1", "kind": "FlinkDeployment"},
        "resource": {"group": "flink.apache.org", "version": "v1beta1", "resource": "flinkdeployments"},
        "userInfo": {"username": "alice"}, "object": object, "oldObject": old, "dryRun": false
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    json!({"admissionReview": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}})
}

/// A change, by name.
pub type Edit = (&'static str, fn(&mut Value));

/// Changes that people and pipelines make.
pub const EDITS: &[Edit] = &[
    ("suspend", |it| it["spec"]["job"]["state"] = json!("suspended")),
    ("upgrade", |it| it["spec"]["image"] = json!("orders:2")),
    ("stateless upgrade", |it| {
        it["spec"]["image"] = json!("orders:2");
        it["spec"]["job"]["upgradeMode"] = json!("stateless");
    }),
    ("rescale", |it| it["spec"]["job"]["parallelism"] = json!(8)),
    ("redeploy", |it| {
        it["spec"]["job"]["savepointRedeployNonce"] = json!(2);
        it["spec"]["job"]["initialSavepointPath"] = json!("s3://b/sp/savepoint-1");
    }),
    ("arm the drain", |it| {
        it["spec"]["flinkConfiguration"]["kubernetes.operator.job.drain-on-savepoint-deletion"] = json!("true");
    }),
    ("restart", |it| it["spec"]["restartNonce"] = json!(7)),
    ("version change", |it| it["spec"]["flinkVersion"] = json!("v2_1")),
];

/// Creates, updates and deletes.
pub fn scenarios() -> Vec<Scenario> {
    let facts = || {
        vec![
            ("platform.flinkConfiguration", vec![json!({})]),
            ("intent.restartPlanned", vec![json!(true), json!(false)]),
            ("deployment.hasState", vec![json!(true), json!(false)]),
            ("job.status", states(&["RUNNING", "FAILED"])),
        ]
    };
    let mut all = Vec::new();
    for before in deployments() {
        let old = before.resource();
        for (name, edit) in EDITS {
            let mut new = old.clone();
            edit(&mut new);
            let request = review("UPDATE", Some(&new), Some(&old), Value::Null);
            all.push(Scenario { name: before.name(name), request, facts: facts() });
        }
        let request = review("DELETE", None, Some(&old), Value::Null);
        all.push(Scenario { name: before.name("delete"), request, facts: facts() });
        if before.job.is_empty() {
            let request = review("CREATE", Some(&old), None, Value::Null);
            all.push(Scenario { name: before.name("create"), request, facts: facts() });
        }
    }
    all
}
