//! The server's figures, and `/metrics` for all that the program counts.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use super::{DecisionLog, Error, Server, admission, subject_access_review};
use crate::graph::{
    Environments, Graph,
    facts::{Kind, Timestamp},
    query::{Asked, CheckRequest, Decision},
};

/// What the server counts and times.
#[derive(Debug)]
pub(super) struct Metrics {
    /// The checks that AuthZEN asks for.
    pub authzen: CheckMetrics,
    /// The checks that the native API asks for.
    pub native: CheckMetrics,
    /// The checks that the WorkOS API asks for.
    pub workos: CheckMetrics,
    /// What the API server asks for.
    pub admission: admission::Metrics,
    /// What the API server's authorizer asks for.
    pub access_reviews: subject_access_review::Metrics,
    /// The checks that come of that.
    pub access_review_checks: CheckMetrics,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    connections: Family<ListenerLabel, Gauge>,
    freshness: Family<FreshnessLabel, Counter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FreshnessLabel {
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SurfaceLabel {
    surface: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    surface: &'static str,
    decision: &'static str,
}

/// The checks that one surface asks for.
#[derive(Debug)]
pub(super) struct CheckMetrics {
    allowed: Counter,
    denied: Counter,
    errors: Counter,
    duration: Histogram,
    surface: &'static str,
    log: Option<DecisionLog>,
}

impl CheckMetrics {
    /// Asks the graph, and counts and times that; where decisions are written down, this one is.
    pub fn check(&self, graph: &Graph, request: &CheckRequest<'_>, asked: Asked<'_>) -> Decision {
        let started = Instant::now();
        let decision = graph.check(request, asked);
        self.duration.observe(started.elapsed().as_secs_f64());
        if decision.is_allowed() { &self.allowed } else { &self.denied }.inc();
        self.write_down(request, decision, asked.now);
        decision
    }

    fn write_down(&self, request: &CheckRequest<'_>, decision: Decision, now: Timestamp) {
        if let Some(log) = &self.log {
            log.note(self.surface, request, decision, now);
        }
    }

    /// Begins a batch. A clock that is read, and a histogram that is locked, for each of its checks would cost as much as the
    /// checks.
    pub fn batch(&self) -> BatchMetrics<'_> {
        BatchMetrics { metrics: self, started: Instant::now(), allowed: 0, denied: 0 }
    }

    /// Counts a question that is denied without asking the graph.
    pub fn count_denied(&self) {
        self.denied.inc();
    }

    /// Counts a question of a batch that cannot be asked.
    pub fn count_error(&self) {
        self.errors.inc();
    }
}

/// The checks of one batch, counted when it is dropped, and timed together.
#[derive(Debug)]
pub(super) struct BatchMetrics<'a> {
    metrics: &'a CheckMetrics,
    started: Instant,
    allowed: u64,
    denied: u64,
}

impl BatchMetrics<'_> {
    /// Asks the graph; where decisions are written down, this one is.
    pub fn check(&mut self, graph: &Graph, request: &CheckRequest<'_>, asked: Asked<'_>) -> Decision {
        let decision = graph.check(request, asked);
        *if decision.is_allowed() { &mut self.allowed } else { &mut self.denied } += 1;
        self.metrics.write_down(request, decision, asked.now);
        decision
    }
}

impl Drop for BatchMetrics<'_> {
    fn drop(&mut self) {
        let Self { metrics, started, allowed, denied } = self;
        metrics.allowed.inc_by(*allowed);
        metrics.denied.inc_by(*denied);
        if let Ok(checks) = u32::try_from(*allowed + *denied)
            && let Some(mean) = started.elapsed().checked_div(checks)
        {
            metrics.duration.observe(mean.as_secs_f64());
        }
    }
}

impl Metrics {
    /// Registers what the server counts, and what the graphs hold.
    pub fn register(registry: &mut Registry, environments: &Arc<Environments>, log: Option<&DecisionLog>) -> Self {
        let checks = Family::<CheckLabels, Counter>::default();
        let durations =
            Family::<SurfaceLabel, Histogram, fn() -> Histogram>::new_with_constructor(check_duration_histogram);
        let requests = Family::<_, _, fn() -> Histogram>::new_with_constructor(request_duration_histogram);
        registry.register("checks", "Checks, by the surface that asked and the decision", checks.clone());
        registry.register_with_unit(
            "check_duration",
            "Time that the graph took to decide a check, of a batch the mean",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's headers to its response, by route and class of status",
            Unit::Seconds,
            requests.clone(),
        );
        let freshness = Family::default();
        registry.register(
            "freshness_requests",
            "Requests that ask for an answer of at least some freshness",
            freshness.clone(),
        );
        let connections = Family::default();
        registry.register("http_connections", "Connections that are open, by the listener", connections.clone());
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register_collector(Box::new(GraphCollector(Arc::clone(environments))));

        let surface = |surface| CheckMetrics {
            allowed: checks.get_or_create_owned(&CheckLabels { surface, decision: "allowed" }),
            denied: checks.get_or_create_owned(&CheckLabels { surface, decision: "denied" }),
            errors: checks.get_or_create_owned(&CheckLabels { surface, decision: "error" }),
            duration: durations.get_or_create_owned(&SurfaceLabel { surface }),
            surface,
            log: log.cloned(),
        };
        Self {
            authzen: surface("authzen"),
            native: surface("native"),
            workos: surface("workos"),
            admission: admission::Metrics::register(registry),
            access_reviews: subject_access_review::Metrics::register(registry),
            access_review_checks: surface("subject_access_review"),
            requests,
            connections,
            freshness,
        }
    }

    /// Counts a request that asks for freshness.
    pub fn count_freshness(&self, outcome: &'static str) {
        self.freshness.get_or_create(&FreshnessLabel { outcome }).inc();
    }

    /// The connections to a listener that are open.
    pub fn open_connections(&self, listener: &'static str) -> Gauge {
        self.connections.get_or_create_owned(&ListenerLabel { listener })
    }

    /// Records a request. The route is the pattern that matched, never the path itself: labels must be few.
    pub fn observe_request(&self, route: &str, status: StatusCode, latency: Duration) {
        let status = match status {
            status if status.is_server_error() => "5xx",
            status if status.is_client_error() => "4xx",
            _ => "2xx",
        };
        let labels = RequestLabels { route: route.to_owned(), status };
        self.requests.get_or_create(&labels).observe(latency.as_secs_f64());
    }
}

/// From 100 ns to 1.6 ms.
fn check_duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(100e-9, 2.0, 15))
}

/// From 20 µs to 21 s.
fn request_duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(20e-6, 4.0, 11))
}

/// What the graphs hold at the time of the scrape.
#[derive(Debug)]
struct GraphCollector(Arc<Environments>);

impl Collector for GraphCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let graphs: Vec<_> = self.0.names().iter().filter_map(|name| self.0.get(name)).collect();
        encode_by_kind(&mut encoder, "graph_objects", "Objects in the graph, of all environments", |kind| {
            graphs.iter().map(|graph| graph.read().count(kind)).sum()
        })?;
        encode_by_kind(
            &mut encoder,
            "graph_invalid_objects",
            "Objects in the graph whose spec cannot be used, of all environments",
            |kind| graphs.iter().map(|graph| graph.read().count_invalid(kind)).sum(),
        )?;
        let environments = ConstGauge::new(clamped(graphs.len()));
        let descriptor = encoder.encode_descriptor(
            "environments",
            "Environments of which anything was ever said",
            None,
            environments.metric_type(),
        )?;
        environments.encode(descriptor)
    }
}

fn encode_by_kind(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    count: impl Fn(Kind) -> usize,
) -> fmt::Result {
    let gauge_type = ConstGauge::new(0_i64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, gauge_type)?;
    for kind in Kind::ALL {
        let labels = [("kind", kind.as_str())];
        ConstGauge::new(clamped(count(kind))).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn clamped(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `GET /metrics`, in the `OpenMetrics` text format.
pub(super) async fn serve(State(server): State<Arc<Server>>) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, &server.registry) {
        Ok(()) => {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], body).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            Error::Internal.into_response()
        }
    }
}
