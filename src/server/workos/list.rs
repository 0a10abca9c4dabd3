//! Pages of lists, by cursors that are ids (rules 68, 69).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Error, id::Id};
use crate::store::Place;

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 100;

/// The parameters of every list. Flatten it into those of one.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PageParameters {
    limit: Option<String>,
    before: Option<String>,
    after: Option<String>,
    order: Option<String>,
}

/// One item of a list, before it is known whether it is on the page.
#[derive(Clone, Debug)]
pub struct Row<T> {
    /// Its id, and its cursor.
    pub id: Id,
    /// Where it stands.
    pub place: Place,
    /// What it is made of.
    pub item: T,
}

/// A page, as the body of a response.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    object: &'static str,
    data: Vec<T>,
    list_metadata: ListMetadata,
}

#[derive(Debug, Serialize)]
struct ListMetadata {
    before: Option<Id>,
    after: Option<Id>,
}

/// A list that comes whole (rule 66).
#[derive(Debug, Serialize)]
pub struct WholeList<T> {
    object: &'static str,
    data: Vec<T>,
}

impl<T> From<Vec<T>> for WholeList<T> {
    fn from(data: Vec<T>) -> Self {
        Self { object: "list", data }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    Ascending,
    Descending,
    /// Descending, but `after` leads to what is newer and `before` to what is older.
    Normal,
}

impl PageParameters {
    /// The page of the rows that is asked for. `place` says where something stands or stood that is no row any more.
    ///
    /// # Errors
    /// Where a parameter cannot be used.
    pub fn page<T, S>(
        &self,
        mut rows: Vec<Row<T>>,
        place: impl Fn(&str) -> Option<Place>,
        show: impl Fn(T) -> S,
    ) -> Result<Page<S>, Error> {
        let order = match self.order.as_deref() {
            None | Some("desc") => Order::Descending,
            Some("asc") => Order::Ascending,
            Some("normal") => Order::Normal,
            Some(_) => return Err(Error::field("order", "order must be one of asc, desc, normal")),
        };
        let limit = match self.limit.as_deref().map(str::parse::<usize>) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => return Err(Error::field("limit", format!("limit must be a number from 1 to {MAX_LIMIT}"))),
        };
        let compare = |one: &Place, other: &Place| match order {
            Order::Ascending => one.cmp(other),
            Order::Descending | Order::Normal => other.cmp(one),
        };
        rows.sort_by(|one, other| compare(&one.place, &other.place));

        let (forwards, backwards) = match order {
            Order::Ascending | Order::Descending => (("after", &self.after), ("before", &self.before)),
            Order::Normal => (("before", &self.before), ("after", &self.after)),
        };
        let index_of = |(name, cursor): (&'static str, &Option<String>), inclusive: bool| {
            let Some(cursor) = cursor.as_deref() else { return Ok::<_, Error>(None) };
            let row = rows.iter().find(|row| row.id.to_string() == cursor).map(|row| row.place.clone());
            let place = row.or_else(|| place(cursor)).ok_or_else(|| {
                Error::field(name, format!("{name} must be the id of an item of this list, not '{cursor}'"))
            })?;
            Ok(Some(rows.partition_point(|row| match compare(&row.place, &place) {
                Ordering::Less => true,
                Ordering::Equal => inclusive,
                Ordering::Greater => false,
            })))
        };
        let from = index_of(forwards, true)?;
        let to = index_of(backwards, false)?;
        let (from, to) = match (from, to) {
            (Some(from), to) => (from, to.unwrap_or(rows.len()).min(from + limit).max(from)),
            (None, Some(to)) => (to.saturating_sub(limit), to),
            (None, None) => (0, limit.min(rows.len())),
        };
        let to = to.min(rows.len());

        let first = (from > 0 && from < to).then(|| rows[from].id);
        let last = (to < rows.len() && from < to).then(|| rows[to - 1].id);
        let list_metadata = match order {
            Order::Ascending | Order::Descending => ListMetadata { before: first, after: last },
            Order::Normal => ListMetadata { before: last, after: first },
        };
        let data = rows.drain(from..to).map(|row| show(row.item)).collect();
        Ok(Page { object: "list", data, list_metadata })
    }
}
