//! How many calls run at once: a counting lock whose callers wait a bounded time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::error::PolicyError;

/// The free sandboxes.
pub(super) struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

/// The right to use one sandbox.
pub(super) struct Slot<'s>(&'s Slots);

impl Slots {
    pub(super) fn new(count: u32) -> Self {
        Self { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    /// Takes a sandbox, or waits for one.
    pub(super) fn take(&self, wait: Duration) -> Result<Slot<'_>, PolicyError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) =
            self.freed.wait_timeout_while(free, wait, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        if *free == 0 {
            return Err(PolicyError::Busy { waited: wait });
        }
        *free -= 1;
        Ok(Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_waits_its_time_and_no_longer() {
        let slots = Slots::new(1);
        let first = slots.take(Duration::ZERO).unwrap();
        let wait = Duration::from_millis(5);
        assert_eq!(slots.take(wait).err(), Some(PolicyError::Busy { waited: wait }));
        std::thread::scope(|scope| {
            let second = scope.spawn(|| slots.take(Duration::from_secs(10)).is_ok());
            drop(first);
            assert!(second.join().unwrap());
        });
    }
}
