//! The check API: documents in, the report of `sluicegate check` out.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, recorded};

const STOP: &str = "\
apiVersion: sluicegate.dev/v1alpha1
kind: HttpRequest
method: POST
target: /jobs/42aedb6e5490ff65f60746294f1d1f35/stop
headers: {content-type: application/json}
body: {drain: DRAIN, targetDirectory: 's3://b/sp'}
";

#[test]
fn every_document_is_judged_and_one_bad_one_stops_nothing() {
    let server = Server::plain(&[]);
    let body =
        format!("{}---\n{}---\nkind: HttpRequest\n", STOP.replace("DRAIN", "true"), STOP.replace("DRAIN", "false"));
    let answer = server.send("POST", "/v1/check", &[], body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    let report = answer.json();
    assert_eq!(report["kind"], "CheckReport");
    assert!(report["policy"]["digest"].as_str().unwrap().starts_with("sha256:"));
    let decisions: Vec<_> =
        report["results"].as_array().unwrap().iter().map(|it| it["decision"].as_str().unwrap()).collect();
    // The same verdict as at the doors: at the HTTP dialects a restart is assumed.
    assert_eq!(decisions, ["deny", "allow", "error"]);
    assert_eq!(report["results"][0]["findings"][0]["rule"], "drain-with-planned-restart");
    assert_eq!(report["summary"]["error"], 1);
}

#[test]
fn reviews_plans_and_calls_as_text_are_taken() {
    let server = Server::plain(&[]);
    let plan = "apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlan\n\
                deployment: {platform: alibaba, namespace: prod, name: orders}\nsteps: [{stop: {mode: drain}}, {start: {restore: latest-savepoint}}]\n";
    let dialect = |body: &[u8]| {
        let report = server.send("POST", "/v1/check", &[], body).json();
        (report["results"][0]["dialect"].clone(), report["results"][0]["decision"].clone())
    };
    assert_eq!(dialect(plan.as_bytes()), ("plan".into(), "deny".into()));
    assert_eq!(dialect(&recorded("demo/flink-stop-drain.http")).0, Value::from("flink-rest"));
    let reviews = recorded("recorded/kubernetes-1.36.ndjson");
    let report = server.send("POST", "/v1/check", &[], &reviews).json();
    assert_eq!(report["results"].as_array().unwrap().len(), 13);
    assert_eq!(report["summary"]["error"], 0);
}

#[test]
fn nothing_to_judge_is_an_error_with_a_report() {
    let server = Server::plain(&[]);
    for body in [
        &b""[..],
        b"\xff\xfe",
        b"\0",
        b"a: [1",
        b"hello",
        b"[]",
        b"kind: ConfigMap",
        b"kind: HttpRequest",
        b"kind: HttpRequest\nmethod: GET\ntarget: /api/v9/x\n",
    ] {
        let answer = server.send("POST", "/v1/check", &[], body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["results"][0]["decision"], "error");
    }
    let answer = server.send("POST", "/v1/check", &[], b"kind: A\nb:\n  - [1\nc: 2\n");
    let told = answer.json()["results"][0]["error"].as_str().unwrap().to_owned();
    let (line, rest) = told.split_once(':').unwrap();
    assert!(line.parse::<u32>().is_ok_and(|line| line >= 3) && rest.contains("not valid YAML"), "{told}");
    let many = "kind: X\n---\n".repeat(300);
    assert_eq!(server.send("POST", "/v1/check", &[], many.as_bytes()).status, 413);
    assert_eq!(server.send("GET", "/v1/check", &[], b"").status, 405);
}

#[test]
fn the_catalogue_and_the_description_are_served() {
    let server = Server::plain(&[]);
    let rules = server.send("GET", "/v1/rules", &[], b"").json();
    assert_eq!(rules["kind"], "RuleCatalogue");
    assert!(rules["rules"].as_array().unwrap().iter().any(|rule| rule["id"] == "drain-with-planned-restart"));
    let description = server.send("GET", "/openapi.json", &[], b"").json();
    for (path, methods) in description["paths"].as_object().unwrap() {
        if path.contains('{') || path == "/metrics" {
            continue;
        }
        for method in methods.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&key.as_str())) {
            let answer = server.send(&method.to_uppercase(), path, &[], b"");
            assert!(![404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
        }
    }
}

/// A control plane that counts who asks, and knows a running job.
fn control_plane() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut head = [0; 4096];
            if !matches!(stream.read(&mut head), Ok(1..)) {
                continue;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            let body = r#"{"jid": "42aedb6e5490ff65f60746294f1d1f35", "state": "RUNNING"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, asked)
}

#[test]
fn who_is_not_authenticated_has_nothing_looked_up() {
    let (address, asked) = control_plane();
    let plane = format!("flink-rest={address}");
    let server =
        Server::plain(&["--control-plane", &plane, "--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"]);
    let stop = STOP.replace("DRAIN", "false");
    let report = server.send("POST", "/v1/check", &[], stop.as_bytes()).json();
    assert_eq!(report["results"][0]["decision"], "allow");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "{report}");
    server.send("POST", "/v1/check", &[("x-user", "ada")], stop.as_bytes());
    assert!(asked.load(Ordering::SeqCst) > 0, "an authenticated caller had nothing looked up");
}
