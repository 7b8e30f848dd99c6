//! Addresses of reads: a configured base, and path segments that are encoded here. What a request named can become one
//! segment or one value of a query, never more.

use reqwest::Url;

/// Bytes of the longest name or id that is looked up.
const LONGEST: usize = 256;

/// Where a control plane is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// Scheme, host, port and the prefix of every path, without a slash at the end.
    text: String,
    /// What the `Host` header says.
    host: String,
    /// The prefix of every path.
    prefix: String,
}

/// A name or id, encoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment(String);

impl Segment {
    /// Encodes a name or id from a request. URL parsers resolve the dot segments, even encoded ones (WHATWG URL 4.1), so
    /// they are refused; what is left of `%` is `%25`.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let odd = match text {
            "" => "it is empty",
            "." | ".." => "it is a dot segment",
            _ if text.len() > LONGEST => "it is too long",
            _ if text.chars().any(char::is_control) => "it holds control characters",
            _ => return Ok(Self(encode(text))),
        };
        Err(format!("not looked up: the id cannot stand in an address: {odd}"))
    }
}

impl Base {
    /// Reads the address of a control plane: `http` or `https`, with a path before all others where a gateway wants one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only `http` and `https` are asked".to_owned());
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err("it has no host".to_owned());
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds credentials; give them with `--credentials`".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it holds a query or a fragment; give scheme, host, port and path only".to_owned());
        }
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let prefix = url.path().trim_end_matches('/').to_owned();
        if prefix.contains("//") || prefix.contains('%') || prefix.contains(';') {
            return Err("its path holds an empty segment, `%` or `;`".to_owned());
        }
        Ok(Self { text: format!("{}://{host}{prefix}", url.scheme()), host, prefix })
    }

    /// The value of the `Host` header.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The path of a read, as it is sent.
    pub(super) fn path(&self, path: &[Part<'_>]) -> String {
        let mut whole = self.prefix.clone();
        for part in path {
            whole.push('/');
            whole.push_str(match part {
                Part::Fixed(text) => text,
                Part::Named(segment) => &segment.0,
            });
        }
        whole
    }

    /// The address of a read. `query` is encoded here.
    pub(super) fn at(&self, path: &[Part<'_>], query: &[(&str, String)]) -> Result<Url, String> {
        let odd = || "not looked up: the id changes the address".to_owned();
        let path = self.path(path);
        let mut url = Url::parse(&format!("{}{}", self.text, path.get(self.prefix.len()..).unwrap_or_default()))
            .map_err(|_| odd())?;
        let query = query_of(query);
        if !query.is_empty() {
            url.set_query(Some(&query));
        }
        // Whatever a parser makes of it: it is the path that was meant, or it is not asked.
        let same = url.path() == path && url.query().unwrap_or_default() == query && url.fragment().is_none();
        if same { Ok(url) } else { Err(odd()) }
    }
}

/// A part of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// Our own text.
    Fixed(&'a str),
    /// From a request.
    Named(&'a Segment),
}

/// A query, encoded, in the given order.
pub(super) fn query_of(query: &[(&str, String)]) -> String {
    let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Base, Part, Segment};

    fn at(id: &str) -> Result<String, String> {
        let base = Base::parse("https://flink.example:8081/team/").unwrap();
        let id = Segment::of(id)?;
        base.at(&[Part::Fixed("jobs"), Part::Named(&id), Part::Fixed("checkpoints")], &[]).map(|url| url.to_string())
    }

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        let fits = [
            ("a0b1", "a0b1"),
            ("%2e%2e", "%252e%252e"),
            ("%2E.", "%252E."),
            ("..%2f", "..%252f"),
            ("a/b", "a%2Fb"),
            ("../x", "..%2Fx"),
            ("a\\..\\b", "a%5C..%5Cb"),
            ("a?b#c", "a%3Fb%23c"),
            ("a;b@c:d", "a%3Bb%40c%3Ad"),
            ("...", "..."),
            ("é ", "%C3%A9%20"),
        ];
        for (id, segment) in fits {
            assert_eq!(at(id).unwrap(), format!("https://flink.example:8081/team/jobs/{segment}/checkpoints"), "{id}");
        }
        for id in ["", ".", "..", "a\nb", "a\0", "\u{85}", "\t", &"a".repeat(257)] {
            assert!(at(id).unwrap_err().contains("cannot stand in an address"), "{id}");
        }
    }

    #[test]
    fn queries_are_encoded() {
        let base = Base::parse("http://127.0.0.1").unwrap();
        let url = base.at(&[Part::Fixed("s")], &[("deploymentId", "a&b=c#d+ %".to_owned())]).unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1/s?deploymentId=a%26b%3Dc%23d%2B%20%25");
        assert_eq!(base.host(), "127.0.0.1");
    }

    #[test]
    fn a_base_is_an_address_and_nothing_else() {
        for text in [
            "ftp://host",
            "host:8081",
            "http://u:p@host/",
            "http://u@host/",
            "http://host/?a=b",
            "http://host/#a",
            "/jobs",
            "http://host/a%2fb",
            "http://host/a//b",
            "",
        ] {
            assert!(Base::parse(text).is_err(), "{text}");
        }
        assert_eq!(Base::parse("http://h:80/").unwrap().host(), "h");
        assert_eq!(Base::parse("http://h:8081").unwrap().host(), "h:8081");
        assert_eq!(Base::parse("http://[::1]:8081/a/").unwrap().host(), "[::1]:8081");
    }
}
