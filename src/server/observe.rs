//! What happens around every request: its identifier, its span, its figures and its limits.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::HeaderName,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument, field};

use super::{Error, Server};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A longer identifier is not sent back.
const MAX_REQUEST_ID: usize = 1024;

/// Answers a request within the limits, and records how that went. No name that the caller sends is recorded.
pub(super) async fn observe(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request.headers().get(REQUEST_ID).filter(|id| id.len() <= MAX_REQUEST_ID).cloned();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        route,
        status = field::Empty,
        latency_us = field::Empty,
    );

    let mut response =
        answer(&server, request, next).instrument(span.clone()).await.unwrap_or_else(IntoResponse::into_response);

    let latency = started.elapsed();
    server.metrics.observe_request(route, response.status(), latency);
    span.record("status", response.status().as_u16());
    span.record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    span.in_scope(|| tracing::debug!("answered"));
    if let Some(id) = request_id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn answer(server: &Server, request: Request, next: Next) -> Result<Response, Error> {
    let _permit = server.permits.try_acquire().map_err(|_| Error::Overloaded)?;
    tokio::time::timeout(server.config.limits.request_time, next.run(request)).await.map_err(|_| Error::Timeout)
}
