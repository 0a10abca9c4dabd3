//! Shapes that several surfaces answer with.

use std::borrow::Cow;

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::graph::query::{self, Denial};

/// A long answer, as JSON. The writer behind [`axum::Json`] costs more with each byte.
#[derive(Debug)]
pub(super) struct LongJson<T>(pub T);

impl<T: Serialize> IntoResponse for LongJson<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Error::Internal.into_response()
            }
        }
    }
}

/// Why the answer is no, or why something has no effect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "code": "detached_resource",
    "message": "the resource is detached: something above it is missing or being deleted"
}))]
pub(super) struct Reason {
    /// A word for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// A sentence for people.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl From<Denial> for Reason {
    fn from(denial: Denial) -> Self {
        Self { code: denial.code(), message: denial.message().into() }
    }
}

impl From<&query::Reason> for Reason {
    fn from(reason: &query::Reason) -> Self {
        Self { code: reason.code(), message: reason.to_string().into() }
    }
}
