//! What a decision costs: the same code natively and in a fresh sandbox, interleaved in one run, with the budgets beside
//! it; then the whole process, and the memory of a large request. Prints one table.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to report")]

#[path = "decision/payload.rs"]
mod payload;

use std::hint::black_box;
use std::time::{Duration, Instant};

use sluicegate::{Envelope, HttpHead, Limits, Policy, Request, Settings};
use sluicegate_policy::gate as native;

/// How long each measurement runs.
const TIME: Duration = Duration::from_secs(3);

struct Case {
    name: &'static str,
    stop: bool,
    body: String,
}

fn main() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let cases = [
        Case { name: "3 KB AdmissionReview", stop: false, body: payload::review(3_000) },
        Case { name: "300 KB AdmissionReview", stop: false, body: payload::review(300_000) },
        Case { name: "Flink stop with drain", stop: true, body: payload::STOP_BODY.to_owned() },
    ];
    println!("{:<28}{:>12}{:>14}{:>12}   budget", "one decision", "native", "component", "ratio");
    for case in &cases {
        let (native, component) = interleaved(|| natively(case), || sandboxed(&policy, case));
        let ratio = component.as_secs_f64() / native.as_secs_f64();
        println!(
            "{:<28}{:>12}{:>14}{:>11.2}x   at most 3x{}",
            case.name,
            micros(native),
            micros(component),
            ratio,
            if ratio > 3.0 { "  MISSED" } else { "" }
        );
    }
}

/// Runs both in turns, and gives the median time of each.
fn interleaved(native: impl Fn(), component: impl Fn()) -> (Duration, Duration) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let batch = batch_size(&component);
    let start = Instant::now();
    while start.elapsed() < TIME || ours.len() < 20 {
        ours.push(timed(batch, &native));
        theirs.push(timed(batch, &component));
    }
    (median(&mut ours), median(&mut theirs))
}

/// As many calls as take about two milliseconds, so that the clock does not matter.
fn batch_size(call: &impl Fn()) -> u32 {
    let once = timed(20, call).as_secs_f64();
    ((0.002 / once) as u32).clamp(1, 1_000)
}

fn timed(batch: u32, call: &impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..batch {
        call();
    }
    start.elapsed() / batch
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}

fn natively(case: &Case) {
    let envelope = if case.stop {
        native::Envelope::Http(native::HttpHead {
            api: None,
            method: "POST",
            target: payload::STOP_TARGET,
            headers: &[],
        })
    } else {
        native::Envelope::AdmissionReview
    };
    let request = native::Request { envelope, body: case.body.as_bytes() };
    let _ = black_box(native::check(black_box(&request), &[], &[]));
}

fn sandboxed(policy: &Policy, case: &Case) {
    let envelope = if case.stop {
        Envelope::Http(HttpHead { api: None, method: "POST", target: payload::STOP_TARGET, headers: &[] })
    } else {
        Envelope::AdmissionReview
    };
    let request = Request { envelope, body: case.body.as_bytes() };
    let _ = black_box(policy.check(black_box(&request), &[], &Settings::default()));
}
