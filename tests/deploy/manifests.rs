//! The plain manifests: what the chart gives, kept fresh, for whoever has no helm.

use std::path::PathBuf;

use crate::helm::{NAMESPACE, documents, template, title};
use crate::typed::faults;

fn folder() -> PathBuf {
    sluicegate_tests::root().join("host/deploy")
}

#[test]
fn they_are_what_the_chart_renders() {
    let values = folder().join("manifests.values.yaml");
    let rendered = template(&["--values", values.to_str().unwrap()]).unwrap();
    let text = format!(
        "# Rendered from ../chart with ../manifests.values.yaml: `SLUICEGATE_BLESS=1 cargo test --release -p \
         sluicegate-tests --test deploy`\n{rendered}"
    );
    sluicegate_tests::compare_at(&folder().join("manifests/sluicegate.yaml"), &text).unwrap();
}

#[test]
fn a_cluster_takes_them_as_they_are() {
    for file in std::fs::read_dir(folder().join("manifests")).unwrap().map(|entry| entry.unwrap().path()) {
        for document in documents(&std::fs::read_to_string(&file).unwrap()) {
            assert_eq!(faults(&document), None, "{}: {}", file.display(), title(&document));
        }
    }
}

#[test]
fn their_namespace_admits_restricted_pods_only() {
    let namespace = &documents(&std::fs::read_to_string(folder().join("manifests/namespace.yaml")).unwrap())[0];
    assert_eq!(namespace["metadata"]["name"], NAMESPACE);
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
}
