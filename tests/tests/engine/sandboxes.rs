//! Many calls at once, and nothing between them.

use std::thread;
use std::time::{Duration, Instant};

use sluicegate::facts::NoSource;
use sluicegate::{Envelope, HttpHead, Limits, Policy, PolicyError, Request, Settings};

use crate::written::{Written, ask, breach, load};

#[test]
fn nothing_is_kept_between_calls() {
    // Answers with a message as long as the number of calls that this instance has seen.
    let counting = Written {
        declarations: "(global $calls (mut i32) (i32.const 0)) (data (i32.const 1024) \"aaaaaaaaaaaaaaaa\")",
        check: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
            (i32.store (i32.const 8) (i32.const 1024))
            (i32.store (i32.const 12) (i32.add (global.get $calls) (i32.load (i32.const 2048))))
            (i32.store8 (i32.const 0) (i32.const 1)) (i32.const 0)",
        ..Written::default()
    };
    let policy = counting.policy();
    for _ in 0..50 {
        assert_eq!(ask(&policy).unwrap_err().to_string(), "aa");
    }
}

#[test]
fn many_threads_get_the_same_verdicts() {
    let policy = Policy::embedded(Limits { wait: Duration::from_secs(60), ..Limits::default() }).unwrap();
    let judge = |n: usize| {
        let target = ["/jobs/overview", "/jobs/a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3/stop", "/config"][n % 3];
        let method = ["GET", "POST", "GET"][n % 3];
        let head = HttpHead { api: None, method, target, headers: &[] };
        let body = [&b""[..], br#"{"drain":true}"#, b""][n % 3];
        let request = Request { envelope: Envelope::Http(head), body };
        policy.decide(&request, &[], &Settings::default(), &NoSource).unwrap().document
    };
    let expected: Vec<_> = (0..3).map(judge).collect();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..300).for_each(|n| assert_eq!(judge(n), expected[n % 3])));
        }
    });
}

#[test]
fn callers_beyond_the_bound_wait_and_are_told_when_it_takes_too_long() {
    let endless = Written { check: "(loop $on (br $on)) unreachable", ..Written::default() }.component();
    let (time, wait) = (Duration::from_millis(400), Duration::from_millis(20));
    let impatient = load(endless.clone(), Limits { sandboxes: 1, time, wait, ..Limits::default() }).unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| breach(&impatient));
        thread::sleep(Duration::from_millis(100));
        let begun = Instant::now();
        assert_eq!(breach(&impatient), PolicyError::Busy { waited: wait });
        assert!(begun.elapsed() >= wait && begun.elapsed() < time);
        assert_eq!(first.join().unwrap(), PolicyError::TimeExceeded { limit: time });
    });
    // The sandbox is free again, and those who can wait get their turn.
    let (time, wait) = (Duration::from_millis(30), Duration::from_secs(30));
    let patient = load(endless, Limits { sandboxes: 2, time, wait, ..Limits::default() }).unwrap();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| breach(&patient))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap(), PolicyError::TimeExceeded { limit: time });
        }
    });
}
