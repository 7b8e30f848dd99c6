//! How the server behaves when files change, clients are slow, too many come, or it is told to stop.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::server::{Answer, Folder, SOON, Server, raw, send, until};

const JSON: (&str, &str) = ("content-type", "application/json");
const STOP: &str = "/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35/stop";
const DRAIN: &[u8] = br#"{"targetDirectory": "file:///sp", "drain": true}"#;
const HEAD: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\n";

fn drain(server: &Server) -> u16 {
    server.send("POST", STOP, &[JSON], DRAIN).status
}

#[test]
fn settings_are_taken_up_when_they_change_and_kept_when_they_are_wrong() {
    let folder = Folder::new();
    let settings = folder.write("settings.yaml", HEAD);
    let server = Server::plain(&["--settings", &settings]);
    assert_eq!(drain(&server), 403);
    folder.write("settings.yaml", &format!("{HEAD}rules: {{drain-with-planned-restart: {{level: warn}}}}\n"));
    until("the new settings count", || drain(&server) == 200);
    folder.write("settings.yaml", &format!("{HEAD}rules: {{drain-with-planed-restart: {{level: deny}}}}\n"));
    until("the wrong settings are noticed", || {
        server.metric("sluicegate_reloads_total{what=\"settings\",outcome=\"bad\"}") > 0.0
    });
    assert_eq!(drain(&server), 200);
    let outdated = |server: &Server| server.metric("sluicegate_outdated{what=\"settings\"}");
    assert_eq!(outdated(&server), 1.0);
    let log = server.log();
    assert!(log.contains("settings.yaml:3:") && log.contains("drain-with-planned-restart"), "{log}");
    folder.write("settings.yaml", HEAD);
    server.signal("HUP");
    until("the old settings count again", || drain(&server) == 403);
    assert_eq!(outdated(&server), 0.0);
    until("the change is over", || server.log().matches("the next request is judged by it").count() >= 2);
    server.signal("HUP");
    until("nothing has changed", || server.log().contains("unchanged"));
    assert_eq!(drain(&server), 403);
}

/// What is said of options with which nothing starts.
fn told(options: &[&str]) -> String {
    // Should it start after all, it ends by itself.
    let output = std::process::Command::new("timeout")
        .args(["--preserve-status", "20", env!("CARGO_BIN_EXE_sluicegate"), "serve"])
        .args(options)
        .env_remove("SLUICEGATE_SETTINGS")
        .env_remove("SLUICEGATE_TEST_UNSET")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn nothing_starts_with_wrong_options() {
    let folder = Folder::new();
    let wrong = folder.write("settings.yaml", "kind: Settings\nrule: {}\n");
    let plain = ["--listen", "127.0.0.1:0", "--insecure-http"];
    assert!(told(&[]).contains("--listen"));
    assert!(told(&["--listen", "127.0.0.1:0"]).contains("--insecure-http"));
    assert!(told(&[&plain[..], &["--settings", &wrong]].concat()).contains("settings.yaml"));
    assert!(told(&[&plain[..], &["--facts", &wrong]].concat()).contains("settings.yaml"));
    assert!(told(&[&plain[..], &["--policy", &wrong]].concat()).contains("policy"));
    assert!(told(&[&plain[..], &["--savepoint-prefix", "nowhere"]].concat()).contains("nowhere"));
    assert!(told(&[&plain[..], &["--control-plane", "flink=http://x"]].concat()).contains("flink-rest"));
    assert!(told(&[&plain[..], &["--log-level", "warning"]].concat()).contains("one of error, warn"));
    assert!(told(&[&plain[..], &["--decision-log", "/nowhere/log"]].concat()).contains("/nowhere/log"));
    for flag in
        ["--concurrency", "--deadline", "--facts-deadline", "--max-body", "--max-connections", "--patience", "--idle"]
    {
        let text = told(&[&plain[..], &[flag, "0"]].concat());
        assert!(text.contains(&format!("`{flag} 0`")), "{text}");
    }
    for address in ["localhost:8080", ":8080", "127.0.0.1"] {
        assert!(told(&["--listen", address, "--insecure-http"]).contains("IP:PORT"), "{address}");
    }
    assert!(told(&[&plain[..], &["--max-body", "8MiB"]].concat()).contains("8388608"));
    let policy = told(&[&plain[..], &["--policy", &wrong]].concat());
    assert!(policy.contains("settings.yaml") && policy.lines().count() == 1, "{policy}");
    assert_eq!(policy.matches(".wasm").count(), 1, "{policy}");
    let secret = told(&[&plain[..], &["--credentials", "flink-rest=hunter2"]].concat());
    assert!(secret.contains("file:PATH") && secret.matches("hunter2").count() <= 1, "{secret}");
}

#[test]
fn nothing_starts_with_a_proxy_or_credentials_that_cannot_work() {
    let proxy = ["--proxy", "flink-rest=http://127.0.0.1:1@127.0.0.1:0"];
    let with = |more: &[&str]| told(&[&proxy[..], more].concat());
    let text = with(&["--credentials", "flink-rest=file:/nowhere/token"]);
    assert!(text.contains("file:/nowhere/token") && text.contains("cannot be read"), "{text}");
    let text = with(&["--credentials", "flink-rest=env:SLUICEGATE_TEST_UNSET"]);
    assert!(text.contains("env:SLUICEGATE_TEST_UNSET") && text.contains("is not set"), "{text}");
    assert!(with(&["--insecure-http"]).contains("--listen"));
    assert!(with(&["--strip-prefix", "flink-rest=/flink"]).contains("--listen"));
    let text = told(&["--proxy", "flink-rest=127.0.0.1:8081@127.0.0.1:0"]);
    assert!(text.contains("`http://`") && !text.contains("control plane"), "{text}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (host, here) in [("localhost", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")] {
        let text = told(&["--proxy", &format!("flink-rest=http://{host}:{port}@{here}:{port}")]);
        assert!(text.contains("that is a door of this server"), "{text}");
    }
}

#[test]
fn what_is_refused_unread_is_in_the_log_and_not_each_time() {
    let server = Server::plain(&["--max-body", "100"]);
    for _ in 0..3 {
        assert_eq!(server.send("POST", "/validate", &[], b"{}").status, 400);
        assert_eq!(server.send("POST", "/validate", &[], &[b' '; 101]).status, 413);
    }
    let log = server.log();
    let told =
        |reason: &str| log.lines().filter(|line| line.contains("refused before") && line.contains(reason)).count();
    assert_eq!((told("malformed"), told("\"body\"")), (1, 1), "{log}");
}

#[test]
fn whoever_has_just_connected_still_gets_an_answer() {
    let mut server = Server::plain(&["--drain-time", "0"]);
    let mut late = TcpStream::connect(server.address("main")).unwrap();
    late.set_read_timeout(Some(SOON)).unwrap();
    until("the connection is there", || server.metric("sluicegate_connections{door=\"main\"}") >= 1.0);
    server.signal("TERM");
    until("it stops", || TcpStream::connect(server.address("main")).is_err());
    late.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn whoever_tells_it_twice_waits_for_nothing() {
    let mut server = Server::plain(&[]);
    let mut slow = TcpStream::connect(server.address("main")).unwrap();
    slow.write_all(format!("POST {STOP} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{").as_bytes()).unwrap();
    until("the request is in", || server.metric("sluicegate_connections{door=\"main\"}") >= 1.0);
    std::thread::sleep(Duration::from_secs(1));
    server.signal("TERM");
    until("it stops", || server.log().contains("stopping"));
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(2));
    until("it is said", || server.log().contains("a second time"));
}

#[test]
fn a_look_up_that_fails_is_in_the_log_and_not_each_time() {
    let folder = Folder::new();
    let token = folder.write("token", "hunter2");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plane = format!("flink-rest=http://{gone}");
    let server = Server::plain(&["--control-plane", &plane, "--credentials", &format!("flink-rest=file:{token}")]);
    for _ in 0..3 {
        server.send("PATCH", "/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35?mode=cancel", &[], b"");
    }
    until("it is said", || server.log().contains("a look-up failed"));
    let log = server.log();
    assert_eq!(log.matches("a look-up failed").count(), 1, "{log}");
    assert!(log.contains("flink-rest") && !log.contains("hunter2"), "{log}");
}

#[test]
fn a_stopping_server_finishes_what_is_in_flight() {
    let mut server = Server::plain(&[]);
    let mut slow = TcpStream::connect(server.address("main")).unwrap();
    slow.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "POST {STOP} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        DRAIN.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(&DRAIN[..10]).unwrap();
    until("the request is in", || server.metric("sluicegate_connections{door=\"main\"}") >= 1.0);
    std::thread::sleep(Duration::from_millis(100));
    server.signal("TERM");
    until("nothing new is taken", || TcpStream::connect(server.address("main")).is_err());
    slow.write_all(&DRAIN[10..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(Answer::parse(&answer).status, 403, "{answer}");
    assert!(server.wait().success());
}

#[test]
fn a_server_about_to_stop_says_so_and_still_answers() {
    let folder = Folder::new();
    let settings = folder.write("settings.yaml", HEAD);
    let mut server = Server::plain(&["--settings", &settings, "--drain-time", "2"]);
    let ready = |server: &Server| send(server.address("metrics"), "GET", "/readyz", &[], b"").status;
    assert_eq!(ready(&server), 200);
    server.signal("TERM");
    until("it is not ready", || ready(&server) == 503);
    assert_eq!(drain(&server), 403);
    assert!(server.wait().success());
}

#[test]
fn slow_and_endless_heads_are_cut() {
    let server = Server::plain(&["--patience", "1"]);
    let mut slow = TcpStream::connect(server.address("main")).unwrap();
    slow.set_read_timeout(Some(SOON)).unwrap();
    slow.write_all(b"GET /livez HT").unwrap();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 2"));

    let mut endless = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(200_000)).into_bytes();
    endless.extend_from_slice(b"\r\n\r\n");
    let answer = raw(server.address("main"), &endless);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");

    let body = format!("POST {STOP} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{");
    let answer = raw(server.address("main"), body.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(drain(&server), 403);
}

#[test]
fn a_connection_too_many_is_closed_and_counted() {
    let server = Server::plain(&["--max-connections", "2"]);
    let address = server.address("main");
    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    until("both are open", || server.metric("sluicegate_connections{door=\"main\"}") >= 2.0);
    assert_eq!(raw(address, b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"), "");
    assert_eq!(server.metric("sluicegate_rejected_total{door=\"main\",reason=\"connections\"}"), 1.0);
    drop(held);
    until("there is room again", || {
        raw(address, b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").contains("alive")
    });
}

#[test]
fn too_many_requests_get_a_fast_no() {
    // No place to wait, and one sandbox: of many at once some must be turned away, and all must be answered.
    let server = Server::plain(&["--concurrency", "1", "--queue", "0"]);
    let address = server.address("main");
    let filler = format!("{{\"drain\": true, \"x\": \"{}\"}}", "y".repeat(400_000));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked = || send(address, "POST", STOP, &[JSON], filler.as_bytes()).status;
        let threads: Vec<_> =
            (0..16).map(|_| scope.spawn(move || (0..8).map(|_| asked()).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!(count(403) + count(503), statuses.len(), "{statuses:?}");
    assert!(count(403) > 0 && count(503) > 0, "{statuses:?}");
    let turned_away = server.metric("sluicegate_rejected_total{door=\"authz\",reason=\"queue\"}");
    assert_eq!(turned_away, count(503) as f64);
    assert_eq!(drain(&server), 403);
}

#[test]
fn a_dead_control_plane_holds_nobody_up() {
    // A socket that takes connections and never answers.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plane = format!("flink-rest=http://{}", dead.local_addr().unwrap());
    let server = Server::plain(&["--control-plane", &plane, "--facts-deadline", "300"]);
    let begun = Instant::now();
    let cancel = server.send("PATCH", "/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35?mode=cancel", &[], b"");
    assert_eq!(cancel.status, 200, "{cancel:?}");
    assert!(begun.elapsed() < SOON);
    assert!(cancel.header("x-sluicegate-decision").unwrap().starts_with("allow"), "{cancel:?}");
    assert!(server.metric("sluicegate_lookups_total{source=\"flink-rest\",outcome=\"failure\"}") > 0.0);
}

#[test]
fn the_log_tells_no_bodies_and_no_secrets() {
    let folder = Folder::new();
    let log = folder.path("decisions.jsonl");
    let server = Server::plain(&["--log-level", "trace", "--decision-log", log.to_str().unwrap()]);
    let headers = [JSON, ("authorization", "Bearer hunter2"), ("cookie", "session=hunter2")];
    let body = br#"{"drain": true, "password": "hunter2", "programArgs": "--api-key hunter2"}"#;
    assert_eq!(server.send("POST", &format!("{STOP}?token=hunter2"), &headers, body).status, 403);
    until("the decision is written", || std::fs::read_to_string(&log).is_ok_and(|text| text.ends_with('\n')));
    let line = std::fs::read_to_string(&log).unwrap();
    let entry: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(entry["verdict"]["decision"], "deny", "{entry}");
    assert!(!line.contains("hunter2"), "{line}");
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}
