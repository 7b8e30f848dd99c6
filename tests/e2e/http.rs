//! Talks HTTP with what is under test: calls as programs make them, and heads of any spelling over a bare socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longer than any answer takes.
const BOUND: Duration = Duration::from_secs(180);

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, exactly.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the gate decided, where it says so.
    pub fn decision(&self) -> &str {
        self.header("x-sluicegate-decision").unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {} {}", self.status, self.text()))
    }

    /// The first of Flink's `errors`: what its client and web page show.
    pub fn error(&self) -> Result<String> {
        let body = self.json()?;
        let error = body.pointer("/errors/0").and_then(Value::as_str);
        Ok(error.with_context(|| format!("no `errors` in {body}"))?.to_owned())
    }

    /// The reply itself, when it is a success.
    pub fn well(self) -> Result<Self> {
        ensure!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        Ok(self)
    }

    /// SHA-256 of the body.
    pub fn digest(&self) -> String {
        digest(&self.body)
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a request and takes the whole answer, whatever its status.
pub fn call(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Result<Reply> {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(BOUND))
        .build()
        .new_agent();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(body) => agent.run(request.body(body)?)?,
        None => agent.run(request.body(())?)?,
    };
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = answer.into_body().into_with_config().limit(256 << 20).read_to_vec()?;
    Ok(Reply { status, headers, body })
}

/// GET.
pub fn get(url: &str) -> Result<Reply> {
    call("GET", url, &[], None)
}

/// POST of a JSON document.
pub fn post(url: &str, body: &Value) -> Result<Reply> {
    call("POST", url, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

/// Sends bytes as they are and takes what comes back, until the other side closes or has nothing more to say.
pub fn raw(to: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut socket = TcpStream::connect_timeout(&to, BOUND)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    // Who refuses may close before all is sent.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(error.into()),
        }
        if whole(&answer) {
            // There may be a second one, to a request behind the first.
            socket.set_read_timeout(Some(Duration::from_millis(400)))?;
        }
    }
    Ok(answer)
}

/// The status of a bare answer, past a `100 Continue`; none when nothing came.
pub fn status(answer: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(after_continue(answer)).into_owned();
    text.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()
}

fn after_continue(answer: &[u8]) -> &[u8] {
    if !answer.starts_with(b"HTTP/1.1 100") {
        return answer;
    }
    let end = answer.windows(4).position(|piece| piece == b"\r\n\r\n");
    end.and_then(|end| answer.get(end + 4..)).unwrap_or_default()
}

/// Whether the head and, by its length, the body have come.
fn whole(answer: &[u8]) -> bool {
    let answer = after_continue(answer);
    let Some(end) = answer.windows(4).position(|piece| piece == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let body = answer.get(end + 4..).unwrap_or_default();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    match length {
        Some(length) => body.len() >= length,
        None => head.contains("chunked") && body.ends_with(b"0\r\n\r\n"),
    }
}
