//! The heads that go on: without what is between two neighbours only, and without what only this gate may be told.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::uri::Authority;

/// Headers between two neighbours (RFC 9110, section 7.6.1), beside those that `Connection` names.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// What says whose a request was. Whoever is not trusted could write anything there.
const FORWARDED: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where a request came from, and where it goes.
pub(super) struct Way<'w> {
    /// The client.
    pub(super) client: IpAddr,
    /// It is a gateway whose word is believed.
    pub(super) trusted: bool,
    /// The header in which such a gateway names the caller.
    pub(super) principal: Option<&'w HeaderName>,
    /// The upstream, as its `Host`.
    pub(super) upstream: &'w HeaderValue,
}

/// Makes a request's headers those that go on.
///
/// `Host` becomes the upstream's: a server of several names behind there would otherwise be free to serve another platform
/// than the one whose facts were judged. What the client called it stands in `X-Forwarded-Host`. No `Via` is added: some
/// servers answer uncompressed to it.
pub(super) fn request(headers: &mut HeaderMap, way: &Way<'_>) {
    drop_hop_by_hop(headers);
    for name in [header::TRAILER, header::EXPECT, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    drop_own(headers);
    if !way.trusted {
        FORWARDED.iter().for_each(|name| drop(headers.remove(*name)));
        way.principal.map(|name| headers.remove(name));
    }
    let known = headers.get_all(&FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<String> = known.map(str::to_owned).chain([way.client.to_string()]).collect();
    if let Ok(chain) = HeaderValue::from_str(&chain.join(", ")) {
        headers.insert(FORWARDED_FOR, chain);
    }
    if let Some(host) = headers.insert(header::HOST, way.upstream.clone())
        && !headers.contains_key(&FORWARDED_HOST)
    {
        headers.insert(FORWARDED_HOST, host);
    }
}

/// Where an upstream is, for what it says of itself.
pub(super) struct Origin<'u> {
    /// Whether it is reached over TLS.
    pub(super) secure: bool,
    /// Its host, without the brackets of an IPv6 address.
    pub(super) host: &'u str,
    /// Its port.
    pub(super) port: u16,
    /// What stands before every path there, without a `/` at its end, and not at all here.
    pub(super) prefix: &'u str,
}

/// Makes a response's headers those that go back. A redirect to the upstream would lead round the gate, so it becomes one
/// to here.
pub(super) fn response(headers: &mut HeaderMap, origin: &Origin<'_>) {
    drop_hop_by_hop(headers);
    headers.remove(header::TRAILER);
    drop_own(headers);
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    if let Some(here) = location.and_then(|location| origin.here(location))
        && let Ok(here) = HeaderValue::from_str(&here)
    {
        headers.insert(header::LOCATION, here);
    }
}

impl Origin<'_> {
    /// A place at the upstream as it is called here; `None`: it is elsewhere, or is called the same.
    fn here(&self, location: &str) -> Option<String> {
        let (scheme, usual) = if self.secure { ("https:", 443) } else { ("http:", 80) };
        let there = match location.get(..scheme.len()) {
            Some(start) if start.eq_ignore_ascii_case(scheme) => location.get(scheme.len()..)?,
            _ => location,
        };
        let path = match there.strip_prefix("//") {
            None => there,
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
                let authority: Authority = authority.parse().ok()?;
                let host = authority.host().trim_matches(['[', ']']);
                let ours = host.eq_ignore_ascii_case(self.host) && authority.port_u16().unwrap_or(usual) == self.port;
                if !ours {
                    return None;
                }
                path
            }
        };
        let below = path.strip_prefix(self.prefix).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        match below.unwrap_or(path) {
            // A browser would take it for another host.
            rest if rest.starts_with("//") => None,
            rest if rest.starts_with('/') => Some(rest.to_owned()),
            // From where the request was, which is called the same at both ends.
            _ if path == location && (below.is_none() || self.prefix.is_empty()) => None,
            rest => Some(format!("/{rest}")),
        }
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // What says how the body is to be read was judged: a client cannot have it taken off on the way.
    let kept = |name: &HeaderName| *name == header::HOST || crate::input::decides(name.as_str());
    named.iter().filter(|name| !kept(name)).for_each(|name| drop(headers.remove(name)));
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(*name)));
}

fn drop_own(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-sluicegate-")).cloned().collect();
    own.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{HeaderName, HeaderValue};

    use super::{Origin, Way};

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(pair).collect()
    }

    fn sent(lines: &[(&'static str, &'static str)], trusted: bool) -> Vec<String> {
        let mut headers = headers(lines);
        let upstream = HeaderValue::from_static("flink:8081");
        let principal = HeaderName::from_static("x-user");
        let client = "192.0.2.7".parse().unwrap();
        super::request(&mut headers, &Way { client, trusted, principal: Some(&principal), upstream: &upstream });
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn neighbours_keep_to_themselves_what_is_theirs() {
        let lines = [
            ("host", "gate:8082"),
            ("connection", "close, x-mine , Content-Type, host"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAA"),
            ("expect", "100-continue"),
            ("x-sluicegate-intent", "final"),
            ("x-sluicegate-anything", "1"),
            ("content-type", "application/json"),
            ("authorization", "Bearer x"),
            ("cookie", "a=b"),
        ];
        assert_eq!(
            sent(&lines, false),
            [
                "authorization: Bearer x",
                "content-type: application/json",
                "cookie: a=b",
                "host: flink:8081",
                "x-forwarded-for: 192.0.2.7",
                "x-forwarded-host: gate:8082"
            ]
        );
    }

    #[test]
    fn only_a_trusted_gateway_says_where_a_request_comes_from() {
        let lines =
            [("host", "gate"), ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-host", "front"), ("x-user", "ada")];
        assert_eq!(
            sent(&lines, true),
            ["host: flink:8081", "x-forwarded-for: 1.1.1.1, 192.0.2.7", "x-forwarded-host: front", "x-user: ada"]
        );
        assert_eq!(sent(&lines, false), ["host: flink:8081", "x-forwarded-for: 192.0.2.7", "x-forwarded-host: gate"]);
    }

    #[test]
    fn redirects_stay_on_this_side_of_the_gate() {
        let root = Origin { secure: false, host: "flink", port: 8081, prefix: "" };
        let web = Origin { secure: false, host: "VVP", port: 80, prefix: "/a/b" };
        let six = Origin { secure: false, host: "::1", port: 80, prefix: "" };
        let tls = Origin { secure: true, host: "vvp", port: 443, prefix: "" };
        for (origin, there, here) in [
            (&root, "http://flink:8081/app/?a=b", "/app/?a=b"),
            (&root, "HTTP://Flink:8081/app", "/app"),
            (&root, "//flink:8081/app", "/app"),
            (&root, "http://flink:8081", "/"),
            (&root, "http://flink:8081?x", "/?x"),
            (&root, "http://flink:80811/x", "http://flink:80811/x"),
            (&root, "http://flink/x", "http://flink/x"),
            (&root, "https://flink:8081/x", "https://flink:8081/x"),
            (&root, "http://flink:8081//evil/x", "http://flink:8081//evil/x"),
            (&root, "https://elsewhere/", "https://elsewhere/"),
            (&root, "//elsewhere/", "//elsewhere/"),
            (&root, "/x", "/x"),
            (&root, "x?y", "x?y"),
            (&root, "?y", "?y"),
            (&root, "", ""),
            (&web, "http://vvp/a/b/app", "/app"),
            (&web, "http://vvp:80/a/b", "/"),
            (&web, "http://vvp/a/b?x=1", "/?x=1"),
            (&web, "/a/b/app", "/app"),
            (&web, "/a/bc", "/a/bc"),
            (&web, "http://vvp/login", "/login"),
            (&web, "app", "app"),
            (&six, "http://[::1]/x", "/x"),
            (&tls, "https://vvp/x", "/x"),
            (&tls, "https://vvp:443/x", "/x"),
            (&tls, "http://vvp/x", "http://vvp/x"),
        ] {
            let mut headers =
                headers(&[("location", there), ("connection", "keep-alive"), ("x-sluicegate-decision", "x")]);
            super::response(&mut headers, origin);
            assert_eq!((headers.len(), headers.get("location").unwrap().to_str().unwrap()), (1, here), "{there}");
        }
    }
}
