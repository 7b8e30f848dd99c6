//! Targets and headers: what arrives at the upstream, and what comes back.

use super::{Front, JOB, JSON, NO_DRAIN, Upstream, decision, stop};

#[test]
fn the_target_arrives_byte_for_byte() {
    // Nothing is refused by the policy in this mode: what is odd must arrive as it is.
    let front = Front::start(&["--mode", "warn"]);
    for target in [
        "/",
        "/?",
        "/jobs/overview",
        "//jobs",
        "/jobs//x",
        "/jobs/",
        "/%73top",
        "/jobs/%2F%2f/./../x",
        "/a?a=1;b=2",
        "/a?x=%7B&y=+&z",
        "/a?b?c=/d",
        "/jobs/{x}|\"",
        "/jobs;x=1/y",
        "/a?savepointPath=s3%3A%2F%2Fb%2Fx&allowNonRestoredState=true",
        "/~!$&'()*+,=:@",
    ] {
        assert_eq!(front.send("GET", target, &[], b"").status, 200, "{target}");
        assert_eq!(front.upstream.only().request_line(), format!("GET {target} HTTP/1.1"));
    }
}

#[test]
fn an_upstream_below_a_path_gets_it_in_front() {
    let upstream = Upstream::start();
    let door = format!("flink-rest=http://{}/flink/@127.0.0.1:0", upstream.address());
    let gate = crate::server::Server::start(&["--proxy", &door]);
    let answer = crate::server::send(gate.address("proxy flink-rest"), "GET", "/jobs/overview?x", &[], b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(upstream.only().request_line(), "GET /flink/jobs/overview?x HTTP/1.1");
}

#[test]
fn a_redirect_of_an_upstream_below_a_path_leads_back_here() {
    let upstream = Upstream::with(|request| {
        let place = match request.request_line() {
            "GET /flink/relative HTTP/1.1" => "/flink/web/".to_owned(),
            _ => format!("HTTP://{}/flink/web/?a=b", request.header("host").unwrap()),
        };
        Some(format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes())
    });
    let door = format!("flink-rest=http://{}/flink/@127.0.0.1:0", upstream.address());
    let gate = crate::server::Server::start(&["--mode", "warn", "--proxy", &door]);
    for (target, location) in [("/relative", "/web/"), ("/absolute", "/web/?a=b")] {
        let answer = crate::server::send(gate.address("proxy flink-rest"), "GET", target, &[], b"");
        assert_eq!((answer.status, answer.header("location")), (302, Some(location)), "{answer:?}");
    }
}

#[test]
fn a_head_is_rebuilt() {
    let front = Front::start(&[]);
    let body = String::from_utf8_lossy(NO_DRAIN);
    let request = format!(
        "POST {JOB}/stop HTTP/1.1\r\nHost: gate:1\r\nConnection: close, X-Mine, content-type\r\nX-Mine: 1\r\n\
         Keep-Alive: timeout=5\r\nProxy-Authorization: Basic x\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAA\r\nX-Sluicegate-Intent: final\r\nx-sluicegate-caller: root\r\nX-Forwarded-For: 9.9.9.9\r\n\
         Forwarded: for=9.9.9.9\r\nAuthorization: Bearer t\r\nCookie: a=b\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        body.len()
    );
    let answer = crate::server::Answer::parse(&front.raw(request.as_bytes()));
    assert_eq!(answer.status, 200, "{answer:?}");
    let arrived = front.upstream.only();
    let mut lines: Vec<&str> = arrived.head.trim_end().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            &format!("POST {JOB}/stop HTTP/1.1"),
            "authorization: Bearer t",
            &format!("content-length: {}", body.len()),
            "content-type: application/json",
            "cookie: a=b",
            &format!("host: {}", front.upstream.address()),
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: gate:1",
        ]
    );
    assert_eq!(arrived.body, NO_DRAIN);
}

#[test]
fn bodies_are_framed_anew() {
    let front = Front::start(&[]);
    for (request, length) in [
        ("GET /jobs/overview HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", None),
        // The command line client sends a body with its GETs.
        ("GET /v1/jobs/overview HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", Some("2")),
        (
            "GET /jobs/overview HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            Some("2"),
        ),
        (
            "POST /jobs/42aedb6e5490ff65f60746294f1d1f35/checkpoints HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            Some("0"),
        ),
        ("GET /jobs/overview HTTP/1.0\r\n\r\n", None),
        ("GET /jobs/overview HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", Some("2")),
    ] {
        let answer = front.raw(request.as_bytes());
        assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{request}: {answer}");
        let arrived = front.upstream.only();
        assert_eq!(
            (arrived.header("content-length"), arrived.header("transfer-encoding")),
            (length, None),
            "{request}"
        );
        assert_eq!(arrived.body, if length == Some("2") { &b"{}"[..] } else { b"" });
        assert!(arrived.request_line().ends_with(" HTTP/1.1"));
    }
}

#[test]
fn a_response_comes_back_without_what_was_between_neighbours() {
    let front = Front::of(
        Upstream::with(|_| {
            Some(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
                  HTTP/1.1 202 Accepted\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTrailer: X-T\r\n\
                  X-Sluicegate-Decision: deny\r\nLocation: http://127.0.0.1:1/x\r\nContent-Type: application/json\r\n\
                  Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n"
                    .to_vec(),
            )
        }),
        &[],
    );
    let answer = front.send("POST", &stop(), &[JSON], NO_DRAIN);
    assert_eq!(answer.status, 202, "{answer:?}");
    for gone in ["x-mine", "keep-alive", "trailer"] {
        assert_eq!(answer.header(gone), None, "{answer:?}");
    }
    assert_eq!(answer.head.matches("set-cookie: ").count(), 2);
    assert_eq!(answer.header("location"), Some("http://127.0.0.1:1/x"));
    assert!(decision(&answer).starts_with("allow"), "{answer:?}");
    assert_eq!(answer.head.matches("x-sluicegate").count(), 1);
    assert_eq!(answer.body, "2\r\n{}\r\n0\r\n\r\n");
}

#[test]
fn a_head_request_keeps_the_length_and_has_no_body() {
    let front = Front::of(Upstream::with(|_| Some(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n".to_vec())), &[]);
    let answer = front.send("HEAD", "/jobs/overview", &[], b"");
    assert_eq!((answer.status, answer.header("content-length"), answer.body.as_str()), (200, Some("12345"), ""));
}

#[test]
fn nobody_changes_the_protocol() {
    let switch =
        |_: &_| Some(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_vec());
    let front = Front::of(Upstream::with(switch), &[]);
    let answer = front.send("GET", "/jobs/overview", &[("upgrade", "x")], b"");
    assert_eq!(answer.status, 502, "{answer:?}");
    assert_eq!(front.upstream.only().header("upgrade"), None);
}
