//! The requests that are measured.

use std::fmt::Write;

/// A Flink stop with its head, as a client sends it.
pub const STOP_TARGET: &str = "/jobs/a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3/stop";
pub const STOP_BODY: &str =
    r#"{"targetDirectory":"s3://prod-savepoints/orders","drain":true,"formatType":"CANONICAL"}"#;

/// An AdmissionReview as an API server sends it (compact, both objects, managed fields): the suspension of a running
/// FlinkDeployment, grown to about this many bytes by configuration, environment variables and managed fields.
pub fn review(bytes: usize) -> String {
    let mut entries = 0;
    loop {
        let review = with_entries(entries);
        if review.len() >= bytes {
            return review;
        }
        entries += 1 + (bytes - review.len()) / 1_000;
    }
}

fn with_entries(entries: usize) -> String {
    let (new, old) = (deployment("suspended", 5, entries), deployment("running", 4, entries));
    let kind = r#"{"group":"flink.apache.org","version":"v1beta1","kind":"FlinkDeployment"}"#;
    let resource = r#"{"group":"flink.apache.org","version":"v1beta1","resource":"flinkdeployments"}"#;
    format!(
        concat!(
            r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"#,
            r#""uid":"86b529ff-cb9f-45b0-ad2b-5336413f9058","kind":{kind},"resource":{resource},"#,
            r#""requestKind":{kind},"requestResource":{resource},"name":"orders","namespace":"prod","#,
            r#""operation":"UPDATE","userInfo":{{"username":"ops","groups":["system:authenticated"]}},"#,
            r#""object":{new},"oldObject":{old},"dryRun":false,"#,
            r#""options":{{"kind":"UpdateOptions","apiVersion":"meta.k8s.io/v1"}}}}}}"#
        ),
        kind = kind,
        resource = resource,
        new = new,
        old = old
    )
}

fn deployment(state: &str, generation: u32, entries: usize) -> String {
    let (mut configuration, mut environment, mut managed) = (String::new(), String::new(), String::new());
    for n in 0..entries {
        let _ = write!(configuration, r#","pipeline.jobvertex-overrides.operator-{n:05}":"parallelism={n}""#);
        let _ = write!(
            environment,
            r#"{}{{"name":"SOURCE_{n:05}_TOPIC","value":"kafka://broker-{n}.prod.svc:9092/orders"}}"#,
            if n == 0 { "" } else { "," }
        );
        let _ = write!(managed, r#","f:pipeline.jobvertex-overrides.operator-{n:05}":{{}}"#);
    }
    format!(
        concat!(
            r#"{{"apiVersion":"flink.apache.org/v1beta1","kind":"FlinkDeployment","metadata":{{"name":"orders","#,
            r#""namespace":"prod","uid":"b0c1d2e3-0000-4000-8000-000000000001","resourceVersion":"48213","#,
            r#""generation":{generation},"creationTimestamp":"2026-11-21T07:51:36Z","labels":{{"team":"orders"}},"#,
            r#""managedFields":[{{"manager":"kubectl","operation":"Update","apiVersion":"flink.apache.org/v1beta1","#,
            r#""fieldsType":"FieldsV1","fieldsV1":{{"f:spec":{{"f:flinkConfiguration":{{".":{{}}{managed}}}}}}}}}]}},"#,
            r#""spec":{{"image":"registry.example/orders:1.42.0","flinkVersion":"v2_0","serviceAccount":"flink","#,
            r#""flinkConfiguration":{{"taskmanager.numberOfTaskSlots":"2","#,
            r#""state.savepoints.dir":"s3://prod-savepoints/orders","state.checkpoints.dir":"s3://prod-checkpoints/orders""#,
            r#"{configuration}}},"jobManager":{{"resource":{{"memory":"2048m","cpu":1}}}},"#,
            r#""taskManager":{{"resource":{{"memory":"4096m","cpu":2}}}},"#,
            r#""podTemplate":{{"spec":{{"containers":[{{"name":"flink-main-container","env":[{environment}]}}]}}}},"#,
            r#""job":{{"jarURI":"local:///opt/orders/orders.jar","parallelism":8,"upgradeMode":"stateless","#,
            r#""state":"{state}"}}}},"status":{{"lifecycleState":"STABLE","jobManagerDeploymentStatus":"READY","#,
            r#""jobStatus":{{"jobName":"orders","jobId":"a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3","state":"RUNNING"}}}}}}"#
        ),
        generation = generation,
        managed = managed,
        configuration = configuration,
        environment = environment,
        state = state
    )
}
