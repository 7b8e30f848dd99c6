//! An HTTP call as all three APIs see it: method, path segments, query, the headers that decide. Paths that are not
//! canonical are told here and refused by the decoders, since a proxy between may clean them up (DESIGN section 7).

use std::borrow::Cow;

use crate::gate::{Api, HttpHead};
use crate::operation::{Oddity, OddityKind, Place};

/// A call.
pub(super) struct Call<'d> {
    pub(super) method: &'d str,
    pub(super) target: &'d str,
    /// The decoded segments of the path: no empty ones at either end.
    pub(super) segments: Vec<Cow<'d, str>>,
    /// The decoded query parameters, in order.
    pub(super) query: Vec<(Cow<'d, str>, Cow<'d, str>)>,
    pub(super) body: &'d [u8],
    headers: &'d [(String, String)],
    /// Whose API it is was told from outside.
    named: bool,
    /// Why the path is not canonical.
    path_fault: Option<&'static str>,
    /// Why the query is not, or may be read in another way.
    query_fault: Option<&'static str>,
}

impl<'d> Call<'d> {
    /// Takes the head apart. Never fails: what is wrong with the target stands in the call.
    pub(super) fn read(head: &HttpHead<'d>, body: &'d [u8]) -> Self {
        // Flink (Netty) ends path and query at a raw `#`; so do Ververica's and Alibaba's servers.
        let target = head.target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path_fault, query_fault) = (path_fault(path), query_fault(query));
        let trimmed = path.trim_matches('/');
        let segments =
            if trimmed.is_empty() { Vec::new() } else { trimmed.split('/').map(|part| decode(part, false)).collect() };
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name, true), decode(value, true))
            })
            .collect();
        let HttpHead { api, method, target, headers } = *head;
        Self { method, target, segments, query, body, headers, named: api.is_some(), path_fault, query_fault }
    }

    /// What to do about a call that nobody knows. A door is of one API: only where it was guessed can it be another.
    pub(super) fn check(&self) -> &'static str {
        if self.named {
            "check method and path"
        } else {
            "check method and path; name the API with --api if it is another one"
        }
    }

    /// Whose API this is, by its path. A path of none of them is taken for Flink's only where Flink would serve it.
    pub(super) fn tell_api(&self) -> Option<Api> {
        let segments: Vec<&str> = self.segments.iter().map(AsRef::as_ref).filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            ["api", "v1", "namespaces" | "status" | "events", ..] => Some(Api::Ververica),
            ["namespaces", "v1", ..] | ["artifacts", "v1", ..] => Some(Api::Ververica),
            ["api", "swagger.json" | "swagger", ..] | ["swagger", ..] => Some(Api::Ververica),
            ["api", "v2", "namespaces", ..] | ["gateway", "v2", ..] | ["flink-ui", "v2", ..] => Some(Api::Alibaba),
            ["api", ..] => None,
            _ => Some(Api::FlinkRest),
        }
    }

    /// The values of a header, in order.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &'d str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a header, without blanks around it.
    pub(super) fn header(&self, name: &str) -> Option<&'d str> {
        self.headers(name).next().map(str::trim)
    }

    /// The media type, without parameters.
    pub(super) fn media_type(&self) -> Option<&'d str> {
        self.header("content-type").map(|value| value.split(';').next().unwrap_or_default().trim())
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// Why no decoder should trust its reading of this target. `slashes`: the platform reads `//` in front and `/` at
    /// the end as if they were not there (Flink does).
    pub(super) fn not_canonical<'o>(&self, slashes: bool) -> Option<Oddity<'o>> {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        // A read changes nothing, whichever way it is read.
        let reads = matches!(self.method, "GET" | "HEAD" | "OPTIONS");
        let outer = !slashes && !reads && (path.starts_with("//") || path.len() > 1 && path.ends_with('/'));
        let query = self.query_fault.filter(|_| !reads);
        let why = self.path_fault.or(query).or(outer.then_some("its path starts or ends with an extra `/`"))?;
        Some(
            Oddity::new(
                OddityKind::UnknownRequest,
                Place::Target,
                format!("the request target is not canonical: {why}"),
                "send the plain path, without tricks: a proxy on the way may read this one differently",
            )
            .observed(self.target),
        )
    }

    /// Why the body of a lifecycle request must not be read: encodings that the platform may undo.
    pub(super) fn body_refused<'o>(&self) -> Option<Oddity<'o>> {
        let encoded = self.headers("content-encoding").find(|value| !value.trim().eq_ignore_ascii_case("identity"));
        if let Some(encoding) = encoded {
            return Some(
                Oddity::new(
                    OddityKind::UnknownRequest,
                    Place::Header("content-encoding"),
                    "a lifecycle request with an encoded body is not judged",
                    "send the body without content encoding",
                )
                .observed(encoding),
            );
        }
        let media = self.media_type().filter(|media| media.to_ascii_lowercase().starts_with("multipart/"))?;
        Some(
            Oddity::new(
                OddityKind::UnknownRequest,
                Place::Header("content-type"),
                "a multipart body is read here only for jar uploads and job submissions",
                "send the body as application/json",
            )
            .observed(media),
        )
    }
}

/// What makes a path not canonical, whatever the platform.
fn path_fault(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("it is not an absolute path");
    }
    let inner = path.trim_matches('/');
    if inner.contains("//") {
        return Some("its path holds `//`");
    }
    if inner.split('/').any(|part| matches!(decode(part, false).as_ref(), "." | "..")) {
        return Some("its path holds dot segments");
    }
    if path.contains(';') {
        return Some("its path holds `;`");
    }
    if path.contains(|c: char| c.is_ascii_control() || matches!(c, ' ' | '\\')) {
        return Some("its path holds blanks, backslashes or control characters");
    }
    encoded_fault(path, true)
}

/// What servers read in different ways. Netty, which Flink stands on, begins a parameter at `;`, passes over `=` before a
/// name (`?=a=1` is `a=1`), and reads no more parameters than [`MOST_PARAMETERS`] (`QueryStringDecoder`; 1.20.5 and 2.3.0,
/// run).
fn query_fault(query: &str) -> Option<&'static str> {
    if query.contains(';') {
        return Some("its query holds `;`");
    }
    if query.split('&').any(|pair| pair.starts_with('=')) {
        return Some("its query holds a parameter without a name");
    }
    if query.split('&').nth(MOST_PARAMETERS).is_some() {
        return Some("its query holds more than 1024 parameters");
    }
    encoded_fault(query, false)
}

const MOST_PARAMETERS: usize = 1024;

/// Broken escapes; in a path also the ones that would change its structure.
fn encoded_fault(text: &str, path: bool) -> Option<&'static str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let Some(byte) = after.get(..2).and_then(hex) else {
            return Some("it holds a broken `%` escape");
        };
        match byte {
            b'/' | b'?' | b'#' | b'%' | b'\\' | b';' if path => {
                return Some("its path holds an encoded `/`, `?`, `#`, `%`, `;` or `\\`");
            }
            0..0x20 | 0x7f => return Some("it holds an encoded control character"),
            _ => {}
        }
        rest = after.get(2..).unwrap_or_default();
    }
    std::str::from_utf8(&decode_bytes(text, false)).is_err().then_some("it holds escapes that are not UTF-8")
}

fn hex(digits: &str) -> Option<u8> {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Undoes percent escapes, and `+` in queries.
pub(super) fn decode(text: &str, query: bool) -> Cow<'_, str> {
    if !(text.contains('%') || query && text.contains('+')) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&decode_bytes(text, query)).into_owned())
}

fn decode_bytes(text: &str, query: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        let (plain, special) = rest.split_at(at);
        bytes.extend_from_slice(plain.as_bytes());
        let escape = special.strip_prefix('%').and_then(|after| after.get(..2)).and_then(hex);
        let (byte, length) = match escape {
            Some(byte) => (byte, 3),
            None if special.starts_with('+') => (if query { b' ' } else { b'+' }, 1),
            None => (b'%', 1),
        };
        bytes.push(byte);
        rest = special.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::Call;
    use crate::gate::{Api, HttpHead};

    fn call(target: &str) -> Call<'_> {
        Call::read(&HttpHead { api: None, method: "POST", target, headers: &[] }, b"")
    }

    #[test]
    fn targets_are_taken_apart() {
        let call = call("/v1/jobs/ab%3Astop/x+y?a=1+2&b=%26&c#d?e=1");
        assert_eq!(call.segments, ["v1", "jobs", "ab:stop", "x+y"]);
        assert_eq!(call.parameter("a"), Some("1 2"));
        assert_eq!(call.parameter("b"), Some("&"));
        assert_eq!(call.parameter("c"), Some(""));
        assert!(call.not_canonical(false).is_none());
    }

    #[test]
    fn tricks_are_told() {
        for target in [
            "/jobs/a%2fstop",
            "/jobs//a",
            "/jobs/./a",
            "/jars/../jobs",
            "/jobs/%2e%2e/a",
            "/jobs/a;x=1",
            "/a?b=1;c=2",
            "/jobs/a%",
            "/jobs/%zz",
            "/jobs/%00",
            "http://h/jobs",
            "jobs",
            "/jobs/a b",
            "/jobs/%ff",
            "/jobs/%252f",
            "/jars/a/run?=savepointPath=x",
            "/jars/a/run?a=1&==savepointPath=x",
            "/jars/a/run?a=%ff",
        ] {
            assert!(call(target).not_canonical(true).is_some(), "{target}");
        }
        for target in ["//jobs/a", "/jobs/a/", "/jobs/a//"] {
            assert!(call(target).not_canonical(true).is_none(), "{target}");
            assert!(call(target).not_canonical(false).is_some(), "{target}");
        }
        assert!(call("/").not_canonical(false).is_none());
        let many = |count: usize| format!("/jars/a/run?{}b=1", "a&".repeat(count));
        assert!(call(&many(1023)).not_canonical(true).is_none());
        assert!(call(&many(1024)).not_canonical(true).is_some());
    }

    #[test]
    fn the_query_of_a_read_changes_nothing() {
        let read = |target| Call::read(&HttpHead { api: None, method: "GET", target, headers: &[] }, b"");
        for target in ["/jobs/a/metrics?get=0.a;b", "/jobs/a/metrics?get=a%0Ab", "/jobs/overview?=x", "/jobs?a=%e4"] {
            assert!(read(target).not_canonical(true).is_none(), "{target}");
        }
        assert!(read("/jobs/a;b").not_canonical(true).is_some());
    }

    #[test]
    fn the_api_is_told_from_the_path() {
        assert_eq!(call("/api/v1/namespaces/default/deployments").tell_api(), Some(Api::Ververica));
        assert_eq!(call("/api/v2/namespaces/prod/jobs%3Astart").tell_api(), Some(Api::Alibaba));
        assert_eq!(call("//v1/jobs/x/stop").tell_api(), Some(Api::FlinkRest));
        assert_eq!(call("/api/v9/x").tell_api(), None);
    }
}
