//! Lists of records that are linked by their ids, in no particular order.

use std::{iter, ops::IndexMut};

use super::table::Id;

/// The neighbours of a record in a list.
#[derive(Debug)]
pub(super) struct Links<R> {
    next: Option<Id<R>>,
    previous: Option<Id<R>>,
}

impl<R> Default for Links<R> {
    fn default() -> Self {
        Self { next: None, previous: None }
    }
}

impl<R> Clone for Links<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Links<R> {}

/// The list that begins with `first`.
pub(super) fn iter<'a, R>(first: Option<Id<R>>, links_of: impl Fn(Id<R>) -> &'a Links<R>) -> impl Iterator<Item = Id<R>>
where
    R: 'a,
{
    iter::successors(first, move |&id| links_of(id).next)
}

/// Puts a record before the others of the list that begins with `first`, as its new first.
pub(super) fn link<R, L>(records: &mut L, links: fn(&mut L::Output) -> &mut Links<R>, first: Option<Id<R>>, id: Id<R>)
where
    L: IndexMut<Id<R>, Output: Sized>,
{
    *links(&mut records[id]) = Links { next: first, previous: None };
    if let Some(second) = first {
        links(&mut records[second]).previous = Some(id);
    }
}

/// Takes a record out of the list that begins with `first`. What the list begins with then is returned.
pub(super) fn unlink<R, L>(
    records: &mut L,
    links: fn(&mut L::Output) -> &mut Links<R>,
    first: Option<Id<R>>,
    id: Id<R>,
) -> Option<Id<R>>
where
    L: IndexMut<Id<R>, Output: Sized>,
{
    let Links { next, previous } = std::mem::take(links(&mut records[id]));
    if let Some(next) = next {
        links(&mut records[next]).previous = previous;
    }
    let Some(previous) = previous else {
        return next;
    };
    links(&mut records[previous]).next = next;
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::chunks::Chunks;

    #[test]
    fn what_is_linked_is_listed_until_it_is_unlinked() {
        let mut records = Chunks::<Links<u8>>::default();
        records.reserve(5);
        let ids: Vec<Id<u8>> = (1..=5).filter_map(Id::new).collect();
        let mut first = None;
        for &id in &ids {
            link(&mut records, |links| links, first, id);
            first = Some(id);
        }
        for (gone, left) in [(2, vec![4, 3, 1, 0]), (4, vec![3, 1, 0]), (0, vec![3, 1]), (1, vec![3]), (3, vec![])] {
            first = unlink(&mut records, |links| links, first, ids[gone]);
            let listed: Vec<usize> = iter(first, |id| &records[id]).map(Id::index).collect();
            assert_eq!(listed, left);
        }
    }
}
