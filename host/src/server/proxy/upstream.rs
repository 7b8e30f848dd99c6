//! The server behind a proxy door, and the connections to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::body::Outgoing;
use super::rewrite::Origin;
use super::secure::{Security, Stream};

/// The most connections that lie idle, and for how long.
const MOST_IDLE: usize = 64;
const LONGEST_IDLE: Duration = Duration::from_secs(30);

/// Time for one attempt to connect, TLS and all.
const CONNECT: Duration = Duration::from_secs(5);

/// The server behind a proxy door.
#[derive(Debug)]
pub(super) struct Upstream {
    /// `http://host:port` or `https://host:port`, as it was given.
    origin: String,
    security: Option<Security>,
    host: String,
    port: u16,
    header: HeaderValue,
    /// What stands before every path.
    prefix: String,
    /// How long it may take to begin an answer to a request that is all sent.
    patience: Duration,
    idle: Arc<Mutex<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connection: SendRequest<Outgoing>,
    since: Instant,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// It was not reached: nothing was sent.
    #[error("`{origin}` cannot be reached: {why}; nothing was sent to it")]
    Unreachable {
        /// Which.
        origin: String,
        /// What the system says.
        why: String,
    },
    /// The client broke off its body: it never got there whole.
    #[error("was not sent the whole body, which broke off")]
    Cut,
    /// It broke off.
    #[error("`{0}` broke off without an answer; look whether it did what was asked before asking again")]
    Broke(String),
    /// It did not begin an answer in time.
    #[error(
        "`{origin}` has not begun an answer in {patience:?}; look whether it did what was asked before asking again"
    )]
    Silent {
        /// Which.
        origin: String,
        /// The time there was.
        patience: Duration,
    },
}

impl Upstream {
    /// Reads `http://host:port` or `https://host:port`, with a path after it where there is one. `trusted`: PEM file of
    /// the certificate authorities that are believed instead of the system's.
    ///
    /// # Errors
    /// When this is something else, or the authority cannot be used; the text is for people.
    pub(super) fn new(url: &str, trusted: Option<&Path>, patience: Duration) -> Result<Self, String> {
        let upstream = Self::read(url, patience)?;
        let security = match upstream.origin.starts_with("https:") {
            true => Some(Security::of(&upstream.host, trusted)?),
            false => None,
        };
        Ok(Self { security, ..upstream })
    }

    /// The same, before anybody is believed.
    ///
    /// # Errors
    /// When this is no such URL; the text is for people.
    pub(super) fn read(url: &str, patience: Duration) -> Result<Self, String> {
        let wrong = |why: &str| format!("the upstream {why}; write `http://host:port` or `https://host:port`");
        if !url.contains("://") {
            return Err(wrong("has no `http://` in front"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err(wrong("is no http URL")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds credentials, which clients bring along themselves"));
        }
        if uri.query().is_some() {
            return Err(wrong("holds a query"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let prefix = uri.path().trim_end_matches('/').to_owned();
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            security: None,
            host,
            port: authority.port_u16().unwrap_or(port),
            header: HeaderValue::from_str(authority.as_str()).map_err(|_| wrong("is no URL"))?,
            prefix,
            patience,
            idle: Arc::default(),
        })
    }

    /// Which of these listening addresses it is, as far as that can be told without asking anybody.
    pub(super) fn is_one_of(&self, doors: &[SocketAddr]) -> Option<SocketAddr> {
        let there: IpAddr = match self.host.as_str() {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            host => host.parse().ok()?,
        };
        let is = |door: &SocketAddr| {
            let everywhere = door.ip().is_unspecified() && door.is_ipv4() == there.is_ipv4();
            door.port() == self.port && (door.ip() == there || everywhere && there.is_loopback())
        };
        doors.iter().copied().find(is)
    }

    /// `http://host:port` or `https://host:port`.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Where it is, for redirects.
    pub(super) fn place(&self) -> Origin<'_> {
        Origin { secure: self.security.is_some(), host: &self.host, port: self.port, prefix: &self.prefix }
    }

    /// What it is called in `Host`.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// A target as it goes on.
    pub(super) fn target(&self, target: &str) -> Option<Uri> {
        match self.prefix.is_empty() {
            true => target.parse().ok(),
            false => format!("{}{target}", self.prefix).parse().ok(),
        }
    }

    /// Sends a request, and waits for the head of the answer. It is sent once: only what no byte was written of is sent
    /// again, on a new connection.
    pub(super) async fn exchange(&self, request: Request<Outgoing>) -> Result<Response<Incoming>, UpstreamError> {
        let mut request = request;
        while let Some(connection) = self.idle() {
            match self.send(connection, request).await {
                Err((_, Some(back))) => request = back,
                Err((error, None)) => return Err(error),
                Ok(response) => return Ok(response),
            }
        }
        let connection = self.connect().await?;
        self.send(connection, request).await.map_err(|(error, _)| error)
    }

    async fn send(
        &self,
        mut connection: SendRequest<Outgoing>,
        mut request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, (UpstreamError, Option<Request<Outgoing>>)> {
        let sent = request.body_mut().sent();
        let answer = connection.try_send_request(request);
        let mut answer = std::pin::pin!(answer);
        let answered = tokio::select! {
            answered = &mut answer => answered,
            // An upload takes as long as it takes; from its end on an answer is waited for.
            _ = sent => match tokio::time::timeout(self.patience, &mut answer).await {
                Ok(answered) => answered,
                Err(_) => return Err((self.silent(), None)),
            },
        };
        match answered {
            Ok(response) => {
                self.take_back(connection);
                Ok(response)
            }
            Err(mut error) => {
                let back = error.take_message();
                let client = error.error().is_user();
                Err((if client { UpstreamError::Cut } else { UpstreamError::Broke(self.origin.clone()) }, back))
            }
        }
    }

    fn silent(&self) -> UpstreamError {
        UpstreamError::Silent { origin: self.origin.clone(), patience: self.patience }
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, UpstreamError> {
        let unreachable = |why: String| UpstreamError::Unreachable { origin: self.origin.clone(), why };
        let connect = async {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
            let stream = TcpStream::connect(addresses.as_slice()).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(match &self.security {
                None => Box::new(stream) as Stream,
                Some(security) => security.over(stream).await?,
            })
        };
        let stream = match tokio::time::timeout(CONNECT, connect).await {
            Ok(stream) => stream.map_err(|error| unreachable(error.to_string()))?,
            Err(_) => return Err(unreachable(format!("no connection in {CONNECT:?}"))),
        };
        let opened = http1::Builder::new().handshake(TokioIo::new(stream)).await;
        let (sender, connection) = opened.map_err(|error| unreachable(error.to_string()))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an upstream ended");
            }
        });
        Ok(sender)
    }

    /// A connection that lies idle, the last used first.
    fn idle(&self) -> Option<SendRequest<Outgoing>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.connection.is_ready() && idle.since.elapsed() < LONGEST_IDLE);
        idle.pop().map(|idle| idle.connection)
    }

    /// Keeps a connection for the next request, once the answer has been read to its end.
    fn take_back(&self, mut connection: SendRequest<Outgoing>) {
        let idle = Arc::clone(&self.idle);
        tokio::spawn(async move {
            if connection.ready().await.is_ok() {
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < MOST_IDLE {
                    idle.push(Idle { connection, since: Instant::now() });
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Upstream;

    fn read(url: &str) -> Result<(String, String, u16, String), String> {
        Upstream::new(url, None, Duration::from_secs(1)).map(|it| {
            let target = it.target("//jobs/%2f?a=1;b").unwrap().to_string();
            (it.origin, it.host, it.port, target)
        })
    }

    #[test]
    fn upstreams_are_read_from_urls() {
        let is = |origin: &str, host: &str, port, target: &str| Ok((origin.into(), host.into(), port, target.into()));
        assert_eq!(read("http://flink:8081"), is("http://flink:8081", "flink", 8081, "//jobs/%2f?a=1;b"));
        assert_eq!(read("http://[::1]:8081/"), is("http://[::1]:8081", "::1", 8081, "//jobs/%2f?a=1;b"));
        assert_eq!(read("http://vvp/a/b/"), is("http://vvp", "vvp", 80, "/a/b//jobs/%2f?a=1;b"));
        assert_eq!(read("https://vvp.example"), is("https://vvp.example", "vvp.example", 443, "//jobs/%2f?a=1;b"));
        assert_eq!(read("https://vvp:8443/a"), is("https://vvp:8443", "vvp", 8443, "/a//jobs/%2f?a=1;b"));
        for wrong in ["", "flink:8081", "https://", "http://", "http://u:p@flink", "http://flink/?x", "ftp://flink"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("http://host:port") && !error.contains("u:p"), "{wrong}: {error}");
        }
    }
}
