//! How long a thread has worked. What a busy machine, or a limit on processors, takes away from it does not count: a gate
//! that is starved must not refuse what it had no time to judge.

use std::time::Duration;

/// The processor time of this thread, counted from some moment of its own.
#[cfg(unix)]
pub(super) fn by_this_thread() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let spent = clock_gettime(ClockId::ThreadCPUTime);
    // Neither is ever negative.
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

/// Where a thread's own time cannot be asked for, all time counts.
#[cfg(not(unix))]
pub(super) fn by_this_thread() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGINNING.elapsed()
}
