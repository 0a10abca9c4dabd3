//! What happens around every request: its identifier, its span, its figures and its limits.

use std::{pin::pin, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};
use tracing::{Instrument, Span, field};

use super::{Error, Server, authentication::Admitted, decision_log, freshness, unread, workos};
use crate::store::seen;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A longer identifier is not sent back.
const MAX_REQUEST_ID: usize = 1024;

/// Around what a router does.
pub(super) async fn around(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    observe(&server, route, request, async |request| {
        let (request, unread) = unread::lend(request);
        let response = next.run(request).await;
        unread.discard(server.config.limits.body).await;
        Ok(response)
    })
    .await
}

/// Answers a request within the limits, and records how that went. No name that the caller sends is recorded.
pub(super) async fn observe<F: Future<Output = Result<Response, Error>>>(
    server: &Server,
    route: &str,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let request_id = request.headers().get(REQUEST_ID).filter(|id| id.len() <= MAX_REQUEST_ID).cloned();
    // The WorkOS SDKs show their users what identifies a response (rule 74).
    let request_id = request_id.or_else(|| workos::has_path(request.uri().path()).then(new_request_id));
    // Nobody pays for it where nobody listens: at the level `info` there is no such span.
    let span = tracing::debug_span!(
        "request",
        otel.name = route,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = field::Empty,
    );
    continue_trace(&span, request.headers());

    let asked = freshness::Asked::of(server, route, &request);
    // Pinned where it stands, here and below: each future that it were moved into would be larger by all of it, and is itself copied.
    let answered = pin!(async {
        let Admitted { mut request, of_environment } = match &server.config.authentication {
            // Boxed, like whatever seldom happens here: a future that has room for it costs every request the copying of that room.
            Some(authentication) => Box::pin(authentication.admit(server, route, request_id.as_ref(), request)).await?,
            None => Admitted { request, of_environment: true },
        };
        let headers = request.headers();
        // Not before: strangers, whose bodies are waited for, must not take the place of anybody.
        let begun = async {
            let permit = permit(server)?;
            if of_environment { asked.wait(server, headers, permit).await } else { Ok(permit) }
        };
        let _permit = match begun.await {
            Ok(permit) => permit,
            Err(error) => {
                Box::pin(unread::dismiss(request.body_mut(), server.config.limits.body)).await;
                return Err(error);
            }
        };
        decision_log::around(server, route, request_id.as_ref(), request, answer).await
    });
    let deadline = started + server.config.limits.request_time;
    let answered = pin!(timeout_at(deadline, answered.instrument(span.clone())));
    let (answered, seen) = seen::seeing(answered).await;
    let answered = answered.unwrap_or(Err(Error::Timeout));
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    asked.mark(server, seen, &mut response);

    let latency = started.elapsed();
    let status = response.status();
    server.metrics.observe_request(route, status, latency);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        // Where there is no span, nothing else names the route.
        tracing::error!(route, "a request could not be answered");
    }
    span.in_scope(|| {
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(latency_us, "answered");
    });
    if let Some(id) = &request_id {
        response.headers_mut().insert(REQUEST_ID, id.clone());
    }
    response
}

fn new_request_id() -> HeaderValue {
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    // INVARIANT: a UUID is written in ASCII.
    HeaderValue::try_from(id.to_string()).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Makes the span one of the caller's trace, where the caller says that there is one.
#[cfg(feature = "otel")]
fn continue_trace(span: &Span, headers: &HeaderMap) {
    use opentelemetry::propagation::TextMapPropagator as _;
    use opentelemetry_http::HeaderExtractor;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    if !span.is_disabled() && headers.contains_key("traceparent") {
        // Fails where spans are not sent anywhere.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&HeaderExtractor(headers)));
    }
}

#[cfg(not(feature = "otel"))]
const fn continue_trace(_span: &Span, _headers: &HeaderMap) {}

/// What every request holds while something is done for it.
pub(super) fn permit(server: &Server) -> Result<SemaphorePermit<'_>, Error> {
    server.permits.try_acquire().map_err(|_| Error::Overloaded)
}
