//! Why a request gets no answer, and how the caller is told.

use std::{any::Any, borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use smol_str::SmolStr;
use utoipa::ToSchema;

use super::Verb;
use crate::{
    graph::{facts::Kind, query::Denial},
    store::Missing,
};

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is not declared to be JSON.
    #[error("the header `content-type: application/json` is needed")]
    ContentType,
    /// There is no body.
    #[error("the body is empty, but a JSON object is needed")]
    EmptyBody,
    /// The body did not arrive.
    #[error("the body could not be read to its end")]
    UnreadableBody,
    /// The body is longer than is read.
    #[error("the body is longer than {limit} bytes; send less at a time")]
    BodyTooLarge {
        /// How many bytes are read.
        limit: usize,
    },
    /// The body is not JSON, or the query string not a query string.
    #[error("{problem}")]
    Malformed {
        /// What is wrong, and where.
        problem: String,
    },
    /// A field or a parameter is missing or has a value that cannot be used.
    #[error("`{field}` {problem}")]
    Field {
        /// Its path in the body, or the parameter's name.
        field: Cow<'static, str>,
        /// What is wrong with it.
        problem: Cow<'static, str>,
    },
    /// The cursor was not handed out by this list.
    #[error("`cursor` was not handed out by this very list with these very parameters; begin again without it")]
    Cursor,
    /// What the header that asks for freshness says cannot be understood.
    #[error("the header `Bailiwick-At-Least` {problem}")]
    AtLeast {
        /// What is wrong with it, and the remedy.
        problem: Cow<'static, str>,
    },
    /// The token that asks for freshness is not of this history.
    #[error(
        "the header `Bailiwick-At-Least` has a revision of another history: of another cluster or installation, of before a restore, or \
         of another run of `bailiwick serve`; forget it, ask without it, and go on with the `Bailiwick-Revision` of the answer"
    )]
    OtherHistory,
    /// What is asked for does not exist.
    #[error(
        "the header `Bailiwick-At-Least` asks for {kind} as of {wanted}, but the API server itself is only at {newest}: that is of another \
         cluster, or of before a restore; forget it, and ask without it"
    )]
    Ahead {
        /// Of which kind.
        kind: Kind,
        /// Which resource version is asked for.
        wanted: u64,
        /// Which one the API server has come to.
        newest: u64,
    },
    /// The graph is not as fresh as is asked for.
    #[error(
        "not fresh enough after {} s: {}; ask again, or another replica",
        .waited.as_secs_f64(),
        .missing.iter().map(describe).collect::<Vec<_>>().join(", ")
    )]
    NotFresh {
        /// What it lacks.
        missing: Vec<Missing>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The environment is none that is served here.
    #[error("environment `{namespace}` is not served here")]
    NotServed {
        /// The name that the path gives.
        namespace: String,
    },
    /// What a list is asked of cannot be found.
    #[error("{0}")]
    Denied(Denial),
    /// No route has this path.
    #[error("there is nothing at this path; /openapi.json describes what there is")]
    NoSuchRoute,
    /// The path has no such method.
    #[error("this path does not take this method; /openapi.json describes what there is")]
    MethodNotAllowed,
    /// The caller is on another machine.
    #[error(
        "only from the machine or pod itself: run `kubectl port-forward POD 8081`, with the port of --probe-listen, and ask \
         http://127.0.0.1:8081"
    )]
    NotLocal,
    /// Nobody knows who asks. It says the same to all of them, and of nothing else.
    #[error("a credential that is valid here is needed, such as the header `Authorization: Bearer`")]
    Unauthenticated,
    /// Who asks is known, and may not. It says the same whether there is such an environment or not.
    #[error("`{caller}` may not `{}` in {place}: {remedy}", .verb.as_str())]
    NotPermitted {
        /// Who asks.
        caller: SmolStr,
        /// What that takes.
        verb: Verb,
        /// Where.
        place: String,
        /// What would have to be said where.
        remedy: String,
    },
    /// Nobody can say now who asks, or what that one may do.
    #[error("who asks, and what they may, cannot be found out now; try again shortly")]
    NotReviewed,
    /// The request took too long, which only a slow body can bring about.
    #[error("the request took too long to arrive")]
    Timeout,
    /// Not every source has delivered yet.
    #[error("not ready to answer, waiting for: {}", .missing.join(", "))]
    NotSynced {
        /// The gates that are still closed.
        missing: Vec<String>,
    },
    /// As many requests as are allowed are under way.
    #[error("too many requests are under way; try again shortly")]
    Overloaded,
    /// A fault of the program.
    #[error("internal error; the log of the server has the particulars")]
    Internal,
}

fn describe(missing: &Missing) -> String {
    let Missing { kind, wanted, reached } = missing;
    format!("{kind} is known up to {reached}, and asked for as of {wanted}")
}

impl Error {
    /// A field that is missing or has a value that cannot be used.
    pub(super) fn field(field: impl Into<Cow<'static, str>>, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::ContentType
            | Self::EmptyBody
            | Self::UnreadableBody
            | Self::Malformed { .. }
            | Self::Field { .. }
            | Self::AtLeast { .. }
            | Self::Cursor => StatusCode::BAD_REQUEST,
            Self::OtherHistory | Self::Ahead { .. } | Self::Denied(Denial::AmbiguousResource) => StatusCode::CONFLICT,
            Self::NotServed { .. } | Self::Denied(_) | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotLocal | Self::NotPermitted { .. } => StatusCode::FORBIDDEN,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotSynced { .. } | Self::NotFresh { .. } | Self::Overloaded | Self::NotReviewed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ContentType => "unsupported_content_type",
            Self::EmptyBody => "empty_body",
            Self::UnreadableBody => "unreadable_body",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::Malformed { .. } => "malformed_request",
            Self::Field { .. } => "invalid_field",
            Self::Cursor => "invalid_cursor",
            Self::AtLeast { .. } => "invalid_at_least",
            Self::OtherHistory => "other_history",
            Self::Ahead { .. } => "ahead_of_source",
            Self::NotFresh { .. } => "not_fresh_enough",
            Self::NotServed { .. } => "environment_not_served",
            Self::Denied(denial) => denial.code(),
            Self::NoSuchRoute => "no_such_route",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotLocal => "not_local",
            Self::Unauthenticated => "unauthenticated",
            Self::NotPermitted { .. } => "not_permitted",
            Self::NotReviewed => "not_reviewed",
            Self::Timeout => "timeout",
            Self::NotSynced { .. } => "not_ready",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal_error",
        }
    }

    /// The error as the body of a response says it.
    pub(super) fn to_body(&self) -> ErrorBody {
        let field = match self {
            Self::Field { field, .. } => Some(field.clone()),
            Self::Cursor => Some(Cow::Borrowed("cursor")),
            Self::AtLeast { .. } | Self::OtherHistory | Self::Ahead { .. } => Some(Cow::Borrowed("Bailiwick-At-Least")),
            _ => None,
        };
        ErrorBody { code: self.code(), message: self.to_string(), field }
    }
}

/// Why a request, or one question of a batch, gets no answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({
    "code": "invalid_field", "message": "`resource.id` is missing", "field": "resource.id"
}))]
pub(super) struct ErrorBody {
    /// A word for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The field or parameter that is at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub field: Option<Cow<'static, str>>,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self.to_body())).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bailiwick\""));
        }
        response
    }
}

/// The response to a request whose handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer wants")]
pub(super) fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message");
    tracing::error!(panic = message, "a request handler panicked");
    Error::Internal.into_response()
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        http::Request,
        routing::get,
    };
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_that_tells_the_caller_nothing() {
        let router: Router = Router::new()
            .route("/", get(async || -> &'static str { panic!("a secret") }))
            .layer(CatchPanicLayer::custom(after_panic));
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "internal_error");
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}
