//! `check`: what is known besides the requests: facts, live objects, settings.

use serde_json::json;

use crate::requests::{DEPLOYMENT, DRAIN, JOB, PLAN, decisions, error};
use crate::run::{Folder, finish};

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
