//! The reverse proxy: what it lets through unchanged, what it holds back and judges, and what nobody may send.

mod framing;
mod heads;
mod judging;
mod multipart;
mod streams;
mod upstream;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::server::{Answer, SOON, Server, send};
pub use upstream::Upstream;

const JOB: &str = "/jobs/42aedb6e5490ff65f60746294f1d1f35";
const JSON: (&str, &str) = ("content-type", "application/json");
const DRAIN: &[u8] = br#"{"targetDirectory": "file:///sp", "drain": true}"#;
const NO_DRAIN: &[u8] = br#"{"targetDirectory": "file:///sp", "drain": false}"#;

fn stop() -> String {
    format!("{JOB}/stop")
}

/// A gate in front of an upstream, for Flink.
struct Front {
    gate: Server,
    upstream: Upstream,
}

impl Front {
    fn of(upstream: Upstream, options: &[&str]) -> Self {
        let door = upstream.door("flink-rest");
        let metrics = ["--metrics-listen", "127.0.0.1:0", "--proxy", &door];
        Self { gate: Server::start(&[&metrics, options].concat()), upstream }
    }

    fn start(options: &[&str]) -> Self {
        Self::of(Upstream::start(), options)
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.gate.address("proxy flink-rest"), method, target, headers, body)
    }

    fn raw(&self, bytes: &[u8]) -> String {
        crate::server::raw(self.gate.address("proxy flink-rest"), bytes)
    }

    fn client(&self) -> Client {
        Client::connect(&self.gate, "proxy flink-rest")
    }
}

/// A connection that stays open.
struct Client(TcpStream);

impl Client {
    fn connect(gate: &Server, door: &str) -> Self {
        let stream = TcpStream::connect(gate.address(door)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// One answer that has a `Content-Length`, or none and no body.
    fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.0.read(&mut byte).unwrap() {
                0 => panic!("the gate closed after {}", head.escape_ascii()),
                _ => head.push(byte[0]),
            }
        }
        let mut answer = Answer::parse(&String::from_utf8(head).unwrap());
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Whether the gate has nothing more to say and closed.
    fn ended(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 64]), Ok(0) | Err(_))
    }
}

/// Why Flink's own clients would say that a request failed.
fn reason(answer: &Answer) -> String {
    answer.json()["errors"][0].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn decision(answer: &Answer) -> &str {
    let header = answer.header("x-sluicegate-decision").unwrap_or_else(|| panic!("{answer:?}"));
    assert!(header.len() <= 1024, "{header}");
    header
}
