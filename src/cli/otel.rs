//! Spans for an OpenTelemetry collector, by OTLP over HTTP, as the `OTEL_*` variables of the environment say.

use std::env;

use opentelemetry::{Key, trace::TracerProvider as _};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter, registry::LookupSpan};

use super::Error;

/// What makes up the name of a service that was given none.
const UNNAMED: &str = "unknown_service";

/// Where spans go. What is left of them is sent when it is dropped.
pub(super) struct Export(SdkTracerProvider);

impl Drop for Export {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans could not be sent to the collector");
        }
    }
}

/// A layer that sends this program's spans to the collector that the environment names; none where it names none.
pub(super) fn start<S>() -> Result<Option<(impl Layer<S>, Export)>, Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !is_wanted() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder().with_http().build().map_err(|error| {
        Error::Usage(format!("the OTEL_EXPORTER_OTLP_* variables of the environment cannot be used: {error}"))
    })?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Spans only: what is logged in them names objects, and goes where logs go.
        .with_filter(filter::filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::DEBUG && metadata.target().starts_with("bailiwick")
        }));
    Ok(Some((layer, Export(provider))))
}

/// Whether the environment asks for spans. Without an endpoint it does not, so that nothing is sent unasked.
fn is_wanted() -> bool {
    let has = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is = |name: &str, word: &str| env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case(word));
    (has("OTEL_EXPORTER_OTLP_ENDPOINT") || has("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
        && !is("OTEL_SDK_DISABLED", "true")
        && !is("OTEL_TRACES_EXPORTER", "none")
}

/// What the environment says of this process, called `bailiwick` where it gives no name.
fn resource() -> Resource {
    let detected = Resource::builder().build();
    let name = detected.get(&Key::from_static_str("service.name"));
    if name.is_some_and(|name| !name.as_str().starts_with(UNNAMED)) {
        return detected;
    }
    Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build()
}
