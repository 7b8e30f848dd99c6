//! The kinds that are watched, and how one of their objects is kept: without `managedFields`, which nothing reads and
//! which often are the larger half; of a namespace only the labels.

use kube::api::{ApiResource, DynamicObject};
use kube::core::{GroupVersionKind, Resource as _};

use super::json::{self, Malformed};

/// The group of the Flink Kubernetes Operator, and the version of it that the policy reads.
pub(super) const GROUP: &str = "flink.apache.org";
pub(super) const VERSION: &str = "v1beta1";

/// A kind that is watched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) plural: &'static str,
}

/// The kinds of the Flink Kubernetes Operator.
pub(super) const FLINK: &[Kind] = &[
    Kind { name: "FlinkDeployment", plural: "flinkdeployments" },
    Kind { name: "FlinkSessionJob", plural: "flinksessionjobs" },
    Kind { name: "FlinkStateSnapshot", plural: "flinkstatesnapshots" },
    Kind { name: "FlinkBlueGreenDeployment", plural: "flinkbluegreendeployments" },
];

/// Read for their labels, which scopes of settings may ask for.
pub(super) const NAMESPACES: &Kind = &Kind { name: "Namespace", plural: "namespaces" };

/// An object as it is kept.
pub(super) struct Object {
    /// Empty for a namespace.
    pub(super) namespace: String,
    pub(super) name: String,
    /// `metadata.resourceVersion`.
    pub(super) version: String,
    pub(super) bytes: Vec<u8>,
}

impl Kind {
    pub(super) fn is_namespaces(&self) -> bool {
        self == NAMESPACES
    }

    /// `apiVersion` of its objects.
    pub(super) fn api_version(&self) -> String {
        if self.is_namespaces() { "v1".to_owned() } else { format!("{GROUP}/{VERSION}") }
    }

    /// Path of the collection, of all namespaces or one.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let (group, version) = if self.is_namespaces() { ("", "v1") } else { (GROUP, VERSION) };
        let kind = GroupVersionKind::gvk(group, version, self.name);
        let namespace = namespace.filter(|_| !self.is_namespaces());
        DynamicObject::url_path(&ApiResource::from_gvk_with_plural(&kind, self.plural), namespace)
    }

    /// Takes an object of this kind out of a list or an event. Only the metadata must be readable.
    pub(super) fn read(&self, text: &[u8]) -> Result<Object, Malformed> {
        let members = json::members(text)?;
        let named = |name: &str| members.iter().find_map(|(key, value)| (key == name).then_some(*value));
        let metadata = json::members(named("metadata").ok_or(Malformed)?)?;
        let part = |name: &str| metadata.iter().find_map(|(key, value)| (key == name).then_some(*value));
        let text_of = |name: &str| part(name).map(json::text_of).transpose();
        let object = Object {
            namespace: text_of("namespace")?.unwrap_or_default(),
            name: text_of("name")?.filter(|name| !name.is_empty()).ok_or(Malformed)?,
            version: text_of("resourceVersion")?.unwrap_or_default(),
            bytes: Vec::new(),
        };
        if self.is_namespaces() {
            return Ok(Object { bytes: part("labels").unwrap_or(b"{}").to_vec(), ..object });
        }
        let kept = json::object(
            metadata.iter().filter(|(name, _)| name != "managedFields").map(|(name, value)| (name.as_str(), *value)),
        );
        // A list may leave out what all of its items are; the policy reads it in each.
        let (version, kind) = (format!("\"{}\"", self.api_version()), format!("\"{}\"", self.name));
        let head = [("apiVersion", version.as_bytes()), ("kind", kind.as_bytes())];
        let head = head.into_iter().filter(|(name, _)| named(name).is_none());
        let rest = members.iter().map(|(name, value)| match name.as_str() {
            "metadata" => ("metadata", kept.as_slice()),
            name => (name, *value),
        });
        Ok(Object { bytes: json::object(head.chain(rest)), ..object })
    }
}

#[cfg(test)]
mod tests {
    use super::{FLINK, NAMESPACES};

    #[test]
    fn objects_are_kept_without_managed_fields() {
        let text = br#"{"metadata":{"name":"a","managedFields":[{"manager":"m"}],"namespace":"ns","resourceVersion":"7"},"spec":{"x":1.0}}"#;
        let object = FLINK[0].read(text).unwrap();
        assert_eq!((&*object.namespace, &*object.name, &*object.version), ("ns", "a", "7"));
        let kept = r#"{"apiVersion":"flink.apache.org/v1beta1","kind":"FlinkDeployment","metadata":{"name":"a","namespace":"ns","resourceVersion":"7"},"spec":{"x":1.0}}"#;
        assert_eq!(String::from_utf8(object.bytes).unwrap(), kept);
        let again = FLINK[0].read(kept.as_bytes()).unwrap();
        assert_eq!(again.bytes, kept.as_bytes());
        assert!(FLINK[0].read(br#"{"metadata":{"namespace":"ns"}}"#).is_err());
        assert!(FLINK[0].read(br#"{"kind":"FlinkDeployment"}"#).is_err());
    }

    #[test]
    fn of_a_namespace_the_labels_are_kept() {
        let object = NAMESPACES.read(br#"{"metadata":{"name":"prod","labels":{"stage":"prod"},"annotations":{}}}"#);
        assert_eq!(object.unwrap().bytes, br#"{"stage":"prod"}"#);
        assert_eq!(NAMESPACES.read(br#"{"metadata":{"name":"prod"}}"#).unwrap().bytes, b"{}");
    }

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(FLINK[1].path(None), "/apis/flink.apache.org/v1beta1/flinksessionjobs");
        assert_eq!(FLINK[0].path(Some("ns")), "/apis/flink.apache.org/v1beta1/namespaces/ns/flinkdeployments");
        assert_eq!(NAMESPACES.path(Some("ns")), "/api/v1/namespaces");
    }
}
