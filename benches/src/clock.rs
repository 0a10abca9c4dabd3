//! Time and its spread.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Processor time of the calling thread, which other programs on the machine disturb less than the time that passed,
/// and the time that passed. Reading it is a system call: never do so for each operation.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    cpu: Duration,
    wall: Instant,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { cpu: thread_time(), wall: Instant::now() }
    }

    /// Processor time and time passed since the start.
    pub fn elapsed(self) -> (Duration, Duration) {
        let wall = self.wall.elapsed();
        (thread_time().saturating_sub(self.cpu), wall)
    }
}

/// Processor time of the calling thread so far.
pub fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("time runs forwards")
}

/// Median and quartiles.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    /// Of samples, of which there is at least one.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
        Self { low: at(1), median: at(2), high: at(3) }
    }
}

/// Whether the benchmarks are only to be tried out: small worlds, few rounds, figures that mean nothing.
pub fn is_quick() -> bool {
    std::env::var_os("BAILIWICK_BENCH_QUICK").is_some()
}
