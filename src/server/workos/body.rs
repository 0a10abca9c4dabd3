//! Reading what callers send: whatever cannot be used is a 422 that names each field.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{Error, error::FieldError};
use crate::server::{self, Server};

/// The body of a request: a JSON object. Fields that are not known are passed over, as the hosted API does.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Server>> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Error> {
        let bytes = bytes(request, server).await?;
        let malformed = |problem: String| Error::coded(StatusCode::BAD_REQUEST, "bad_request", problem);
        let value: Value = if bytes.is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_slice(&bytes).map_err(|error| malformed(format!("The body is not JSON: {error}.")))?
        };
        if !value.is_object() {
            return Err(malformed("The body must be a JSON object.".to_owned()));
        }
        read(value).map(Self)
    }
}

/// The body of a request as it was sent.
///
/// # Errors
/// Where it does not arrive, or is too large.
pub async fn bytes(request: Request, server: &Server) -> Result<Bytes, Error> {
    let rejected = |rejection: BytesRejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => server::Error::BodyTooLarge { limit: server.config.limits.body },
        _ => server::Error::UnreadableBody,
    };
    Bytes::from_request(request, &()).await.map_err(|rejection| rejected(rejection).into())
}

/// Reads what a caller sent; a mistake in it names the field.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        Error::field(field.clone(), format!("{field} cannot be used: {}", error.inner()))
    })
}

/// The parameters of the query string. Those that are not known are passed over, as the hosted API does.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(query)| Self(query)).map_err(
            |rejection| {
                let reason =
                    std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
                Error::field("query", format!("the query string cannot be used: {reason}"))
            },
        )
    }
}

/// The parameters of the path, percent-decoded (rule 76).
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(path)| Self(path))
            .map_err(|rejection| Error::field("path", format!("the path cannot be used: {}", rejection.body_text())))
    }
}

/// A field that may be absent, or null (which clears), or have a value.
///
/// Use with `#[serde(default, deserialize_with = "present")]`: absent is `None`, null is `Some(None)`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What is found wrong with the fields of a request, all of it told at once.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Notes what is wrong with a field.
    pub fn add(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), code: sentence.into() });
    }

    /// A text that must be given, and have so many characters at the most.
    pub fn required<'a>(&mut self, field: &'static str, value: Option<&'a str>, max: usize) -> &'a str {
        let value = value.unwrap_or_default();
        if value.is_empty() {
            self.add(field, format!("{field} should not be empty"));
        } else if value.chars().count() > max {
            self.add(field, format!("{field} must be shorter than or equal to {max} characters"));
        }
        value
    }

    /// A text that may be given, and then has so many characters at the most.
    pub fn optional<'a>(&mut self, field: &'static str, value: Option<&'a str>, max: usize) -> Option<&'a str> {
        if value.is_some_and(|value| value.chars().count() > max) {
            self.add(field, format!("{field} must be shorter than or equal to {max} characters"));
        }
        value
    }

    /// Whether nothing was found.
    ///
    /// # Errors
    /// All that was found.
    pub fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}
