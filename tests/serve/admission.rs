//! The webhook: reviews as a Kubernetes 1.36 API server sent them, byte for byte, and what its callers come to see.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Answer, Folder, Server, recorded};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// The recorded reviews, each with the line break that ended it.
fn reviews() -> Vec<Vec<u8>> {
    let all = recorded("recorded/kubernetes-1.36.ndjson");
    all.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn review(of: impl Fn(&Value) -> bool) -> Value {
    let parsed = reviews().into_iter().map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap());
    parsed.into_iter().find(|review| of(&review["request"])).expect("such a review was recorded")
}

fn validate(server: &Server, review: &[u8]) -> Answer {
    server.send("POST", "/validate?timeout=5s", JSON, review)
}

fn response(server: &Server, review: &Value) -> Value {
    let answer = validate(server, review.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    well_formed(&answer.json(), &review["request"]["uid"]);
    answer.json()["response"].clone()
}

/// What the API server demands of an answer (DOMAIN 5.2).
fn well_formed(document: &Value, uid: &Value) {
    assert_eq!(document["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(document["kind"], "AdmissionReview");
    let response = &document["response"];
    assert_eq!(response["uid"], *uid);
    assert!(response["allowed"].is_boolean() && response.get("patch").is_none() && response.get("patchType").is_none());
    let warnings: Vec<&str> =
        response["warnings"].as_array().into_iter().flatten().map(|warning| warning.as_str().unwrap()).collect();
    assert!(warnings.iter().all(|it| it.chars().count() <= 120 && !it.contains(['\n', '\r'])), "{warnings:?}");
    assert!(warnings.iter().map(|it| it.chars().count()).sum::<usize>() <= 4096);
    for key in response["auditAnnotations"].as_object().unwrap().keys() {
        let fine = key.len() <= 63 && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        assert!(fine, "{key}");
    }
    if response["allowed"] == false {
        let status = &response["status"];
        assert_eq!(status["status"], "Failure");
        assert!(status["code"].as_u64().unwrap() >= 400 && !status["message"].as_str().unwrap().is_empty());
    }
}

/// What `sluicegate check` says of the same bytes.
fn checked(review: &[u8]) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluicegate"))
        .args(["check", "-", "--format", "json"])
        .env_remove("SLUICEGATE_SETTINGS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(review).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn recorded_reviews_get_the_verdict_of_the_command_line() {
    let server = Server::plain(&[]);
    let reviews = reviews();
    assert_eq!(reviews.len(), 13);
    let mut denied = 0;
    for bytes in reviews {
        let answer = validate(&server, &bytes);
        assert_eq!(answer.status, 200, "{answer:?}");
        let document = answer.json();
        let review: Value = serde_json::from_slice(&bytes).unwrap();
        well_formed(&document, &review["request"]["uid"]);
        let result = &checked(&bytes)["results"][0];
        let response = &document["response"];
        assert_eq!(response["allowed"], result["decision"] != "deny", "{result}");
        assert_eq!(response["auditAnnotations"]["decision"], result["decision"]);
        let told = response["auditAnnotations"]["rules"].as_str().unwrap_or_default();
        for finding in result["findings"].as_array().unwrap() {
            let heard = finding["effect"] != "note";
            let rule = finding["rule"].as_str().unwrap();
            assert!(!heard || told.split(',').any(|id| id == rule), "{rule} is missing in {told}");
        }
        denied += u32::from(response["allowed"] == false);
    }
    assert!(denied > 0, "none of the recorded reviews is denied");
}

/// A delete of a running job without a savepoint.
fn delete() -> Value {
    let mut delete = review(|request| request["operation"] == "DELETE" && request["kind"]["kind"] == "FlinkDeployment");
    delete["request"]["oldObject"]["spec"]["job"]["upgradeMode"] = json!("last-state");
    delete["request"]["oldObject"]["status"] = json!({
        "jobStatus": {"state": "RUNNING", "jobId": "5d2f0c3b9a8e4c7fb1d6e0a2f3947c58"},
        "lifecycleState": "STABLE", "jobManagerDeploymentStatus": "READY",
        "reconciliationStatus": {"state": "DEPLOYED"},
    });
    delete
}

#[test]
fn a_refusal_names_the_rule_first_and_what_to_do() {
    let server = Server::plain(&[]);
    let response = response(&server, &delete());
    assert_eq!(response["allowed"], false, "{response}");
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("delete-running-without-savepoint: "), "{message}");
    assert!(message.contains("; to do: "), "{message}");
    assert_eq!(response["status"]["reason"], "Forbidden");
    assert_eq!(response["status"]["code"], 403);
    assert_eq!(response["auditAnnotations"]["decision"], "deny");
    assert!(response["auditAnnotations"]["policy"].as_str().unwrap().starts_with("sha256:"));
}

fn warnings(response: &Value) -> Vec<String> {
    response["warnings"].as_array().into_iter().flatten().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// The warnings as the texts that they are the lines of.
fn texts(response: &Value) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in warnings(response) {
        match line.strip_prefix("… ") {
            None => texts.push(line),
            Some(more) => texts.last_mut().unwrap().push_str(&format!(" {more}")),
        }
    }
    texts
}

#[test]
fn a_refusal_names_the_object_and_the_means_of_its_reader() {
    let server = Server::plain(&[]);
    let mut delete = delete();
    delete["request"]["oldObject"]["metadata"]["finalizers"] = json!(["flinkdeployments.flink.apache.org/finalizer"]);
    let (namespace, name) = (&delete["request"]["namespace"], &delete["request"]["name"]);
    let object = format!("FlinkDeployment {}/{}", namespace.as_str().unwrap(), name.as_str().unwrap());
    let response = response(&server, &delete);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("delete-running-without-savepoint: {object}: ")), "{message}");
    assert!(message.contains("`kubectl annotate … sluicegate.dev/intent=final`"), "{message}");
    assert!(!message.contains("--intent"), "{message}");
}

#[test]
fn no_warning_is_cut_and_what_was_not_judged_is_among_them() {
    let server = Server::plain(&["--mode", "warn"]);
    let (mut findings, mut unjudged) = (0, 0);
    for review in [delete(), lacking()] {
        let response = response(&server, &review);
        let result = &checked(review.to_string().as_bytes())["results"][0];
        let texts = texts(&response);
        for finding in result["findings"].as_array().unwrap().iter().filter(|finding| finding["effect"] != "note") {
            for part in ["message", "remedy"] {
                let whole = finding[part].as_str().unwrap();
                assert!(texts.iter().any(|text| text.ends_with(whole)), "{whole} is missing in {texts:#?}");
                findings += 1;
            }
        }
        for it in result["unjudged"].as_array().unwrap() {
            let (rule, lacks) = (it["rule"].as_str().unwrap(), it["lacks"].as_str().unwrap());
            let told = |text: &String| text.starts_with("not judged: ") && text.contains(rule) && text.ends_with(lacks);
            assert!(texts.iter().any(told), "{rule} lacks {lacks}: {texts:#?}");
            unjudged += 1;
        }
    }
    assert!(findings > 0 && unjudged > 0);
}

/// A review of which one rule lacks a fact.
fn lacking() -> Value {
    let case = recorded("cases/ha-removed-with-last-state/k8s-removed-defaults-unknown.yaml");
    sluicegate::yaml::parse(&String::from_utf8(case).unwrap()).unwrap()["request"]["admissionReview"].clone()
}

#[test]
fn an_override_that_counts_is_told_with_its_reason() {
    let server = Server::plain(&[]);
    let mut delete = delete();
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let annotations = json!({
        "sluicegate.dev/override": "delete-running-without-savepoint",
        "sluicegate.dev/override-reason": "moved to cluster b",
        "sluicegate.dev/override-until": sluicegate::clock::rfc3339(soon),
    });
    delete["request"]["oldObject"]["metadata"]["annotations"] = annotations;
    let response = response(&server, &delete);
    assert_eq!(response["allowed"], true, "{response:#}");
    let texts = texts(&response);
    let reason = "overridden: delete-running-without-savepoint: moved to cluster b";
    assert_eq!(texts[0], reason, "{texts:#?}");
    assert!(texts[1].starts_with("delete-running-without-savepoint: "), "{texts:#?}");
}

#[test]
fn a_dry_run_gets_the_same_answer() {
    let server = Server::plain(&[]);
    let mut dry = delete();
    dry["request"]["dryRun"] = json!(true);
    let mut real = delete();
    real["request"]["dryRun"] = json!(false);
    assert_eq!(response(&server, &dry), response(&server, &real));
}

#[test]
fn controllers_that_clean_up_are_warned_at_most() {
    let server = Server::plain(&[]);
    for user in ["namespace-controller", "generic-garbage-collector"] {
        let mut delete = delete();
        delete["request"]["userInfo"]["username"] = json!(format!("system:serviceaccount:kube-system:{user}"));
        let response = response(&server, &delete);
        assert_eq!(response["allowed"], true, "{user}: {response}");
        assert!(
            response["warnings"][0].as_str().unwrap().starts_with("delete-running-without-savepoint"),
            "{response}"
        );
    }
}

#[test]
fn a_scale_request_is_judged() {
    let server = Server::plain(&[]);
    let scale = |replicas: u32| {
        json!({
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "orders", "namespace": "prod"},
            "spec": {"replicas": replicas}, "status": {"replicas": 2},
        })
    };
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "5ca1e", "kind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
            "resource": {"group": "flink.apache.org", "version": "v1beta1", "resource": "flinkdeployments"},
            "subResource": "scale", "requestSubResource": "scale", "name": "orders", "namespace": "prod",
            "operation": "UPDATE", "userInfo": {"username": "ada"}, "object": scale(0), "oldObject": scale(2),
            "dryRun": false,
        },
    });
    let response = response(&server, &review);
    let result = &checked(review.to_string().as_bytes())["results"][0];
    assert_eq!(result["dialect"], "kubernetes");
    assert_eq!(response["auditAnnotations"]["decision"], result["decision"]);
    assert!(!result["operations"].as_array().unwrap().is_empty(), "{result}");
    assert_ne!(response["auditAnnotations"].get("rules"), None, "{response} {result}");
}

#[test]
fn what_is_no_review_gets_a_clear_answer() {
    let server = Server::plain(&["--max-body", "20000"]);
    let told = |method, body: &[u8]| {
        let answer = server.send(method, "/validate", JSON, body);
        (answer.status, answer.body)
    };
    let (status, text) = told("POST", b"not json");
    assert_eq!(status, 400);
    assert!(text.starts_with("this is not an AdmissionReview as JSON"), "{text}");
    let mut old = delete();
    old["apiVersion"] = json!("admission.k8s.io/v1beta1");
    let (status, text) = told("POST", old.to_string().as_bytes());
    assert_eq!(status, 400);
    assert!(text.contains("admissionReviewVersions"), "{text}");
    assert_eq!(told("GET", b"").0, 405);
    let (status, text) = told("POST", &vec![b' '; 20_001]);
    assert_eq!(status, 413);
    assert!(text.contains("limit of 20000 bytes"), "{text}");
    // A uid that can be read, and nothing else that makes sense: the policy says what is wrong.
    let mut broken = delete();
    broken["request"]["operation"] = json!("EXPLODE");
    let response = response(&server, &broken);
    assert_eq!(response["allowed"], false);
    assert_eq!((&response["status"]["reason"], &response["status"]["code"]), (&json!("Invalid"), &json!(422)));
    assert!(response["status"]["message"].as_str().unwrap().contains("EXPLODE"), "{response}");
    // No panic anywhere.
    assert!(!server.log().contains("panic"), "{}", server.log());
}

#[test]
fn in_warn_mode_nothing_is_refused_and_everything_said() {
    let server = Server::plain(&["--mode", "warn"]);
    let response = response(&server, &delete());
    assert_eq!(response["allowed"], true);
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("delete-running-without-savepoint (would be refused)"), "{warning}");
    assert_eq!(response["auditAnnotations"]["decision"], "deny");
    assert_eq!(server.metric("sluicegate_decisions_total{door=\"validate\",mode=\"warn\",decision=\"deny\"}"), 1.0);
}

#[test]
fn undecided_is_refused_unless_the_settings_let_it_pass() {
    let folder = Folder::new();
    let head = "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nunjudged: undecided\n";
    let strict = folder.write("strict.yaml", head);
    let lenient = folder.write("lenient.yaml", &format!("{head}undecided: allow\n"));
    // A rule that could have denied lacks a fact here.
    let undecided = lacking().to_string().into_bytes();
    let refusing = Server::plain(&["--settings", &strict]);
    let refused = validate(&refusing, &undecided).json();
    assert_eq!(refused["response"]["auditAnnotations"]["decision"], "undecided", "{refused}");
    assert_eq!(refused["response"]["allowed"], false);
    assert!(refused["response"]["status"]["message"].as_str().unwrap().contains("not decided"), "{refused}");
    let passing = Server::plain(&["--settings", &lenient]);
    let passed = validate(&passing, &undecided).json();
    assert_eq!(passed["response"]["allowed"], true, "{passed}");
    assert!(passed["response"]["warnings"][0].as_str().unwrap().starts_with("undecided: "), "{passed}");
}
