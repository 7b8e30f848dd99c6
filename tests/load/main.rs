//! What the server bears: reviews per second and their latency, ten times too many, memory, and faults under load. Every
//! answer is looked at: a wrong or lost one ends the run.
//!
//! `cargo bench -p sluicegate --bench load` takes about two minutes; `-- --million` sends a million reviews as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking"
)]

mod client;
mod faults;
mod figures;
mod replica;

use std::time::Duration;

use client::{Count, Load};
use figures::Figures;
use replica::{Authority, Folder, Replica};

/// How long each load lasts.
const LONG: Duration = Duration::from_secs(10);

fn main() {
    // The server gets the first core for itself, and this program the second.
    replica::pin(std::process::id(), "1");
    let million = std::env::args().any(|argument| argument == "--million");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(million));
}

async fn run(million: bool) {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1");
    let tls = authority.connector();

    let server = Replica::start(&folder, true, "0", &[]);
    let idle = server.resident();
    println!("memory, idle                          {:>8.1} MiB   (budget 40)", mib(idle));
    let full = client::closed(Load { connections: 16, time: LONG }, &server, Some(&tls)).await;
    report("TLS, one core, as fast as it goes", &full, "5,000/s");
    let loaded = server.resident();
    let half = client::paced(full.rate() / 2.0, Load { connections: 16, time: LONG }, &server, Some(&tls)).await;
    report("TLS, one core, half of that", &half, "p99 5 ms");
    println!("memory, under load                    {:>8.1} MiB", mib(loaded));
    drop(server);

    let plain = Replica::start(&folder, false, "0,1", &[]);
    replica::pin(std::process::id(), "0,1");
    let both = client::closed(Load { connections: 16, time: LONG }, &plain, None).await;
    report("plain HTTP, two cores with the client", &both, "12,000/s");
    replica::pin(std::process::id(), "1");
    drop(plain);

    faults::overload(&folder, &tls).await;
    faults::swaps(&authority, &folder, &tls).await;
    faults::stop(&folder, &tls).await;
    faults::control_plane(&folder).await;

    if million {
        let server = Replica::start(&folder, true, "0", &[]);
        let count = Count { connections: 16, requests: 1_000_000 };
        let all = client::counted(count, &server, Some(&tls)).await;
        report("a million reviews over TLS", &all, "");
        println!("memory, after them                    {:>8.1} MiB   (idle {:.1})", mib(server.resident()), mib(idle));
    }
}

fn report(what: &str, figures: &Figures, budget: &str) {
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| figures.at(part).as_secs_f64() * 1e3);
    let budget = if budget.is_empty() { String::new() } else { format!("   (budget {budget})") };
    println!("{what:<38}{:>8.0}/s   p50 {p50:.2} ms  p99 {p99:.2} ms  p99.9 {p999:.2} ms{budget}", figures.rate());
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
