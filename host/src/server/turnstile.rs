//! Bounds what is judged at once and what waits for it. Above that a request is turned away at once, which leaves
//! whoever asked the time to try elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::door::Door;

/// A place for everyone inside, and few sandboxes.
#[derive(Debug)]
pub struct Turnstile {
    sandboxes: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
    most_inside: usize,
}

/// One for each kind of door, so that none keeps another from its work: what many check must not hold up a review.
#[derive(Debug)]
pub struct Turnstiles {
    /// Of the webhook.
    reviews: Turnstile,
    /// Of the authorizer and the proxies.
    calls: Turnstile,
    /// Of the check API: a quarter.
    checks: Turnstile,
    concurrency: usize,
}

impl Turnstiles {
    /// `concurrency` are judged at once, and `queue` more may wait, at each kind of door.
    pub fn new(concurrency: usize, queue: usize) -> Self {
        let whole = || Turnstile::new(concurrency, queue);
        let checks = Turnstile::new(concurrency / 4, queue / 4);
        Self { reviews: whole(), calls: whole(), checks, concurrency: concurrency.max(1) }
    }

    /// The one of this door.
    pub fn of(&self, door: Door) -> &Turnstile {
        match door {
            Door::Validate => &self.reviews,
            Door::Authorize(_) | Door::Proxy(_) => &self.calls,
            Door::Check => &self.checks,
        }
    }

    /// How many sandboxes all of them need, with one for the second judge and one for settings that are loaded.
    pub fn sandboxes(&self) -> u32 {
        let all = 2 * self.concurrency + (self.concurrency / 4).max(1) + 2;
        u32::try_from(all).unwrap_or(u32::MAX)
    }
}

/// A request that was let in; it leaves when this is dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

/// Why a request was not judged in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// Too many are waiting already.
    #[error("too many requests are waiting; try again in a second")]
    Full,
    /// Its time was over before it was its turn.
    #[error("the time for an answer was over before a sandbox was free; try again in a second")]
    Late,
}

impl Turnstile {
    /// `concurrency` are judged at once, `queue` more may wait.
    pub fn new(concurrency: usize, queue: usize) -> Self {
        let sandboxes = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            sandboxes: Arc::new(Semaphore::new(sandboxes)),
            inside: Arc::default(),
            most_inside: sandboxes.saturating_add(queue),
        }
    }

    /// Lets a request in, if there is room.
    ///
    /// # Errors
    /// [`TurnedAway::Full`] when there is none.
    pub fn enter(&self) -> Result<Place, TurnedAway> {
        // The place leaves again when it is dropped, also the one too many.
        let place = Place(Arc::clone(&self.inside));
        match self.inside.fetch_add(1, Ordering::Relaxed) < self.most_inside {
            true => Ok(place),
            false => Err(TurnedAway::Full),
        }
    }

    /// Waits for a sandbox.
    ///
    /// # Errors
    /// [`TurnedAway::Late`] when none became free in time.
    pub async fn sandbox(&self, until: Instant) -> Result<OwnedSemaphorePermit, TurnedAway> {
        // Whoever has arrived meanwhile is let in, or turned away, before the next one is judged on this thread: else they
        // would wait uncounted.
        tokio::task::yield_now().await;
        if Instant::now() >= until {
            return Err(TurnedAway::Late);
        }
        // Those who wait come first: nothing is left for this while there are any.
        if let Ok(free) = Arc::clone(&self.sandboxes).try_acquire_owned() {
            return Ok(free);
        }
        let free = tokio::time::timeout_at(until, Arc::clone(&self.sandboxes).acquire_owned()).await;
        free.ok().and_then(Result::ok).ok_or(TurnedAway::Late)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{TurnedAway, Turnstile};

    #[test]
    fn whoever_is_one_too_many_is_turned_away_and_leaves_no_trace() {
        let turnstile = Turnstile::new(1, 1);
        let first = turnstile.enter().unwrap();
        let second = turnstile.enter().unwrap();
        for _ in 0..3 {
            assert_eq!(turnstile.enter().unwrap_err(), TurnedAway::Full);
        }
        drop(first);
        let third = turnstile.enter().unwrap();
        drop((second, third));
        assert!(turnstile.enter().is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_told() {
        let turnstile = Turnstile::new(1, 1);
        let busy = turnstile.sandbox(Instant::now() + Duration::from_secs(5)).await.unwrap();
        let late = turnstile.sandbox(Instant::now() + Duration::from_millis(5)).await;
        assert_eq!(late.unwrap_err(), TurnedAway::Late);
        drop(busy);
        assert!(turnstile.sandbox(Instant::now() + Duration::from_secs(5)).await.is_ok());
    }
}
