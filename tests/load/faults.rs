//! Faults while requests go on: too many of them, swapped files, an end, a control plane that dies. No answer may be
//! wrong, and none may be lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::client::{self, Answer, Caller, Load};
use crate::figures;
use crate::replica::{Authority, Folder, Replica};

const SETTINGS: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\n";

/// Ten times as many callers as keep one core busy.
pub async fn overload(folder: &Folder, tls: &TlsConnector) {
    let server = Replica::start(folder, true, "0", &["--queue", "32"]);
    let calm = Load { connections: 16, time: Duration::from_secs(2) };
    let before = client::closed(calm, &server, Some(tls)).await;
    let resident = server.resident();
    let storm = client::closed(Load { connections: 320, time: Duration::from_secs(8) }, &server, Some(tls)).await;
    let grown = server.resident();
    // What it is like one second later.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = client::closed(calm, &server, Some(tls)).await;
    println!(
        "ten times too many: {:.0}/s judged, {:.0}/s turned away (p50 {:.1} ms, p99 {:.1} ms); memory {:.1} -> {:.1} MiB; a second later {:.0}/s, {} turned away (before: {:.0}/s)",
        storm.rate(),
        storm.turned_away.len() as f64 / storm.time.as_secs_f64(),
        figures::at(&storm.turned_away, 0.5).as_secs_f64() * 1e3,
        figures::at(&storm.turned_away, 0.99).as_secs_f64() * 1e3,
        resident as f64 / f64::from(1 << 20),
        grown as f64 / f64::from(1 << 20),
        after.rate(),
        after.turned_away.len(),
        before.rate(),
    );
    assert!(!storm.turned_away.is_empty() && !storm.latencies.is_empty());
    assert!(after.turned_away.is_empty(), "it has not recovered");
}

/// Certificates and settings change all the time.
pub async fn swaps(authority: &Authority, folder: &Folder, tls: &TlsConnector) {
    let settings = folder.path("settings.yaml");
    std::fs::write(&settings, SETTINGS).unwrap();
    let server = Arc::new(Replica::start(folder, true, "0", &["--settings", &settings]));
    let end = Instant::now() + Duration::from_secs(8);
    let mut callers = Vec::new();
    for name in 0..8 {
        let (server, tls) = (Arc::clone(&server), tls.clone());
        callers.push(tokio::spawn(async move {
            let mut judged = 0_u64;
            while Instant::now() < end {
                // A connection for some requests: the next one meets the new certificate.
                let mut caller = Caller::connect(&server, Some(&tls), name).await.expect("a connection");
                for _ in 0..200 {
                    assert_eq!(caller.ask().await.expect("no answer is lost"), Answer::Judged);
                    judged += 1;
                }
            }
            judged
        }));
    }
    let mut swapped = 0;
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(700)).await;
        swapped += 1;
        authority.mount(folder, &format!("swap{swapped}"));
        let level = if swapped % 2 == 0 { "deny" } else { "note" };
        std::fs::write(&settings, format!("{SETTINGS}rules: {{jar-uri-restricted: {{level: {level}}}}}\n")).unwrap();
    }
    let mut judged = 0;
    for caller in callers {
        judged += caller.await.expect("every answer is right");
    }
    println!("certificates and settings swapped {swapped} times each under {judged} reviews: none wrong, none lost");
}

/// One of two replicas is told to stop: callers that find it gone go to the other.
pub async fn stop(folder: &Folder, tls: &TlsConnector) {
    let first = Arc::new(Replica::start(folder, true, "0", &["--drain-time", "2"]));
    let second = Arc::new(Replica::start(folder, true, "0", &[]));
    let (first_alive, end) = (Arc::new(AtomicBool::new(true)), Instant::now() + Duration::from_secs(6));
    let mut callers = Vec::new();
    for name in 0..8 {
        let (first, second, alive, tls) =
            (Arc::clone(&first), Arc::clone(&second), Arc::clone(&first_alive), tls.clone());
        callers.push(tokio::spawn(async move {
            let (mut judged, mut moved) = (0_u64, 0_u64);
            let mut caller = Caller::connect(&first, Some(&tls), name).await.expect("a connection");
            while Instant::now() < end {
                if !caller.is_open().await {
                    // What routes requests has learnt by now that the first replica is not ready.
                    let next = if alive.load(Ordering::Relaxed) { &first } else { &second };
                    caller = Caller::connect(next, Some(&tls), name).await.expect("a connection");
                    moved += 1;
                }
                assert_eq!(caller.ask().await.expect("no answer is lost"), Answer::Judged);
                judged += 1;
            }
            (judged, moved)
        }));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    first.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    first_alive.store(false, Ordering::Relaxed);
    let (mut judged, mut moved) = (0, 0);
    for caller in callers {
        let (asked, connections) = caller.await.expect("every answer is right");
        judged += asked;
        moved += connections;
    }
    Arc::into_inner(first).expect("nobody else asks it").wait();
    println!("one of two replicas stopped under {judged} reviews, {moved} connections moved: none wrong, none lost");
}

/// The control plane answers, hangs, and is gone: a harmless stop passes all the time.
pub async fn control_plane(folder: &Folder) {
    let plane = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("flink-rest=http://{}", plane.local_addr().unwrap());
    let hangs = Arc::new(AtomicBool::new(false));
    let serving = tokio::spawn(serve(plane, Arc::clone(&hangs)));
    let server = Replica::start(folder, false, "0", &["--control-plane", &address, "--facts-deadline", "200"]);
    let address = server.address;
    let end = Instant::now() + Duration::from_secs(6);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                let mut asked = 0_u64;
                while Instant::now() < end {
                    let sent = Instant::now();
                    let head = stop_request(address).await;
                    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                    longest = longest.max(sent.elapsed());
                    asked += 1;
                }
                (asked, longest)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    hangs.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(2)).await;
    serving.abort();
    let (mut asked, mut longest) = (0, Duration::ZERO);
    for caller in callers {
        let (count, slowest) = caller.await.expect("every answer is right");
        asked += count;
        longest = longest.max(slowest);
    }
    println!(
        "a control plane that answers, hangs and dies under {asked} cancels: none refused, none lost; the longest took {:.0} ms (facts may take 200)",
        longest.as_secs_f64() * 1e3
    );
}

/// A harmless cancel, on a connection of its own.
async fn stop_request(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "PATCH /authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35?mode=cancel HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Knows one failing job, until it hangs.
async fn serve(listener: TcpListener, hangs: Arc<AtomicBool>) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let hangs = Arc::clone(&hangs);
        tokio::spawn(async move {
            let mut head = [0; 4096];
            while matches!(stream.read(&mut head).await, Ok(1..)) {
                if hangs.load(Ordering::Relaxed) {
                    return tokio::time::sleep(Duration::from_secs(5)).await;
                }
                let body = r#"{"jid": "42aedb6e5490ff65f60746294f1d1f35", "state": "FAILING"}"#;
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if stream.write_all(head.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
