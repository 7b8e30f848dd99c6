//! Streams of requests, whole and damaged, through the witness and through hyper alone: what passes the witness, hyper
//! understands in the same way, byte for byte.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::CONNECTION;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{Seen, Witness};

/// A request as a service got it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Got {
    /// Method, target, and the body where it came to an end.
    Request(String, String, Option<Bytes>),
    /// The witness refused it.
    Refused(String),
    /// hyper and the witness saw different things.
    Lost,
}

async fn serve<I: AsyncRead + AsyncWrite + Unpin>(io: I, seen: Option<Seen>) -> Vec<Got> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let (all, seen) = (Arc::clone(&all), seen.clone());
        async move {
            let mut reply = Response::new(Full::new(Bytes::from_static(b"ok")));
            let got = match seen.as_ref().map(Seen::next) {
                Some(Some(Err(refusal))) => Got::Refused(refusal.message),
                Some(Some(Ok(head))) if !head.describes(&request) => Got::Lost,
                Some(None) => Got::Lost,
                Some(Some(Ok(_))) | None => {
                    let target = request.uri().path_and_query().map_or("", |target| target.as_str()).to_owned();
                    let method = request.method().to_string();
                    let body = request.into_body().collect().await.ok().map(|body| body.to_bytes());
                    Got::Request(method, target, body)
                }
            };
            if !matches!(got, Got::Request(_, _, Some(_))) {
                reply.headers_mut().insert(CONNECTION, "close".parse().unwrap());
            }
            all.lock().unwrap().push(got);
            Ok::<_, Infallible>(reply)
        }
    });
    // As at a door, but the end of what the client sends does not end what it is sent.
    let mut builder = hyper::server::conn::http1::Builder::new();
    let _ = builder
        .half_close(true)
        .max_headers(100)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(io), service)
        .await;
    let all = all.lock().unwrap();
    all.clone()
}

/// What becomes of these bytes, sent in pieces of `piece` bytes.
async fn got(bytes: &[u8], piece: usize, witnessed: bool) -> Vec<Got> {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (mut reader, mut writer) = tokio::io::split(client);
    let bytes = bytes.to_vec();
    let sending = tokio::spawn(async move {
        for piece in bytes.chunks(piece) {
            if writer.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = writer.shutdown().await;
    });
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        let _ = reader.read_to_end(&mut all).await;
    });
    let got = async {
        match witnessed {
            false => serve(server, None).await,
            true => {
                let witness = Witness::new(server, Duration::from_secs(5));
                let seen = witness.seen();
                serve(witness, Some(seen)).await
            }
        }
    };
    let got = tokio::time::timeout(Duration::from_secs(20), got).await.expect("it hangs");
    sending.await.unwrap();
    reading.await.unwrap();
    got
}

/// Numbers that are the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn one_of<'v>(&mut self, values: &[&'v str]) -> &'v str {
        values[self.below(values.len())]
    }
}

const TARGETS: &[&str] = &["/", "//jobs", "/jobs/%73top?a=1;b=2", "/%2f?", "/jobs/x/stop", "/a?b={}"];
const BODIES: &[&str] = &["", "{\"drain\":true}", "x", "GET /inner HTTP/1.1\r\n\r\n", "0\r\n\r\n", "\r\n\r\n"];
const DAMAGE: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "#",
    "\0",
    "é",
    ";",
    "0",
    "0\r\n\r\n",
    "\r\n\r\n",
    "\n\n",
    "Content-Length: 3\r\n",
    "content-length : 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding: gzip\r\n",
    "\r\n folded",
    "GET /hidden HTTP/1.1\r\n\r\n",
    "POST /hidden HTTP/1.1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.0",
];

/// A request, and what a service must get of it.
fn request(numbers: &mut Numbers) -> (Vec<u8>, Got) {
    let (method, target) = (numbers.one_of(&["GET", "POST", "PATCH", "DELETE"]), numbers.one_of(TARGETS));
    let body = numbers.one_of(BODIES);
    let mut bytes = format!("{}{method} {target} HTTP/1.1\r\nHost: h\r\n", numbers.one_of(&["", "", "", "\r\n"]));
    bytes.push_str(numbers.one_of(&["", "X-A: b\r\n", "Cookie: \tä\r\n", "X-B:\r\n"]));
    match numbers.below(3) {
        0 => {
            bytes.push_str("\r\n");
            return (bytes.into_bytes(), Got::Request(method.into(), target.into(), Some(Bytes::new())));
        }
        1 => bytes.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len())),
        _ => {
            bytes.push_str(
                numbers.one_of(&["Transfer-Encoding: chunked\r\n\r\n", "TRANSFER-ENCODING:  Chunked \r\n\r\n"]),
            );
            let mut rest = body;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(1 + numbers.below(rest.len()));
                bytes.push_str(&format!("{:x}{}\r\n{piece}\r\n", piece.len(), numbers.one_of(&["", ";a=b"])));
                rest = after;
            }
            bytes.push_str(numbers.one_of(&["0\r\n\r\n", "000\r\nx-trailer: 1\r\n\r\n"]));
        }
    }
    (bytes.into_bytes(), Got::Request(method.into(), target.into(), Some(body.into())))
}

fn requests(numbers: &mut Numbers) -> (Vec<u8>, Vec<Got>) {
    let many = 1 + numbers.below(4);
    let (bytes, got): (Vec<_>, Vec<_>) = (0..many).map(|_| request(numbers)).unzip();
    (bytes.concat(), got)
}

#[tokio::test]
async fn whole_requests_pass_as_they_are() {
    let mut numbers = Numbers(0x5eed);
    for _ in 0..300 {
        let (bytes, expected) = requests(&mut numbers);
        let piece = 1 + numbers.below(40);
        assert_eq!(got(&bytes, piece, true).await, expected, "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn what_passes_of_damaged_requests_is_what_hyper_sees() {
    let mut numbers = Numbers(0xdead_beef);
    let (mut passed, mut refused) = (0, 0);
    for _ in 0..8000 {
        let (mut bytes, _) = requests(&mut numbers);
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            let damage = numbers.one_of(DAMAGE);
            let to = (at + numbers.below(3)).min(bytes.len());
            bytes.splice(at..to, damage.bytes());
        }
        let piece = 1 + numbers.below(60);
        let ours = got(&bytes, piece, true).await;
        let theirs = got(&bytes, piece, false).await;
        let shown = || format!("{}\nours: {ours:?}\ntheirs: {theirs:?}", bytes.escape_ascii());
        for (number, ours) in ours.iter().enumerate() {
            match ours {
                Got::Lost => panic!("lost: {}", shown()),
                Got::Refused(_) => refused += 1,
                Got::Request(method, target, body) => {
                    passed += 1;
                    let Some(Got::Request(theirs_method, theirs_target, theirs_body)) = theirs.get(number) else {
                        panic!("hyper did not see it: {}", shown());
                    };
                    assert_eq!((method, target), (theirs_method, theirs_target), "{}", shown());
                    assert!(body.is_none() || body == theirs_body, "{}", shown());
                }
            }
        }
        let refusals = ours.iter().filter(|got| matches!(got, Got::Refused(_))).count();
        assert!(refusals == 0 || matches!(ours.last(), Some(Got::Refused(_))) && refusals == 1, "{}", shown());
    }
    assert!(passed > 4000 && refused > 4000, "{passed} passed, {refused} were refused");
}

#[tokio::test]
async fn a_second_framing_is_refused_in_either_order() {
    for (first, second) in
        [("Content-Length: 5", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 5")]
    {
        let bytes = format!("POST /a HTTP/1.1\r\n{first}\r\n{second}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
        assert!(
            matches!(got(bytes.as_bytes(), 7, false).await.as_slice(), [Got::Request(..), ..]),
            "hyper says nothing"
        );
        let ours = got(bytes.as_bytes(), 7, true).await;
        assert!(matches!(ours.as_slice(), [Got::Refused(why)] if why.contains("together")), "{ours:?}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let bytes = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(70 << 10));
    assert!(
        matches!(got(bytes.as_bytes(), 4096, true).await.as_slice(), [Got::Refused(why)] if why.contains("longer"))
    );
    let bytes = b"GET / HTTP/1.1\nHost: h\n\n";
    assert!(matches!(got(bytes, 1, true).await.as_slice(), [Got::Refused(why)] if why.contains("CR LF")));
    assert_eq!(got(b"GET / HTTP/1.1\r\nHost:", 3, true).await, []);
}
