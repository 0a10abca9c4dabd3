//! The description of the API, made of the same handlers as the API itself.

use std::sync::Arc;

use axum::{
    Json,
    response::IntoResponse,
    routing::{MethodRouter, get},
};
use utoipa::{IntoParams, IntoResponses, OpenApi as _, openapi::OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::{Server, authzen, error::ErrorBody, native};

/// Where the document is served.
pub(super) const PATH: &str = "/openapi.json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Bailiwick",
        description = "Fine-grained authorization, declared in Kubernetes. Every answer comes from one consistent state \
                       of one environment; until every source has delivered, all answers are 503. Every answer says by the header \
                       `Bailiwick-Revision` which state it comes from; a request may ask by the header `Bailiwick-At-Least` for one \
                       that is no older: 400 (not understood), 409 (of another history) or 503 (not in time) where it cannot be had.",
    ),
    tags(
        (name = "AuthZEN", description = "The AuthZEN Authorization API 1.0: decisions for applications."),
        (name = "Checks", description = "Decisions and their reasons."),
        (name = "Lists", description = "What checks would say, listed; and what is wrong with which object."),
    )
)]
struct Document;

/// Every route of the API with its description. A route cannot be added without one.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(authzen::routes()).merge(native::routes())
}

/// The route that serves the document.
pub(super) fn document_route(document: OpenApi) -> MethodRouter<Arc<Server>> {
    let document = Arc::new(document);
    get(async move || Json(&*document).into_response())
}

/// The parameter of every path under an environment.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) struct InEnvironment {
    /// The environment: a Kubernetes namespace.
    #[param(example = "default")]
    namespace: String,
}

/// How any request can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum Failures {
    /// The request cannot be understood. The message names the field or parameter.
    #[response(status = 400)]
    BadRequest(ErrorBody),
    /// Nobody knows who asks, where callers are asked who they are.
    #[response(status = 401, headers(("WWW-Authenticate", description = "How to say who asks.")))]
    Unauthenticated(ErrorBody),
    /// The caller lacks what this takes in the environment; the message names both.
    #[response(status = 403)]
    NotPermitted(ErrorBody),
    /// The environment is not served here, or what a list is asked of is unknown.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body did not arrive in time.
    #[response(status = 408)]
    Timeout(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// A fault of the program.
    #[response(status = 500)]
    Internal(ErrorBody),
    /// Not every source has delivered yet, or too many requests are under way. Try again after the seconds of `Retry-After`.
    #[response(status = 503, headers(("Retry-After", description = "Seconds to wait.")))]
    Unavailable(ErrorBody),
}

/// How a question that names a resource by type and id can fail.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub(super) enum Ambiguous {
    /// Several organizations have such a resource: name the organization.
    #[response(status = 409)]
    Conflict(ErrorBody),
}
