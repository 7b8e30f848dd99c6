//! What one decision may cost, and the part of it that wasmtime asks about: memory and tables.

use std::time::Duration;

use super::error::{Input, PolicyError};
use super::spent;

const MIB: usize = 1 << 20;

/// What a policy may cost. Every limit holds for every component, and a breach is a typed [`PolicyError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body. 8 MiB.
    pub body: usize,
    /// Bytes of everything beside the body, together: live object, HTTP head, facts, settings. 8 MiB.
    pub context: usize,
    /// Processor time of one call, kept to about a millisecond. 200 ms.
    pub time: Duration,
    /// Bytes of memory that a call may use whatever its input. 4 MiB.
    pub memory: usize,
    /// Bytes of memory on top for each byte of input (body and context). 6.
    pub memory_per_byte: usize,
    /// How many calls may run at once, each in a sandbox of its own. Twice the number of processors.
    pub sandboxes: u32,
    /// How long a caller waits for a free sandbox before [`PolicyError::Busy`]. One second.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get().min(64) as u32);
        Self {
            body: 8 * MIB,
            context: 8 * MIB,
            time: Duration::from_millis(200),
            memory: 4 * MIB,
            memory_per_byte: 6,
            sandboxes: 2 * processors,
            wait: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The memory that a call with this much input may use.
    pub(super) fn memory_for(&self, input: usize) -> usize {
        self.memory.saturating_add(self.memory_per_byte.saturating_mul(input))
    }

    /// The memory that the largest call may use: the size of a sandbox.
    pub(super) fn largest_memory(&self) -> usize {
        self.memory_for(self.body.saturating_add(self.context))
    }

    /// Checks the input of a call and gives the memory that it may use.
    pub(super) fn admit(&self, body: usize, context: usize) -> Result<usize, PolicyError> {
        for (what, size, limit) in [(Input::Body, body, self.body), (Input::Context, context, self.context)] {
            if size > limit {
                return Err(PolicyError::InputTooLarge { what, size, limit });
            }
        }
        Ok(self.memory_for(body + context))
    }
}

/// What is known of a call while it runs.
pub(super) struct Meter {
    /// Processor time of the thread when the call began.
    begun: Duration,
    time: Duration,
    /// Bytes that the call may use in all its memories.
    pub(super) memory: usize,
    used: usize,
    pub(super) exceeded: bool,
}

impl Meter {
    pub(super) fn new(time: Duration, memory: usize) -> Self {
        Self { begun: spent::by_this_thread(), time, memory, used: 0, exceeded: false }
    }

    /// The time that the call may still work. Asked on the thread that it runs on.
    pub(super) fn left(&self) -> Duration {
        self.time.saturating_sub(spent::by_this_thread().saturating_sub(self.begun))
    }
}

impl wasmtime::ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.memory {
            self.exceeded = true;
            return Err(wasmtime::Error::msg("memory limit"));
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        Ok(desired <= super::engine::TABLE_ELEMENTS)
    }
}
