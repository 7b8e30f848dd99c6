//! What a collector and a reader of the log get to see.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Format, Telemetry, TelemetryError, continue_trace, subscriber};

/// What the collector received: path, content type, body.
type Received = (String, String, Bytes);

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn options(level: &str, format: Format, endpoint: Option<String>) -> Telemetry {
    Telemetry { format, level: level.to_owned(), otlp_endpoint: endpoint }
}

/// A collector on loopback.
async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let kind = head.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
                    let body = body.collect().await.unwrap().to_bytes();
                    let _ = sender.send((head.uri.path().to_owned(), kind.unwrap_or_default(), body));
                    Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    (address, receiver)
}

/// The fields of a protobuf message that are messages or texts.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    fn number(bytes: &mut &[u8]) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = number(&mut message)?;
        let length = match key & 7 {
            0 => {
                number(&mut message)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(number(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (value, rest) = message.split_at_checked(length)?;
        message = rest;
        if key & 7 == 2 {
            found.push((key >> 3, value));
        }
    }
    Some(found)
}

fn field<'m>(message: &'m [u8], number: u64) -> Vec<&'m [u8]> {
    let fields: Vec<(u64, &'m [u8])> = fields(message).unwrap();
    fields.into_iter().filter(|(found, _)| *found == number).map(|(_, value)| value).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn spans_reach_a_collector_and_continue_the_trace_of_the_caller() {
    let (address, mut received) = collector().await;
    let written = Written::default();
    let sink = written.clone();
    let options = options("warn", Format::Json, Some(format!("http://{address}")));
    let (subscriber, guard) = subscriber(&options, move || sink.clone()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("judge", door = "proxy");
        continue_trace(&span, &headers);
        span.in_scope(|| tracing::info!(decision = "deny", "judged"));
        drop(span);
        drop(tracing::info_span!(target: "hyper::proto", "authorization"));
    });
    // The end of the program sends what is left.
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    let (path, kind, body) = tokio::time::timeout(Duration::from_secs(20), received.recv()).await.unwrap().unwrap();
    assert_eq!((path.as_str(), kind.as_str()), ("/v1/traces", "application/x-protobuf"));
    // ExportTraceServiceRequest.resource_spans = 1; .resource = 1, .scope_spans = 2; .spans = 2; .trace_id = 1, .name = 5
    let resources = field(&body, 1);
    let resource = field(resources[0], 1);
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(resource[0], "service.name") && has(resource[0], "sluicegate"));
    let spans = field(field(resources[0], 2)[0], 2);
    assert_eq!(spans.len(), 1, "libraries are not traced");
    assert_eq!(field(spans[0], 5), [b"judge"]);
    let trace = [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
    assert_eq!(field(spans[0], 1), [trace]);
    assert_eq!(written.text(), "", "the level holds for the log alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dead_collector_holds_up_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let options = options("warn", Format::Human, Some(format!("http://{address}/")));
    let (subscriber, guard) = subscriber(&options, Written::default).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        (0..10_000).for_each(|_| drop(tracing::info_span!("judge")));
    });
    let ended = tokio::time::timeout(Duration::from_secs(60), tokio::task::spawn_blocking(move || drop(guard))).await;
    ended.unwrap().unwrap();
}

#[test]
fn logs_have_a_level_and_keep_heads_of_requests_out() {
    for (level, seen) in [
        ("info", ["ours-info"].as_slice()),
        ("error", &[]),
        ("trace", &["ours-info", "ours-debug"]),
        ("sluicegate=debug,h2=trace", &["ours-info", "ours-debug", "theirs-info"]),
    ] {
        let written = Written::default();
        let sink = written.clone();
        let (subscriber, _guard) = subscriber(&options(level, Format::Json, None), move || sink.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "sluicegate::gate", door = "proxy", "ours-info");
            tracing::debug!(target: "sluicegate::gate", "ours-debug");
            tracing::info!(target: "h2::codec", "theirs-info");
            tracing::trace!(target: "h2::codec", "theirs-trace authorization");
        });
        let text = written.text();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, seen, "{level}");
        assert!(lines.first().is_none_or(|line| line["door"] == "proxy" && line["level"] == "INFO"), "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_said() {
    let wrong = |level, endpoint: Option<&str>| {
        subscriber(&options(level, Format::Human, endpoint.map(str::to_owned)), Written::default).map(drop).unwrap_err()
    };
    assert!(matches!(wrong("sluicegate=loud", None), TelemetryError::Level(_)));
    for endpoint in ["127.0.0.1:4318", "ftp://a", ""] {
        assert!(matches!(wrong("info", Some(endpoint)), TelemetryError::Endpoint(_)), "{endpoint}");
    }
}
