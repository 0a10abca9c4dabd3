//! Cursors: where in a list to go on.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    Json,
    extract::Query,
    http::Uri,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use utoipa::ToSchema;

use super::Error;
use crate::graph::query::{Page, PageRequest};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Starts every cursor, so that another program's format is not taken for this one's.
const VERSION: u8 = 1;

/// The part of a list that a request wants.
///
/// A cursor holds the key of the last item that was handed out and a fingerprint of the list: its path and its other
/// parameters. So a cursor is good for its own list alone. It holds no secret and needs no protection: a key
/// that someone makes up only says where to go on in a list that may be read anyway.
#[derive(Debug)]
pub(super) struct Paging {
    limit: usize,
    after: Option<String>,
    list: Fingerprint,
}

impl Paging {
    /// The page that the parameters `limit` and `cursor` of the request to `uri` ask for.
    pub fn new(uri: &Uri, limit: Option<usize>, cursor: Option<&str>) -> Result<Self, Error> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::field("limit", format!("must be from 1 to {MAX_LIMIT}")));
        }
        let list = fingerprint(uri)?;
        let after = cursor.map(|cursor| list.place(cursor).ok_or(Error::Cursor)).transpose()?;
        Ok(Self { limit, after, list })
    }

    /// The same, as the graph is asked for it.
    pub fn request(&self) -> PageRequest<'_> {
        PageRequest { limit: self.limit, after: self.after.as_deref() }
    }

    /// The response with this page of the list.
    pub fn respond<'a, T, I: Serialize>(&self, page: &'a Page<T>, item: impl Fn(&'a T) -> I) -> Response {
        let items = page.items.iter().map(item).collect();
        let next_cursor = page.next.as_deref().map(|key| self.list.cursor(key));
        Json(List { items, next_cursor }).into_response()
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<I> {
    /// The items.
    items: Vec<I>,
    /// The cursor of the next page; null: this is the last one.
    next_cursor: Option<String>,
}

/// What tells a list from all others. It may change with the program's version: then cursors of before are refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// Of the list that these together determine.
    pub fn of(parts: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        parts.hash(&mut hasher);
        Self(hasher.finish().to_be_bytes())
    }

    /// The cursor that goes on from this place in the list.
    pub fn cursor(self, place: &str) -> String {
        let bytes = [&[VERSION], self.0.as_slice(), place.as_bytes()].concat();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor names; none: it is not one of this list.
    pub fn place(self, cursor: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let place = bytes.strip_prefix(&[VERSION])?.strip_prefix(self.0.as_slice())?;
        String::from_utf8(place.to_vec()).ok()
    }
}

fn fingerprint(uri: &Uri) -> Result<Fingerprint, Error> {
    let Query(mut parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|rejection| Error::Malformed { problem: rejection.body_text() })?;
    parameters.retain(|(name, _value)| name != "limit" && name != "cursor");
    parameters.sort_unstable();
    Ok(Fingerprint::of((uri.path(), parameters)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(uri: &str, cursor: Option<&str>) -> Result<Paging, Error> {
        Paging::new(&uri.parse().unwrap(), Some(10), cursor)
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_list_whatever_the_order_of_parameters_and_the_limit() {
        let cursor = page("/l?a=1&b=2&limit=5", None).unwrap().list.cursor("clé/1");
        let next = page("/l?limit=9&b=2&a=1&cursor=x", Some(&cursor)).unwrap();
        assert_eq!(next.request().after, Some("clé/1"));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = page("/l?a=1", None).unwrap().list.cursor("key");
        for other in ["/l?a=2", "/l", "/l?a=1&b=1", "/m?a=1"] {
            assert!(matches!(page(other, Some(&cursor)), Err(Error::Cursor)), "{other}");
        }
        for garbage in ["", "!", "AQ", &cursor[1..], &format!("{cursor}!")] {
            assert!(matches!(page("/l?a=1", Some(garbage)), Err(Error::Cursor)), "{garbage}");
        }
    }
}
