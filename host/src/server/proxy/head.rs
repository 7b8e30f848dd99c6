//! The head of a request as it stands on the wire, before any parser has tidied it up. What two servers could read in two
//! ways is refused here, so that everybody behind this door reads what was judged.

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, StatusCode, Uri};

use super::Refusal;
use crate::input::decides;

/// Bytes of the largest head that is read: fewer than hyper's own limit.
pub(super) const LARGEST: usize = 60 << 10;

/// The most headers. hyper refuses more.
const MOST_HEADERS: usize = 100;

/// What a head says about what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The method as received.
    pub(super) method: String,
    /// Path and query as received.
    pub(super) target: String,
    /// Where the body ends.
    pub(super) length: Length,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none.
    None,
    /// After this many bytes.
    Known(u64),
    /// Where the chunks say.
    Chunked,
}

impl Head {
    /// Reads a head that ends with an empty line.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let lines = lines(bytes)?;
        let mut lines = lines.into_iter();
        let (method, target, version) = request_line(lines.next().unwrap_or_default())?;
        let mut seen = Seen::default();
        for (number, line) in lines.enumerate() {
            if number >= MOST_HEADERS {
                let message = format!("the request has more than {MOST_HEADERS} headers; send fewer");
                return Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
            }
            seen.header(line)?;
        }
        let length = seen.length(version)?;
        Ok(Self { method: method.to_owned(), target: target.to_owned(), length })
    }

    /// Whether hyper understood the same.
    pub(super) fn describes<B>(&self, request: &Request<B>) -> bool {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        self.method == request.method().as_str() && self.target == target
    }
}

/// The lines of a head, each of which ends with CR LF.
fn lines(bytes: &[u8]) -> Result<Vec<&str>, Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| bad("the head of the request is not UTF-8; send header values as ASCII or UTF-8"))?;
    let lines: Vec<&str> = text.split("\r\n").take_while(|line| !line.is_empty()).collect();
    match lines.iter().any(|line| line.contains(|c: char| c != '\t' && c.is_ascii_control())) {
        true => Err(bad(
            "the head of the request holds control characters, or lines that do not end with CR LF; a server behind \
             could read it in another way",
        )),
        false => Ok(lines),
    }
}

fn request_line(line: &str) -> Result<(&str, &str, u8), Refusal> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = parts.as_slice() else {
        return Err(bad("the request line must be a method, a target and a version, with one blank between them"));
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(bad("the method of the request holds characters that no method has"));
    }
    let version = match *version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        _ => {
            let message = "only HTTP/1.1 is spoken here".to_owned();
            return Err(Refusal::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, message));
        }
    };
    if *method == "CONNECT" {
        return Err(bad("CONNECT asks for a tunnel; there is none here"));
    }
    if !target.starts_with('/') {
        return Err(bad("the request target must be a path that starts with `/`, not a whole URL or `*`"));
    }
    if target.contains('#') {
        return Err(bad("the request target holds `#`, where servers cut it off or do not; leave it out"));
    }
    // hyper takes what this takes, so that it never refuses in words of its own.
    match target.parse::<Uri>() {
        Ok(uri) if uri.path_and_query().is_some_and(|parsed| parsed.as_str() == *target) => {
            Ok((method, target, version))
        }
        _ => Err(bad("the request target holds characters that must be percent-encoded")),
    }
}

/// What the headers said so far.
#[derive(Default)]
struct Seen<'h> {
    names: Vec<String>,
    content_length: Option<u64>,
    transfer_encoding: Option<&'h str>,
}

impl<'h> Seen<'h> {
    fn header(&mut self, line: &'h str) -> Result<(), Refusal> {
        if line.starts_with([' ', '\t']) {
            return Err(bad("a header goes on in the next line; send it in one line"));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(bad("a line of the head has no colon"));
        };
        let value = value.trim_matches([' ', '\t']);
        let name = name.to_ascii_lowercase();
        let fits = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_bytes(value.as_bytes()).is_ok();
        if !fits {
            return Err(bad("the head holds a header whose name has characters that no name has"));
        }
        if once(&name) && self.names.contains(&name) {
            return Err(bad(format!("the header `{name}` stands there more than once; send it once")));
        }
        match name.as_str() {
            "content-length" => self.content_length = Some(number(value)?),
            "transfer-encoding" => self.transfer_encoding = Some(value),
            _ => {}
        }
        self.names.push(name);
        Ok(())
    }

    fn length(&self, version: u8) -> Result<Length, Refusal> {
        match (self.transfer_encoding, self.content_length) {
            (None, None) => Ok(Length::None),
            (None, Some(length)) => Ok(Length::Known(length)),
            (Some(_), Some(_)) => Err(bad(
                "`content-length` and `transfer-encoding` stand there together, and servers differ in which counts; \
                 send one of them",
            )),
            (Some(_), None) if version == 0 => Err(bad("HTTP/1.0 knows no `transfer-encoding`; send `content-length`")),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
            (Some(_), None) => Err(bad("only `transfer-encoding: chunked` is read here")),
        }
    }
}

/// Headers that say where a body ends, whom a request is for, or how it is judged: of two, servers take one or the other.
fn once(name: &str) -> bool {
    matches!(name, "host" | "expect") || name.starts_with("x-sluicegate-") || decides(name)
}

/// A length that everybody reads alike: digits only.
fn number(value: &str) -> Result<u64, Refusal> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let length = value.parse::<u64>().ok().filter(|length| digits && *length <= i64::MAX as u64);
    length.ok_or_else(|| bad("`content-length` must be one whole number"))
}

/// Whether this may stand in a method or a name (RFC 9110, section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, message.into())
}

#[cfg(test)]
mod tests {
    use super::{Head, Length};

    fn read(head: &str) -> Result<Head, String> {
        Head::read(head.as_bytes()).map_err(|refusal| refusal.message)
    }

    fn length(headers: &str) -> Result<Length, String> {
        read(&format!("POST /jobs HTTP/1.1\r\nHost: h\r\n{headers}\r\n")).map(|head| head.length)
    }

    #[test]
    fn targets_are_kept_byte_for_byte() {
        for target in ["/", "//jobs", "/%73top", "/a%2fb?", "/?a=1;b=2", "/jobs/ü?x", "/a?b?c={}|", "/jobs/./x"] {
            let head = read(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")).unwrap();
            assert_eq!((head.target.as_str(), head.length), (target, Length::None));
        }
    }

    #[test]
    fn where_a_body_ends_is_said_once() {
        assert_eq!(length("Content-Length:  14 \r\n"), Ok(Length::Known(14)));
        assert_eq!(length("Transfer-Encoding: Chunked\r\n"), Ok(Length::Chunked));
        for (headers, word) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "together"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "together"),
            ("Content-Length: 5\r\ncontent-length: 5\r\n", "more than once"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "more than once"),
            ("Content-Length: 5, 5\r\n", "whole number"),
            ("Content-Length: +5\r\n", "whole number"),
            ("Content-Length: 0x5\r\n", "whole number"),
            ("Content-Length:\r\n", "whole number"),
            ("Content-Length: 99999999999999999999\r\n", "whole number"),
            ("Transfer-Encoding: gzip, chunked\r\n", "only"),
            ("Transfer-Encoding: chunked, identity\r\n", "only"),
            ("Transfer-Encoding:\r\n", "only"),
        ] {
            let refused = length(headers).unwrap_err();
            assert!(refused.contains(word), "{headers}: {refused}");
        }
        assert!(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap_err().contains("HTTP/1.0"));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for head in [
            "GET http://h/jobs HTTP/1.1\r\n\r\n",
            "GET * HTTP/1.1\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\n\r\n",
            "CONNECT h:80 HTTP/1.1\r\n\r\n",
            "CONNECT /jobs HTTP/1.1\r\n\r\n",
            "GET h:80 HTTP/1.1\r\n\r\n",
            "GET /jobs#x HTTP/1.1\r\n\r\n",
            "GET  /jobs HTTP/1.1\r\n\r\n",
            "GET /jobs x HTTP/1.1\r\n\r\n",
            "GET\t/jobs\tHTTP/1.1\r\n\r\n",
            "GET /jobs\r\n\r\n",
            "GET /jobs HTTP/2.0\r\n\r\n",
            "G@T /jobs HTTP/1.1\r\n\r\n",
            "GET /<jobs> HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\0\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\n A: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Type: a\r\ncontent-type: b\r\n\r\n",
            "GET / HTTP/1.1\r\nWorkspace: a\r\nworkspace: a\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Encoding: identity\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Sluicegate-Intent: final\r\nx-sluicegate-intent: restart\r\n\r\n",
        ] {
            assert!(read(head).is_err(), "{head:?}");
        }
        assert!(Head::read(b"GET / HTTP/1.1\r\nX: \xff\r\n\r\n").is_err());
        assert!(Head::read(b"GET /\xff HTTP/1.1\r\n\r\n").is_err());
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
        assert!(read(&many).unwrap_err().contains("100"));
    }
}
