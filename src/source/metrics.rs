//! What the sources count.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::lag::{Lag, Lags};
use crate::graph::facts::{Kind, Timestamp};

/// What the sources count. A clone counts into the same figures.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    watch_errors: Family<KindLabel, Counter>,
    watch_lists: Family<KindLabel, Counter>,
    watch_last_event: Family<KindLabel, Gauge>,
    watch_lags: Lags,
    unusable_objects: Family<KindLabel, Counter>,
    manifest_loads: Counter,
    manifest_problems: Gauge,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct KindLabel {
    kind: &'static str,
}

impl From<Kind> for KindLabel {
    fn from(kind: Kind) -> Self {
        Self { kind: kind.as_str() }
    }
}

impl Metrics {
    /// Figures that a registry publishes.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self {
            watch_errors,
            watch_lists,
            watch_last_event,
            watch_lags,
            unusable_objects,
            manifest_loads,
            manifest_problems,
        } = metrics.clone();
        registry.register("watch_errors", "Errors of the Kubernetes watches", watch_errors);
        registry.register("watch_lists", "Complete lists taken from the Kubernetes API", watch_lists);
        registry.register_with_unit(
            "watch_last_event_timestamp",
            "When a Kubernetes watch last brought something, since 1970",
            Unit::Seconds,
            watch_last_event,
        );
        registry.register_collector(Box::new(watch_lags));
        registry.register(
            "unusable_objects",
            "Objects read from the Kubernetes API whose spec could not be used",
            unusable_objects,
        );
        registry.register("manifest_loads", "Times the folder of manifests was read", manifest_loads);
        registry.register("manifest_problems", "Problems in the folder of manifests now", manifest_problems);
        metrics
    }

    /// The lag of another watch of a kind.
    pub(super) fn watch_lag(&self, kind: Kind) -> Lag {
        self.watch_lags.add(kind)
    }

    pub(super) fn watch_failed(&self, kind: Kind) {
        self.watch_errors.get_or_create(&kind.into()).inc();
    }

    pub(super) fn watch_listed(&self, kind: Kind, lists: u64) {
        self.watch_lists.get_or_create(&kind.into()).inc_by(lists);
    }

    pub(super) fn watch_brought_something(&self, kind: Kind) {
        self.watch_last_event.get_or_create(&kind.into()).set(Timestamp::now().as_second());
    }

    pub(super) fn object_was_unusable(&self, kind: Kind) {
        self.unusable_objects.get_or_create(&kind.into()).inc();
    }

    pub(super) fn manifests_loaded(&self, problems: usize) {
        self.manifest_loads.inc();
        self.manifest_problems.set(i64::try_from(problems).unwrap_or(i64::MAX));
    }
}
