//! Errors in the words of the WorkOS API (reference: its error bodies).

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{graph::query::Reason, server, store};

/// What is wrong with one field or parameter.
#[derive(Clone, Debug, Serialize)]
pub struct FieldError {
    /// Its name.
    pub field: Cow<'static, str>,
    /// A sentence: that is where the WorkOS API has it.
    pub code: String,
}

/// Why a request of the WorkOS API is not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the request names does not exist.
    #[error("{what} not found: '{name}'.")]
    NotFound {
        /// What sort of thing, such as `Organization`.
        what: &'static str,
        /// What the request calls it.
        name: String,
    },
    /// Fields or parameters are missing or have values that cannot be used.
    #[error("Validation failed")]
    Invalid(Vec<FieldError>),
    /// Refused with a code of its own.
    #[error("{message}")]
    Coded {
        /// The status.
        status: StatusCode,
        /// The code.
        code: &'static str,
        /// A sentence.
        message: Cow<'static, str>,
    },
    /// The same, about a role.
    #[error("{message}")]
    Role {
        /// The code.
        code: &'static str,
        /// The role.
        role_slug: String,
        /// A sentence.
        message: String,
    },
    /// What the store makes of it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What any request can fail with.
    #[error(transparent)]
    Server(#[from] server::Error),
}

impl Error {
    /// There is no such thing.
    pub fn not_found(what: &'static str, name: impl Into<String>) -> Self {
        Self::NotFound { what, name: name.into() }
    }

    /// A field that cannot be used; the sentence names the remedy.
    pub fn field(field: impl Into<Cow<'static, str>>, sentence: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), code: sentence.into() }])
    }

    /// Refused with a code.
    pub fn coded(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Coded { status, code, message: message.into() }
    }

    /// 409.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::coded(StatusCode::CONFLICT, code, message)
    }

    /// No role that could be given is called so.
    pub fn invalid_role(role_slug: impl Into<String>) -> Self {
        let role_slug = role_slug.into();
        Self::Role { code: "invalid_role", message: format!("Role not found: '{role_slug}'."), role_slug }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Invalid(_) | Self::Role { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Coded { status, .. } => *status,
            Self::Store(error) => match error {
                store::Error::AlreadyExists { .. } | store::Error::Conflict { .. } => StatusCode::CONFLICT,
                store::Error::NotFound { .. } => StatusCode::NOT_FOUND,
                store::Error::Invalid { .. } | store::Error::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                store::Error::Forbidden { .. } | store::Error::ReadOnly { .. } => StatusCode::FORBIDDEN,
                store::Error::Unavailable { .. } | store::Error::NotSeenYet { .. } => StatusCode::SERVICE_UNAVAILABLE,
            },
            Self::Server(error) => error.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "entity_not_found",
            Self::Invalid(_) => "invalid_request_parameters",
            Self::Coded { code, .. } | Self::Role { code, .. } => code,
            Self::Store(error) => match error {
                store::Error::AlreadyExists { .. } => "already_exists",
                store::Error::Conflict { .. } => "conflict",
                store::Error::NotFound { .. } => "entity_not_found",
                store::Error::Invalid { .. } | store::Error::Refused { .. } => "invalid_request_parameters",
                store::Error::Forbidden { .. } => "forbidden",
                store::Error::ReadOnly { .. } => "read_only",
                store::Error::Unavailable { .. } => "unavailable",
                store::Error::NotSeenYet { .. } => "not_seen_yet",
            },
            Self::Server(error) => error.code(),
        }
    }
}

/// The body. It never has a key `error`: the Node SDK would take it for OAuth's.
#[derive(Debug, Serialize)]
pub struct ErrorBody {
    message: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_slug: Option<String>,
}

impl From<Error> for ErrorBody {
    fn from(error: Error) -> Self {
        let (code, message) = (error.code(), error.to_string());
        let (errors, role_slug) = match error {
            Error::Invalid(errors) => (errors, None),
            Error::Role { role_slug, .. } => (Vec::new(), Some(role_slug)),
            Error::Store(error) => (refusals(error), None),
            _ => (Vec::new(), None),
        };
        Self { message, code, errors, role_slug }
    }
}

/// What an object would say that is not allowed. The store tells it of the object: its kind stands in place of a field.
fn refusals(error: store::Error) -> Vec<FieldError> {
    match error {
        store::Error::Invalid { object, problem } => {
            vec![FieldError { field: object.kind.as_str().into(), code: problem }]
        }
        store::Error::Refused { object, reasons } => {
            let refusal = |reason: Reason| FieldError { field: object.kind.as_str().into(), code: reason.to_string() };
            reasons.into_iter().map(refusal).collect()
        }
        _ => Vec::new(),
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(ErrorBody::from(self))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
