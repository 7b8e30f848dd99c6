//! What a decision costs: the same code natively and in a fresh sandbox, interleaved in one run, with the budgets beside
//! it; then the memory of a large request, what each rule costs, and the whole process. Prints one table.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot run has nothing to report")]

#[path = "decision/payload.rs"]
mod payload;
#[path = "decision/process.rs"]
mod process;

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
    let stop = || Case { name: "Flink stop with drain", stop: true, body: payload::STOP_BODY.to_owned() };
    let review = |name, bytes| Case { name, stop: false, body: payload::review(bytes) };
    let large = review("300 KB AdmissionReview", 300_000);
    println!("{:<28}{:>12}{:>14}{:>10}   budget", "one decision", "native", "component", "ratio");
    for (case, budget) in [(review("3 KB AdmissionReview", 3_000), Some(3.0)), (stop(), None), (large, Some(3.0))] {
        // All context of a review is in it: nothing may have to be looked up.
        assert!(
            case.stop || matches!(natively(&case), Ok(native::Outcome::Decided(_))),
            "{} asks for facts",
            case.name
        );
        let (native, component) = interleaved(|| drop(black_box(natively(&case))), || sandboxed(&policy, &case));
        let ratio = component.as_secs_f64() / native.as_secs_f64();
        let times = format!("{:>12}{:>14}{ratio:>9.2}x", micros(native), micros(component));
        match budget {
            Some(most) => println!("{:<28}{times}   at most {most}x{}", case.name, missed(ratio > most)),
            None => println!("{:<28}{times}   none: shows what a sandbox costs at least", case.name),
        }
    }

    let body = payload::review(300_000);
    let (used, most) = (memory(&body), (4 << 20) + 6 * body.len());
    let kib = |bytes: usize| format!("{} KiB", bytes.div_ceil(1024));
    println!("\n{:<40}{:>12}   budget", "memory of a sandbox", "used");
    println!("{:<40}{:>12}   at most {}{}", "300 KB AdmissionReview", kib(used), kib(most), missed(used > most));

    println!("\n{:<46}{:>10}", "cost of a rule, natively (a 3 KB review)", "ns");
    let review = payload::review(3_000);
    let request = native::Request { envelope: native::Envelope::AdmissionReview, body: review.as_bytes() };
    let mut costs = sluicegate_policy::cost::of_each_rule(&request, 100_000).unwrap();
    costs.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    let total: Duration = costs.iter().map(|(_, cost)| *cost).sum();
    for (rule, cost) in &costs {
        println!("  {rule:<44}{:>10}", cost.as_nanos());
    }
    println!("  {:<44}{:>10}", format!("{} rules together", costs.len()), total.as_nanos());

    let program = process::Program::build();
    println!("\n{:<28}{:>12}{:>14}   budget", "sluicegate check", "first run", "later runs");
    let request =
        format!("POST {} HTTP/1.1\ncontent-type: application/json\n\n{}\n", payload::STOP_TARGET, payload::STOP_BODY);
    for (name, file, content) in [
        ("Flink stop with drain", "stop.http", request),
        ("3 KB AdmissionReview", "review.json", payload::review(3_000)),
    ] {
        let (first, later) = program.check(file, &content);
        let over = missed(later > Duration::from_millis(40));
        println!("{name:<28}{:>12}{:>14}   later under 40 ms{over}", millis(first), millis(later));
    }
}

fn missed(over: bool) -> &'static str {
    if over { "  MISSED" } else { "" }
}

/// The least memory in which this review is judged, found by halving.
fn memory(body: &str) -> usize {
    const PAGE: usize = 1 << 16;
    let enough = |pages: usize| {
        let limits = Limits { memory: pages * PAGE, memory_per_byte: 0, ..Limits::default() };
        let request = Request { envelope: Envelope::AdmissionReview, body: body.as_bytes() };
        Policy::embedded(limits).is_ok_and(|policy| policy.check(&request, &[], &Settings::default()).is_ok())
    };
    let (mut too_little, mut enough_pages) = (0, 1_024);
    while enough_pages - too_little > 1 {
        let middle = (too_little + enough_pages) / 2;
        if enough(middle) { enough_pages = middle } else { too_little = middle }
    }
    enough_pages * PAGE
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

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}

fn natively(case: &Case) -> Result<native::Outcome, native::Failure> {
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
    native::check(black_box(&request), &[], &[])
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
