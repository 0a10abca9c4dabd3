//! How far the graph may be behind the API server.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
    registry::Unit,
};
use tokio::time::Instant;

use crate::graph::facts::Kind;

/// A watch that goes on after an error says so only with the next event. After so long without another error it is taken
/// to have gone on: where it has not, errors are not so far apart.
const SILENCE: Duration = Duration::from_mins(2);

/// Since when a watch may be missing something.
#[derive(Clone, Debug)]
pub struct Lag(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing was listed yet.
    Unlisted { since: Instant },
    /// Nothing is known to be missing.
    UpToDate,
    /// Errors, and nothing else.
    Failing { since: Instant, until: Instant },
}

impl Lag {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(State::Unlisted { since: Instant::now() })))
    }

    /// Notes that the watch brought something.
    pub fn works(&self, is_list: bool) {
        let mut state = self.0.lock();
        if is_list || !matches!(*state, State::Unlisted { .. }) {
            *state = State::UpToDate;
        }
    }

    /// Notes an error.
    pub fn fails(&self) {
        let now = Instant::now();
        let mut state = self.0.lock();
        *state = match *state {
            State::Unlisted { since } => State::Unlisted { since },
            State::Failing { since, until } if now - until < SILENCE => State::Failing { since, until: now },
            State::UpToDate | State::Failing { .. } => State::Failing { since: now, until: now },
        };
    }

    fn current(&self) -> Duration {
        match *self.0.lock() {
            State::Unlisted { since } => since.elapsed(),
            State::Failing { since, until } if until.elapsed() < SILENCE => since.elapsed(),
            State::UpToDate | State::Failing { .. } => Duration::ZERO,
        }
    }
}

/// The lags of all watches.
#[derive(Clone, Debug, Default)]
pub struct Lags(Arc<Mutex<Vec<(Kind, Lag)>>>);

impl Lags {
    /// The lag of another watch of a kind.
    pub fn add(&self, kind: Kind) -> Lag {
        let lag = Lag::new();
        self.0.lock().push((kind, lag.clone()));
        lag
    }
}

impl Collector for Lags {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lags = self.0.lock();
        let help = "For how long the graph may be missing something of a kind, as far as is known";
        let gauge_type = ConstGauge::new(0.0).metric_type();
        let mut family = encoder.encode_descriptor("watch_lag", help, Some(&Unit::Seconds), gauge_type)?;
        for kind in Kind::ALL {
            // Where namespaces are watched one by one, the one that is worst off counts.
            let of_kind = lags.iter().filter(|(of, _)| *of == kind).map(|(_, lag)| lag.current());
            if let Some(worst) = of_kind.max() {
                let labels = [("kind", kind.as_str())];
                ConstGauge::new(worst.as_secs_f64()).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_the_start_until_everything_is_listed() {
        let lag = Lag::new();
        advance(MINUTE).await;
        lag.fails();
        lag.works(false);
        advance(5 * MINUTE).await;
        assert_eq!(lag.current(), 6 * MINUTE);
        lag.works(true);
        assert_eq!(lag.current(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_the_first_of_errors_in_a_row() {
        let lag = Lag::new();
        lag.works(true);
        advance(MINUTE).await;
        for _ in 0..4 {
            lag.fails();
            advance(MINUTE).await;
        }
        assert_eq!(lag.current(), 4 * MINUTE);
        lag.works(false);
        assert_eq!(lag.current(), Duration::ZERO);
        advance(MINUTE).await;
        lag.fails();
        advance(MINUTE).await;
        assert_eq!(lag.current(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn one_error_on_a_quiet_cluster_does_not_count_for_ever() {
        let lag = Lag::new();
        lag.works(true);
        lag.fails();
        advance(2 * MINUTE).await;
        assert_eq!(lag.current(), Duration::ZERO);
        lag.fails();
        advance(MINUTE).await;
        assert_eq!(lag.current(), MINUTE);
    }
}
