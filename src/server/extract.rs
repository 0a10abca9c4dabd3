//! Reading what callers send: every mistake in it is a 400 that names the field.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use serde_json::value::RawValue;

use super::{Error, Server};
use crate::graph::query::Properties;

/// How long a name or an id may be, in bytes.
const MAX_TEXT: usize = 1024;

/// How many questions one request may ask.
const MAX_BATCH: usize = 10_000;

/// The body of a request that declares it to be JSON.
///
/// It is parsed by the handler, so that what is parsed can borrow from it.
#[derive(Debug)]
pub(super) struct JsonBody(Bytes);

impl JsonBody {
    /// The JSON object that the body is. None: there is a mistake in it, which [`parse`](Self::parse) tells.
    pub fn parse_if_valid<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        let text = std::str::from_utf8(&self.0).ok()?;
        serde_json::from_str(text).ok().map(|Object(value)| value)
    }

    /// The JSON object that the body is.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        if self.0.is_empty() {
            return Err(Error::EmptyBody);
        }
        let text = std::str::from_utf8(&self.0)
            .map_err(|error| Error::Malformed { problem: format!("not UTF-8: {error}") })?;
        parse_object(text)
    }

    /// The body of a request whose route bounds it to `limit` bytes.
    pub async fn read(request: Request, limit: usize) -> Result<Self, Error> {
        if !is_json(request.headers()) {
            return Err(Error::ContentType);
        }
        Bytes::from_request(request, &()).await.map(Self).map_err(|rejection: BytesRejection| {
            match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge { limit },
                _ => Error::UnreadableBody,
            }
        })
    }

    /// A body of up to `limit` bytes. Where that fails, there may be something left of it.
    pub async fn take(headers: &HeaderMap, body: &mut Body, limit: usize) -> Result<Self, Error> {
        if !is_json(headers) {
            return Err(Error::ContentType);
        }
        let read = Limited::new(body, limit).collect().await;
        read.map(|whole| Self(whole.to_bytes())).map_err(|error| {
            if error.is::<LengthLimitError>() { Error::BodyTooLarge { limit } } else { Error::UnreadableBody }
        })
    }
}

impl FromRequest<Arc<Server>> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Error> {
        Self::read(request, server.config.limits.body).await
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(content_type)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = content_type.split_once(';').map_or(content_type, |(essence, _parameters)| essence);
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Parses a JSON object; a mistake in it names the field.
pub(super) fn parse_object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map(|Object(value)| value).map_err(|error| describe::<T>(json, &error))
}

/// Parses again what failed to parse, this time keeping track of the path: that costs too much to do it always.
fn describe<'a, T: Deserialize<'a>>(json: &'a str, error: &serde_json::Error) -> Error {
    let tracked = serde_path_to_error::deserialize::<_, Object<T>>(&mut serde_json::Deserializer::from_str(json)).err();
    match tracked {
        Some(tracked) if error.is_data() && tracked.path().iter().next().is_some() => {
            // The path says where; the position would count from the start of a batch's element.
            let problem = tracked.inner().to_string();
            let problem = problem.rsplit_once(" at line ").map_or(problem.as_str(), |(problem, _position)| problem);
            Error::field(tracked.path().to_string(), format!("cannot be used: {problem}"))
        }
        _ => Error::Malformed { problem: format!("not a JSON object that can be used: {error}") },
    }
}

/// A JSON object and nothing else. (What serde derives for a struct takes an array of its fields as well.)
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// No more than as many questions as one request may ask, so that nobody is made to hold millions of them.
#[derive(Debug)]
pub(super) struct Batch<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Batch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BatchVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for BatchVisitor<T> {
            type Value = Batch<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "at most {MAX_BATCH} elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = sequence.next_element()? {
                    if elements.len() == MAX_BATCH {
                        return Err(de::Error::invalid_length(MAX_BATCH + 1, &self));
                    }
                    elements.push(element);
                }
                Ok(Batch(elements))
            }
        }

        deserializer.deserialize_seq(BatchVisitor(PhantomData))
    }
}

/// The elements of a request. Nearly always all of them can be understood: then what the body says is read once.
#[derive(Debug)]
pub(super) enum Elements<'a, T> {
    Understood(Batch<Object<T>>),
    /// There is one that cannot be understood, or there are too many.
    Unread(Vec<&'a RawValue>),
}

impl<'a, T: Deserialize<'a>> Elements<'a, T> {
    pub const fn len(&self) -> usize {
        match self {
            Self::Understood(Batch(elements)) => elements.len(),
            Self::Unread(elements) => elements.len(),
        }
    }

    /// Each in its place, or why it cannot be understood. All have been read when this returns.
    pub fn read(self) -> impl Iterator<Item = Result<T, Error>> {
        let (understood, read) = match self {
            Self::Understood(Batch(elements)) => (elements, Vec::new()),
            Self::Unread(elements) => {
                (Vec::new(), elements.into_iter().map(|element| parse_object(element.get())).collect())
            }
        };
        understood.into_iter().map(|Object(element)| Ok(element)).chain(read)
    }
}

/// The content of an object that is accepted but not heeded.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Unheeded {}

/// An object that may be there, left unread until a condition looks into it.
pub(super) fn properties<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Properties<'a>>, D::Error> {
    let Some(text) = Option::<&'a RawValue>::deserialize(deserializer)?.map(RawValue::get) else { return Ok(None) };
    if !text.starts_with('{') {
        return Err(de::Error::custom("invalid type: expected an object"));
    }
    Ok(Some(Properties::new(text)))
}

/// A string that borrows from the body where it has no escapes. (Serde borrows a `Cow` only outside of an `Option`.)
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The parameters of the query string. `T` denies unknown fields.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Query::try_from_uri(&parts.uri).map(|Query(parameters)| Self(parameters)).map_err(|rejection| {
            let reason =
                std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
            Error::Malformed { problem: format!("the query string cannot be used: {reason}") }
        })
    }
}

/// A name or an id that must be given.
pub(super) fn required<'a>(field: &'static str, value: Option<&'a str>) -> Result<&'a str, Error> {
    optional(field, value)?.ok_or_else(|| Error::field(field, "is missing"))
}

/// A name or an id that may be given.
pub(super) fn optional<'a>(field: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match value {
        Some("") => Err(Error::field(field, "is empty")),
        Some(text) if text.len() > MAX_TEXT => Err(Error::field(field, format!("is longer than {MAX_TEXT} bytes"))),
        _ => Ok(value),
    }
}

/// Refuses more questions in one request than are answered.
pub(super) fn check_batch_size(field: &'static str, size: usize) -> Result<(), Error> {
    if size > MAX_BATCH {
        return Err(Error::field(field, format!("has {size} elements, but {MAX_BATCH} are the most that are taken")));
    }
    Ok(())
}
