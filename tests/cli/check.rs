//! `check`: recognition, places, the JSON report and exit codes.

use serde_json::{Value, json};

use crate::requests::{DEPLOYMENT, DRAIN, JOB, OVERVIEW, PLAN, decisions, error};
use crate::run::{Folder, finish};

#[test]
fn the_report_has_the_shape_that_scripts_rely_on() {
    let folder = Folder::with(&[("stop.http", DRAIN)]);
    let (code, report) = folder.report(&["stop.http", "--intent", "restart"]);
    assert_eq!(code, 1);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&report), ["apiVersion", "kind", "policy", "results", "summary"]);
    assert_eq!((&report["apiVersion"], &report["kind"]), (&json!("sluicegate.dev/v1alpha1"), &json!("CheckReport")));
    assert!(report["policy"]["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(report["summary"], json!({"allow": 0, "deny": 1, "undecided": 0, "error": 0, "warnings": 0}));
    let result = &report["results"][0];
    assert_eq!(
        names(result),
        [
            "input",
            "document",
            "dialect",
            "decision",
            "operations",
            "findings",
            "unjudged",
            "exempted",
            "restore",
            "error"
        ]
    );
    assert_eq!(result["input"], "stop.http");
    assert_eq!(
        (&result["document"], &result["dialect"], &result["error"]),
        (&json!(1), &json!("flink-rest"), &json!(null))
    );
    assert_eq!(result["operations"], json!([format!("stop with drain {JOB}")]));
    let finding = &result["findings"][0];
    assert_eq!(
        names(finding),
        ["rule", "effect", "message", "path", "line", "column", "observed", "expected", "remedy", "docs", "overridden"]
    );
    assert_eq!((&finding["rule"], &finding["effect"]), (&json!("drain-with-planned-restart"), &json!("deny")));
    assert_eq!((&finding["path"], &finding["line"], &finding["column"]), (&json!("/drain"), &json!(6), &json!(12)));
    assert_eq!(
        (&finding["observed"], &finding["docs"]),
        (&json!("true"), &json!("README.md#drain-with-planned-restart"))
    );
}

#[test]
fn every_form_of_input_is_recognised() {
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CONNECT", "namespace": "prod", "name": "orders",
        "kind": {"group": "flink.apache.org", "version": "v1beta1", "kind": "FlinkDeployment"},
        "resource": {"group": "flink.apache.org", "version": "v1beta1", "resource": "flinkdeployments"}}});
    let call = "apiVersion: sluicegate.dev/v1alpha1\nkind: HttpRequest\nmethod: GET\ntarget: /jobs/overview\n";
    let folder = Folder::with(&[
        ("review.json", &review.to_string()),
        ("deployment.yaml", DEPLOYMENT),
        ("stop.http", OVERVIEW),
        ("call.yaml", call),
        ("plan.yaml", PLAN),
    ]);
    let (_, report) = folder.report(&["review.json", "deployment.yaml", "stop.http", "call.yaml", "plan.yaml"]);
    let dialects: Vec<_> = report["results"].as_array().unwrap().iter().map(|result| &result["dialect"]).collect();
    assert_eq!(dialects, ["kubernetes", "kubernetes", "flink-rest", "flink-rest", "plan"], "{report:#}");
}

#[test]
fn one_bad_document_does_not_stop_the_others() {
    let text = format!("{PLAN}---\nkind: [\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\n---\n{PLAN}");
    let folder = Folder::with(&[("app.yaml", &text)]);
    let (code, report) = folder.report(&["app.yaml"]);
    assert_eq!((code, decisions(&report)), (2, vec!["allow", "error", "allow"]));
    assert!(error(&report, 1).starts_with("8:") && error(&report, 1).contains("YAML"), "{}", error(&report, 1));
    assert_eq!(report["results"][2]["document"], 4);
    let run = folder.run(&["check", "app.yaml"]);
    assert!(run.err.contains("skipped app.yaml document 3: Service web"), "{}", run.err);
}

#[test]
fn lines_of_json_are_documents() {
    let call = |target: &str| format!("{{\"kind\":\"HttpRequest\",\"method\":\"GET\",\"target\":\"{target}\"}}\n");
    let folder = Folder::with(&[("calls.ndjson", &format!("{}{{\"kind\":\n{}", call("/jobs"), call("/config")))]);
    let (code, report) = folder.report(&["calls.ndjson"]);
    assert_eq!((code, decisions(&report)), (2, vec!["allow", "error", "allow"]));
    assert!(error(&report, 1).starts_with("2:8: this is not valid JSON"), "{}", error(&report, 1));
}

#[test]
fn items_of_lists_are_documents_with_places() {
    let stateless = DEPLOYMENT.replace("upgradeMode: savepoint", "upgradeMode: steteless");
    let item = stateless.trim_end().replace('\n', "\n    ");
    let folder =
        Folder::with(&[("list.yaml", &format!("apiVersion: v1\nkind: List\nitems:\n  - kind: Service\n  - {item}\n"))]);
    let (code, report) = folder.report(&["list.yaml"]);
    let finding = &report["results"][0]["findings"][0];
    assert_eq!((code, &report["results"][0]["document"]), (0, &json!(2)), "{report:#}");
    assert_eq!((&finding["line"], &finding["column"]), (&json!(15), &json!(72)), "{report:#}");
    let object =
        r#"{"kind": "FlinkDeployment", "apiVersion": "flink.apache.org/v1beta1", "spec": {"job": {"upgradeMode": 7}}}"#;
    folder.write("list.json", format!("{{\"kind\": \"List\", \"items\": [\n  {object},\n  {object}\n]}}").as_bytes());
    let (_, report) = folder.report(&["list.json"]);
    assert_eq!(report["results"].as_array().unwrap().len(), 2, "{report:#}");
    let lines: Vec<_> = (0..2).map(|index| &report["results"][index]["findings"][0]["line"]).collect();
    assert_eq!(lines, [2, 3], "{report:#}");
}

#[test]
fn several_calls_may_stand_in_one_text() {
    let folder = Folder::with(&[("calls.http", &format!("### stop\n{DRAIN}\n### look\n{OVERVIEW}"))]);
    let (code, report) = folder.report(&["calls.http", "--intent", "restart"]);
    assert_eq!((code, decisions(&report)), (1, vec!["deny", "allow"]));
    assert_eq!(report["results"][0]["findings"][0]["line"], 7);
}

#[test]
fn places_count_characters_and_survive_dos_line_breaks() {
    let text = "GET /jobs/overview\r\n\r\n###\r\nPOST /jobs/42aedb6e5490ff65f60746294f1d1f35/stop\r\n\r\n{\"targetDirectory\": \"s3://é\", \"drain\": true}\r\n";
    let folder = Folder::with(&[("calls.http", text)]);
    let (_, report) = folder.report(&["calls.http", "--intent", "restart"]);
    let finding = &report["results"][1]["findings"][0];
    assert_eq!((&finding["line"], &finding["column"]), (&json!(6), &json!(40)), "{report:#}");
}

#[test]
fn a_body_that_does_not_stand_in_the_file_has_no_line() {
    let call = format!(
        "kind: HttpRequest\nmethod: POST\ntarget: /jobs/{JOB}/stop\nbody: {{drain: true, targetDirectory: s3://sp}}\n"
    );
    let folder = Folder::with(&[("call.yaml", &call)]);
    let (_, report) = folder.report(&["call.yaml", "--intent", "restart"]);
    let finding = &report["results"][0]["findings"][0];
    assert_eq!(
        (&finding["path"], &finding["line"], &finding["column"]),
        (&json!("/drain"), &json!(null), &json!(null))
    );
}

#[test]
fn standard_input_is_read() {
    let folder = Folder::with(&[]);
    let run = finish(folder.command(&["check", "-", "--intent", "restart"]), DRAIN.as_bytes());
    assert_eq!(run.code, 1);
    assert!(run.out.starts_with("DENY  standard input\n"), "{}", run.out);
}

#[test]
fn folders_are_walked() {
    let folder = Folder::with(&[
        ("deploy/a/plan.yaml", PLAN),
        ("deploy/b.http", OVERVIEW),
        ("deploy/values.yaml", "replicas: 2\n"),
        ("deploy/README.md", "GET /jobs\n"),
        ("deploy/.git/x.yaml", "kind: [\n"),
        ("empty/README.md", "x"),
    ]);
    let (code, report) = folder.report(&["deploy"]);
    assert_eq!((code, decisions(&report)), (0, vec!["allow", "allow"]));
    assert_eq!(report["results"][0]["input"], "deploy/a/plan.yaml");
    let run = folder.run(&["check", "deploy"]);
    assert!(
        run.err.contains("skipped 1 document in deploy without a request, the first in deploy/values.yaml"),
        "{}",
        run.err
    );
    let (code, report) = folder.report(&["deploy", "empty"]);
    assert_eq!((code, decisions(&report)), (2, vec!["allow", "allow", "error"]));
    assert!(error(&report, 2).contains("no request was found"));
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = Folder::with(&[("empty.yaml", ""), ("values.yaml", "replicas: 2\n"), ("plan.yaml", PLAN)]);
    folder.write("binary", b"\x7fELF\0\0");
    let (code, report) = folder.report(&["missing.yaml", "empty.yaml", "binary", "values.yaml", "plan.yaml"]);
    assert_eq!((code, decisions(&report)), (2, vec!["error", "error", "error", "error", "allow"]));
    let parts = ["no such file", "nothing in it", "binary", "names no `kind`"];
    for (index, part) in parts.into_iter().enumerate() {
        assert!(error(&report, index).contains(part), "{}", error(&report, index));
    }
    let run = folder.run(&["check"]);
    assert_eq!(run.code, 2);
}

#[test]
fn a_body_above_the_limit_is_an_error() {
    let folder = Folder::with(&[]);
    let big = format!("POST /jobs/{JOB}/stop\n\n{{\"x\": \"{}\"}}", "y".repeat(9 << 20));
    folder.write("big.http", big.as_bytes());
    let (code, report) = folder.report(&["big.http"]);
    assert_eq!(code, 2);
    assert!(error(&report, 0).contains("more than the limit"), "{}", error(&report, 0));
}

#[test]
fn the_worst_ending_wins() {
    let folder = Folder::with(&[("stop.http", DRAIN), ("look.http", OVERVIEW), ("bad.http", "GET /x\nbad\n")]);
    folder.write("strict.yaml", b"unjudged: undecided\n");
    assert_eq!(folder.run(&["check", "look.http"]).code, 0);
    assert_eq!(folder.run(&["check", "look.http", "stop.http", "--intent", "restart"]).code, 1);
    assert_eq!(folder.run(&["check", "stop.http", "bad.http", "--intent", "restart"]).code, 2);
    let folder_run = |more: &[&str]| folder.run(&[&["check", "stop.http", "--intent", "restart"], more].concat()).code;
    assert_eq!(folder_run(&["--exit-zero"]), 0);
    assert_eq!(folder_run(&["bad.http", "--exit-zero"]), 2);
    // Without an intent a drain is a warning.
    assert_eq!(folder.run(&["check", "stop.http"]).code, 0);
    assert_eq!(folder.run(&["check", "stop.http", "--warnings-as-errors"]).code, 1);
}

#[test]
fn undecided_is_an_ending_of_its_own() {
    let plan = PLAN.replace("stop: {mode: savepoint}", "start: {restore: latest-savepoint}");
    let folder = Folder::with(&[("plan.yaml", &plan), ("strict.yaml", "unjudged: undecided\n")]);
    let (code, report) = folder.report(&["plan.yaml", "--settings", "strict.yaml"]);
    assert_eq!((code, decisions(&report)), (3, vec!["undecided"]), "{report:#}");
    assert!(report["results"][0]["unjudged"][0]["lacks"].is_string());
}

#[test]
fn the_api_can_be_named() {
    let folder = Folder::with(&[("call.http", "GET /api/v9/x\n")]);
    let (code, report) = folder.report(&["call.http"]);
    assert!(code == 2 && error(&report, 0).contains("--api"), "{report:#}");
    let (_, report) = folder.report(&["call.http", "--api", "ververica"]);
    assert_eq!(report["results"][0]["dialect"], "ververica");
}

#[test]
fn a_reader_that_went_away_is_no_crash() {
    let folder = Folder::with(&[("calls.http", &format!("{OVERVIEW}###\n").repeat(5_000))]);
    let mut command = folder.command(&["check", "calls.http", "--format", "json"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn terminals_obey_no_name_from_outside() {
    let folder = Folder::with(&[("a.yaml", "kind: \"S\\e[2Jx\"\n---\nexpect: 1\n"), ("b\u{1b}[2J.yaml", "")]);
    let run = folder.run(&["check", "a.yaml", "b\u{1b}[2J.yaml"]);
    assert_eq!(run.code, 2);
    assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{run:?}");
}

#[test]
fn credentials_are_not_repeated_in_errors() {
    let call = "kind: HttpRequest\nmethod: GET\ntarget: /jobs\n";
    for headers in ["'Authorization: Bearer s3cr3t'", "{Authorization: {Bearer: s3cr3t}}"] {
        let folder = Folder::with(&[("call.yaml", &format!("{call}headers: {headers}\n"))]);
        let run = folder.run(&["check", "call.yaml"]);
        assert_eq!(run.code, 2);
        assert!(!run.out.contains("s3cr3t") && !run.err.contains("s3cr3t"), "{run:?}");
    }
}

#[test]
fn what_a_platform_answers_is_taken_from_a_file() {
    let shut_down = "DELETE /cluster HTTP/1.1\n\n";
    let answers = |state: &str| {
        format!("- lookup: flinkJobs\n  found: {{jobs: [{{jid: {JOB}, name: orders, state: {state}}}]}}\n")
    };
    let (runs, over) = (answers("RUNNING"), answers("FINISHED"));
    let folder = Folder::with(&[("stop.http", shut_down), ("runs.yaml", &runs), ("over.yaml", &over)]);
    let decision = |arguments: &[&str]| decisions(&folder.report(arguments).1).join(",");
    assert_eq!(decision(&["stop.http"]), "allow");
    assert_eq!(decision(&["stop.http", "--observed", "over.yaml"]), "allow");
    assert_eq!(decision(&["stop.http", "--observed", "runs.yaml"]), "deny");
    assert_eq!(decision(&["stop.http", "--observed", "runs.yaml", "--observed", "over.yaml"]), "deny");
    // Without an answer the rule is not judged, and says so.
    let (_, report) = folder.report(&["stop.http"]);
    assert_eq!(report["results"][0]["unjudged"][0]["rule"], "cluster-shutdown-with-running-jobs");
    folder.write("wrong.yaml", b"- lookup: {flinkjobs: 1}\n  absent: true\n");
    let (code, report) = folder.report(&["stop.http", "--observed", "wrong.yaml"]);
    assert_eq!(code, 2);
    assert!(error(&report, 0).contains("flinkjobs"), "{report}");
}
