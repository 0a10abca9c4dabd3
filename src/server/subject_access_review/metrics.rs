//! What the authorization webhook counts.

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

/// What the authorization webhook counts and times.
#[derive(Debug)]
pub struct Metrics {
    reviews: Family<OutcomeLabel, Counter>,
    duration: Histogram,
}

/// How a review ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Allowed,
    /// No opinion: nothing that the mapping asks for is granted.
    NotGranted,
    /// No opinion: the mapping says nothing of such users or such requests.
    Unmapped,
    /// No opinion: the operator itself, or one of Kubernetes' own users.
    Ignored,
    /// No opinion, for want of an answer.
    Unanswered,
    /// The request is none that can be understood.
    Malformed,
}

impl Outcome {
    /// As a label and in a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NotGranted => "not_granted",
            Self::Unmapped => "unmapped",
            Self::Ignored => "ignored",
            Self::Unanswered => "unanswered",
            Self::Malformed => "malformed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl Metrics {
    /// Figures that a registry publishes.
    pub fn register(registry: &mut Registry) -> Self {
        // From 10 µs to 0.16 s.
        let metrics =
            Self { reviews: Family::default(), duration: Histogram::new(exponential_buckets(10e-6, 2.0, 15)) };
        registry.register(
            "subject_access_reviews",
            "Requests to the authorization webhook, by outcome",
            metrics.reviews.clone(),
        );
        registry.register_with_unit(
            "subject_access_review_duration",
            "Time that the authorization webhook took for an answer, the arrival of the request included",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }

    pub(super) fn observe(&self, outcome: Outcome, latency: Duration) {
        self.reviews.get_or_create(&OutcomeLabel { outcome: outcome.as_str() }).inc();
        self.duration.observe(latency.as_secs_f64());
    }
}
