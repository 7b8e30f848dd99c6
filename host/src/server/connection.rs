//! Accepts connections, bounds their number, and serves each until it ends or the server stops.

mod patience;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::Service;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::metrics::Metrics;
use super::options::Bounds;
pub use patience::{Busy, Patient, Pulse};

/// The most bytes of a request's head.
const LONGEST_HEAD: usize = 64 << 10;
/// The most headers of a request.
const MOST_HEADERS: usize = 100;
/// The most requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 256;

/// How long a new connection may take to its first request when the server closes.
const FIRST_REQUEST: Duration = Duration::from_secs(2);
/// How long connections are still accepted then that were made before.
const BACKLOG: Duration = Duration::from_millis(100);

/// How far a server is on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It serves, but says that it is not ready, so that nothing new is sent to it.
    Draining,
    /// It takes no connection, and ends those that there are after their request.
    Closing,
}

/// Tells every task how far the server is.
#[derive(Clone, Debug)]
pub struct Phases(watch::Receiver<Phase>);

impl Phases {
    /// One that can be moved on with the sender.
    pub fn new() -> (watch::Sender<Phase>, Self) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (sender, Self(receiver))
    }

    /// Where the server is now.
    pub fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Returns when this phase is reached, or nobody can say any more.
    pub async fn reached(&mut self, phase: Phase) {
        // An error means that the server is gone: the last phase.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}

/// A listening socket, and what its connections may cost.
#[derive(Debug)]
pub struct Door {
    /// The socket.
    pub listener: TcpListener,
    /// The word in metrics.
    pub name: &'static str,
    /// What connections may cost.
    pub bounds: Bounds,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How far the server is.
    pub phases: Phases,
}

impl Door {
    /// Accepts until the server closes, hands each connection to `serve`, and waits for those that are open then.
    pub async fn run<F, S>(mut self, serve: F)
    where
        F: Fn(TcpStream, SocketAddr) -> S,
        S: Future<Output = ()> + Send + 'static,
    {
        let room = Arc::new(Semaphore::new(self.bounds.connections.min(Semaphore::MAX_PERMITS)));
        let mut open = JoinSet::new();
        let mut until = None;
        loop {
            // What the system has accepted for us already is not turned away.
            let accepted = match until {
                None => tokio::select! {
                    accepted = self.listener.accept() => accepted,
                    () = self.phases.reached(Phase::Closing) => {
                        until = Some(Instant::now() + BACKLOG);
                        continue;
                    }
                },
                Some(until) => match tokio::time::timeout_at(until, self.listener.accept()).await {
                    Ok(accepted) => accepted,
                    Err(_) => break,
                },
            };
            while open.try_join_next().is_some() {}
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // No file descriptor is free, most likely: closing connections will bring some.
                    tracing::warn!(door = self.name, %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                self.metrics.connection_refused(self.name);
                continue;
            };
            // Small answers must not wait for more to come.
            let _ = stream.set_nodelay(true);
            let counted = self.metrics.connections(self.name);
            let connection = serve(stream, peer);
            open.spawn(async move {
                connection.await;
                drop((counted, permit));
            });
        }
        drop(self.listener);
        let all_ended = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(self.bounds.grace, all_ended).await.is_err() {
            tracing::warn!(
                door = self.name,
                connections = open.len(),
                "connections are cut: they took too long to end"
            );
        }
    }
}

/// Serves HTTP/1.1 on a connection. `pulse` is the one of `io`.
///
/// Whoever has just connected when the server closes still gets an answer to the request that is on its way: nobody has
/// told this client to go elsewhere.
pub async fn http1<I, S, B>(io: I, service: S, pulse: Pulse, mut phases: Phases)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // `Patient` knows an idle connection from a slow one.
        .header_read_timeout(None)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => tell(ended),
        () = phases.reached(Phase::Closing) => {
            tokio::select! {
                ended = connection.as_mut() => return tell(ended),
                () = pulse.first(FIRST_REQUEST) => {}
            }
            connection.as_mut().graceful_shutdown();
            tell(connection.await);
        }
    }
}

/// Serves HTTP/2 on a connection. Whoever asks nothing for the time of `idle`, or nothing at all for that of `patience`, is
/// cut: answers to pings are no requests.
pub async fn http2<I, S, B>(io: I, service: S, pulse: Pulse, bounds: Bounds, mut phases: Phases)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(LONGEST_HEAD as u32)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .serve_connection(TokioIo::new(io), service);
    let mut connection = pin!(connection);
    let (mut closing, mut seen, mut due) = (false, 0, Instant::now() + bounds.patience);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return tell(ended),
            () = phases.reached(Phase::Closing), if !closing => {
                connection.as_mut().graceful_shutdown();
                closing = true;
            }
            () = tokio::time::sleep_until(due) => {
                let asked = pulse.asked();
                if pulse.is_busy() || asked != seen {
                    (seen, due) = (asked, Instant::now() + bounds.idle);
                } else if closing {
                    return;
                } else {
                    connection.as_mut().graceful_shutdown();
                    (closing, due) = (true, Instant::now() + bounds.patience);
                }
            }
        }
    }
}

/// Whoever keeps a connection to a server that is about to stop takes the next request elsewhere: so none is lost on a
/// connection that closes just then. HTTP/2 has a frame for it.
pub fn say_farewell(phases: &Phases, headers: &mut HeaderMap) {
    if phases.now() > Phase::Serving {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// A connection that breaks is the client's business; whoever looks for it finds it in the log.
fn tell(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
