//! How many bytes all objects may take together. Who frees some tells those that wait for room.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// What an entry takes beside the bytes of its object and its name: the nodes of the maps, the version, the counters.
pub(super) const ENTRY: usize = 192;

pub(super) struct Budget {
    limit: usize,
    used: AtomicUsize,
    freed: watch::Sender<()>,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), freed: watch::Sender::new(()) }
    }

    /// Takes `bytes`, when they are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub(super) fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            let less = |used: usize| Some(used.saturating_sub(bytes));
            let _: Result<usize, usize> = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            self.freed.send_replace(());
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn free(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    /// Tells when bytes were given back.
    pub(super) fn freed(&self) -> watch::Receiver<()> {
        self.freed.subscribe()
    }
}
