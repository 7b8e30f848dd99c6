//! Latencies, and what they come to.

use std::time::Duration;

/// What a load measured.
#[derive(Default)]
pub struct Figures {
    /// Answers that were judgements.
    pub latencies: Vec<Duration>,
    /// Answers that turned the request away.
    pub turned_away: Vec<Duration>,
    /// How long it all took.
    pub time: Duration,
}

impl Figures {
    /// Judgements per second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// The latency that this part of the judgements stayed below.
    pub fn at(&self, part: f64) -> Duration {
        at(&self.latencies, part)
    }

    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.turned_away.extend(other.turned_away);
    }
}

/// The value that this part of all stays below.
pub fn at(latencies: &[Duration], part: f64) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
