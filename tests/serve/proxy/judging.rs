//! What is held back until it is judged, and what becomes of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use super::{Client, DRAIN, Front, JOB, JSON, NO_DRAIN, Upstream, decision, reason, stop};
use crate::server::{Folder, SOON, Server, send, until};

#[test]
fn a_drain_is_refused_where_the_user_sits_and_never_arrives() {
    let front = Front::start(&[]);
    let mut client = front.client();
    let body = String::from_utf8_lossy(DRAIN);
    client.write(format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let answer = client.answer();
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(reason(&answer).starts_with("refused by sluicegate: drain-with-planned-restart: "), "{answer:?}");
    assert!(decision(&answer).starts_with("deny; rules=drain-with-planned-restart"), "{answer:?}");
    // The connection goes on.
    client.write("GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert_eq!(front.upstream.only().request_line(), "GET /jobs/overview HTTP/1.1");
}

#[test]
fn what_is_allowed_goes_on_with_the_bytes_that_were_judged() {
    let front = Front::start(&[]);
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(r#"{"drain": false, "targetDirectory": "file:///sp"}"#.encode_utf16().flat_map(u16::to_le_bytes));
    for body in [NO_DRAIN, &utf16, b"", b"{\"targetDirectory\":\"file:///sp\"} trailing", b"{\"dr\\u0061in\":false}"] {
        let answer = front.send("POST", &stop(), &[JSON], body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(front.upstream.only().body, body);
    }
    utf16.clear();
    utf16.extend([0xfe, 0xff]);
    utf16.extend(r#"{"drain": true}"#.encode_utf16().flat_map(u16::to_be_bytes));
    for body in [&utf16[..], b"{\"dr\\u0061in\":true}", b"{\"drain\":false,\"drain\":\"TRUE\"} x"] {
        assert_eq!(front.send("POST", &stop(), &[JSON], body).status, 403, "{}", body.escape_ascii());
    }
    assert!(front.upstream.arrived().is_empty());
}

#[test]
fn an_encoded_body_is_refused_where_it_decides() {
    let front = Front::start(&[]);
    let answer = front.send("POST", &stop(), &[JSON, ("content-encoding", "gzip")], b"\x1f\x8b");
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(reason(&answer).contains("unknown-request"), "{answer:?}");
    assert_eq!(front.send("POST", &stop(), &[JSON, ("content-encoding", "Identity")], NO_DRAIN).status, 200);
    assert_eq!(front.upstream.only().header("content-encoding"), Some("Identity"));
}

#[test]
fn what_cannot_be_judged_is_refused_as_such() {
    let front = Front::start(&["--max-body", "1000"]);
    let answer = front.send("POST", &stop(), &[JSON], b"{\"drain\":");
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(reason(&answer).contains("not judged by sluicegate"), "{answer:?}");
    for chunked in [false, true] {
        let body = vec![b' '; 40_000];
        let mut client = front.client();
        if chunked {
            client.write(format!(
                "POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
                body.len()
            ));
        } else {
            client.write(format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()));
        }
        client.write(&body);
        let answer = client.answer();
        assert_eq!(answer.status, 413, "{answer:?}");
        assert!(reason(&answer).contains("1000 bytes"), "{answer:?}");
        assert_eq!(decision(&answer), "error; unjudgeable");
        assert!(client.ended());
    }
    assert!(front.upstream.arrived().is_empty());
}

#[test]
fn a_body_is_asked_for_before_it_is_judged() {
    let front = Front::start(&[]);
    for (body, status) in [(DRAIN, 403), (NO_DRAIN, 200)] {
        let mut client = front.client();
        client.write(format!(
            "POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ));
        assert_eq!(client.answer().status, 100);
        client.write(body);
        assert_eq!(client.answer().status, status);
    }
    assert_eq!(front.upstream.only().header("expect"), None);
}

#[test]
fn a_body_that_comes_slowly_is_judged_all_the_same() {
    let front = Front::start(&[]);
    let mut client = front.client();
    client.write(format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for byte in DRAIN {
        client.write(format!("1\r\n{}\r\n", char::from(*byte)));
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    client.write("0\r\n\r\n");
    assert_eq!(client.answer().status, 403);
    assert!(front.upstream.arrived().is_empty());
}

#[test]
fn in_warn_mode_everything_that_is_framed_well_passes_and_says_what_it_is() {
    let front = Front::start(&["--mode", "warn", "--max-body", "1000"]);
    let answer = front.send("POST", &stop(), &[JSON], DRAIN);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(decision(&answer).starts_with("deny; rules=drain-with-planned-restart"), "{answer:?}");
    assert_eq!(front.upstream.only().body, DRAIN);

    let answer = front.send("POST", &stop(), &[JSON], b"{\"drain\":");
    assert_eq!((answer.status, decision(&answer)), (200, "error; unjudgeable"));
    assert_eq!(front.upstream.only().body, b"{\"drain\":");

    let large: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    let answer = front.send("POST", &stop(), &[JSON], &large);
    assert_eq!((answer.status, decision(&answer)), (200, "error; unjudgeable"));
    assert_eq!(front.upstream.only().body, large);
    let mut chunked =
        format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    for piece in large.chunks(7000) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert!(front.raw(&chunked).contains(" 200 OK"));
    assert_eq!(front.upstream.only().body, large);
}

#[test]
fn what_passes_unjudged_in_warn_mode_leaves_a_record() {
    let folder = Folder::new();
    let log = folder.path("decisions.jsonl").display().to_string();
    let trusted = ["--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"];
    let mut front =
        Front::start(&[&["--mode", "warn", "--max-body", "1000", "--decision-log", &log], &trusted[..]].concat());
    let user = ("x-user", "ada");
    assert_eq!(front.send("POST", &stop(), &[JSON, user], b"{\"drain\":tr").status, 200);
    assert_eq!(front.send("POST", &format!("{}?token=HIDDEN", stop()), &[JSON, user], &[b' '; 5000]).status, 200);
    let count = |name: &str, reason: &str| {
        front.gate.metric(&format!("sluicegate_{name}_total{{door=\"proxy\",reason=\"{reason}\"}}"))
    };
    assert_eq!((count("let_through", "unjudgeable"), count("let_through", "body")), (1.0, 1.0));
    assert_eq!((count("rejected", "unjudgeable"), count("rejected", "body")), (0.0, 0.0));
    front.gate.signal("TERM");
    assert!(front.gate.wait().success());
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    for line in &lines {
        assert_eq!((&line["passed"], &line["caller"], &line["mode"]), (&true.into(), &"ada".into(), &"warn".into()));
        assert!(line["error"].is_string() && line["verdict"].is_null(), "{line}");
    }
    assert_ne!(lines[0]["id"], lines[1]["id"]);
    assert_eq!(lines[0]["request"]["http"]["bodyText"], "{\"drain\":tr");
    let large = &lines[1]["request"]["http"];
    assert!(large["target"].as_str().unwrap().starts_with(&stop()) && !large["bodyWithheld"].is_null(), "{large}");
    assert!(!text.contains("HIDDEN") && lines[1]["error"].as_str().unwrap().contains("1000 bytes"), "{text}");
    // What was read can be judged again, and the rest is left out.
    let replay = std::process::Command::new(env!("CARGO_BIN_EXE_sluicegate")).args(["replay", &log]).output().unwrap();
    let out = String::from_utf8(replay.stdout).unwrap();
    assert_eq!((replay.status.code(), out.as_str()), (Some(0), "1 judged again, 0 differ, 1 left out\n"));
}

#[test]
fn a_declared_intent_counts_from_callers_that_the_settings_list_and_goes_no_further() {
    let folder = Folder::new();
    let settings = "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {acceptFrom: [ada]}\n";
    let settings = folder.write("settings.yaml", settings);
    let options = ["--settings", &settings, "--trusted-proxy", "127.0.0.1", "--principal-header", "x-user"];
    let front = Front::start(&options);
    let with = |user| front.send("POST", &stop(), &[JSON, ("x-sluicegate-intent", "final"), ("x-user", user)], DRAIN);
    assert_eq!(with("eve").status, 403);
    assert_eq!(with("ada").status, 200);
    let arrived = front.upstream.only();
    assert_eq!((arrived.header("x-sluicegate-intent"), arrived.header("x-user")), (None, Some("ada")));
    assert_eq!(front.send("POST", &stop(), &[JSON, ("x-user", "a"), ("x-user", "b")], NO_DRAIN).status, 400);

    let other =
        Front::start(&["--settings", &settings, "--trusted-proxy", "192.0.2.1", "--principal-header", "x-user"]);
    let headers = [JSON, ("x-sluicegate-intent", "final"), ("x-user", "ada")];
    assert_eq!(other.send("POST", &stop(), &headers, DRAIN).status, 403);
    assert_eq!(other.send("POST", &stop(), &headers, NO_DRAIN).status, 200);
    assert_eq!(other.upstream.only().header("x-user"), None, "nobody vouches for it");
}

/// A Flink with a running job that counts who looks at it, and answers a cancel by GET when it is told to.
fn flink(looked: &Arc<AtomicUsize>, answered: Receiver<()>) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (looked, answered) = (Arc::clone(looked), Arc::new(Mutex::new(answered)));
    let (arrived, arrives) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (looked, answered, arrived) = (Arc::clone(&looked), Arc::clone(&answered), arrived.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
                let body = if line.contains("yarn-cancel") {
                    arrived.send(()).unwrap();
                    let _ = answered.lock().unwrap().recv_timeout(SOON);
                    "{}"
                } else if line.starts_with(&format!("GET {JOB} ")) {
                    looked.fetch_add(1, Ordering::SeqCst);
                    r#"{"jid": "42aedb6e5490ff65f60746294f1d1f35", "state": "RUNNING"}"#
                } else {
                    ""
                };
                let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
            });
        }
    });
    (address, arrives)
}

#[test]
fn what_was_looked_up_is_forgotten_once_a_cancel_by_get_is_done() {
    let folder = Folder::new();
    let settings =
        "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nrules: {get-request-cancels-job: {level: warn}}\n";
    let settings = folder.write("settings.yaml", settings);
    let looked = Arc::new(AtomicUsize::new(0));
    let (answer, answered) = channel();
    let (flink, arrives) = flink(&looked, answered);
    let gate = Server::start(&["--proxy", &format!("flink-rest=http://{flink}@127.0.0.1:0"), "--settings", &settings]);
    let address = gate.address("proxy flink-rest");
    let drain = || assert_eq!(send(address, "POST", &stop(), &[JSON], DRAIN).status, 403);
    let cancel = std::thread::spawn(move || send(address, "GET", &format!("{JOB}/yarn-cancel"), &[], b"").status);
    arrives.recv_timeout(SOON).unwrap();
    // Before the cancel is done the job still runs, and is remembered so.
    drain();
    let before = looked.load(Ordering::SeqCst);
    answer.send(()).unwrap();
    assert_eq!(cancel.join().unwrap(), 200);
    drain();
    assert!(before > 0 && looked.load(Ordering::SeqCst) > before, "{before}");
}

#[test]
fn ververica_is_answered_in_its_own_form() {
    let upstream = Upstream::start();
    let gate = Server::start(&["--proxy", &upstream.door("ververica")]);
    let address = gate.address("proxy ververica");
    let target = "/api/v1/namespaces/default/deployments/0cb796fc-2641-488e-bde8-52b2199c5747";
    let answer = send(address, "DELETE", "/api/v1/namespaces/default/frobs/x", &[], b"");
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.json()["message"].as_str().unwrap().contains("unknown-request"), "{answer:?}");
    assert_eq!(send(address, "GET", target, &[], b"").status, 200);
    assert_eq!(upstream.only().request_line(), format!("GET {target} HTTP/1.1"));
}

#[test]
fn alibaba_is_not_proxied_and_the_start_says_why() {
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_sluicegate"))
        .args(["serve", "--proxy", "alibaba=http://127.0.0.1:1@127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && said.contains("signature") && said.contains("/v1/check"), "{said}");
}

#[test]
fn an_upstream_that_is_down_is_named_and_the_gate_goes_on() {
    let upstream = Upstream::start();
    let (door, address) = (upstream.door("flink-rest"), upstream.address());
    let gate = Server::start(&["--proxy", &door]);
    let mut client = Client::connect(&gate, "proxy flink-rest");
    client.write("GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    drop(upstream);
    until("it is gone", || std::net::TcpStream::connect(address).is_err());
    let answer = send(gate.address("proxy flink-rest"), "POST", &stop(), &[JSON], NO_DRAIN);
    assert_eq!(answer.status, 502, "{answer:?}");
    let reason = reason(&answer);
    assert!(reason.contains(&format!("http://{address}")) && reason.contains("nothing was sent"), "{reason}");
    assert_eq!(send(gate.address("proxy flink-rest"), "POST", &stop(), &[JSON], DRAIN).status, 403);
}
