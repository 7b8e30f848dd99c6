//! The volumes of a FlinkDeployment's pods, as far as a savepoint on a local path needs them: where something is mounted
//! that outlives a pod, for JobManager and TaskManagers alike.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::configuration::Configuration;
use crate::document::Node;
use crate::location::is_below;
use crate::operation::Spec;

/// Nobody mounts more, or deeper; a document made to be large must not cost more.
const MAX_MOUNTS: usize = 100;
const MAX_PATH: usize = 1_024;

/// The paths at which both kinds of pod mount a volume that is no `emptyDir`; `None`: it cannot be told, since the pod
/// template is a file in the image.
pub(super) fn mounts<'d>(spec: Spec<'d>, configuration: &Configuration<'_>) -> Option<Vec<Cow<'d, str>>> {
    if configuration.entries().iter().any(|entry| entry.key.starts_with("kubernetes.pod-template-file")) {
        return None;
    }
    let common = spec.get("podTemplate");
    let of = |part: &str| mounted([common, spec.get(part).and_then(|part| part.get("podTemplate"))]);
    let (manager, workers) = (of("jobManager"), of("taskManager"));
    // A path below one mount and above another: what both have is the deeper of the two.
    let shared = |ours: &[Cow<'d, str>], theirs: &[Cow<'d, str>]| -> Vec<Cow<'d, str>> {
        ours.iter().filter(|path| theirs.iter().any(|other| is_below(path, other))).cloned().collect()
    };
    let mut both = shared(&manager, &workers);
    both.extend(shared(&workers, &manager));
    Some(both)
}

/// The mount paths of the containers of templates that are merged.
fn mounted<'d>(templates: [Option<Node<'d>>; 2]) -> Vec<Cow<'d, str>> {
    let specs = || templates.iter().flatten().filter_map(|template| template.get("spec"));
    let mut lasting: BTreeSet<Cow<'d, str>> = BTreeSet::new();
    let named = specs()
        .filter_map(|spec| spec.get("volumes"))
        .flat_map(|volumes| volumes.elements())
        // A volume without any source is an `emptyDir` too.
        .filter(|volume| {
            let mut sources = volume.members().filter(|(key, value)| !key.is("name") && !value.is_null());
            sources.next().is_some() && volume.get("emptyDir").is_none()
        })
        .filter_map(|volume| volume.get("name")?.text());
    for name in named {
        lasting.insert(name);
    }
    specs()
        .filter_map(|spec| spec.get("containers"))
        .flat_map(|containers| containers.elements())
        // What a sidecar mounts is not there for Flink.
        .filter(|container| container.get("name").is_some_and(|name| name.is("flink-main-container")))
        .filter_map(|container| container.get("volumeMounts"))
        .flat_map(|mounts| mounts.elements())
        .filter(|mount| mount.get("name").and_then(|name| name.text()).is_some_and(|name| lasting.contains(&name)))
        .filter_map(|mount| mount.get("mountPath")?.text())
        .filter(|path| path.len() <= MAX_PATH)
        .take(MAX_MOUNTS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::mounts;
    use crate::configuration::Configuration;
    use crate::document::{Document, Reading};
    use crate::operation::Spec;

    fn paths(spec: &str) -> Option<Vec<String>> {
        let document = Document::parse(spec.as_bytes(), Reading::JsonOrYaml).unwrap();
        let spec = Spec::at(Some(document.root()));
        let mut configuration = Configuration::default();
        if let Some(map) = spec.get("flinkConfiguration") {
            configuration.overlay(map);
        }
        mounts(spec, &configuration).map(|paths| paths.into_iter().map(|path| path.into_owned()).collect())
    }

    fn template(volume: &str, path: &str) -> String {
        format!(
            "{{spec: {{volumes: [{{name: sp, {volume}}}], containers: [{{name: flink-main-container, volumeMounts: \
             [{{name: sp, mountPath: {path}}}]}}]}}}}"
        )
    }

    #[test]
    fn a_lasting_volume_counts_where_both_kinds_of_pod_mount_it() {
        let shared = template("persistentVolumeClaim: {claimName: sp}", "/flink-data");
        let deeper = template("nfs: {path: /x}", "/flink-data/sp");
        let found = |spec: String| paths(&spec).unwrap();
        assert!(found("podTemplate: ".to_owned() + &shared).contains(&"/flink-data".to_owned()));
        assert_eq!(
            found(format!("jobManager: {{podTemplate: {shared}}}\ntaskManager: {{podTemplate: {deeper}}}")),
            ["/flink-data/sp"]
        );
        assert!(found(format!("jobManager: {{podTemplate: {shared}}}")).is_empty());
        for volume in ["emptyDir: {}", "emptyDir: {sizeLimit: 1Gi}", "emptyDir: null"] {
            assert!(found(format!("podTemplate: {}", template(volume, "/flink-data"))).is_empty(), "{volume}");
        }
        assert!(found("image: flink".to_owned()).is_empty());
        assert!(found(format!("podTemplate: {}", shared.replace("flink-main-container", "sidecar"))).is_empty());
        assert_eq!(paths("flinkConfiguration: {kubernetes.pod-template-file.default: /opt/pod.yaml}"), None);
    }
}
