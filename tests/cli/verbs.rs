//! The other verbs: `test`, `rules`, `policy`, and what every verb has.

use serde_json::{Value, json};

use crate::run::{Folder, finish};

const CASE: &str = "name: drain\nsource: written for this test\ndialect: flink-rest\nrequest:\n  http: {method: POST, target: /jobs/42aedb6e5490ff65f60746294f1d1f35/stop, body: {drain: true, targetDirectory: 's3://sp'}}\nfacts: {intent: {restartPlanned: true}}\nexpect:\n  decision: deny\n  deny: [drain-with-planned-restart]\n";

#[test]
fn cases_that_hold_pass() {
    let folder = Folder::with(&[("cases/a/drain.yaml", CASE)]);
    folder.write("cases/b/raw.yaml", b"name: raw\nrequest: {raw: '{'}\nexpect: {decision: error}\n");
    let run = folder.run(&["test", "cases"]);
    assert_eq!((run.code, run.out.as_str()), (0, "2 passed, 0 failed\n"));
}

#[test]
fn cases_that_fail_say_what_differs() {
    let changed = [
        (
            CASE.replace("decision: deny\n  deny: [drain-with-planned-restart]", "decision: allow"),
            "expected allow, actual deny",
        ),
        (CASE.replace("  deny: [drain-with-planned-restart]\n", ""), "deny: not expected drain-with-planned-restart: "),
        (
            CASE.replace("[drain-with-planned-restart]", "[drain-with-planed-restart]"),
            "(did you mean `drain-with-planned-restart`?)",
        ),
        (CASE.replace("deny: [drain", "warn: [drain"), "warn: expected drain-with-planned-restart"),
        (CASE.replace("dialect: flink-rest", "dialect: alibaba"), "dialect: expected alibaba, actual flink-rest"),
        (CASE.replace("deny: [drain", "quiet: true\n  fires: [drain"), "deny: not expected"),
        (CASE.replace("facts:", "fact:"), "unknown field `fact`"),
        (CASE.replace("intent: {restartPlanned", "intent: {restartPland"), "unknown fact"),
        (CASE.replace("  decision: deny\n", ""), "decision"),
        (format!("{CASE}settings: {{rules: {{nothing: {{level: off}}}}}}\n"), "there is no rule `nothing`"),
        ("request: {".to_owned(), "not valid YAML"),
    ];
    for (case, part) in changed {
        let folder = Folder::with(&[("cases/case.yaml", &case)]);
        let run = folder.run(&["test", "cases"]);
        assert_eq!(run.code, 1, "{case}");
        assert!(run.out.contains(part), "expected {part} in:\n{}", run.out);
        assert!(run.out.ends_with("0 passed, 1 failed\n"), "{}", run.out);
    }
}

#[test]
fn a_rule_in_fires_may_deny() {
    let folder = Folder::with(&[("case.yaml", &CASE.replace("deny: [drain", "fires: [drain"))]);
    assert_eq!(folder.run(&["test", "case.yaml"]).code, 0);
}

#[test]
fn no_case_is_a_failure_and_no_folder_a_mistake() {
    let folder = Folder::with(&[("cases/README.md", "x"), ("full/case.yaml", CASE), ("full/empty/x.txt", "")]);
    let run = folder.run(&["test", "cases"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("no case") && run.out.ends_with("0 passed, 1 failed\n"), "{}", run.out);
    let run = folder.run(&["test", "full"]);
    assert!(run.code == 1 && run.out.ends_with("1 passed, 1 failed\n"), "{}", run.out);
    assert_eq!(folder.run(&["test", "missing"]).code, 2);
    assert_eq!(folder.run(&["test"]).code, 2);
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = Folder::with(&[]);
    let list = folder.run(&["rules"]);
    assert!(list.code == 0 && list.out.lines().any(|line| line.starts_with("deny  drain-with-planned-restart ")));
    let one = folder.run(&["rules", "drain-with-planned-restart"]);
    for label in ["what", "default", "why", "source"] {
        assert!(one.out.contains(&format!("\n  {label}")), "{}", one.out);
    }
    let unknown = folder.run(&["rules", "drain-with-planed-restart"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean `drain-with-planned-restart`?"), "{}", unknown.err);
    let json: Value = serde_json::from_str(&folder.run(&["rules", "--format", "json"]).out).unwrap();
    assert_eq!(json["kind"], "RuleCatalogue");
    assert_eq!(json["rules"].as_array().unwrap().len(), list.out.lines().count());
    let table = folder.run(&["rules", "--format", "markdown"]).out;
    assert_eq!(table.lines().count(), list.out.lines().count() + 2);
}

#[test]
fn the_list_of_rules_fits_the_width() {
    let folder = Folder::with(&[]);
    for (width, lines) in [(100, 1), (60, 2)] {
        let mut command = folder.command(&["rules"]);
        command.env("COLUMNS", width.to_string());
        let list = finish(command, b"").out;
        assert!(list.lines().all(|line| line.chars().count() <= width), "{list}");
        assert_eq!(list.lines().position(|line| line.starts_with("warn  drain-intent-missing")), Some(lines), "{list}");
    }
}

#[test]
fn the_policy_can_be_taken_out_and_used() {
    let folder = Folder::with(&[("look.http", "GET /jobs/overview\n"), ("none.wasm", "x")]);
    assert_eq!(folder.run(&["policy", "export", "policy.wasm"]).code, 0);
    let again = folder.run(&["policy", "export", "policy.wasm"]);
    assert!(again.code == 2 && again.err.contains("--force"), "{}", again.err);
    assert_eq!(folder.run(&["policy", "export", "policy.wasm", "--force"]).code, 0);
    let output = folder.command(&["policy", "export", "-"]).output().unwrap();
    assert_eq!(output.stdout, std::fs::read(folder.path().join("policy.wasm")).unwrap());
    let inside = folder.run(&["policy", "inspect"]);
    assert!(
        inside.out.contains("\nimports  none\n") && inside.out.contains("sluicegate:policy/gate"),
        "{}",
        inside.out
    );
    assert_eq!(inside.out, folder.run(&["policy", "inspect", "policy.wasm"]).out);
    assert_eq!(folder.run(&["check", "look.http", "--policy", "policy.wasm"]).code, 0);
    let wrong = folder.run(&["check", "look.http", "--policy", "none.wasm"]);
    assert!(wrong.code == 2 && wrong.err.contains("none.wasm"), "{}", wrong.err);
}

#[test]
fn restore_reports_for_scripts() {
    const START: &str = "kind: ChangePlan\ndeployment: {platform: alibaba, namespace: prod, name: orders}\nsteps: [{start: {restore: latest-state}}]\n";
    let facts = "kind: Facts\nsavepoints:\n  - {id: a, state: COMPLETED, origin: USER_REQUEST, drained: true}\n  - {id: b, state: FAILED}\n";
    let folder = Folder::with(&[("start.yaml", START), ("facts.yaml", facts), ("look.http", "GET /jobs/overview\n")]);
    let run = |arguments: &[&str]| {
        let run = folder.run(&[&["restore", "--format", "json"], arguments].concat());
        (run.code, serde_json::from_str::<Value>(&run.out).unwrap())
    };
    let (code, report) = run(&["start.yaml", "look.http", "gone.yaml", "--facts", "facts.yaml"]);
    assert_eq!((code, &report["kind"]), (2, &json!("RestoreReport")));
    let [start, look, gone] = report["results"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    assert_eq!((&start["decision"], &start["denied"]), (&json!("deny"), &json!(["restore-from-drained-savepoint"])));
    let plan = &start["restore"];
    assert_eq!(
        (&plan["strategy"], &plan["basis"], &plan["chosen"]),
        (&json!("LATEST_STATE"), &json!("snapshot"), &json!("a"))
    );
    assert_eq!(plan["reason"], plan["candidates"][0]["reason"]);
    assert_eq!(plan["candidates"][1], json!({"id": "b", "fate": "ignored", "reason": "FAILED, not COMPLETED"}));
    assert_eq!((&look["decision"], &look["restore"]), (&json!("allow"), &Value::Null));
    assert!(gone["error"].as_str().unwrap().contains("no such file"));
    assert_eq!(run(&["start.yaml", "--facts", "facts.yaml"]).0, 1);
    assert_eq!(run(&["start.yaml", "--facts", "facts.yaml", "--exit-zero"]).0, 0);
    assert_eq!(run(&["start.yaml", "--facts", "gone.yaml"]).1["results"][0]["decision"], "error");
    let strict = folder.run(&["restore", "look.http"]);
    assert!(strict.code == 0 && strict.out.contains("nothing starts"), "{}", strict.out);
}

#[test]
fn every_verb_explains_itself() {
    let folder = Folder::with(&[]);
    let settings = [&["settings"][..], &["settings", "check"], &["settings", "schema"]];
    let others = [
        &["check"][..],
        &["restore"],
        &["test"],
        &["rules"],
        &["policy"],
        &["policy", "export"],
        &["policy", "inspect"],
        &[],
    ];
    for verb in settings.into_iter().chain(others) {
        let run = folder.run(&[verb, &["--help"]].concat());
        assert!(run.code == 0 && run.out.contains("Example"), "{verb:?}\n{}", run.out);
    }
    assert_eq!(folder.run(&[]).code, 2);
    assert_eq!(folder.run(&["chek"]).code, 2);
    let version = folder.run(&["--version"]);
    assert!(version.code == 0 && version.out.contains("\npolicy sha256:"), "{}", version.out);
}
