//! `check`: recognition, facts, live objects, settings, the JSON report and exit codes.

use serde_json::{Value, json};

use crate::run::{Folder, finish};

const JOB: &str = "42aedb6e5490ff65f60746294f1d1f35";
const DRAIN: &str = "POST /jobs/42aedb6e5490ff65f60746294f1d1f35/stop HTTP/1.1\nContent-Type: application/json\n\n{\n  \"targetDirectory\": \"s3://sp\",\n  \"drain\": true\n}\n";
const OVERVIEW: &str = "GET /jobs/overview HTTP/1.1\n\n";
const PLAN: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlan\ndeployment: {platform: alibaba, namespace: prod, name: orders}\nsteps:\n  - stop: {mode: savepoint}\n";
const DEPLOYMENT: &str = "apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders, namespace: prod}
spec:
  image: flink:2.2
  flinkVersion: v2_2
  flinkConfiguration: {state.savepoints.dir: s3://sp, execution.checkpointing.dir: s3://cp}
  serviceAccount: flink
  jobManager: {resource: {memory: 2048m, cpu: 1}}
  taskManager: {resource: {memory: 2048m, cpu: 1}}
  job: {jarURI: local:///opt/job.jar, parallelism: 2, upgradeMode: savepoint, state: running}
";

fn decisions(report: &Value) -> Vec<&str> {
    report["results"].as_array().unwrap().iter().map(|result| result["decision"].as_str().unwrap()).collect()
}

fn error(report: &Value, index: usize) -> &str {
    report["results"][index]["error"].as_str().unwrap_or_else(|| panic!("{report:#}"))
}

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
fn settings_come_from_a_file_or_the_environment() {
    let folder = Folder::with(&[("stop.http", DRAIN)]);
    folder.write("off.yaml", b"rules: {drain-with-planned-restart: {level: warn}}\n");
    folder.write("wrong.yaml", b"unjudgd: note\nrules:\n  drain-with-planned-restrat: {level: deny}\n");
    let base = ["check", "stop.http", "--intent", "restart"];
    assert_eq!(folder.run(&[&base[..], &["--settings", "off.yaml"]].concat()).code, 0);
    let mut command = folder.command(&base);
    command.env("SLUICEGATE_SETTINGS", "off.yaml");
    assert_eq!(finish(command, b"").code, 0);
    let run = folder.run(&[&base[..], &["--settings", "wrong.yaml"]].concat());
    assert_eq!(run.code, 2);
    assert!(run.err.contains("wrong.yaml:1:1: ") && run.err.contains("wrong.yaml:3:3: "), "{}", run.err);
    assert!(run.err.contains("did you mean"), "{}", run.err);
    assert_eq!(folder.run(&[&base[..], &["--settings", "missing.yaml"]].concat()).code, 2);
}

#[test]
fn facts_are_given_in_files_and_wrong_ones_have_a_place() {
    let folder = Folder::with(&[("stop.http", DRAIN)]);
    folder.write("restart.yaml", b"kind: Facts\nintent: {restartPlanned: true}\n");
    folder.write("typo.yaml", b"kind: Facts\n---\nkind: Facts\nintent: {restartPland: true}\n");
    assert_eq!(folder.run(&["check", "stop.http", "--facts", "restart.yaml"]).code, 1);
    // The command line has the last word.
    assert_eq!(folder.run(&["check", "stop.http", "--facts", "restart.yaml", "--intent", "final"]).code, 0);
    let run = folder.run(&["check", "stop.http", "--facts", "typo.yaml"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("typo.yaml:4:10: "), "{}", run.err);
}

#[test]
fn facts_about_one_deployment_are_not_taken_for_another() {
    let other = PLAN.replace("orders", "invoices");
    let folder = Folder::with(&[("one.yaml", PLAN), ("two.yaml", &format!("{PLAN}---\n{other}"))]);
    folder.write("facts.yaml", b"kind: Facts\njob: {status: RUNNING}\n");
    folder.write("scoped.yaml", b"kind: Facts\nfor: {name: orders}\njob: {status: RUNNING}\n");
    assert_eq!(folder.run(&["check", "one.yaml", "--facts", "facts.yaml"]).code, 0);
    assert_eq!(folder.run(&["check", "two.yaml", "--facts", "scoped.yaml"]).code, 0);
    folder.write("vague.yaml", b"kind: Facts\nfor: {namespace: prod}\nsavepoints: []\n");
    assert_eq!(folder.run(&["check", "two.yaml", "--facts", "vague.yaml"]).code, 2);
    let run = folder.run(&["check", "two.yaml", "--facts", "facts.yaml"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("`prod/invoices`, `prod/orders`") && run.err.contains("for:"), "{}", run.err);
}

#[test]
fn manifests_are_judged_against_the_live_object() {
    let live =
        format!("{DEPLOYMENT}status:\n  lifecycleState: STABLE\n  jobStatus: {{state: RUNNING, jobId: '{JOB}'}}\n");
    let suspended = DEPLOYMENT.replace("state: running", "state: suspended");
    let folder = Folder::with(&[("new.yaml", &suspended), ("live.yaml", &live)]);
    let list = format!("kind: List\nitems:\n- kind: Service\n- {}", live.trim_end().replace('\n', "\n  "));
    folder.write("list.yaml", list.as_bytes());
    folder.write("other.yaml", live.replace("name: orders", "name: invoices").as_bytes());
    let operations = |arguments: &[&str]| folder.report(arguments).1["results"][0]["operations"].to_string();
    let suspends = "suspend prod/orders";
    assert!(!operations(&["new.yaml"]).contains(suspends));
    for file in ["live.yaml", "list.yaml"] {
        let operations = operations(&["new.yaml", "--live", file]);
        assert!(operations.contains(suspends), "{file}: {operations}");
    }
    let twice = format!("{live}---\n{live}");
    folder.write("twice.yaml", twice.as_bytes());
    let (code, report) = folder.report(&["new.yaml", "--live", "twice.yaml"]);
    assert_eq!(code, 2);
    assert!(error(&report, 0).contains("holds `FlinkDeployment prod/orders` twice"), "{report:#}");
}

#[test]
fn manifests_without_a_live_object_are_new() {
    let live = DEPLOYMENT.replace("name: orders", "name: invoices");
    let folder = Folder::with(&[("new.yaml", DEPLOYMENT), ("other.yaml", &live)]);
    folder.write("list.yaml", b"apiVersion: v1\nkind: List\nitems: []\n");
    for file in ["other.yaml", "list.yaml"] {
        let run = folder.run(&["check", "new.yaml", "--live", file]);
        assert_eq!(run.code, 0, "{run:?}");
        let told =
            format!("sluicegate: `{file}` does not hold `FlinkDeployment prod/orders`: it is judged as a new object\n");
        assert_eq!(run.err, told);
        assert!(run.out.contains("create and start prod/orders"), "{}", run.out);
    }
}

#[test]
fn what_is_wrong_besides_the_requests_has_a_place_and_a_report() {
    let other = PLAN.replace("orders", "invoices");
    let folder = Folder::with(&[("new.yaml", DEPLOYMENT), ("two.yaml", &format!("{PLAN}---\n{other}"))]);
    folder.write("empty", b"");
    folder.write("values.yaml", b"replicas: 2\n");
    folder.write("bad.yaml", b"kind: List\n---\na: b: c\n");
    folder.write("facts.yaml", b"# all of them\n---\nkind: Facts\njob: {status: RUNNING}\n");
    folder.write("settings.yaml", b"unjudgd: note\nintent: {assume: never}\n");
    let cases = [
        (&["new.yaml", "--live", "gone.yaml"][..], &["gone.yaml: there is no such file"][..]),
        (&["new.yaml", "--live", "empty"], &["empty: there is no Kubernetes object in it"]),
        (&["new.yaml", "--live", "values.yaml"], &["values.yaml: there is no Kubernetes object in it"]),
        (&["new.yaml", "--live", "bad.yaml"], &["bad.yaml:3:5: this is not valid YAML"]),
        (&["new.yaml", "--facts", "values.yaml"], &["values.yaml:1:1: "]),
        (&["new.yaml", "--facts", "gone.yaml"], &["gone.yaml: there is no such file"]),
        (&["two.yaml", "--facts", "facts.yaml"], &["facts.yaml:3:1: these facts are about one deployment"]),
        (&["new.yaml", "--settings", "settings.yaml"], &["settings.yaml:1:1: ", "settings.yaml:2:18: "]),
        (&["new.yaml", "--policy", "values.yaml"], &["values.yaml"]),
    ];
    for (arguments, parts) in cases {
        let human = folder.run(&[&["check"], arguments].concat());
        assert_eq!((human.code, human.out.as_str()), (2, ""), "{arguments:?}");
        let (code, report) = folder.report(arguments);
        assert_eq!((code, &report["kind"]), (2, &json!("CheckReport")));
        assert_eq!(decisions(&report), vec!["error"; parts.len()], "{report:#}");
        for (index, part) in parts.iter().enumerate() {
            assert!(human.err.contains(part), "expected {part} in:\n{}", human.err);
            let result = &report["results"][index];
            let (file, error) = (result["input"].as_str().unwrap(), error(&report, index));
            let told = if error.starts_with(|c: char| c.is_ascii_digit()) { ":" } else { ": " };
            assert!(format!("{file}{told}{error}").contains(part), "{report:#}");
        }
    }
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
