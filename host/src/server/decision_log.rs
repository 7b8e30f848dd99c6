//! The decision log: one JSON line for each judgement, with all that is needed to judge the same request again. Writing
//! never holds up a request: what the disk does not take is counted and left out.

mod file;
mod line;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::door::{Door, Mode, Timings};
use super::metrics::Metrics;
use crate::facts::Answered;
use crate::input::Envelope;
use crate::{Lookup, Source};
use file::Rotated;

/// How many entries may wait for the disk.
const MOST_WAITING: usize = 4096;
/// How many bytes they may have together.
const MOST_BYTES: usize = 64 << 20;
/// How often the same trouble is said.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(60);

/// Where the log is, and how large it may become.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file; older ones are called `FILE.1`, `FILE.2`, ….
    pub path: PathBuf,
    /// The size in bytes above which a new file is begun.
    pub bytes: u64,
    /// How many older files are kept.
    pub keep: usize,
}

/// One judgement.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When the request came.
    pub at: SystemTime,
    /// The uid of a review, or one made up.
    pub id: String,
    /// Where it came in.
    pub door: Door,
    /// What a refusal does there.
    pub mode: Mode,
    /// The authenticated caller.
    pub caller: Option<String>,
    /// How the request travels.
    pub envelope: Envelope,
    /// The exact bytes that were judged; `None`: nobody read them.
    pub body: Option<Bytes>,
    /// The object that a manifest would change, as it was then.
    pub live: Option<Bytes>,
    /// The declared facts, in the order in which the policy got them.
    pub declared: Vec<(Source, Arc<[u8]>)>,
    /// What reads answered.
    pub observed: Vec<(Lookup, Answered)>,
    /// See [`settings_digest`](crate::logged::settings_digest).
    pub settings: Arc<str>,
    /// Of the policy.
    pub policy: Arc<str>,
    /// The verdict's document, or why there is none.
    pub outcome: Result<String, String>,
    /// Whether the request went on.
    pub passed: bool,
    /// Where the time went.
    pub timings: Timings,
}

/// Writes entries to a file, in a thread of its own.
#[derive(Debug)]
pub struct DecisionLog {
    sender: Option<SyncSender<Box<Entry>>>,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    writer: Option<JoinHandle<()>>,
}

impl DecisionLog {
    /// Opens the log for appending, readable for its owner only.
    ///
    /// # Errors
    /// When the file cannot be written to.
    pub fn open(options: Options, metrics: Arc<Metrics>) -> io::Result<Self> {
        let file = Rotated::open(options)?;
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer { file, waiting: waiting.clone(), metrics: metrics.clone(), trouble: Trouble::default() };
        let writer =
            std::thread::Builder::new().name("decision-log".to_owned()).spawn(move || writer.run(&receiver))?;
        Ok(Self { sender: Some(sender), waiting, metrics, writer: Some(writer) })
    }

    /// Hands an entry to the writer. When too many wait already, it is dropped and counted.
    pub fn record(&self, entry: Entry) {
        let size = entry.size();
        let fits = self.waiting.fetch_add(size, Ordering::Relaxed).saturating_add(size) <= MOST_BYTES;
        let sent = match (&self.sender, fits) {
            (Some(sender), true) => match sender.try_send(Box::new(entry)) {
                Ok(()) => true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
            },
            _ => false,
        };
        if !sent {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            self.metrics.decision_log_failed();
        }
    }

    /// Writes what is still waiting, and ends. It may take as long as the disk does: call it where that blocks nobody.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to say.
            let _ = writer.join();
        }
    }
}

impl Entry {
    /// Roughly what it holds in memory.
    fn size(&self) -> usize {
        let declared = self.declared.iter().map(|(_, document)| document.len()).sum::<usize>();
        let observed = self.observed.iter().map(|(_, answer)| match answer {
            Answered::Found(bytes) => bytes.len(),
            Answered::Absent | Answered::Unavailable(_) => 0,
        });
        let outcome = self.outcome.as_ref().map_or_else(String::len, String::len);
        let bodies = [&self.body, &self.live].into_iter().flatten().map(Bytes::len).sum::<usize>();
        size_of::<Self>() + bodies + declared + observed.sum::<usize>() + outcome
    }
}

/// Says the same trouble once in a while only.
#[derive(Default)]
struct Trouble {
    said: Option<Instant>,
    lost: u64,
}

struct Writer {
    file: Rotated,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    trouble: Trouble,
}

impl Writer {
    /// Until the log is dropped and all is written. Lines are gathered while more of them wait, and no longer.
    fn run(mut self, entries: &Receiver<Box<Entry>>) {
        loop {
            let next = match entries.try_recv() {
                Err(TryRecvError::Empty) => {
                    let flushed = self.file.flush();
                    self.see(flushed);
                    entries.recv().ok()
                }
                Ok(entry) => Some(entry),
                Err(TryRecvError::Disconnected) => None,
            };
            let Some(entry) = next else { break };
            let line = line::of(&entry);
            self.waiting.fetch_sub(entry.size(), Ordering::Relaxed);
            drop(entry);
            let written = self.file.line(line.as_bytes());
            self.see(written);
        }
        let flushed = self.file.flush();
        self.see(flushed);
    }

    fn see(&mut self, lost: Result<(), file::Lost>) {
        let Err(file::Lost { lines, error }) = lost else { return };
        for _ in 0..lines {
            self.metrics.decision_log_failed();
        }
        self.trouble.lost += lines;
        if self.trouble.said.is_none_or(|said| said.elapsed() >= BETWEEN_COMPLAINTS) {
            tracing::error!(
                lost = self.trouble.lost,
                "cannot write the decision log: {error}; make room for it, requests are judged all the same"
            );
            self.trouble = Trouble { said: Some(Instant::now()), lost: 0 };
        }
    }
}

#[cfg(test)]
mod tests;
