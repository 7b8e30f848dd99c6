//! Reads in the form in which recorded answers name them.

use serde_json::{Value, json};

use crate::{Lookup, Scoped};

/// What the member `lookup` of a recorded answer says.
pub(crate) fn lookup(lookup: &Lookup) -> Value {
    let scoped = |it: &Scoped| json!({"namespace": it.namespace, "id": it.id});
    match lookup {
        Lookup::FlinkJob(id) => json!({"flinkJob": id}),
        Lookup::FlinkCheckpoints(id) => json!({"flinkCheckpoints": id}),
        Lookup::FlinkCheckpointConfig(id) => json!({"flinkCheckpointConfig": id}),
        Lookup::FlinkJobs => json!("flinkJobs"),
        Lookup::FlinkConfig => json!("flinkConfig"),
        Lookup::VervericaDeployment(it) => json!({"ververicaDeployment": scoped(it)}),
        Lookup::VervericaSavepoints(it) => json!({"ververicaSavepoints": scoped(it)}),
        Lookup::VervericaJob(it) => json!({"ververicaJob": scoped(it)}),
        Lookup::AlibabaDeployment(it) => json!({"alibabaDeployment": scoped(it)}),
        Lookup::AlibabaJobs(it) => json!({"alibabaJobs": scoped(it)}),
        Lookup::AlibabaJob(it) => json!({"alibabaJob": scoped(it)}),
        Lookup::AlibabaSavepoints(it) => json!({"alibabaSavepoints": scoped(it)}),
        Lookup::Kubernetes(it) => {
            json!({"kubernetes": {"kind": it.kind, "namespace": it.namespace, "name": it.name}})
        }
        Lookup::Location(at) => json!({"location": at}),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lookup;
    use crate::facts::{Answered, FactSource as _, Recorded};
    use crate::{Lookup, ObjectRef, Scoped};

    #[test]
    fn what_is_written_is_read_again() {
        let scoped = || Scoped { namespace: "ns".to_owned(), id: "i".to_owned() };
        let object = |name| ObjectRef { kind: "K".to_owned(), namespace: "ns".to_owned(), name };
        let id = || "a".to_owned();
        for read in [
            Lookup::FlinkJob(id()),
            Lookup::FlinkCheckpoints(id()),
            Lookup::FlinkCheckpointConfig(id()),
            Lookup::FlinkJobs,
            Lookup::FlinkConfig,
            Lookup::VervericaDeployment(scoped()),
            Lookup::VervericaSavepoints(scoped()),
            Lookup::VervericaJob(scoped()),
            Lookup::AlibabaDeployment(scoped()),
            Lookup::AlibabaJobs(scoped()),
            Lookup::AlibabaJob(scoped()),
            Lookup::AlibabaSavepoints(scoped()),
            Lookup::Kubernetes(object(None)),
            Lookup::Kubernetes(object(Some(id()))),
            Lookup::Location(id()),
        ] {
            let recorded = Recorded::read(json!([{"lookup": lookup(&read), "absent": true}])).unwrap();
            assert_eq!(recorded.answer(&read), Answered::Absent, "{read:?}");
        }
    }
}
