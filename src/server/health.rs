//! Whether the program is alive, and whether it may be asked.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Server;

/// `GET /livez`: that it is answered is the answer.
pub(super) async fn livez() -> &'static str {
    "ok"
}

/// `GET /readyz`: 503 with what is missing until every source has delivered, again while a watch is silent for too long, and again once shutdown has
/// begun.
pub(super) async fn readyz(State(server): State<Arc<Server>>) -> Response {
    let mut missing: Vec<_> =
        server.environments.closed_gates().into_iter().map(|(gate, reason)| MissingGate { gate, reason }).collect();
    missing.extend(server.store.progress().silent().into_iter().map(|(watch, silence)| {
        let reason =
            format!("the API server has said nothing of it for {} s: longer than --max-staleness", silence.as_secs());
        MissingGate { gate: watch, reason: Some(reason) }
    }));
    if server.is_draining() {
        missing.push(MissingGate { gate: "shutdown".to_owned(), reason: Some("shutting down".to_owned()) });
    }
    if missing.is_empty() {
        return "ok".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(NotReady { ready: false, missing })).into_response()
}

#[derive(Serialize)]
struct NotReady {
    ready: bool,
    missing: Vec<MissingGate>,
}

#[derive(Serialize)]
struct MissingGate {
    gate: String,
    reason: Option<String>,
}
