//! A URI as `java.net.URI` reads it: whether it is one at all, its scheme, and the host, if it has one that Java knows as
//! such.

pub mod host;

use std::net::Ipv6Addr;

/// What may stand in the parts of a URI, besides letters, digits and `_-!.~'()*` (RFC 2396, as Java has it).
const ANY: &str = ";/?:@&=+$,[]";
const PATH: &str = ":@&=+$,;/";
const REGISTRY: &str = "$,;:@&=+";
const USER: &str = ";:&=+$,";
const SERVER: &str = ";:&=+$,@[]";

/// A URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'t> {
    /// As written.
    pub scheme: Option<&'t str>,
    /// Without the brackets of an IPv6 address, and without its zone.
    pub host: Option<&'t str>,
}

impl<'t> Uri<'t> {
    /// `None`: it is none.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (text, fragment) = text.split_once('#').map_or((text, None), |(text, rest)| (text, Some(rest)));
        if fragment.is_some_and(|fragment| !fits(fragment, ANY)) {
            return None;
        }
        let end = text.find([':', '/', '?']).filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(':')));
        let (scheme, rest) = match end {
            Some(at) => {
                let (scheme, rest) = text.split_at(at);
                let known = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
                (Some(scheme).filter(|_| known)?.into(), rest.get(1..)?)
            }
            None => (None, text),
        };
        if scheme.is_some() && !rest.starts_with('/') {
            return (!rest.is_empty() && fits(rest, ANY)).then_some(Self { scheme, host: None });
        }
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        if query.is_some_and(|query| !fits(query, ANY)) {
            return None;
        }
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                match authority {
                    "" if path.is_empty() && query.is_none() && fragment.is_none() => return None,
                    "" => (None, path),
                    authority => (host_of(authority)?, path),
                }
            }
            None => (None, rest),
        };
        fits(path, PATH).then_some(Self { scheme, host })
    }
}

/// The host of an authority; `Some(None)`: it names none that Java knows, but may stand there.
fn host_of(authority: &str) -> Option<Option<&str>> {
    let server =
        if authority.contains(']') { fits(&authority.replace('%', ""), SERVER) } else { fits(authority, SERVER) };
    let host = if server { server_host(authority) } else { None };
    (host.is_some() || fits(authority, REGISTRY)).then_some(host)
}

fn server_host(authority: &str) -> Option<&str> {
    let rest = match authority.split_once('@') {
        Some((user, rest)) => fits(user, USER).then_some(rest)?,
        None => authority,
    };
    let (host, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (inside, rest) = rest.split_once(']')?;
            let address = inside.split_once('%').map_or(inside, |(address, _)| address);
            address.parse::<Ipv6Addr>().ok()?;
            (address, rest)
        }
        None => {
            let (host, rest) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
            (Some(host).filter(|host| is_quad(host) || is_name(host))?, rest)
        }
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port,
        None if rest.is_empty() => "",
        None => return None,
    };
    let number = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<i32>().is_ok();
    (port.is_empty() || number).then_some(host)
}

fn is_quad(host: &str) -> bool {
    let byte = |part: &str| part.bytes().all(|c| c.is_ascii_digit()) && part.parse::<u32>().is_ok_and(|it| it < 256);
    host.split('.').count() == 4 && host.split('.').all(byte)
}

/// Of several labels the last starts with a letter: `127.1` is no name.
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = host.rsplit_once('.').is_none_or(|(_, last)| last.starts_with(|c: char| c.is_ascii_alphabetic()));
    last && host.split('.').all(label)
}

/// Letters, digits, marks, escapes, these, and whatever is neither ASCII nor a space or control character.
fn fits(text: &str, these: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let fits = match c {
            '%' => {
                let mut hex = || rest.next().is_some_and(|c| c.is_ascii_hexdigit());
                hex() && hex()
            }
            c if c.is_ascii() => c.is_ascii_alphanumeric() || "_-!.~'()*".contains(c) || these.contains(c),
            c => !c.is_control() && !c.is_whitespace(),
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::Uri;

    #[test]
    fn what_java_takes_for_a_uri() {
        for (text, scheme, host) in [
            ("https://repo.example.com/a/b.jar", Some("https"), Some("repo.example.com")),
            ("HTTPS://jane:x@repo:8443/a?b=c#d", Some("HTTPS"), Some("repo")),
            ("https://repo:/a", Some("https"), Some("repo")),
            ("local:///opt/flink/a.jar", Some("local"), None),
            ("file:/a.jar", Some("file"), None),
            ("s3://my_bucket/a.jar", Some("s3"), None),
            ("mailto:jane", Some("mailto"), None),
            ("https:///a.jar", Some("https"), None),
            ("https://127.1/a", Some("https"), None),
            ("https://127.0.0.1/a", Some("https"), Some("127.0.0.1")),
            ("https://2130706433/", Some("https"), Some("2130706433")),
            ("https://0x7f000001/", Some("https"), Some("0x7f000001")),
            ("https://[::1]:80/a", Some("https"), Some("::1")),
            ("https://[fe80::1%eth0]/a", Some("https"), Some("fe80::1")),
            ("https://example.com:port/a", Some("https"), None),
            ("https://b\u{fc}cher.example/a", Some("https"), None),
            ("/opt/a.jar", None, None),
            ("a.jar", None, None),
            ("//repo/a", None, Some("repo")),
            ("", None, None),
        ] {
            assert_eq!(Uri::parse(text), Some(Uri { scheme, host }), "{text}");
        }
        for text in [
            "https://",
            "https:",
            "ht tp://a",
            "://a",
            ":a",
            "1http://a",
            "https://repo/a b.jar",
            "https://repo/{{name}}.jar",
            "https://repo/100%.jar",
            "https://repo/a\\b",
            "https://[::1/a",
            "https://repo/a#b#c",
            "https://re|po/a",
        ] {
            assert_eq!(Uri::parse(text), None, "{text}");
        }
    }
}
