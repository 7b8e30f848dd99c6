//! The clock that lets runaway calls be stopped: a thread that advances the engine's epoch every millisecond while
//! calls are in flight, and sleeps otherwise.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::Engine;

use super::error::PolicyError;

const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the thread goes to sleep: waking it costs a call more than a few idle ticks do.
const PATIENCE: u32 = 100;

/// Ticks for one engine. Dropping it ends the thread.
pub(super) struct Clock {
    shared: Arc<Shared>,
    thread: OnceLock<Option<JoinHandle<()>>>,
}

struct Shared {
    engine: Engine,
    calls: AtomicUsize,
    asleep: AtomicBool,
    stop: Mutex<bool>,
    wake: Condvar,
}

/// A call in flight.
pub(super) struct Running<'c>(&'c Shared);

impl Clock {
    pub(super) fn new(engine: Engine) -> Self {
        let shared = Shared {
            engine,
            calls: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            stop: Mutex::new(false),
            wake: Condvar::new(),
        };
        Self { shared: Arc::new(shared), thread: OnceLock::new() }
    }

    /// Keeps the clock ticking for as long as the answer lives.
    pub(super) fn start(&self) -> Result<Running<'_>, PolicyError> {
        let thread = self.thread.get_or_init(|| {
            let shared = Arc::clone(&self.shared);
            std::thread::Builder::new().name("sluicegate-clock".to_owned()).spawn(move || shared.tick()).ok()
        });
        if thread.is_none() {
            return Err(PolicyError::NoSandbox("the thread that stops runaway calls cannot be started".to_owned()));
        }
        self.shared.calls.fetch_add(1, SeqCst);
        if self.shared.asleep.load(SeqCst) {
            // With the lock held the thread is either before its look at `calls`, or already waiting.
            let _stop = self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.wake.notify_one();
        }
        Ok(Running(&self.shared))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.wake.notify_one();
        if let Some(Some(thread)) = self.thread.take() {
            // It cannot have panicked, and there is nobody to tell if it did.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn tick(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stop {
            self.asleep.store(true, SeqCst);
            while self.calls.load(SeqCst) == 0 && !*stop {
                stop = self.wake.wait(stop).unwrap_or_else(PoisonError::into_inner);
            }
            self.asleep.store(false, SeqCst);
            let (awake, mut ticks, mut idle) = (Instant::now(), 0, 0);
            while idle < PATIENCE && !*stop {
                stop = self.wake.wait_timeout(stop, TICK).unwrap_or_else(PoisonError::into_inner).0;
                // A busy machine may have held this thread up: what was missed is made good.
                let due = awake.elapsed().as_millis();
                while ticks < due {
                    self.engine.increment_epoch();
                    ticks += 1;
                }
                idle = if self.calls.load(SeqCst) == 0 { idle + 1 } else { 0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_until(what: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !what() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(TICK);
        }
        what()
    }

    #[test]
    fn it_sleeps_without_calls_wakes_with_one_and_ends_with_its_owner() {
        let clock = Clock::new(Engine::default());
        let shared = Arc::clone(&clock.shared);
        drop(clock.start().unwrap());
        assert!(wait_until(|| shared.asleep.load(SeqCst)), "it should go to sleep");
        let running = clock.start().unwrap();
        assert!(wait_until(|| !shared.asleep.load(SeqCst)), "it should wake up");
        drop(running);
        drop(clock);
        assert_eq!(Arc::strong_count(&shared), 1, "the thread should have ended");
    }
}
