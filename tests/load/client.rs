//! The callers: reviews on connections that are kept, each with a uid of its own that the answer must echo.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::figures::Figures;
use crate::replica::Replica;

/// A review as an API server sent it (about 3 KB), with a place for the uid.
const REVIEW: &str = include_str!("../recorded/kubernetes-1.36.ndjson");
const UID: &str = "207b6680-850a-4c16-86d7-fd604af863af";

/// How many callers there are, and for how long.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub time: Duration,
}

/// How many callers there are, and how often they ask in all.
#[derive(Clone, Copy)]
pub struct Count {
    pub connections: usize,
    pub requests: u64,
}

/// What a review came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Judged,
    TurnedAway,
}

/// A connection that asks.
pub struct Caller {
    sender: SendRequest<Full<Bytes>>,
    head: &'static str,
    tail: &'static str,
    name: usize,
    asked: u64,
}

impl Caller {
    pub async fn connect(server: &Replica, tls: Option<&TlsConnector>, name: usize) -> std::io::Result<Self> {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        let sender = match tls {
            None => open(TokioIo::new(stream)).await,
            Some(tls) => {
                let host = ServerName::try_from("localhost").unwrap();
                open(TokioIo::new(tls.connect(host, stream).await?)).await
            }
        };
        let (head, tail) = REVIEW.lines().next().unwrap().split_once(UID).unwrap();
        Ok(Self { sender: sender?, head, tail, name, asked: 0 })
    }

    /// Whether the server still takes requests here.
    pub async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Asks once. An error is a connection that ended before the answer began; a wrong answer ends the run.
    pub async fn ask(&mut self) -> Result<Answer, hyper::Error> {
        self.asked += 1;
        let uid = format!("{}-{}", self.name, self.asked);
        let body = Bytes::from([self.head, &uid, self.tail].concat());
        let request =
            Request::post("/validate?timeout=3s").header("host", "gate").header("content-type", "application/json");
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(body)).unwrap()).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Ok(Answer::TurnedAway);
        }
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("an answer is JSON");
        assert_eq!((status, &answer["response"]["uid"]), (StatusCode::OK, &uid.into()), "{answer}");
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
        Ok(Answer::Judged)
    }
}

async fn open<I>(io: I) -> std::io::Result<SendRequest<Full<Bytes>>>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(io).await.map_err(std::io::Error::other)?;
    tokio::spawn(async move {
        // Whoever asks learns of its end.
        let _ = connection.await;
    });
    Ok(sender)
}

/// Each caller asks again as soon as it has its answer.
pub async fn closed(load: Load, server: &Replica, tls: Option<&TlsConnector>) -> Figures {
    until(load.connections, server, tls, |_| load.time, u64::MAX).await
}

/// Each caller asks again as soon as it has its answer, until so many were asked.
pub async fn counted(count: Count, server: &Replica, tls: Option<&TlsConnector>) -> Figures {
    until(count.connections, server, tls, |_| Duration::from_secs(900), count.requests).await
}

async fn until(
    connections: usize,
    server: &Replica,
    tls: Option<&TlsConnector>,
    time: impl Fn(usize) -> Duration,
    most: u64,
) -> Figures {
    let (asked, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut callers = Vec::new();
    for name in 0..connections {
        let (mut caller, asked) = (Caller::connect(server, tls, name).await.unwrap(), Arc::clone(&asked));
        let end = begun + time(name);
        callers.push(tokio::spawn(async move {
            let mut figures = Figures::default();
            while Instant::now() < end && asked.fetch_add(1, Ordering::Relaxed) < most {
                let sent = Instant::now();
                match caller.ask().await.expect("no answer is lost") {
                    Answer::Judged => figures.latencies.push(sent.elapsed()),
                    Answer::TurnedAway => figures.turned_away.push(sent.elapsed()),
                }
            }
            figures
        }));
    }
    collect(callers, begun).await
}

/// So many a second, whether answers come or not: a late one counts from when it should have been asked.
pub async fn paced(rate: f64, load: Load, server: &Replica, tls: Option<&TlsConnector>) -> Figures {
    let begun = Instant::now() + Duration::from_millis(100);
    let step = Duration::from_secs_f64(load.connections as f64 / rate);
    let mut callers = Vec::new();
    for name in 0..load.connections {
        let mut caller = Caller::connect(server, tls, name).await.unwrap();
        callers.push(tokio::spawn(async move {
            let mut figures = Figures::default();
            let mut due = begun + step.mul_f64(name as f64 / load.connections as f64);
            while due < begun + load.time {
                wait_for(due).await;
                match caller.ask().await.expect("no answer is lost") {
                    Answer::Judged => figures.latencies.push(due.elapsed()),
                    Answer::TurnedAway => figures.turned_away.push(due.elapsed()),
                }
                due += step;
            }
            figures
        }));
    }
    collect(callers, begun).await
}

/// Timers are good to a millisecond, and what is asked late would count as answered late.
async fn wait_for(due: Instant) {
    tokio::time::sleep_until(due - Duration::from_millis(2)).await;
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}

async fn collect(callers: Vec<tokio::task::JoinHandle<Figures>>, begun: Instant) -> Figures {
    let mut all = Figures::default();
    for caller in callers {
        all.add(caller.await.expect("every answer is right"));
    }
    all.time = begun.elapsed();
    all
}
