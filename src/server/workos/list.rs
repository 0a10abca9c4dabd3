//! Pages of lists, by cursors that are ids (rules 68, 69).

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::{
    Error,
    id::{Id, Prefix},
};
use crate::{
    graph::facts::Name,
    store::{Item, OfKind, Place, View},
};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 100;

/// The parameters of every list. Flatten it into those of one: all of them are texts, since a flattened parameter of a
/// query string cannot be read as a number.
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

/// A parameter, and the cursor that it gives.
type Cursor<'a> = (&'static str, Option<&'a str>);

/// The cursors as the list runs, whatever the parameters are called in its order.
struct Cursors<'a> {
    after: Cursor<'a>,
    before: Cursor<'a>,
}

/// Where something may stand in the order of creation.
pub type Bounds = (Bound<Place>, Bound<Place>);

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
        let (order, limit) = (self.order()?, self.limit()?);
        // Rows that are made of one object stand at the same place: their ids decide.
        rows.sort_by(|one, other| (&one.place, one.id.object).cmp(&(&other.place, other.id.object)));
        if order != Order::Ascending {
            rows.reverse();
        }

        let Cursors { after, before } = self.cursors(order);
        // Where the rows before a cursor end, and those after it begin.
        let around = |(name, cursor): Cursor<'_>| {
            let Some(cursor) = cursor else { return Ok::<_, Error>(None) };
            if let Some(index) = rows.iter().position(|row| row.id.to_string() == cursor) {
                return Ok(Some((index, index + 1)));
            }
            let place = place(cursor).ok_or_else(|| unknown_cursor(name, cursor))?;
            let index = rows.partition_point(|row| match order {
                Order::Ascending => row.place < place,
                Order::Descending | Order::Normal => row.place > place,
            });
            Ok(Some((index, index)))
        };
        let from = around(after)?.map(|(_, next)| next);
        let end = around(before)?.map(|(previous, _)| previous);
        let (from, to) = match (from, end) {
            (None, None) => (0, limit),
            (None, Some(end)) => (end.saturating_sub(limit), end),
            (Some(from), None) => (from, from + limit),
            (Some(from), Some(end)) => (from, end.min(from + limit).max(from)),
        };
        let to = to.min(rows.len());

        let first = (from > 0 && from < to).then(|| rows[from].id);
        let last = (from < to && to < rows.len()).then(|| rows[to - 1].id);
        Ok(Page::new(order, rows.drain(from..to).map(|row| show(row.item)), first, last))
    }

    /// The page of the objects of those names that is asked for, shown by their ids of that sort. One that `get` or `show`
    /// gives nothing for is left out: it is not meant, or what it needs to be shown is gone.
    ///
    /// # Errors
    /// Where a parameter cannot be used.
    pub fn page_of<F: OfKind, S>(
        &self,
        view: &View<'_>,
        prefix: Prefix,
        names: &[Name],
        get: impl Fn(&Name) -> Option<Item<F>>,
        show: impl Fn(&Item<F>) -> Option<S>,
    ) -> Result<Page<S>, Error> {
        let row = |name: &Name| get(name).map(|item| Row { id: prefix.id(item.id), place: item.place(), item });
        let page = self.page_of_rows::<F, _, _>(view, prefix, names, row, |item| show(&item))?;
        Ok(page.flatten())
    }

    /// The same of what is more than an object of a kind. Of all that is named it is looked only where it stands: rows are
    /// made for the page alone.
    ///
    /// # Errors
    /// Where a parameter cannot be used.
    pub fn page_of_rows<F: OfKind, T, S>(
        &self,
        view: &View<'_>,
        prefix: Prefix,
        names: &[Name],
        row: impl Fn(&Name) -> Option<Row<T>>,
        show: impl Fn(T) -> S,
    ) -> Result<Page<S>, Error> {
        let mut places: Vec<Place> = names.iter().filter_map(|name| view.place_of::<F>(name)).collect();
        places.sort_unstable();
        places.dedup();
        let between = |(from, to): Bounds| {
            let from = match from {
                Bound::Included(from) => places.partition_point(|place| *place < from),
                Bound::Excluded(from) => places.partition_point(|place| *place <= from),
                Bound::Unbounded => 0,
            };
            let to = match to {
                Bound::Included(to) => places.partition_point(|place| *place <= to),
                Bound::Excluded(to) => places.partition_point(|place| *place < to),
                Bound::Unbounded => places.len(),
            };
            places.get(from..to).unwrap_or_default().iter().filter_map(|place| row(&place.name))
        };
        self.page_in_order(between, place_in(view, prefix), show)
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
        let (order, limit) = (self.order()?, self.limit()?);
        let place_of = |(name, cursor): Cursor<'_>| {
            let Some(cursor) = cursor else { return Ok(None) };
            place(cursor).map(Some).ok_or_else(|| unknown_cursor(name, cursor))
        };
        let Cursors { after, before } = self.cursors(order);
        let (after, before) = (place_of(after)?, place_of(before)?);
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
        Ok(Page::new(order, page.into_iter().map(|row| show(row.item)), first, last))
    }

    fn cursors(&self, order: Order) -> Cursors<'_> {
        let (after, before) = (("after", self.after.as_deref()), ("before", self.before.as_deref()));
        match order {
            Order::Ascending | Order::Descending => Cursors { after, before },
            Order::Normal => Cursors { after: before, before: after },
        }
    }

    fn order(&self) -> Result<Order, Error> {
        match self.order.as_deref() {
            None | Some("desc") => Ok(Order::Descending),
            Some("asc") => Ok(Order::Ascending),
            Some("normal") => Ok(Order::Normal),
            Some(_) => Err(Error::field("order", "order must be one of asc, desc, normal")),
        }
    }

    fn limit(&self) -> Result<usize, Error> {
        match self.limit.as_deref().map(str::parse::<usize>) {
            None => Ok(DEFAULT_LIMIT),
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            Some(_) => Err(Error::field("limit", format!("limit must be a number from 1 to {MAX_LIMIT}"))),
        }
    }
}

/// Where the object that a cursor of that sort names stands, or stood.
pub fn place_in(view: &View<'_>, prefix: Prefix) -> impl Fn(&str) -> Option<Place> {
    move |cursor| view.place(prefix.parse(cursor)?)
}

fn unknown_cursor(name: &'static str, cursor: &str) -> Error {
    Error::field(name, format!("{name} must be the id of an item of this list, not '{cursor}'"))
}

impl<T> Page<T> {
    /// `before` is the cursor to what precedes the page as the list runs, `after` that to what follows it.
    fn new(order: Order, data: impl Iterator<Item = T>, before: Option<Id>, after: Option<Id>) -> Self {
        let list_metadata = match order {
            Order::Ascending | Order::Descending => ListMetadata { before, after },
            Order::Normal => ListMetadata { before: after, after: before },
        };
        Self { object: "list", data: data.collect(), list_metadata }
    }

    /// A page that is the whole list.
    pub const fn whole(data: Vec<T>) -> Self {
        Self { object: "list", data, list_metadata: ListMetadata { before: None, after: None } }
    }
}

impl<T> Page<Option<T>> {
    /// Without what went while it was being shown.
    pub fn flatten(self) -> Page<T> {
        let Self { object, data, list_metadata } = self;
        Page { object, data: data.into_iter().flatten().collect(), list_metadata }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use serde_json::{Value, json};

    use super::*;
    use crate::{graph::facts::Timestamp, store::ObjectId};

    #[derive(Debug, Deserialize)]
    struct Parameters {
        kind: Option<String>,
        #[serde(flatten)]
        page: PageParameters,
    }

    fn parameters(query: &str) -> Parameters {
        let uri = format!("/list?{query}").parse().unwrap();
        Query::try_from_uri(&uri).map(|Query(parameters)| parameters).unwrap()
    }

    fn id(number: u8) -> Id {
        Prefix::Group.id(ObjectId(number.into()))
    }

    fn place(number: u8) -> Place {
        Place { created: Timestamp::from_second(number.into()).unwrap(), name: format!("group-{number}").into() }
    }

    /// A page of the groups with these numbers, of which the greater are the younger. Every number up to 9 once was one.
    fn page(numbers: impl IntoIterator<Item = u8>, query: &str) -> Result<Value, Error> {
        let rows = numbers.into_iter().map(|number| Row { id: id(number), place: place(number), item: number });
        let known = |cursor: &str| (1..=9).find(|&number| id(number).to_string() == cursor).map(place);
        parameters(query).page.page(rows.collect(), known, |number| number).map(|page| json!(page))
    }

    fn shown(numbers: &[u8], before: Option<u8>, after: Option<u8>) -> Value {
        json!({"object": "list", "data": numbers, "list_metadata": {"before": before.map(id), "after": after.map(id)}})
    }

    #[test]
    fn parameters_are_read_beside_those_of_the_list() {
        let parameters = parameters("kind=x&limit=7&order=asc&unknown=1");
        assert_eq!(parameters.kind.as_deref(), Some("x"));
        assert_eq!(parameters.page.limit().unwrap(), 7);
        assert_eq!(parameters.page.order().unwrap(), Order::Ascending);
    }

    #[test]
    fn rule_68_pages_lead_on_in_both_directions() {
        assert_eq!(page(1..=5, "").unwrap(), shown(&[5, 4, 3, 2, 1], None, None));
        assert_eq!(page(1..=5, "limit=2").unwrap(), shown(&[5, 4], None, Some(4)));
        assert_eq!(page(1..=5, &format!("limit=2&after={}", id(4))).unwrap(), shown(&[3, 2], Some(3), Some(2)));
        assert_eq!(page(1..=5, &format!("limit=2&after={}", id(2))).unwrap(), shown(&[1], Some(1), None));
        assert_eq!(page(1..=5, &format!("limit=2&before={}", id(1))).unwrap(), shown(&[3, 2], Some(3), Some(2)));
        assert_eq!(page(1..=5, &format!("limit=2&before={}", id(3))).unwrap(), shown(&[5, 4], None, Some(4)));
        assert_eq!(
            page(1..=5, &format!("limit=2&order=asc&after={}", id(2))).unwrap(),
            shown(&[3, 4], Some(3), Some(4))
        );
        assert_eq!(
            page(1..=5, &format!("after={}&before={}", id(5), id(2))).unwrap(),
            shown(&[4, 3], Some(4), Some(3))
        );
        assert_eq!(page([], "").unwrap(), shown(&[], None, None));
    }

    #[test]
    fn rule_68_in_normal_order_after_leads_to_what_is_newer() {
        assert_eq!(page(1..=5, "limit=2&order=normal").unwrap(), shown(&[5, 4], Some(4), None));
        let older = page(1..=5, &format!("limit=2&order=normal&before={}", id(4))).unwrap();
        assert_eq!(older, shown(&[3, 2], Some(2), Some(3)));
        let newer = page(1..=5, &format!("limit=2&order=normal&after={}", id(3))).unwrap();
        assert_eq!(newer, shown(&[5, 4], Some(4), None));
    }

    #[test]
    fn a_cursor_holds_although_its_item_is_gone_and_others_came() {
        assert_eq!(
            page([1, 2, 3, 5, 6], &format!("limit=2&after={}", id(4))).unwrap(),
            shown(&[3, 2], Some(3), Some(2))
        );
        assert_eq!(page([1, 2, 3, 5, 6], &format!("limit=2&before={}", id(4))).unwrap(), shown(&[6, 5], None, Some(5)));
        assert_eq!(page([], &format!("after={}", id(4))).unwrap(), shown(&[], None, None));
    }

    #[test]
    fn rows_that_stand_at_one_place_are_told_apart_by_their_ids() {
        let rows = || (1..=3).map(|number| Row { id: id(number), place: place(1), item: number }).collect::<Vec<_>>();
        let next = |query: &str| json!(parameters(query).page.page(rows(), |_| None, |number| number).unwrap());
        assert_eq!(next("limit=1"), shown(&[3], None, Some(3)));
        assert_eq!(next(&format!("limit=1&after={}", id(3))), shown(&[2], Some(2), Some(2)));
        assert_eq!(next(&format!("limit=1&after={}", id(2))), shown(&[1], Some(1), None));
    }

    #[test]
    fn rule_69_what_cannot_be_used_is_said() {
        let limit = "limit must be a number from 1 to 100";
        let order = "order must be one of asc, desc, normal";
        let unknown = "after must be the id of an item of this list, not 'group_x'";
        for (query, field, sentence) in [
            ("limit=0", "limit", limit),
            ("limit=101", "limit", limit),
            ("limit=-1", "limit", limit),
            ("limit=ten", "limit", limit),
            ("limit=", "limit", limit),
            ("order=newest", "order", order),
            ("after=group_x", "after", unknown),
        ] {
            let Err(Error::Invalid(errors)) = page(1..=5, query) else { panic!("{query} is taken") };
            assert_eq!(json!(errors), json!([{"field": field, "code": sentence}]));
        }
    }
}
