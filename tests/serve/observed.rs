//! What a running server leaves behind: a decision log that can be judged again, without secrets, and its counts.

use std::process::Command;

use serde_json::Value;

use crate::server::{Folder, Server};

const STOP: &str = "/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35/stop?access_token=TOPSECRET";

#[test]
fn what_was_decided_can_be_judged_again() {
    let folder = Folder::new();
    let log = folder.path("decisions.jsonl").display().to_string();
    let trusted = ["--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"];
    let mut server = Server::plain(&[&["--decision-log", &log], &trusted[..]].concat());
    let json = [("content-type", "application/json"), ("authorization", "Bearer TOPSECRET")];
    let drain = br#"{"drain": true, "targetDirectory": "s3://AKIA:TOPSECRET@b/sp"}"#;
    assert_eq!(server.send("POST", STOP, &json, drain).status, 403);
    assert_eq!(server.send("GET", "/authz/flink-rest/jobs/overview", &[], b"").status, 200);
    let call = "kind: HttpRequest\nmethod: GET\ntarget: /jobs/overview\n";
    // What is looked up is spelled as in the request.
    let run = br#"{"savepointPath": "s3://AK:TOPSECRET@b/x?X-Amz-Signature=TOPSECRET"}"#;
    server.send("POST", "/authz/flink-rest/jars/a.jar/run", &json, run);
    // What is checked for somebody is kept, and for nobody not.
    assert_eq!(server.send("POST", "/v1/check", &[("x-user", "ada")], call.as_bytes()).status, 200);
    assert_eq!(server.send("POST", "/v1/check", &[], call.as_bytes()).status, 200);
    let count = |decision: &str, door: &str| {
        server
            .metric(&format!("sluicegate_decisions_total{{door=\"{door}\",mode=\"enforce\",decision=\"{decision}\"}}"))
    };
    assert_eq!((count("deny", "authz"), count("allow", "check")), (1.0, 2.0));
    assert_eq!(server.metric("sluicegate_findings_total{rule=\"drain-with-planned-restart\",effect=\"deny\"}"), 1.0);
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(!server.log().contains("TOPSECRET"), "{}", server.log());
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("TOPSECRET"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["door"].as_str().unwrap()).collect::<Vec<_>>(),
        ["authz", "authz", "authz", "check"]
    );
    assert_eq!((&lines[0]["verdict"]["decision"], &lines[0]["passed"]), (&"deny".into(), &false.into()));
    assert!(text.contains("\"location\":\"s3://"), "{text}");
    assert_eq!((&lines[0]["redacted"], &lines[1]["redacted"]), (&true.into(), &false.into()));
    assert!(lines.iter().all(|line| line["settings"] == "shipped" && line["error"].is_null()), "{text}");
    let replay = Command::new(env!("CARGO_BIN_EXE_sluicegate")).args(["replay", &log]).output().unwrap();
    let out = String::from_utf8(replay.stdout).unwrap();
    assert_eq!((replay.status.code(), out.as_str()), (Some(0), "4 judged again, 0 differ\n"));
}
