//! How far the graph may be behind the API server, and for how long nothing was heard of it.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder},
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
pub struct Lag(Arc<Mutex<Heard>>);

#[derive(Debug)]
struct Heard {
    state: State,
    /// When the API server last said anything at all, be it that nothing happened.
    last: Instant,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing was listed yet.
    Unlisted { since: Instant },
    /// Nothing is known to be missing.
    UpToDate,
    /// Errors, and nothing else.
    Failing { since: Instant, until: Instant },
}

impl Default for Lag {
    fn default() -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(Heard { state: State::Unlisted { since: now }, last: now })))
    }
}

impl Lag {
    /// Notes that the watch brought something, or at least a word that it works.
    pub fn works(&self, is_list: bool) {
        let mut heard = self.0.lock();
        heard.last = Instant::now();
        if is_list || !matches!(heard.state, State::Unlisted { .. }) {
            heard.state = State::UpToDate;
        }
    }

    /// Notes an error.
    pub fn fails(&self) {
        let now = Instant::now();
        let mut heard = self.0.lock();
        heard.state = match heard.state {
            State::Unlisted { since } => State::Unlisted { since },
            State::Failing { since, until } if now - until < SILENCE => State::Failing { since, until: now },
            State::UpToDate | State::Failing { .. } => State::Failing { since: now, until: now },
        };
    }

    /// For how long nothing was heard of the watch.
    pub fn silence(&self) -> Duration {
        self.0.lock().last.elapsed()
    }

    fn current(&self) -> Duration {
        match self.0.lock().state {
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
        let lag = Lag::default();
        self.0.lock().push((kind, lag.clone()));
        lag
    }
}

impl Collector for Lags {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lags = self.0.lock();
        let gauge_type = ConstGauge::new(0.0).metric_type();
        let help = "For how long the graph may be missing something of a kind, as far as is known";
        let family = encoder.encode_descriptor("watch_lag", help, Some(&Unit::Seconds), gauge_type)?;
        encode_worst(family, &lags, Lag::current)?;
        let help = "For how long nothing at all was heard of a watch";
        let family = encoder.encode_descriptor("watch_silence", help, Some(&Unit::Seconds), gauge_type)?;
        encode_worst(family, &lags, Lag::silence)
    }
}

/// Where namespaces are watched one by one, the one that is worst off counts.
fn encode_worst(mut family: MetricEncoder<'_>, lags: &[(Kind, Lag)], time: impl Fn(&Lag) -> Duration) -> fmt::Result {
    for kind in Kind::ALL {
        if let Some(worst) = lags.iter().filter(|(of, _)| *of == kind).map(|(_, lag)| time(lag)).max() {
            let labels = [("kind", kind.as_str())];
            ConstGauge::new(worst.as_secs_f64()).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn it_counts_from_the_start_until_everything_is_listed() {
        let lag = Lag::default();
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
        let lag = Lag::default();
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
        let lag = Lag::default();
        lag.works(true);
        lag.fails();
        advance(2 * MINUTE).await;
        assert_eq!(lag.current(), Duration::ZERO);
        lag.fails();
        advance(MINUTE).await;
        assert_eq!(lag.current(), MINUTE);
    }
}
