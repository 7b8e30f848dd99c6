//! Which read of a platform tells what a rule may want of a target. What was read so far may name what comes next.

use crate::facts::Facts;
use crate::operation::{Kind, Lookup, ObjectRef, Scoped, Want};
use crate::text::is_uuid;

/// Reads with what they tell.
pub(super) type Reads = Vec<(Want, Lookup)>;

fn scoped(namespace: &str, id: &str) -> Scoped {
    Scoped { namespace: namespace.to_owned(), id: id.to_owned() }
}

/// Of a cluster, and of a job in it.
pub(super) fn flink(job: Option<&str>) -> Reads {
    let mut reads = vec![(Want::Configuration, Lookup::FlinkConfig), (Want::Jobs, Lookup::FlinkJobs)];
    if let Some(id) = job {
        reads.push((Want::Job, Lookup::FlinkJob(id.to_owned())));
        reads.push((Want::Retention, Lookup::FlinkCheckpointConfig(id.to_owned())));
        reads.push((Want::Checkpoints, Lookup::FlinkCheckpoints(id.to_owned())));
    }
    reads
}

/// Of a Ververica deployment, by name or id. Its savepoints are listed by its id alone.
pub(super) fn ververica(namespace: &str, name: &str, seen: &Facts<'_>) -> Reads {
    let deployment = || Lookup::VervericaDeployment(scoped(namespace, name));
    let id = seen.seen.deployment_id.as_deref().or_else(|| is_uuid(name).then_some(name));
    let savepoints = id.map_or_else(deployment, |id| Lookup::VervericaSavepoints(scoped(namespace, id)));
    // What the running job was started with; the deployment may have been changed since.
    let job = seen.seen.job_id.as_deref();
    let retention = job.map_or_else(deployment, |id| Lookup::VervericaJob(scoped(namespace, id)));
    vec![
        (Want::Job, deployment()),
        (Want::Deployment, deployment()),
        (Want::Configuration, deployment()),
        (Want::Savepoints, savepoints),
        (Want::Retention, retention),
    ]
}

/// Of an Alibaba deployment, by its id.
pub(super) fn alibaba_deployment(namespace: &str, id: &str) -> Reads {
    vec![
        (Want::Job, Lookup::AlibabaJobs(scoped(namespace, id))),
        (Want::Deployment, Lookup::AlibabaDeployment(scoped(namespace, id))),
        (Want::Configuration, Lookup::AlibabaDeployment(scoped(namespace, id))),
        (Want::Savepoints, Lookup::AlibabaSavepoints(scoped(namespace, id))),
    ]
}

/// Of an Alibaba job. It names its deployment.
pub(super) fn alibaba_job(namespace: &str, id: &str, seen: &Facts<'_>) -> Reads {
    let job = || Lookup::AlibabaJob(scoped(namespace, id));
    let of = |lookup: fn(Scoped) -> Lookup| match seen.seen.deployment_id.as_deref() {
        Some(deployment) => lookup(scoped(namespace, deployment)),
        None => job(),
    };
    vec![
        (Want::Job, job()),
        (Want::Deployment, of(Lookup::AlibabaDeployment)),
        (Want::Configuration, of(Lookup::AlibabaDeployment)),
        (Want::Savepoints, of(Lookup::AlibabaSavepoints)),
    ]
}

/// One Kubernetes object, or all of a kind.
pub(super) fn object(kind: &str, namespace: &str, name: Option<&str>) -> Lookup {
    let name = name.map(str::to_owned);
    Lookup::Kubernetes(ObjectRef { kind: kind.to_owned(), namespace: namespace.to_owned(), name })
}

/// Of a resource that runs a job: what else in its namespace has to do with it. The job itself is in the request.
pub(super) fn resource(kind: Kind, namespace: &str, cluster: Option<&str>) -> Reads {
    let mut reads = Vec::new();
    if let Some(cluster) = cluster {
        // What a session job does not set itself stands there.
        for want in [Want::Cluster, Want::Retention] {
            reads.push((want, object(Kind::Deployment.word(), namespace, Some(cluster))));
        }
    }
    if kind == Kind::Deployment {
        reads.push((Want::Referrers, object(Kind::SessionJob.word(), namespace, None)));
    }
    reads.push((Want::Savepoints, object(Kind::Snapshot.word(), namespace, None)));
    reads
}

/// Of a FlinkDeployment of which a request shows only its scale.
pub(super) fn scaled(namespace: &str, name: &str) -> Reads {
    let deployment = || object(Kind::Deployment.word(), namespace, Some(name));
    vec![(Want::Deployment, deployment()), (Want::Job, deployment())]
}

/// Of a snapshot: its job, and the cluster that this runs in.
pub(super) fn snapshot(kind: &str, namespace: &str, job: &str, seen: &Facts<'_>) -> Reads {
    let job = object(kind, namespace, Some(job));
    let cluster = seen.related.iter().find_map(|job| job.path(&["spec", "deploymentName"])?.text());
    let cluster = cluster.map_or_else(|| job.clone(), |name| object(Kind::Deployment.word(), namespace, Some(&name)));
    vec![(Want::Job, job), (Want::Cluster, cluster), (Want::Savepoints, object(Kind::Snapshot.word(), namespace, None))]
}
