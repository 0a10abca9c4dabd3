//! What the admission webhook counts.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::review::Operation;

/// What the admission webhook counts and times.
#[derive(Debug)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Allowed,
    Refused,
    /// There was no answer.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    outcome: &'static str,
}

impl Metrics {
    /// Figures that a registry publishes.
    pub fn register(registry: &mut Registry) -> Self {
        // From 50 µs to 0.8 s.
        let metrics =
            Self { requests: Family::default(), duration: Histogram::new(exponential_buckets(50e-6, 2.0, 15)) };
        registry.register(
            "admission_requests",
            "Requests to the admission webhook, by operation and outcome",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "admission_duration",
            "Time that the admission webhook took for an answer, its wait for the graph included",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }

    /// Counts a request, whose operation is unknown where it could not be read.
    pub(super) fn observe(&self, operation: Option<Operation>, outcome: Outcome, latency: Duration) {
        let operation = operation.map_or("unknown", Operation::as_str);
        let outcome = match outcome {
            Outcome::Allowed => "allowed",
            Outcome::Refused => "refused",
            Outcome::Error => "error",
        };
        self.requests.get_or_create(&RequestLabels { operation, outcome }).inc();
        self.duration.observe(latency.as_secs_f64());
    }
}
