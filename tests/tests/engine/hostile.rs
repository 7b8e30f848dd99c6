//! Policies that mean harm: each is stopped in bounded time, with an error that says why.

use std::thread;
use std::time::Duration;

use sluicegate::{
    Answer, Envelope, Fact, Input, Limits, PolicyError, Request, Settings, SettingsError, Source, Subject,
};

use crate::written::{ANSWER, Written, ask, breach, load};

const FOREVER: &str = "(loop $on (br $on)) unreachable";

#[test]
fn endless_loops_are_stopped_wherever_they_are() {
    let limit = Duration::from_millis(50);
    let check = Written { check: FOREVER, ..Written::default() };
    let realloc = Written { realloc: FOREVER, ..Written::default() };
    let start = Written { declarations: "(func $s (loop $on (br $on))) (start $s)", ..Written::default() };
    let after = r#"(func (export "cabi_post_sluicegate:policy/gate@0.1.0#check") (param i32) (loop $on (br $on)))"#;
    let after = Written { declarations: after, ..Written::default() };
    for written in [check, realloc, start, after] {
        let policy = written.policy();
        let begun = worked();
        assert_eq!(breach(&policy), PolicyError::TimeExceeded { limit });
        let took = worked() - begun;
        assert!(took >= limit && took < limit * 10, "it took {took:?}");
    }
}

#[test]
fn time_is_kept_to_the_millisecond() {
    let component = Written { check: FOREVER, ..Written::default() }.component();
    for limit in [3, 20].map(Duration::from_millis) {
        let policy = load(component.clone(), Limits { time: limit, ..Limits::default() }).unwrap();
        // The quickest of several: the machine may be busy with something else, and look at the clock late.
        let quickest = (0..25).map(|_| {
            let begun = worked();
            assert_eq!(breach(&policy), PolicyError::TimeExceeded { limit });
            worked() - begun
        });
        let quickest = quickest.min().unwrap();
        assert!(quickest >= limit && quickest < limit + Duration::from_millis(3), "{limit:?} became {quickest:?}");
    }
}

#[test]
fn a_busy_machine_takes_no_time_away_from_a_call() {
    let threads = 4 * thread::available_parallelism().map_or(1, usize::from);
    let limits = Limits { time: Duration::from_millis(50), sandboxes: threads as u32, ..Limits::default() };
    let limit = limits.time;
    let policy = load(Written { check: FOREVER, ..Written::default() }.component(), limits).unwrap();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let begun = worked();
                assert_eq!(breach(&policy), PolicyError::TimeExceeded { limit });
                assert!(worked() - begun >= limit);
            });
        }
    });
}

/// Processor time of this thread.
fn worked() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

#[test]
fn memory_is_bounded_by_the_request() {
    let grow =
        Written { check: "(loop $on (drop (memory.grow (i32.const 1))) (br $on)) unreachable", ..Written::default() };
    // Two bytes of body.
    assert_eq!(breach(&grow.policy()), PolicyError::MemoryExceeded { limit: (4 << 20) + 6 * 2 });
    let at_once = Written { check: "(drop (memory.grow (i32.const 65000))) unreachable", ..Written::default() };
    assert!(matches!(breach(&at_once.policy()), PolicyError::MemoryExceeded { .. }));
    let from_the_start = Written { pages: 65, ..Written::default() };
    assert!(matches!(breach(&from_the_start.policy()), PolicyError::MemoryExceeded { .. }));
    let enough = Written { pages: 64, ..Written::default() };
    assert!(!matches!(ask(&enough.policy()), Err(sluicegate::CheckError::Policy(_))));
}

#[test]
fn tables_are_bounded() {
    let grow = Written {
        declarations: "(table $t 1 funcref)",
        check: "(loop $on (br_if $on (i32.ge_s (table.grow $t (ref.null func) (i32.const 1000)) (i32.const 0)))) unreachable",
        ..Written::default()
    };
    assert!(matches!(breach(&grow.policy()), PolicyError::Trapped(_)));
}

#[test]
fn breakdowns_are_told() {
    let trap = Written { check: "unreachable", ..Written::default() };
    let recursion = Written {
        declarations: "(func $down (param i64) (result i64) (i64.add (call $down (local.get 0)) (i64.const 1)))",
        check: "(drop (call $down (i64.const 1))) unreachable",
        ..Written::default()
    };
    let outside = Written { check: "(i32.load (i32.const -4))", ..Written::default() };
    for (written, word) in [(trap, "unreachable"), (recursion, "stack"), (outside, "out of bounds")] {
        match breach(&written.policy()) {
            PolicyError::Trapped(text) => assert!(text.contains(word), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

/// The answer `failure` with a message at this place of the memory.
fn message(at: u32, length: u32) -> String {
    let put = |to: u32, value: u32| format!("(i32.store (i32.const {to}) (i32.const {value}))");
    format!("{} {} {ANSWER}", put(8, at), put(12, length))
}

#[test]
fn texts_that_would_fool_a_reader_are_refused() {
    let texts = [
        (r"\1b[2Jall is well", 16),
        (r"first\nsecond", 12),
        (r"bell\07", 5),
        (r"\c2\9b31m", 5),
        // Not UTF-8 at all.
        (r"\ff\fe", 2),
    ];
    for (text, length) in texts {
        let declarations = format!(r#"(data (i32.const 1024) "{text}")"#);
        let check = message(1024, length);
        let written = Written { declarations: &declarations, check: &check, ..Written::default() };
        assert!(matches!(breach(&written.policy()), PolicyError::InvalidOutput(_)), "{text}");
    }
    let plain = message(1024, 4);
    let written = Written { declarations: r#"(data (i32.const 1024) "fine")"#, check: &plain, ..Written::default() };
    assert_eq!(ask(&written.policy()).unwrap_err().to_string(), "fine");
}

#[test]
fn answers_are_bounded() {
    // A text of 100 MB that is not there, one that is longer than the memory has left, and one that is just too long.
    for (at, length) in [(0, 100_000_000), (1024, 1 << 20), (1024, 500_000)] {
        let check = message(at, length);
        let written = Written { check: &check, ..Written::default() };
        assert!(matches!(breach(&written.policy()), PolicyError::InvalidOutput(_)), "{length}");
    }
    // A hundred texts of 1 MB that are all the same place: little memory inside, 100 MB outside.
    let declarations = "(func $put (param i32 i32) (i32.store (local.get 0) (local.get 1)))";
    let compile_settings = "(local $n i32)
        (memory.fill (i32.const 65536) (i32.const 32) (i32.const 900000))
        (loop $on
            (call $put (i32.add (i32.const 4096) (i32.mul (local.get $n) (i32.const 20))) (i32.const 65536))
            (call $put (i32.add (i32.const 4100) (i32.mul (local.get $n) (i32.const 20))) (i32.const 900000))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $on (i32.lt_u (local.get $n) (i32.const 100))))
        (i32.store8 (i32.const 0) (i32.const 1))
        (call $put (i32.const 4) (i32.const 4096)) (call $put (i32.const 8) (i32.const 100)) (i32.const 0)";
    let policy = Written { declarations, compile_settings, ..Written::default() }.policy();
    let error = policy.compile_settings(b"").unwrap_err();
    assert!(matches!(error, SettingsError::Policy(PolicyError::InvalidOutput(_))), "{error:?}");
}

#[test]
fn input_is_bounded() {
    let policy = load(Written::default().component(), Limits { body: 10, context: 5, ..Limits::default() }).unwrap();
    let check = |body: &[u8], live: &[u8], fact: &[u8]| {
        let fact = Fact { about: Subject::Declared, source: Source::Operator, answer: Answer::Found(fact) };
        let request = Request { envelope: Envelope::Manifest(Some(live)), body };
        policy.check(&request, &[fact], &Settings::default()).unwrap_err()
    };
    let too_large = |what, size, limit| PolicyError::InputTooLarge { what, size, limit }.into();
    assert_eq!(check(b"12345678901", b"", b""), too_large(Input::Body, 11, 10));
    assert_eq!(check(b"1234567890", b"123", b"456"), too_large(Input::Context, 6, 5));
    assert!(matches!(check(b"1234567890", b"123", b"45"), sluicegate::CheckError::Unjudgeable(_)));
}
