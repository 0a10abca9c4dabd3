//! What the controller counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::graph::facts::Name;

/// What the controller counts. A clone counts into the same figures.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    writes: Family<WriteLabels, Counter>,
    queue_depth: Gauge,
    inert_assignments: Family<ReasonLabel, Gauge>,
    inert_by_environment: Arc<Mutex<HashMap<Name, BTreeMap<&'static str, usize>>>>,
    environments_behind: Gauge,
    events_dropped: Counter,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WriteLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct ReasonLabel {
    reason: &'static str,
}

impl Metrics {
    /// Figures that a registry publishes.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { writes, queue_depth, inert_assignments, environments_behind, events_dropped, .. } = metrics.clone();
        registry.register("writes", "Writes to the Kubernetes API, by what was written and how that ended", writes);
        registry.register("queue_depth", "Objects whose status is known to be out of date", queue_depth);
        registry.register(
            "inert_assignments",
            "Role assignments that grant nothing, by reason, of all environments; counted by the leader",
            inert_assignments,
        );
        registry.register(
            "environments_behind",
            "Environments in which something is still to be written",
            environments_behind,
        );
        registry.register("events_dropped", "Events not written because there were too many", events_dropped);
        metrics
    }

    pub(super) fn wrote(&self, operation: &'static str, outcome: &'static str) {
        self.writes.get_or_create(&WriteLabels { operation, outcome }).inc();
    }

    pub(super) fn queue_changed(&self, before: usize, after: usize) {
        let signed = |depth| i64::try_from(depth).unwrap_or(i64::MAX);
        self.queue_depth.inc_by(signed(after) - signed(before));
    }

    pub(super) fn environment_fell_behind(&self) {
        self.environments_behind.inc();
    }

    pub(super) fn environment_caught_up(&self) {
        self.environments_behind.dec();
    }

    pub(super) fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// Notes the inert assignments of an environment, in place of what was noted of it before.
    pub(super) fn inert_counted(&self, environment: &Name, counts: &BTreeMap<&'static str, usize>) {
        let mut by_environment = self.inert_by_environment.lock();
        let before = if counts.is_empty() {
            by_environment.remove(environment)
        } else {
            by_environment.insert(environment.clone(), counts.clone())
        };
        let change = |counts: &BTreeMap<&'static str, usize>, sign: i64| {
            for (&reason, &count) in counts {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                self.inert_assignments.get_or_create(&ReasonLabel { reason }).inc_by(sign * count);
            }
        };
        change(&before.unwrap_or_default(), -1);
        change(counts, 1);
    }
}
