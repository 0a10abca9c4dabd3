//! Pages of lists, by cursors that are ids (rules 68, 69).

use std::ops::Bound;

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

impl<T> Page<T> {
    /// A page with all that there is.
    pub const fn whole(data: Vec<T>) -> Self {
        Self { object: "list", data, list_metadata: ListMetadata { before: None, after: None } }
    }
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

/// Where something may stand in the order of creation.
pub type Bounds = (Bound<Place>, Bound<Place>);

/// Which page is asked for, in the direction of the list.
struct Wanted {
    order: Order,
    limit: usize,
    after: Option<Place>,
    before: Option<Place>,
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
        rows.sort_by(|one, other| one.place.cmp(&other.place));
        let between = |(from, to): Bounds| {
            let from = rows.partition_point(|row| match &from {
                Bound::Included(from) => row.place < *from,
                Bound::Excluded(from) => row.place <= *from,
                Bound::Unbounded => false,
            });
            let to = rows.partition_point(|row| match &to {
                Bound::Included(to) => row.place <= *to,
                Bound::Excluded(to) => row.place < *to,
                Bound::Unbounded => true,
            });
            let indices = from..to.max(from);
            indices.map(|index| Row { id: rows[index].id, place: rows[index].place.clone(), item: index })
        };
        let place = |cursor: &str| {
            let row = rows.iter().find(|row| row.id.to_string() == cursor);
            row.map(|row| row.place.clone()).or_else(|| place(cursor))
        };
        let Page { object, data, list_metadata } = self.page_in_order(between, place, |index| index)?;
        let mut items: Vec<Option<T>> = rows.into_iter().map(|row| Some(row.item)).collect();
        let data = data.into_iter().filter_map(|index| items[index].take()).map(show).collect();
        Ok(Page { object, data, list_metadata })
    }

    /// The same of a list that may be long: `between` gives the rows that stand within bounds, the oldest first, and no more
    /// of them are taken than the page needs.
    ///
    /// # Errors
    /// Where a parameter cannot be used.
    pub fn page_in_order<T, S, I: DoubleEndedIterator<Item = Row<T>>>(
        &self,
        between: impl Fn(Bounds) -> I,
        place: impl Fn(&str) -> Option<Place>,
        show: impl Fn(T) -> S,
    ) -> Result<Page<S>, Error> {
        let Wanted { order, limit, after, before } = self.wanted(place)?;
        // From here on, "after" and "before" mean the direction of the list.
        let rows = |after: Option<&Place>, before: Option<&Place>, limit: usize, from_the_end: bool| -> Vec<Row<T>> {
            let bound = |place: Option<&Place>| place.cloned().map_or(Bound::Unbounded, Bound::Excluded);
            let (bounds, reversed) = match order {
                Order::Ascending => ((bound(after), bound(before)), from_the_end),
                Order::Descending | Order::Normal => ((bound(before), bound(after)), !from_the_end),
            };
            let rows = between(bounds);
            if reversed { rows.rev().take(limit).collect() } else { rows.take(limit).collect() }
        };
        let from_the_end = after.is_none() && before.is_some();
        let mut page = rows(after.as_ref(), before.as_ref(), limit, from_the_end);
        if from_the_end {
            page.reverse();
        }

        let first = page.first().filter(|row| !rows(None, Some(&row.place), 1, true).is_empty()).map(|row| row.id);
        let last = page.last().filter(|row| !rows(Some(&row.place), None, 1, false).is_empty()).map(|row| row.id);
        let list_metadata = match order {
            Order::Ascending | Order::Descending => ListMetadata { before: first, after: last },
            Order::Normal => ListMetadata { before: last, after: first },
        };
        let data = page.into_iter().map(|row| show(row.item)).collect();
        Ok(Page { object: "list", data, list_metadata })
    }

    fn wanted(&self, place: impl Fn(&str) -> Option<Place>) -> Result<Wanted, Error> {
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
        let of = |name: &'static str, cursor: &Option<String>| {
            let Some(cursor) = cursor.as_deref() else { return Ok(None) };
            place(cursor).map(Some).ok_or_else(|| {
                Error::field(name, format!("{name} must be the id of an item of this list, not '{cursor}'"))
            })
        };
        let (after, before) = (of("after", &self.after)?, of("before", &self.before)?);
        Ok(match order {
            Order::Ascending | Order::Descending => Wanted { order, limit, after, before },
            Order::Normal => Wanted { order, limit, after: before, before: after },
        })
    }
}

impl<T> Page<Option<T>> {
    /// Without what went while it was being shown.
    pub fn flatten(self) -> Page<T> {
        let Self { object, data, list_metadata } = self;
        Page { object, data: data.into_iter().flatten().collect(), list_metadata }
    }
}
