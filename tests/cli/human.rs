//! The report for people: golden files, and when it has colours.

use crate::golden::compare;
use crate::run::{Folder, finish};

const STOP: &str = "# stop the job for good\nPOST http://localhost:8081/jobs/42aedb6e5490ff65f60746294f1d1f35/stop HTTP/1.1\nContent-Type: application/json\n\n{\"targetDirectory\": \"s3://flink/savepoints\", \"drain\": true}\n";
const RESTORE: &str = "apiVersion: sluicegate.dev/v1alpha1
kind: ChangePlan
deployment: {platform: ververica, namespace: prod, name: orders}
steps:
  - start: {restore: latest-savepoint}
";
const SAVEPOINTS: &str = "kind: Facts
savepoints:
  - {id: sp-new, location: s3://sp/new, origin: COPIED, state: COMPLETED, createdAt: '2026-11-20T10:00:00Z', annotations: {}, drained: false}
  - {id: sp-old, location: s3://sp/old, origin: SUSPEND, state: COMPLETED, createdAt: '2026-11-19T10:00:00Z', annotations: {com.dataartisans.appmanager.controller.deployment.spec.version: '4'}, drained: false}
  - {id: sp-failed, origin: USER_REQUEST, state: FAILED, createdAt: '2026-11-21T10:00:00Z', annotations: {}, drained: false}
";

fn golden(name: &str, folder: &Folder, arguments: &[&str]) {
    let run = folder.run(&[&["check"], arguments].concat());
    compare(name, &format!("{}{}exit code {}\n", run.out, run.err, run.code)).unwrap();
}

#[test]
fn a_denial_says_what_to_do() {
    let folder = Folder::with(&[("stop.http", STOP)]);
    golden("check-deny.txt", &folder, &["stop.http", "--intent", "restart"]);
}

#[test]
fn a_restore_is_explained() {
    let folder = Folder::with(&[("start.yaml", RESTORE), ("facts.yaml", SAVEPOINTS)]);
    golden("check-restore.txt", &folder, &["start.yaml", "--facts", "facts.yaml"]);
}

#[test]
fn a_restore_plan_is_a_table() {
    let drained = SAVEPOINTS.replace("spec.version: '4'}, drained: false", "spec.version: '4'}, drained: true");
    let folder = Folder::with(&[
        ("start.yaml", &format!("{RESTORE}---\n{}", crate::requests::PLAN)),
        ("facts.yaml", SAVEPOINTS),
        ("drained.yaml", &drained),
        ("known.yaml", "kind: Facts\nfor: {platform: ververica}\nsavepoints: []\n"),
    ]);
    for (name, facts) in [("restore-allow.txt", "facts.yaml"), ("restore-deny.txt", "drained.yaml")] {
        let run = folder.run(&["restore", "start.yaml", "--facts", facts]);
        compare(name, &format!("{}{}exit code {}\n", run.out, run.err, run.code)).unwrap();
    }
}

#[test]
fn what_is_not_judged_says_what_it_lacks() {
    let folder = Folder::with(&[("start.yaml", RESTORE)]);
    golden("check-unjudged.txt", &folder, &["start.yaml"]);
}

#[test]
fn several_documents_end_in_a_summary() {
    let folder = Folder::with(&[
        (
            "app.yaml",
            &format!(
                "{RESTORE}---\nkind: ConfigMap\nmetadata: {{name: app}}\n---\nkind: FlinkDeployment\nmetadata: {{a: b: c}}\n"
            ),
        ),
        ("stop.http", STOP),
        ("look.http", "GET /jobs/overview\n"),
    ]);
    golden("check-several.txt", &folder, &["app.yaml", "stop.http", "look.http", "gone.yaml"]);
}

#[test]
fn lines_fit_the_width() {
    let folder = Folder::with(&[("stop.http", STOP)]);
    let mut command = folder.command(&["check", "stop.http", "--intent", "restart"]);
    command.env("COLUMNS", "60");
    let run = finish(command, b"");
    let longest = run.out.lines().filter(|line| line.trim().contains(' ')).map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 60, "{}", run.out);
}

#[test]
fn colours_are_for_terminals_and_can_be_switched_off() {
    let folder = Folder::with(&[("stop.http", STOP)]);
    let colours = |set: &[&str]| {
        let mut command = folder.command(&["check", "stop.http"]);
        for name in set {
            command.env(name, "1");
        }
        finish(command, b"").out.contains('\u{1b}')
    };
    assert!(!colours(&[]));
    assert!(colours(&["CLICOLOR_FORCE"]));
    assert!(!colours(&["CLICOLOR_FORCE", "NO_COLOR"]));
}
