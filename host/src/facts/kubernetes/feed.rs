//! Keeps one shelf up to date: a list in pages, then watches one after the other. Our own loop instead of
//! `kube::runtime::watcher`, which reads pages and lines of any length, decodes whole pages into trees, logs bodies that it
//! cannot read, opens a watch anew at once when a server keeps ending it, and does not tell that a silent watch is alive.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::json::{self, Malformed};
use super::reads::{PAGE, Reads, Trouble, refused_by};
use super::target::{Phase, RAISE, Target};

/// How patiently the API server is asked.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// How long a watch stays open, and how long after that it may stay silent.
    pub(super) watch: Duration,
    pub(super) grace: Duration,
    /// The first wait after a failure, and the longest. Each is up to twice the one before.
    pub(super) first: Duration,
    pub(super) longest: Duration,
    /// A watch that lasted this long was a good one.
    pub(super) steady: Duration,
    /// How often everything is listed although the watch works: after a restore of etcd, versions start over, and a
    /// watch from a later one stays silent without an error.
    pub(super) relist: Duration,
    /// How often a kind that is not installed is looked for.
    pub(super) not_installed: Duration,
    /// How long room is collected before objects that did not fit are asked for, and how often anyway.
    pub(super) refill: Duration,
    pub(super) refill_anyway: Duration,
}

impl Pace {
    /// Each watch ends, and so shows that it was alive, well before its answers count as stale.
    pub(super) fn for_stale(stale: Duration) -> Self {
        Self {
            watch: stale * 5 / 8,
            grace: stale / 8,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            steady: Duration::from_secs(5),
            relist: Duration::from_secs(30 * 60),
            not_installed: Duration::from_secs(10).min(stale / 3),
            refill: Duration::from_secs(1),
            refill_anyway: Duration::from_secs(60),
        }
    }
}

/// Keeps the shelf of the target up to date, until it is dropped.
pub(super) async fn follow(target: Arc<Target>, reads: Reads, pace: Pace) {
    let mut feed = Feed { target, reads, backoff: Backoff { pace: pace.clone(), next: pace.first }, pace, limit: PAGE };
    loop {
        match feed.list().await {
            Ok(version) => feed.watch(version).await,
            Err(Trouble::NotFound) => feed.look_for_kind().await,
            // So many objects of this size are not written at once.
            Err(Trouble::TooLong) if feed.limit > 1 => feed.limit /= 2,
            Err(trouble) => feed.failed(&trouble).await,
        }
    }
}

/// After so many failures in a row the version may be at fault: list again.
const FAILURES: u32 = 3;

struct Feed {
    target: Arc<Target>,
    reads: Reads,
    pace: Pace,
    backoff: Backoff,
    limit: u32,
}

impl Feed {
    /// Reads everything. What was known before stays in its place until then.
    async fn list(&mut self) -> Result<String, Trouble> {
        self.target.write().shelf.begin();
        let mut next = None;
        loop {
            let page = self.reads.page(self.limit, next).await?;
            let mut state = self.target.write();
            for object in page.objects {
                state.shelf.put(object);
            }
            if page.next.is_none() {
                state.shelf.complete();
                state.phase = Phase::Synced;
                state.lists += 1;
                let (totals, overflown) = (state.shelf.totals, state.shelf.overflown());
                drop(state);
                self.target.proven();
                let (kind, objects, missing) = (self.target.kind.name, totals.objects, totals.not_held);
                tracing::debug!(kind, objects, "listed");
                if overflown || missing > 0 {
                    tracing::warn!(kind, objects, missing, "not all objects fit into the cache: {RAISE}");
                }
                return Ok(page.version);
            }
            next = page.next;
        }
    }

    /// Watches from this version on, until everything must be listed again.
    async fn watch(&mut self, mut version: String) {
        let listed = Instant::now();
        let mut failures = 0;
        loop {
            let opened = Instant::now();
            self.target.write().watches += 1;
            let outcome = self.one_watch(&mut version).await;
            let steady = opened.elapsed() >= self.pace.steady;
            if steady {
                self.backoff.reset();
                failures = 0;
            }
            match outcome {
                Ok(()) if self.target.read().shelf.overflown() => return self.backoff.wait().await,
                Ok(()) if listed.elapsed() > self.pace.relist => return,
                Ok(()) if steady => {}
                // A server that ends every watch at once is not asked in a circle.
                Ok(()) => self.backoff.wait().await,
                Err(trouble @ Trouble::Failed(_)) => {
                    self.failed(&trouble).await;
                    failures += 1;
                    if failures == FAILURES {
                        return;
                    }
                }
                Err(Trouble::Gone) => {
                    tracing::debug!(kind = self.target.kind.name, "the version is too old, listing again");
                    if !steady {
                        self.backoff.wait().await;
                    }
                    return;
                }
                Err(trouble) => return self.failed(&trouble).await,
            }
        }
    }

    /// One watch, until the server ends it. `version` follows what was read.
    async fn one_watch(&mut self, version: &mut String) -> Result<(), Trouble> {
        // Watches of several replicas and kinds do not all end together.
        let lasting = spread(self.pace.watch);
        let mut lines = self.reads.watch(version, lasting).await?;
        self.target.proven();
        let silence = lasting + self.pace.grace;
        loop {
            let silent = |_| Trouble::Failed(format!("no word from the API server for {} s", silence.as_secs()));
            let Some(line) = timeout(silence, lines.next()).await.map_err(silent)?? else {
                self.target.proven();
                return Ok(());
            };
            self.event(&line, version)?;
            self.target.proven();
        }
    }

    fn event(&self, line: &[u8], version: &mut String) -> Result<(), Trouble> {
        let unreadable = |Malformed| Trouble::Unreadable("an event");
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let members = json::members(line).map_err(unreadable)?;
        let named = |name: &str| members.iter().find_map(|(key, value)| (key == name).then_some(*value));
        let kind = named("type").and_then(|kind| json::text_of(kind).ok()).unwrap_or_default();
        let object = named("object").unwrap_or_default();
        match kind.as_str() {
            "ERROR" => return Err(refused_by(object)),
            "BOOKMARK" => {
                let metadata = json::member(object, "metadata").map_err(unreadable)?.unwrap_or(b"{}");
                let at = json::text_member(metadata, "resourceVersion").map_err(unreadable)?;
                *version = at.filter(|at| !at.is_empty()).unwrap_or_else(|| version.clone());
                return Ok(());
            }
            _ => {}
        }
        let object = self.target.kind.read(object).map_err(unreadable)?;
        if !object.version.is_empty() {
            version.clone_from(&object.version);
        }
        let mut state = self.target.write();
        match kind.as_str() {
            "ADDED" | "MODIFIED" => state.shelf.put(object),
            "DELETED" => state.shelf.remove(&object.namespace, &object.name),
            other => tracing::warn!(kind = self.target.kind.name, event = other, "an unknown event is ignored"),
        }
        Ok(())
    }

    /// Its path is missing: nothing of this kind can exist when the server does not know it.
    async fn look_for_kind(&mut self) {
        match self.reads.is_installed().await {
            Ok(false) => {
                self.target.not_installed();
                self.target.proven();
                self.backoff.reset();
                sleep(spread(self.pace.not_installed)).await;
            }
            Ok(true) => self.failed(&Trouble::NotFound).await,
            Err(trouble) => self.failed(&trouble).await,
        }
    }

    async fn failed(&mut self, trouble: &Trouble) {
        self.target.failed(trouble);
        self.backoff.wait().await;
    }
}

/// Asks for objects again that did not fit, when others are gone.
pub(super) async fn refill(target: Arc<Target>, reads: Reads, mut freed: watch::Receiver<()>, pace: Pace) {
    loop {
        if let Ok(Err(_)) = timeout(pace.refill_anyway, freed.changed()).await {
            return;
        }
        sleep(pace.refill).await;
        freed.mark_unchanged();
        let missing = target.read().shelf.missing();
        for lost in missing {
            match reads.one(&lost.namespace, &lost.name).await {
                Ok(object) => target.write().shelf.fill(object),
                // The watch tells that it is gone.
                Err(Trouble::NotFound) => {}
                Err(trouble) => {
                    let reason = trouble.to_string();
                    tracing::debug!(kind = target.kind.name, reason, "an object that fits again cannot be read");
                    break;
                }
            }
        }
    }
}

struct Backoff {
    pace: Pace,
    next: Duration,
}

impl Backoff {
    fn reset(&mut self) {
        self.next = self.pace.first;
    }

    async fn wait(&mut self) {
        sleep(spread(self.next)).await;
        self.next = (self.next * 2).min(self.pace.longest);
    }
}

/// Between three quarters of it and all of it.
fn spread(duration: Duration) -> Duration {
    // The standard library's keys of a hash map are random, which is all the randomness that this needs.
    let random = RandomState::new().build_hasher().finish() % 1000;
    let random = u32::try_from(random).unwrap_or_default();
    duration - duration / 4000 * random
}
