//! A real helm, and what it makes of the chart.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;
use sluicegate_tests::{home, root};

/// The namespace and the release of everything rendered here.
pub const NAMESPACE: &str = "sluicegate";

pub fn chart() -> PathBuf {
    root().join("host/deploy/chart")
}

/// Each set of values: its name and its file.
pub fn sets() -> Vec<(String, PathBuf)> {
    let folder = home().join("deploy/values");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut sets: Vec<_> = files.map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), file)).collect();
    sets.sort();
    assert!(sets.len() >= 8, "where are the values?");
    sets
}

/// What the chart becomes with this set of values. Rendered once, for all tests.
pub fn render(set: &str) -> Vec<Value> {
    static RENDERED: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
    let fresh = || {
        let file = home().join("deploy/values").join(format!("{set}.yaml"));
        documents(&template(&["--values", file.to_str().unwrap()]).unwrap())
    };
    // A test that failed to render has said so itself.
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    rendered.entry(set.to_owned()).or_insert_with(fresh).clone()
}

/// What the chart becomes with these arguments, or what helm says against it.
pub fn template(arguments: &[&str]) -> Result<String, String> {
    let chart = chart();
    let mut all = vec!["template", NAMESPACE, chart.to_str().unwrap(), "--namespace", NAMESPACE];
    all.extend(arguments);
    run(&all)
}

/// Runs helm.
pub fn run(arguments: &[&str]) -> Result<String, String> {
    let done = Command::new(helm()).args(arguments).env("HELM_NO_PLUGINS", "1").output().unwrap();
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()),
    }
}

fn helm() -> &'static PathBuf {
    static HELM: OnceLock<PathBuf> = OnceLock::new();
    HELM.get_or_init(|| {
        // Beside the test's own binary, wherever Cargo builds.
        let exe = std::env::current_exe().unwrap();
        let target = exe.ancestors().nth(3).unwrap();
        let found = Command::new("sh").arg(home().join("deploy/helm.sh")).arg(target).output().unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        PathBuf::from(String::from_utf8(found.stdout).unwrap().trim_end())
    })
}

/// The documents of a rendered text. Texts inside of them are indented, so a marker in the first column is one.
pub fn documents(text: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    for part in format!("\n{text}").split("\n---") {
        match sluicegate::yaml::parse(part).unwrap_or_else(|error| panic!("{error} in\n{part}")) {
            Value::Null => {}
            document => documents.push(document),
        }
    }
    assert!(!documents.is_empty(), "nothing was rendered");
    documents
}

/// The documents of this kind.
pub fn of_kind<'d>(documents: &'d [Value], kind: &str) -> Vec<&'d Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

/// `Kind name`, for messages.
pub fn title(document: &Value) -> String {
    format!("{} {}", document["kind"].as_str().unwrap_or("?"), document["metadata"]["name"].as_str().unwrap_or("?"))
}

/// The arguments of the gate's container in this Deployment.
pub fn arguments(deployment: &Value) -> Vec<&str> {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect()
}

#[test]
fn lints_without_a_warning() {
    for (name, file) in sets() {
        let said = run(&["lint", "--strict", chart().to_str().unwrap(), "--values", file.to_str().unwrap()]).unwrap();
        assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{name}: {said}");
    }
}

#[test]
fn renders_the_same_twice() {
    for (name, file) in sets() {
        let render = || template(&["--values", file.to_str().unwrap()]).unwrap();
        assert_eq!(render(), render(), "{name}");
    }
}

#[test]
fn names_are_unique_and_belong_to_the_release() {
    for (set, _) in sets() {
        let documents = render(&set);
        let mut seen = std::collections::BTreeSet::new();
        for document in &documents {
            let metadata = &document["metadata"];
            let namespace = metadata["namespace"].as_str();
            assert!(
                seen.insert((document["kind"].as_str(), namespace, metadata["name"].as_str())),
                "{set}: {}",
                title(document)
            );
            assert!(metadata["name"].as_str().unwrap().len() <= 63, "{set}: {}", title(document));
            for label in ["name", "instance", "version", "part-of", "managed-by"] {
                let label = &metadata["labels"][format!("app.kubernetes.io/{label}")];
                assert!(label.is_string(), "{set}: {}", title(document));
            }
        }
    }
}
