//! Bodies of any size in both directions, and what happens when either side goes away.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{Client, DRAIN, Front, JOB, JSON, NO_DRAIN, Upstream, reason, stop};
use crate::server::{SOON, Server, until};

const LARGE: usize = 50 << 20;
/// How much more memory the gate may take while so much goes through, in KiB.
const LITTLE: usize = 24 << 10;

/// KiB of memory that the gate takes.
fn memory(gate: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gate.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_large_upload_streams_and_waits_for_its_upstream() {
    let front = Front::start(&[]);
    assert_eq!(front.send("GET", "/jobs/overview", &[], b"").status, 200);
    let _ = front.upstream.only();
    let before = memory(&front.gate);
    front.upstream.hold(true);
    let mut client = front.client();
    client.write(format!(
        "POST /jars/upload HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {LARGE}\r\n\r\n"
    ));
    let sent = Arc::new(AtomicUsize::new(0));
    let (mut writer, counted) = (client.0.try_clone().unwrap(), Arc::clone(&sent));
    let sending = std::thread::spawn(move || {
        let piece: Vec<u8> = (0..64 << 10).map(|number: u32| number as u8).collect();
        for _ in 0..LARGE / piece.len() {
            writer.write_all(&piece).unwrap();
            counted.fetch_add(piece.len(), Ordering::SeqCst);
        }
    });
    // The upstream reads nothing: the client is held up, and the gate does not store what it sends.
    let mut last = usize::MAX;
    until("the client is held up", || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        std::mem::replace(&mut last, sent.load(Ordering::SeqCst)) == sent.load(Ordering::SeqCst)
    });
    assert!(last < LARGE, "everything was taken");
    assert!(memory(&front.gate) < before + LITTLE, "{before} KiB became {} KiB", memory(&front.gate));
    front.upstream.hold(false);
    sending.join().unwrap();
    assert_eq!(client.answer().status, 200);
    let arrived = front.upstream.only();
    assert_eq!((arrived.length, arrived.header("content-length")), (LARGE, Some(LARGE.to_string().as_str())));
    assert!(arrived.body.iter().enumerate().all(|(at, byte)| *byte == at as u8), "bytes were changed");
    assert!(memory(&front.gate) < before + LITTLE, "{before} KiB became {} KiB", memory(&front.gate));
}

#[test]
fn a_large_answer_streams_and_waits_for_its_client() {
    for chunked in [false, true] {
        let front = Front::of(
            Upstream::with(move |_| {
                let mut answer = match chunked {
                    false => format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").into_bytes(),
                    true => format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{LARGE:x}\r\n").into_bytes(),
                };
                answer.resize(answer.len() + LARGE, b'a');
                answer.extend_from_slice(if chunked { b"\r\n0\r\n\r\n" } else { b"" });
                Some(answer)
            }),
            &[],
        );
        let before = memory(&front.gate);
        let mut client = front.client();
        client.write("GET /jobmanager/log HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        until("it arrived", || !front.upstream.arrived().is_empty());
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(memory(&front.gate) < before + LITTLE, "{before} KiB became {} KiB", memory(&front.gate));
        let mut all = Vec::new();
        client.0.read_to_end(&mut all).unwrap();
        let head = all.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert!(all.starts_with(b"HTTP/1.1 200 OK\r\n"));
        let body = &all[head..];
        match chunked {
            false => assert!(body.len() == LARGE && body.iter().all(|byte| *byte == b'a')),
            true => assert_eq!(chunks(body), Some(LARGE)),
        }
        assert!(memory(&front.gate) < before + LITTLE, "{before} KiB became {} KiB", memory(&front.gate));
    }
}

/// The length of a body in chunks that hold nothing but `a`, where it comes to its end.
fn chunks(mut body: &[u8]) -> Option<usize> {
    let mut length = 0;
    loop {
        let line = body.iter().position(|byte| *byte == b'\r')?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).ok()?, 16).ok()?;
        let piece = body.get(line + 2..line + 2 + size)?;
        assert!(piece.iter().all(|byte| *byte == b'a'), "bytes were changed");
        length += size;
        body = body.get(line + 2 + size..)?.strip_prefix(b"\r\n")?;
        if size == 0 {
            return body.is_empty().then_some(length);
        }
    }
}

#[test]
fn connections_are_used_again() {
    let front = Front::start(&[]);
    let mut client = front.client();
    for number in 0..20 {
        client.write(format!("GET /jobs/{number} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(front.upstream.arrived().len(), 20);
    // One is given back a moment after its answer was read to the end.
    assert!(front.upstream.connections() <= 4, "{}", front.upstream.connections());
}

#[test]
fn an_idle_connection_that_the_upstream_closed_costs_nobody_a_request() {
    let front = Front::start(&[]);
    for _ in 0..5 {
        assert_eq!(front.send("POST", &stop(), &[JSON], NO_DRAIN).status, 200);
        front.upstream.cut();
    }
    assert_eq!(front.upstream.arrived().len(), 5);
}

#[test]
fn a_request_that_may_have_arrived_is_not_sent_twice() {
    let first = AtomicBool::new(true);
    let front = Front::of(
        Upstream::with(move |_| match first.swap(false, Ordering::SeqCst) {
            true => Some(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
            false => None,
        }),
        &[],
    );
    assert_eq!(front.send("POST", &stop(), &[JSON], NO_DRAIN).status, 200);
    let answer = front.send("POST", &stop(), &[JSON], NO_DRAIN);
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(reason(&answer).contains("broke off"), "{answer:?}");
    assert_eq!(front.upstream.arrived().len(), 2);
}

#[test]
fn an_answer_that_breaks_off_looks_broken_off() {
    let front = Front::of(Upstream::with(|_| Some(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec())), &[]);
    let mut client = front.client();
    client.write("GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n");
    until("it arrived", || !front.upstream.arrived().is_empty());
    std::thread::sleep(std::time::Duration::from_millis(50));
    front.upstream.cut();
    let mut all = Vec::new();
    let _ = client.0.read_to_end(&mut all);
    assert!(!all.ends_with(b"\r\n\r\n0123456789") && String::from_utf8_lossy(&all).contains("content-length: 10"));
}

#[test]
fn a_client_that_goes_takes_its_request_along() {
    let waiting = Arc::new(AtomicBool::new(true));
    let wait = Arc::clone(&waiting);
    let front = Front::of(
        Upstream::with(move |_| {
            while wait.load(Ordering::SeqCst) {
                std::thread::sleep(SOON / 2000);
            }
            None
        }),
        &[],
    );
    // While an answer is waited for, and in the middle of an upload.
    let mut client = front.client();
    client.write("GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut upload = front.client();
    upload.write(
        "POST /jars/upload HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data\r\nContent-Length: 100\r\n\r\nabc",
    );
    until("both are connected", || front.upstream.connections() == 2);
    drop((client, upload));
    until("the gate has closed both", || front.upstream.left() == 2);
    waiting.store(false, Ordering::SeqCst);
    front.upstream.all_closed();
    assert_eq!(front.send("POST", &stop(), &[JSON], DRAIN).status, 403, "the gate goes on");
}

#[test]
fn twenty_side_by_side_get_each_their_own() {
    let front = Front::of(
        Upstream::with(|arrived| {
            let line = arrived.request_line().to_owned();
            Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len()).into_bytes())
        }),
        &[],
    );
    let gate = &front.gate;
    std::thread::scope(|scope| {
        for worker in 0..20 {
            scope.spawn(move || {
                let mut client = Client::connect(gate, "proxy flink-rest");
                for number in 0..30 {
                    let drain = (worker + number) % 3 == 0;
                    let body = String::from_utf8_lossy(if drain { DRAIN } else { NO_DRAIN });
                    let target = format!("{JOB}/stop?{worker}={number}");
                    client.write(format!(
                        "POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    ));
                    let answer = client.answer();
                    match drain {
                        true => assert_eq!(answer.status, 403, "{answer:?}"),
                        false => assert_eq!(answer.body, format!("POST {target} HTTP/1.1")),
                    }
                }
            });
        }
    });
    assert_eq!(front.upstream.arrived().len(), 400);
    assert!(front.upstream.connections() <= 200, "{}", front.upstream.connections());
}

#[test]
fn what_is_in_flight_is_finished_when_the_gate_stops() {
    let waiting = Arc::new(AtomicBool::new(true));
    let wait = Arc::clone(&waiting);
    let mut front = Front::of(
        Upstream::with(move |_| {
            while wait.load(Ordering::SeqCst) {
                std::thread::sleep(SOON / 2000);
            }
            Some(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone".to_vec())
        }),
        &[],
    );
    let (mut client, idle) = (front.client(), front.client());
    client.write("GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n");
    until("it is on its way", || front.upstream.connections() == 1);
    front.gate.signal("TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    waiting.store(false, Ordering::SeqCst);
    let answer = client.answer();
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    assert!(front.gate.wait().success());
    drop(idle);
}
