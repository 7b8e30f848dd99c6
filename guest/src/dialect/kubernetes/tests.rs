//! What requests decode to, from the bytes on: operations, what is known, leniency, oddities.

mod changes;
mod deletes;

use crate::dialect::{self, kubernetes};
use crate::document::{Document, Reading};
use crate::facts::{Declared, Voice};
use crate::operation::{Action, Decoded, Deletion, Stage};
use crate::settings::Settings;

const SPEC: &str = "{image: flink:2.2, flinkVersion: v2_2, flinkConfiguration: {}, job: {jarURI: local:///a.jar, parallelism: 2, upgradeMode: savepoint}}";
const RUNNING: &str = "{lifecycleState: STABLE, jobStatus: {state: RUNNING}, reconciliationStatus: {state: DEPLOYED, lastReconciledSpec: '{\"spec\": {\"job\": {}}}'}}";
const SUSPENDED: &str = "{lifecycleState: SUSPENDED, jobStatus: {state: FINISHED}, reconciliationStatus: {state: DEPLOYED, lastReconciledSpec: '{\"spec\": {\"job\": {\"state\": \"suspended\", \"upgradeMode\": \"MODE\"}}}'}}";

fn resource(kind: &str, metadata: &str, spec: &str, status: &str) -> String {
    format!(
        "{{apiVersion: flink.apache.org/v1beta1, kind: {kind}, metadata: {{name: orders, namespace: prod, {metadata}}}, spec: {spec}, status: {status}}}"
    )
}

/// A FlinkDeployment with the operator's finalizer.
fn deployment(spec: &str, status: &str) -> String {
    resource("FlinkDeployment", "finalizers: [flinkdeployments.flink.apache.org/finalizer]", spec, status)
}

fn review(kind: &str, operation: &str, user: &str, object: &str, old: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "{{apiVersion: admission.k8s.io/v1, kind: AdmissionReview, request: {{uid: u, kind: {{group: flink.apache.org, version: v1beta1, kind: {kind}}}, resource: {{group: flink.apache.org, version: v1beta1, resource: {plural}}}, operation: {operation}, name: orders, namespace: prod, userInfo: {{username: '{user}'}}, object: {object}, oldObject: {old}}}}}"
    )
}

fn with<R>(body: &str, facts: &str, look: impl FnOnce(&Decoded<'_>) -> R) -> R {
    // What starts with `{` would be read as JSON.
    let (body, facts) = (format!("--- {body}"), format!("--- {facts}"));
    let facts = [(Document::parse(facts.as_bytes(), Reading::JsonOrYaml).unwrap(), Voice::Trusted)];
    let declared = Declared::new(&facts).unwrap();
    let settings = Settings::default();
    let observed = crate::facts::Observed::default();
    let context = dialect::Context { declared: &declared, observed: &observed, settings: &settings };
    let body = Document::parse(body.as_bytes(), Reading::JsonOrYaml).unwrap();
    kubernetes::review(body.root(), &context, look).unwrap()
}

/// All operations of a stage in words.
fn words(stage: &Stage<'_>) -> String {
    let detail = |action: &Action<'_>| match action {
        Action::Start(start) => format!(" from {:?}", start.restore),
        Action::Change(change) => {
            let armed = if change.arms_drain.is_some() { ", arms drain" } else { "" };
            format!(" {:?}{armed}", change.reach)
        }
        Action::Delete(deletion) => {
            let fresh = deletion.savepoint_age.is_some_and(|age| age <= 900);
            let Deletion { savepoint_first, stateful, deployed, .. } = deletion;
            format!(" first {savepoint_first:?}, stateful {stateful:?}, deployed {deployed:?}, fresh {fresh}")
        }
        _ => String::new(),
    };
    let all = stage.operations.iter().map(|operation| format!("{}{}", operation.summary(), detail(&operation.action)));
    all.collect::<Vec<_>>().join("; ")
}

fn decoded(body: &str, facts: &str) -> String {
    with(body, facts, |decoded| decoded.stages.iter().map(words).collect())
}

/// What a manifest decodes to, or why it does not.
fn manifest(body: &str, live: Option<&str>) -> String {
    let declared = Declared::none();
    let settings = Settings::default();
    let observed = crate::facts::Observed::default();
    let context = dialect::Context { declared: &declared, observed: &observed, settings: &settings };
    let (body, live) = (format!("--- {body}"), format!("--- {}", live.unwrap_or("null")));
    let parse = |text| Document::parse(text, Reading::JsonOrYaml).unwrap();
    let (body, live) = (parse(body.as_bytes()), parse(live.as_bytes()));
    let live = Some(live.root()).filter(|live| !live.is_null());
    let all = |decoded: &Decoded<'_>| decoded.stages.iter().map(words).collect();
    kubernetes::manifest(body.root(), live, &context, all).unwrap_or_else(|failure| failure.message)
}

/// An update of a FlinkDeployment by a person: changes are replacements in the text of the spec.
fn updated(old: &str, status: &str, changes: &[(&str, &str)]) -> String {
    let mut new = old.to_owned();
    for (from, to) in changes {
        assert!(new.contains(from), "{from}");
        new = new.replace(from, to);
    }
    let body = review("FlinkDeployment", "UPDATE", "jane", &deployment(&new, status), &deployment(old, status));
    decoded(&body, "{}")
}

#[test]
fn snapshots_are_taken_registered_and_disposed_of() {
    let snapshot = |operation: &str, spec: &str, status: &str| {
        let object = resource("FlinkStateSnapshot", "", spec, status);
        let (object, old) = if operation == "DELETE" { ("null", object.as_str()) } else { (object.as_str(), "null") };
        let facts = "{related: [{kind: FlinkDeployment, metadata: {name: orders-job, namespace: prod}, status: {jobStatus: {state: SUSPENDED}}}]}";
        with(&review("FlinkStateSnapshot", operation, "jane", object, old), facts, |decoded| {
            let stage = decoded.stages.first().unwrap();
            format!("{} {:?}", words(stage), stage.current.state.as_ref().map(|state| state.word().to_owned()))
        })
    };
    let job = "jobReference: {kind: FlinkDeployment, name: orders-job}";
    assert_eq!(
        snapshot("CREATE", &format!("{{{job}, savepoint: {{}}}}"), "null"),
        "trigger savepoint of prod/orders-job Some(\"SUSPENDED\")"
    );
    assert_eq!(
        snapshot("CREATE", &format!("{{{job}, checkpoint: {{}}}}"), "null"),
        "trigger checkpoint of prod/orders-job Some(\"SUSPENDED\")"
    );
    assert_eq!(
        snapshot("CREATE", "{savepoint: {alreadyExists: true, path: s3://a/b}}", "null"),
        "register savepoint for prod/orders None"
    );
    let done = "{state: COMPLETED, path: s3://a/b}";
    assert!(
        snapshot("DELETE", &format!("{{{job}, savepoint: {{}}}}"), done).starts_with("dispose savepoint prod/orders")
    );
    assert!(
        snapshot("DELETE", &format!("{{{job}, savepoint: {{disposeOnDelete: false}}}}"), done)
            .starts_with("delete only the record")
    );
}

#[test]
fn odd_words_are_told() {
    let odd = |spec: &str| {
        let body = review("FlinkDeployment", "CREATE", "jane", &deployment(spec, "null"), "null");
        with(&body, "{}", |decoded| {
            let oddities = decoded.stages.iter().flat_map(|stage| &stage.oddities);
            oddities
                .map(|oddity| format!("{:?} {:?}", oddity.kind, oddity.soft.unwrap()))
                .collect::<Vec<_>>()
                .join("; ")
        })
    };
    assert_eq!(odd(SPEC), "");
    assert_eq!(odd(&SPEC.replace("upgradeMode: savepoint", "upgradeMode: last_state")), "UnknownEnumValue Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode: savepoint", "state: [running]")), "UnknownEnumValue Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode", "upgrade-mode")), "UnknownLifecycleField Warn");
    assert_eq!(odd(&SPEC.replace("upgradeMode", "somethingElse")), "UnknownLifecycleField Note");
}

#[test]
fn broken_reviews_are_refused_in_plain_words() {
    let declared = Declared::none();
    let settings = Settings::default();
    let observed = crate::facts::Observed::default();
    let context = dialect::Context { declared: &declared, observed: &observed, settings: &settings };
    let good = review("FlinkDeployment", "CREATE", "jane", &deployment(SPEC, "null"), "null");
    for (from, to) in [
        ("uid: u", "uid: ''"),
        ("admission.k8s.io/v1", "admission.k8s.io/v1beta1"),
        ("request:", "response:"),
        ("AdmissionReview", "Review"),
        ("operation: CREATE", "operation: UPDATE"),
        ("operation: CREATE", "operation: MELT"),
    ] {
        let body = format!("--- {}", good.replacen(from, to, 1));
        let document = Document::parse(body.as_bytes(), Reading::JsonOrYaml).unwrap();
        assert!(kubernetes::review(document.root(), &context, |_| ()).is_err(), "{to}");
    }
    for (from, to, expected) in [
        ("version: v1beta1, kind", "version: v2, kind", "unknown request prod/orders"),
        ("kind: FlinkDeployment}", "kind: FlinkThing}", "unknown request prod/orders"),
        (
            "name: orders, namespace: prod, userInfo",
            "subResource: status, name: orders, userInfo",
            "status update of prod/orders",
        ),
        (
            "name: orders, namespace: prod, userInfo",
            "subResource: exec, name: orders, userInfo",
            "unknown request prod/orders",
        ),
        ("operation: CREATE", "operation: CONNECT", "connect to prod/orders"),
        (
            "{group: flink.apache.org, version: v1beta1, kind: FlinkDeployment}, resource: {group: flink.apache.org",
            "{group: ververica.platform, version: v2, kind: VvpDeployment}, resource: {group: ververica.platform",
            "unknown request prod/orders",
        ),
        (
            "flink.apache.org, version: v1beta1, resource",
            "apps, version: v1, resource",
            "not a Flink resource: prod/orders",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(decoded(&good.replacen(from, to, 1), "{}"), expected, "{to}");
    }
}

#[test]
fn what_is_missing_is_said_to_be_missing() {
    assert!(manifest("{kind: FlinkDeployment, metadata: {name: orders}}", None).contains("is missing"));
    let declared = Declared::none();
    let settings = Settings::default();
    let observed = crate::facts::Observed::default();
    let context = dialect::Context { declared: &declared, observed: &observed, settings: &settings };
    let whole = review("FlinkDeployment", "CREATE", "jane", &deployment(SPEC, "{}"), "null");
    for taken in ["operation: CREATE, ", "apiVersion: admission.k8s.io/v1, "] {
        let text = format!("--- {}", whole.replace(taken, ""));
        let body = Document::parse(text.as_bytes(), Reading::JsonOrYaml).unwrap();
        let failure = kubernetes::review(body.root(), &context, |_| ()).unwrap_err();
        assert!(failure.message.contains("is missing"), "{}", failure.message);
    }
}

#[test]
fn a_version_newer_than_the_gate_gets_no_guess() {
    let remedy = |version: &str| {
        let object = deployment(&SPEC.replace("v2_2", version), "null");
        with(&review("FlinkDeployment", "CREATE", "jane", &object, "null"), "{}", |decoded| {
            let oddities = &decoded.stages.first().unwrap().oddities;
            oddities.iter().map(|oddity| oddity.remedy.clone()).collect::<String>()
        })
    };
    assert_eq!(remedy("v2_2"), "");
    assert!(remedy("v1_2").contains("did you mean") && remedy("v2-2").contains("did you mean"));
    for newer in ["v2_9", "v3_0", "v10_0"] {
        let text = remedy(newer);
        assert!(!text.contains("did you mean") && text.contains("update the gate"), "{newer}: {text}");
    }
}
