//! The authorizer: what a gateway asks, and what it gets to pass on to its caller.

use serde_json::json;

use crate::server::{Answer, Folder, Server, raw};

const JSON: (&str, &str) = ("content-type", "application/json");
const STOP: &str = "/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35/stop";
const DRAIN: &[u8] = br#"{"targetDirectory": "file:///sp", "drain": true}"#;
const NO_DRAIN: &[u8] = br#"{"targetDirectory": "file:///sp", "drain": false}"#;

fn decision(answer: &Answer) -> &str {
    let header = answer.header("x-sluicegate-decision").unwrap_or_default();
    assert!(header.len() <= 1024, "{header}");
    header
}

#[test]
fn a_drain_is_refused_in_the_words_of_flink() {
    let server = Server::plain(&[]);
    let answer = server.send("POST", STOP, &[JSON], DRAIN);
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(decision(&answer).starts_with("deny; rules=drain-with-planned-restart"), "{answer:?}");
    let body = answer.json();
    let text = body["errors"][0].as_str().unwrap();
    assert!(text.starts_with("refused by sluicegate: drain-with-planned-restart: "), "{text}");
    assert!(text.contains("; to do: "), "{text}");
    assert_eq!(body.as_object().unwrap().len(), 1);
}

#[test]
fn a_stop_passes_and_says_what_was_not_judged() {
    let server = Server::plain(&[]);
    let answer = server.send("POST", STOP, &[JSON], NO_DRAIN);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(decision(&answer).starts_with("allow"), "{answer:?}");
    assert_eq!(server.send("GET", "/authz/flink-rest/jobs/overview", &[], b"").status, 200);
}

#[test]
fn each_platform_is_answered_in_its_own_form() {
    let server = Server::plain(&[]);
    let ververica = server.send("DELETE", "/authz/ververica/api/v1/namespaces/default/frobs/x", &[], b"");
    assert_eq!(ververica.status, 403, "{ververica:?}");
    assert!(ververica.json()["message"].as_str().unwrap().contains("unknown-request"), "{ververica:?}");
    let alibaba = server.send(
        "POST",
        "/authz/alibaba/api/v2/namespaces/prod/jobs/5af6%3Astop",
        &[JSON, ("workspace", "a14bd5")],
        br#"{"stopStrategy": "STOP_WITH_DRAIN"}"#,
    );
    assert_eq!(alibaba.status, 403, "{alibaba:?}");
    let body = alibaba.json();
    assert_eq!(body["success"], false);
    for member in ["errorMessage", "message"] {
        assert!(body[member].as_str().unwrap().contains("drain-with-planned-restart"), "{body}");
    }
}

#[test]
fn only_a_caller_who_is_known_and_listed_may_say_final() {
    let folder = Folder::new();
    let settings = folder
        .write("settings.yaml", "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {acceptFrom: [ada]}\n");
    let server =
        Server::plain(&["--settings", &settings, "--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"]);
    let asked = |user: &[&str]| {
        let mut headers = vec![JSON, ("x-sluicegate-intent", "final")];
        headers.extend(user.iter().map(|name| ("x-user", *name)));
        server.send("POST", STOP, &headers, DRAIN).status
    };
    assert_eq!(asked(&["ada"]), 200);
    assert_eq!(asked(&["eve"]), 403);
    assert_eq!(asked(&[]), 403);
    assert_eq!(asked(&["ada", "eve"]), 400);
    // Where nothing is refused, this is not either.
    let lenient = Server::plain(&["--mode", "warn", "--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"]);
    let answer = lenient.send("POST", STOP, &[JSON, ("x-user", "ada"), ("x-user", "eve")], DRAIN);
    assert_eq!((answer.status, decision(&answer)), (200, "error; unjudgeable"), "{answer:?}");
    // The same header of somebody who is no gateway says nothing.
    let server =
        Server::plain(&["--settings", &settings, "--trusted-proxy", "192.0.2.1", "--principal-header", "x-user"]);
    let headers = [JSON, ("x-sluicegate-intent", "final"), ("x-user", "ada")];
    assert_eq!(server.send("POST", STOP, &headers, DRAIN).status, 403);
}

#[test]
fn who_asks_in_vain_is_told_why_and_by_what_means_a_caller_has_here() {
    let folder = Folder::new();
    let settings = folder.write(
        "settings.yaml",
        "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {acceptFrom: [ada]}\noverrides: {from: [ada]}\n",
    );
    let server =
        Server::plain(&["--settings", &settings, "--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"]);
    let told = |more: &[(&str, &str)]| {
        let answer = server.send("POST", STOP, &[&[JSON], more].concat(), DRAIN);
        assert_eq!(answer.status, 403, "{answer:?}");
        answer.json()["errors"][0].as_str().unwrap().to_owned()
    };
    let plain = told(&[("x-user", "ada")]);
    assert!(plain.contains("header `x-sluicegate-intent: final`") && plain.contains("intent.acceptFrom"), "{plain}");
    assert!(!plain.contains("--") && !plain.contains("besides"), "{plain}");

    let rule = ("x-sluicegate-override", "drain-with-planned-restart");
    let why = ("x-sluicegate-override-reason", "moved");
    let until = ("x-sluicegate-override-until", "tomorrow");
    for (more, said) in [
        (&[("x-user", "ada"), rule][..], "gives no reason"),
        (&[("x-user", "ada"), rule, why], "does not say when it ends"),
        (&[("x-user", "ada"), rule, why, until], "found tomorrow"),
        (&[("x-user", "eve"), rule, why, until], "not among those who may override"),
    ] {
        let text = told(more);
        assert!(text.contains("besides, override-needs-reason: ") && text.contains(said), "{text}");
    }
    let text = told(&[("x-user", "ada"), ("x-sluicegate-intent", "FINAL")]);
    assert!(text.contains("besides, unknown-enum-value: ") && text.contains("FINAL"), "{text}");
    let text = told(&[("x-user", "eve"), ("x-sluicegate-intent", "final")]);
    assert!(text.contains("the caller's word for `final` does not count") && !text.contains("--"), "{text}");

    let unknown = server.send("POST", "/authz/flink-rest/frobs", &[JSON], b"{}");
    assert!(unknown.status == 403 && !unknown.body.contains("--api"), "{unknown:?}");
}

#[test]
fn settings_that_say_what_to_assume_win() {
    let folder = Folder::new();
    let settings = folder
        .write("settings.yaml", "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {assume: unknown}\n");
    let server = Server::plain(&["--settings", &settings]);
    let answer = server.send("POST", STOP, &[JSON], DRAIN);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(decision(&answer).contains("drain-intent-missing"), "{answer:?}");
}

#[test]
fn what_cannot_be_read_as_flink_reads_it_is_refused() {
    let server = Server::plain(&["--max-body", "1000"]);
    let status = |target: &str, headers: &[(&str, &str)], body: &[u8]| {
        let answer = server.send("POST", target, headers, body);
        // Whatever it is, it is an error as Flink writes it.
        assert!(answer.json()["errors"][0].is_string(), "{answer:?}");
        answer.status
    };
    assert_eq!(status(STOP, &[JSON], &vec![b' '; 1001]), 413);
    assert_eq!(status(STOP, &[JSON, ("x-envoy-auth-partial-body", "true")], NO_DRAIN), 413);
    assert_eq!(status(STOP, &[JSON, ("content-encoding", "gzip")], b"\x1f\x8b"), 403);
    assert_eq!(status(STOP, &[JSON, ("content-type", "text/plain")], NO_DRAIN), 400);
    assert_eq!(status(&format!("{STOP};x=1"), &[JSON], NO_DRAIN), 403);
    assert_eq!(status("/authz/flink-rest/jobs/a/../b/stop", &[JSON], NO_DRAIN), 403);
    let form = [("content-type", "multipart/form-data; boundary=x")];
    assert_eq!(status(STOP, &form, b"--x--"), 403);
    assert_eq!(status(STOP, &[JSON, ("x-sluicegate-body", "withheld")], b""), 400);
    let withheld = [("content-type", "application/java-archive"), ("x-sluicegate-body", "withheld")];
    let answer = server.send("POST", "/authz/flink-rest/jars/upload", &withheld, b"");
    assert!(answer.status == 400 && answer.body.contains("multipart/form-data"), "{answer:?}");
    let odd = b"POST /authz/flink-rest/jobs/a/stop HTTP/1.1\r\nhost: x\r\ncontent-type: \xff\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert!(raw(server.address("main"), odd).starts_with("HTTP/1.1 400"));
}

#[test]
fn a_jar_upload_is_judged_by_its_head() {
    let server = Server::plain(&[]);
    let form = [("content-type", "multipart/form-data; boundary=x")];
    let upload = server.send("POST", "/authz/flink-rest/v1/jars/upload", &form, b"");
    assert_eq!(upload.status, 200, "{upload:?}");
    let submission = server.send("POST", "/authz/flink-rest/v1/jobs", &form, b"--x\r\nanything");
    assert_eq!(submission.status, 200, "{submission:?}");
    assert!(decision(&submission).contains("rules="), "it passes without a word: {submission:?}");
}

#[test]
fn a_prefix_of_the_gateway_is_taken_off() {
    let server = Server::plain(&["--strip-prefix", "flink-rest=/flink"]);
    let target = STOP.replace("/jobs/", "/flink/jobs/");
    assert_eq!(server.send("POST", &target, &[JSON], DRAIN).status, 403);
    assert_eq!(server.send("POST", &target, &[JSON], NO_DRAIN).status, 200);
    let outside = server.send("POST", STOP, &[JSON], NO_DRAIN);
    assert_eq!(outside.status, 404, "{outside:?}");
    assert!(outside.body.contains("/flink"), "{outside:?}");
}

#[test]
fn an_api_that_nobody_knows_is_said_to_be_unknown() {
    let server = Server::plain(&[]);
    let answer = server.send("GET", "/authz/flink/jobs", &[], b"");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("/authz/flink-rest/"), "{answer:?}");
    assert_eq!(server.send("POST", "/nowhere", &[], b"").status, 404);
    // A verdict is not a page: nothing here is JSON of the policy.
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).unwrap_or(json!(null)).is_null());
}
