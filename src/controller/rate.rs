//! How often something may be done.

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Lets something be done so often a second, and after a pause that often at once.
#[derive(Debug)]
pub struct RateLimit {
    interval: Duration,
    burst: u32,
    /// When all that was let through would have been due at an even pace.
    next: Mutex<Instant>,
}

impl RateLimit {
    /// So often a second, at least once; and up to `burst` at once.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, burst: burst.max(1), next: Mutex::new(Instant::now()) }
    }

    /// Waits until it may be done once more. In the order in which it was asked.
    pub async fn wait(&self) {
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let due = (*next).max(now);
        let lead = self.interval * (self.burst - 1);
        if let Some(earliest) = due.checked_sub(lead)
            && earliest > now
        {
            sleep_until(earliest).await;
        }
        *next = due + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_an_even_pace() {
        let limit = RateLimit::new(10, 3);
        let start = Instant::now();
        let mut at = Vec::new();
        for _ in 0..6 {
            limit.wait().await;
            at.push(start.elapsed().as_millis());
        }
        assert_eq!(at, [0, 0, 0, 100, 200, 300]);
        tokio::time::advance(Duration::from_mins(1)).await;
        let start = Instant::now();
        for _ in 0..3 {
            limit.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "after a pause there is a burst again, but no greater one");
        limit.wait().await;
        assert_eq!(start.elapsed().as_millis(), 100);
    }
}
