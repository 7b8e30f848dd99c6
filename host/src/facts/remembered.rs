//! What was just looked up: many callers share one read, an answer is good for a moment, and a source that is down costs
//! nobody the wait for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Answered;
use super::live::{How, Read};

/// How long a caller waits for a source that was down a moment ago: enough for one that is back.
const PATIENCE: Duration = Duration::from_millis(100);
/// Why nothing came before the caller's deadline.
const TOO_LATE: &str = "no answer came in time";

/// How much is remembered, and for how long.
#[derive(Clone, Debug)]
pub struct Memory {
    /// How long something found is good, from the start of its read. One second: a stop must not be judged by an old
    /// state, and Flink itself shows states up to three seconds old (`web.refresh-interval`). Five times as long for
    /// savepoint locations: what is written there stays as it is.
    pub found: Duration,
    /// How long it is known that there is nothing, from the start of the read. One second.
    pub absent: Duration,
    /// How long a failure stands, from its end; for as long a source that cannot be reached is not asked. One second.
    pub failure: Duration,
    /// Answers that are kept at most. 1024.
    pub count: usize,
    /// Bytes that are kept at most. 16 MiB.
    pub bytes: usize,
    /// Reads of one host or store that are under way at most: one that hangs does not keep others from being asked. 64;
    /// a quarter for savepoint locations, whose answers are large.
    pub under_way: usize,
    /// How long one read may take, with all its pages. Five seconds.
    pub longest: Duration,
}

impl Default for Memory {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            found: second,
            absent: second,
            failure: second,
            count: 1024,
            bytes: 16 << 20,
            under_way: 64,
            longest: Duration::from_secs(5),
        }
    }
}

/// Answers of one source, shared by all who ask.
#[derive(Debug)]
pub(super) struct Remembered {
    options: Memory,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    bytes: usize,
    serial: u64,
    /// For reads of each part of the source (hosts, buckets). Parts come from the configuration; there are as many as were
    /// configured.
    permits: BTreeMap<String, Arc<Semaphore>>,
    /// Parts that could not be reached.
    down: BTreeMap<String, Down>,
}

#[derive(Debug)]
struct Entry {
    serial: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Known { answer: Arc<Answered>, until: Instant, size: usize },
    UnderWay(watch::Receiver<Option<Arc<Answered>>>),
}

#[derive(Debug)]
struct Down {
    why: Arc<Answered>,
    until: Instant,
    /// Somebody asks whether it is back.
    probed: bool,
}

/// A read that is under way. However it ends, it does not stay under way.
struct Flight {
    memory: Arc<Remembered>,
    key: String,
    part: String,
    serial: u64,
}

impl Remembered {
    pub(super) fn new(options: Memory) -> Arc<Self> {
        Arc::new(Self { options, state: Mutex::default() })
    }

    /// The answer to `key`: known, or of a read that is under way, or of a new one. `part`: what is down when it cannot be
    /// reached. The read goes on when its callers have gone.
    pub(super) async fn answer<F>(
        self: &Arc<Self>,
        part: String,
        key: String,
        until: Instant,
        read: impl FnOnce() -> F,
    ) -> (Answered, How)
    where
        F: Future<Output = Read> + Send + 'static,
    {
        let (mut receiver, until) = match self.begin(&part, &key, until) {
            Begin::Known(answer) => return (Answered::clone(&answer), How::Hit),
            Begin::Join(receiver, until) => (receiver, until),
            Begin::Refused(answer) => return (Answered::clone(&answer), How::Failure),
            Begin::Read { sender, receiver, serial, permit, until } => {
                let flight = Flight { memory: Arc::clone(self), key, part, serial };
                let read = read();
                tokio::spawn(async move {
                    let started = Instant::now();
                    let read = timeout(flight.memory.options.longest, read).await;
                    drop(permit);
                    let read = read.unwrap_or_else(|_| Read::unreachable("it did not answer in time"));
                    let answer = Arc::new(read.answer);
                    let stands = flight.land(&answer, read.reached, started);
                    // Whoever still waits gets it, whether it is kept or not.
                    let _ = sender.send(Some(answer));
                    if let Some(until) = stands {
                        sleep_until(until).await;
                    }
                });
                (receiver, until)
            }
        };
        let answer = match timeout_at(until, receiver.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => answer.as_deref().cloned(),
            Ok(Err(_)) => Some(Answered::Unavailable("the read broke down".to_owned())),
            Err(_) => None,
        };
        let answer = answer.unwrap_or_else(|| Answered::Unavailable(TOO_LATE.to_owned()));
        let how = if matches!(answer, Answered::Unavailable(_)) { How::Failure } else { How::Miss };
        (answer, how)
    }

    /// Forgets all answers but failures. Reads that are under way are still answered to those who wait, and not kept.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        let failure = |entry: &Entry| match &entry.what {
            What::Known { answer, .. } => matches!(**answer, Answered::Unavailable(_)),
            What::UnderWay(_) => false,
        };
        state.entries.retain(|_, entry| failure(entry));
        state.bytes = state.entries.values().map(Entry::size).sum();
    }

    fn begin(&self, part: &str, key: &str, until: Instant) -> Begin {
        let mut state = self.lock();
        let now = Instant::now();
        let brief = until.min(now + PATIENCE);
        let patience = |state: &State| if state.down.contains_key(part) { brief } else { until };
        match state.entries.get(key).map(|entry| &entry.what) {
            Some(What::Known { answer, until, .. }) if *until > now => {
                return match **answer {
                    Answered::Unavailable(_) => Begin::Refused(Arc::clone(answer)),
                    _ => Begin::Known(Arc::clone(answer)),
                };
            }
            Some(What::UnderWay(receiver)) => return Begin::Join(receiver.clone(), patience(&state)),
            _ => {}
        }
        if let Some(down) = state.down.get(part)
            && (down.until > now || down.probed)
        {
            return Begin::Refused(Arc::clone(&down.why));
        }
        let most = self.options.under_way.clamp(1, Semaphore::MAX_PERMITS);
        let permits = state.permits.entry(part.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(most)));
        let Ok(permit) = Arc::clone(permits).try_acquire_owned() else {
            return Begin::Refused(Arc::new(Answered::Unavailable("too many look-ups are under way".to_owned())));
        };
        let until = patience(&state);
        if let Some(down) = state.down.get_mut(part) {
            down.probed = true;
        }
        state.serial += 1;
        let serial = state.serial;
        let (sender, receiver) = watch::channel(None);
        state.put(key.to_owned(), Entry { serial, what: What::UnderWay(receiver.clone()) });
        Begin::Read { sender, receiver, serial, permit, until }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; were it so, the worst is a read too many.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Begin {
    Known(Arc<Answered>),
    Refused(Arc<Answered>),
    Join(watch::Receiver<Option<Arc<Answered>>>, Instant),
    Read {
        sender: watch::Sender<Option<Arc<Answered>>>,
        receiver: watch::Receiver<Option<Arc<Answered>>>,
        serial: u64,
        permit: tokio::sync::OwnedSemaphorePermit,
        until: Instant,
    },
}

impl Flight {
    /// Keeps the answer, and says until when it stands.
    fn land(&self, answer: &Arc<Answered>, reached: bool, started: Instant) -> Option<Instant> {
        let options = &self.memory.options;
        let now = Instant::now();
        let until = match **answer {
            Answered::Found(_) => started + options.found,
            Answered::Absent => started + options.absent,
            Answered::Unavailable(_) => now + options.failure,
        };
        let mut state = self.memory.lock();
        match reached {
            true => {
                state.down.remove(&self.part);
            }
            false => {
                let down = Down { why: Arc::clone(answer), until: now + options.failure, probed: false };
                state.down.insert(self.part.clone(), down);
            }
        }
        if state.entries.get(&self.key).is_none_or(|entry| entry.serial != self.serial) {
            return None;
        }
        state.remove(&self.key);
        let size = size(&self.key, answer);
        if until <= now || size > options.bytes {
            return None;
        }
        while state.entries.len() >= options.count.max(1) || state.bytes + size > options.bytes {
            if !state.remove_oldest() {
                return None;
            }
        }
        let what = What::Known { answer: Arc::clone(answer), until, size };
        state.put(self.key.clone(), Entry { serial: self.serial, what });
        Some(until)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        if state.entries.get(&self.key).is_some_and(|entry| entry.serial == self.serial) {
            state.remove(&self.key);
        }
        // A read that broke down told nothing: the next one may ask.
        if let Some(down) = state.down.get_mut(&self.part)
            && down.until <= Instant::now()
        {
            down.probed = false;
        }
    }
}

impl State {
    fn put(&mut self, key: String, entry: Entry) {
        self.remove(&key);
        self.bytes += entry.size();
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(entry.size());
        }
    }

    /// Makes room. What is under way stays, and is bounded elsewhere.
    fn remove_oldest(&mut self) -> bool {
        let known = self.entries.iter().filter(|(_, entry)| matches!(entry.what, What::Known { .. }));
        let oldest = known.min_by_key(|(_, entry)| entry.serial).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| {
            self.remove(&key);
            true
        })
    }
}

impl Entry {
    fn size(&self) -> usize {
        match self.what {
            What::Known { size, .. } => size,
            What::UnderWay(_) => 0,
        }
    }
}

fn size(key: &str, answer: &Answered) -> usize {
    let held = match answer {
        Answered::Found(bytes) => bytes.capacity(),
        Answered::Unavailable(why) => why.capacity(),
        Answered::Absent => 0,
    };
    held + 2 * key.len() + size_of::<Entry>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::{How, Memory, Read, Remembered, TOO_LATE};
    use crate::facts::Answered;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn long() -> Memory {
        let long = Duration::from_secs(600);
        Memory { found: long, absent: long, failure: long, ..Memory::default() }
    }

    async fn ask(memory: &Arc<Remembered>, key: &str, read: Read) -> (Answered, How) {
        memory.answer("part".to_owned(), key.to_owned(), soon(), || async { read }).await
    }

    fn found(text: &str) -> Answered {
        Answered::Found(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn many_share_one_read_and_its_answer_stands_for_a_while() {
        let memory = Remembered::new(long());
        let (reads, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let (memory, reads, go) = (Arc::clone(&memory), Arc::clone(&reads), Arc::clone(&go));
                tokio::spawn(async move {
                    let read = || async move {
                        reads.fetch_add(1, Ordering::SeqCst);
                        go.notified().await;
                        Read::done(found("a"))
                    };
                    memory.answer("part".to_owned(), "k".to_owned(), soon(), read).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        go.notify_one();
        for caller in callers {
            let (answer, _) = caller.await.unwrap();
            assert_eq!(answer, found("a"));
        }
        assert_eq!(reads.load(Ordering::SeqCst), 1);
        assert_eq!(ask(&memory, "k", Read::done(found("b"))).await, (found("a"), How::Hit));
        memory.forget();
        assert_eq!(ask(&memory, "k", Read::done(found("b"))).await, (found("b"), How::Miss));
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_spoils_nothing() {
        let memory = Remembered::new(long());
        let go = Arc::new(Notify::new());
        let slow = {
            let go = Arc::clone(&go);
            || async move {
                go.notified().await;
                Read::done(found("a"))
            }
        };
        let brief = Instant::now() + Duration::from_millis(10);
        let (answer, how) = memory.answer("part".to_owned(), "k".to_owned(), brief, slow).await;
        assert_eq!((answer, how), (Answered::Unavailable(TOO_LATE.to_owned()), How::Failure));
        go.notify_one();
        assert_eq!(ask(&memory, "k", Read::done(found("b"))).await.0, found("a"));
        // One that is dropped half-way.
        let never = memory.answer("part".to_owned(), "d".to_owned(), soon(), || async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Read::done(found("d"))
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
        assert_eq!(ask(&memory, "d", Read::done(found("e"))).await.0, found("d"));
    }

    #[tokio::test]
    async fn a_source_that_is_down_is_left_alone() {
        let memory = Remembered::new(long());
        let down = ask(&memory, "k", Read::unreachable("refused")).await;
        assert_eq!(down, (Answered::Unavailable("refused".to_owned()), How::Failure));
        let never = || async { panic!("it was asked") };
        let other = memory.answer("part".to_owned(), "other".to_owned(), soon(), never).await;
        assert_eq!(other, down);
        // Another part of the source is not down.
        let elsewhere = memory.answer("else".to_owned(), "x".to_owned(), soon(), || async { Read::done(found("x")) });
        assert_eq!(elsewhere.await.0, found("x"));
    }

    #[tokio::test]
    async fn a_source_that_is_back_is_asked_again() {
        let memory = Remembered::new(Memory { failure: Duration::ZERO, ..long() });
        ask(&memory, "k", Read::unreachable("refused")).await;
        assert_eq!(ask(&memory, "k", Read::done(found("a"))).await.0, found("a"));
        assert_eq!(ask(&memory, "l", Read::unavailable("500")).await.1, How::Failure);
        assert_eq!(ask(&memory, "l", Read::done(Answered::Absent)).await, (Answered::Absent, How::Miss));
    }

    #[tokio::test]
    async fn a_read_that_breaks_down_does_not_stay_under_way() {
        let memory = Remembered::new(long());
        let broken = memory.answer("part".to_owned(), "k".to_owned(), soon(), || async { panic!("broken") });
        assert_eq!(broken.await.1, How::Failure);
        assert_eq!(ask(&memory, "k", Read::done(found("a"))).await.0, found("a"));
        assert!(memory.lock().permits["part"].available_permits() >= 63);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let memory = Remembered::new(Memory { count: 10, bytes: 40 << 10, under_way: 2, ..long() });
        for number in 0..100 {
            ask(&memory, &number.to_string(), Read::done(Answered::Found(vec![0; 8 << 10]))).await;
        }
        ask(&memory, "large", Read::done(Answered::Found(vec![0; 64 << 10]))).await;
        {
            let state = memory.lock();
            assert!(state.entries.len() <= 4 && state.bytes <= 40 << 10, "{} {}", state.entries.len(), state.bytes);
            assert!(state.entries.contains_key("99") && !state.entries.contains_key("large"));
        }
        let pending = |key: &str| {
            let (memory, key) = (Arc::clone(&memory), key.to_owned());
            async move {
                let until = Instant::now() + Duration::from_millis(5);
                memory.answer("part".to_owned(), key, until, std::future::pending::<Read>).await.0
            }
        };
        assert_eq!(pending("a").await, Answered::Unavailable(TOO_LATE.to_owned()));
        assert_eq!(pending("b").await, Answered::Unavailable(TOO_LATE.to_owned()));
        let refused = pending("c").await;
        assert!(matches!(&refused, Answered::Unavailable(why) if why.contains("too many")), "{refused:?}");
        // Another part has room of its own.
        let elsewhere = memory.answer("else".to_owned(), "x".to_owned(), soon(), || async { Read::done(found("x")) });
        assert_eq!(elsewhere.await.0, found("x"));
    }

    #[tokio::test]
    async fn what_is_old_is_given_back() {
        let memory = Remembered::new(Memory { found: Duration::from_millis(20), ..long() });
        ask(&memory, "k", Read::done(Answered::Found(vec![0; 1024]))).await;
        while memory.lock().bytes > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(ask(&memory, "k", Read::done(found("b"))).await.0, found("b"));
    }
}
