//! Requests that several tests judge, and what they read in the report.

use serde_json::Value;

pub const JOB: &str = "42aedb6e5490ff65f60746294f1d1f35";
pub const DRAIN: &str = "POST /jobs/42aedb6e5490ff65f60746294f1d1f35/stop HTTP/1.1\nContent-Type: application/json\n\n{\n  \"targetDirectory\": \"s3://sp\",\n  \"drain\": true\n}\n";
pub const OVERVIEW: &str = "GET /jobs/overview HTTP/1.1\n\n";
pub const PLAN: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlan\ndeployment: {platform: alibaba, namespace: prod, name: orders}\nsteps:\n  - stop: {mode: savepoint}\n";
pub const DEPLOYMENT: &str = "apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders, namespace: prod}
spec:
  image: flink:2.2
  flinkVersion: v2_2
  flinkConfiguration: {state.savepoints.dir: s3://sp, execution.checkpointing.dir: s3://cp}
  serviceAccount: flink
  jobManager: {resource: {memory: 2048m, cpu: 1}}
  taskManager: {resource: {memory: 2048m, cpu: 1}}
  job: {jarURI: local:///opt/job.jar, parallelism: 2, upgradeMode: savepoint, state: running}
";

pub fn decisions(report: &Value) -> Vec<&str> {
    report["results"].as_array().unwrap().iter().map(|result| result["decision"].as_str().unwrap()).collect()
}

pub fn error(report: &Value, index: usize) -> &str {
    report["results"][index]["error"].as_str().unwrap_or_else(|| panic!("{report:#}"))
}
