//! What two servers could read in two ways never gets past the gate, and nothing hides behind it.

use super::{DRAIN, Front, JOB, NO_DRAIN, reason};
use crate::server::Answer;

const HIDDEN: &str = "GET /jobs/hidden HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn odd_requests_are_refused_in_the_words_of_flink_and_nothing_after_them_is_read() {
    // Also where nothing is denied by rules.
    for mode in ["enforce", "warn"] {
        let front = Front::start(&["--mode", mode]);
        let post = |headers: &str, body: &str| format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}");
        for request in [
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
            post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
            post("Content-Length: 2\r\nContent-Length: 0\r\n", "{}"),
            post("Content-Length: 2, 2\r\n", "{}"),
            post("Content-Length: +2\r\n", "{}"),
            post("Content-Length : 2\r\n", "{}"),
            post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
            post("Transfer-Encoding: identity\r\n", ""),
            post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"),
            post("Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", "{}"),
            post("Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"),
            post("Workspace: a\r\nworkspace: b\r\n", ""),
            post("x-sluicegate-intent: restart\r\nX-Sluicegate-Intent: final\r\n", ""),
            post("Host: i\r\n", ""),
            post("X: a\r\n b\r\n", ""),
            post("X: a\nContent-Length: 2\r\n", "{}"),
            post("X: a\rContent-Length: 2\r\n", "{}"),
            post("X\r\n", ""),
            format!("POST http://h{JOB}/stop HTTP/1.1\r\nHost: h\r\n\r\n"),
            format!("POST {JOB}/stop#x HTTP/1.1\r\nHost: h\r\n\r\n"),
            format!("POST  {JOB}/stop HTTP/1.1\r\nHost: h\r\n\r\n"),
            format!("POST {JOB}/stop HTTP/1.1\nHost: h\n\n"),
            format!("POST {JOB}/stop HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
        ] {
            let answers = front.raw(format!("{request}{HIDDEN}").as_bytes());
            let answer = Answer::parse(&answers);
            assert_eq!(answer.status, 400, "{request:?}: {answers}");
            assert_eq!(answer.header("connection"), Some("close"), "{answers}");
            assert!(reason(&answer).starts_with("not judged by sluicegate, so refused: "), "{answers}");
        }
        let mut latin = format!("POST {JOB}/stop HTTP/1.1\r\nX: ").into_bytes();
        latin.extend_from_slice(b"\xe4\r\n\r\n");
        assert!(reason(&Answer::parse(&front.raw(&latin))).contains("UTF-8"));
        let long = format!("GET /jobs HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(70 << 10));
        assert_eq!(Answer::parse(&front.raw(long.as_bytes())).status, 431);
        assert!(front.upstream.arrived().is_empty(), "{:?}", front.upstream.arrived());
        assert!(front.gate.metric("sluicegate_rejected_total{door=\"proxy\",reason=\"malformed\"}") >= 29.0);
    }
}

#[test]
fn a_body_that_breaks_its_own_framing_does_not_arrive() {
    let front = Front::start(&[]);
    for body in ["zz\r\n", "2\r\n{}x", "-2\r\n{}\r\n0\r\n\r\n", "2;a=\nb\r\n{}\r\n0\r\n\r\n", "0\r\nno trailer\r\n\r\n"]
    {
        let request =
            format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}{HIDDEN}");
        let answers = front.raw(request.as_bytes());
        let answer = Answer::parse(&answers);
        assert_eq!(answer.status, 400, "{body}: {answers}");
        assert!(reason(&answer).contains("where this request ends cannot be told"), "{answers}");
    }
    assert!(front.upstream.arrived().is_empty(), "{:?}", front.upstream.arrived());
}

#[test]
fn requests_in_one_write_are_judged_one_by_one() {
    let front = Front::start(&[]);
    let stop = |body: &[u8]| {
        let body = String::from_utf8_lossy(body);
        format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let read = "GET /jobs/overview HTTP/1.1\r\nHost: h\r\n\r\n";
    let mut client = front.client();
    client.write(format!("{read}{}{}{read}", stop(DRAIN), stop(NO_DRAIN)));
    let statuses: Vec<u16> = (0..4).map(|_| client.answer().status).collect();
    assert_eq!(statuses, [200, 403, 200, 200]);
    let lines: Vec<String> = front.upstream.arrived().iter().map(|it| it.request_line().to_owned()).collect();
    let overview = "GET /jobs/overview HTTP/1.1";
    assert_eq!(lines, [overview, &format!("POST {JOB}/stop HTTP/1.1"), overview]);
    assert_eq!(front.upstream.arrived()[1].body, NO_DRAIN);
}

#[test]
fn what_follows_a_refused_drain_is_not_part_of_it() {
    let front = Front::start(&[]);
    // A body that looks like a request, and a request behind it.
    let request = format!("POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len());
    let mut client = front.client();
    client.write(format!("{request}{HIDDEN}"));
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.answer().status, 200);
    assert_eq!(front.upstream.only().request_line(), "GET /jobs/hidden HTTP/1.1");
}
