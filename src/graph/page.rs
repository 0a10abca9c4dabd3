//! Parts of lists.

use std::cmp::Ordering;

use super::{
    facts::Name,
    query::{Page, PageRequest},
};

/// What orders a list, and leads on in it: a text, which need not lie together in memory.
pub(super) trait Key: Ord {
    /// The text, in parts.
    fn parts(&self) -> impl Iterator<Item = &str>;
}

impl Key for Name {
    fn parts(&self) -> impl Iterator<Item = &str> {
        [self.as_str()].into_iter()
    }
}

/// How two texts that come in parts compare.
pub(super) fn compare_parts<'a, 'b>(
    one: impl IntoIterator<Item = &'a str>,
    other: impl IntoIterator<Item = &'b str>,
) -> Ordering {
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let (mut left, mut right) = (&[][..], &[][..]);
    loop {
        while left.is_empty()
            && let Some(part) = one.next()
        {
            left = part.as_bytes();
        }
        while right.is_empty()
            && let Some(part) = other.next()
        {
            right = part.as_bytes();
        }
        let common = left.len().min(right.len());
        let ordering = left[..common].cmp(&right[..common]);
        if common == 0 || ordering.is_ne() {
            return ordering.then(left.len().cmp(&right.len()));
        }
        (left, right) = (&left[common..], &right[common..]);
    }
}

/// The page of those items that `take` takes, in the order of their keys. Of several items with one key the first one
/// in that order stands for all.
///
/// Only what the page needs is sorted and taken: the keys of all items are looked at, but little else.
pub(super) fn page_of<K: Key, I, T>(
    items: impl IntoIterator<Item = (K, I)>,
    page: PageRequest<'_>,
    mut take: impl FnMut(I) -> Option<T>,
) -> Page<T> {
    let is_wanted = |key: &K| page.after.is_none_or(|after| compare_parts(key.parts(), [after]).is_gt());
    let mut open: Vec<(K, I)> = items.into_iter().filter(|(key, _)| is_wanted(key)).collect();
    let limit = page.limit.max(1);
    let mut taken: Vec<T> = Vec::new();
    let mut last: Option<K> = None;
    let mut last_taken: Option<String> = None;
    // Where many are not taken, more are sorted each time, so that the whole costs no more than sorting all at once.
    let mut wanted = limit.saturating_add(1);
    while !open.is_empty() {
        let rest = if wanted < open.len() {
            open.select_nth_unstable_by(wanted, |(a, _), (b, _)| a.cmp(b));
            open.split_off(wanted)
        } else {
            Vec::new()
        };
        open.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for (key, item) in open {
            if last.as_ref() == Some(&key) {
                continue;
            }
            if let Some(item) = take(item) {
                if taken.len() == limit {
                    return Page { items: taken, next: last_taken };
                }
                taken.push(item);
                if taken.len() == limit {
                    last_taken = Some(key.parts().collect());
                }
            }
            last = Some(key);
        }
        open = rest;
        wanted = wanted.saturating_mul(2);
    }
    Page { items: taken, next: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_put_together_are_the_sorted_list_of_what_is_taken() {
        let names = ["d", "a", "c", "e", "b", "f", "c", "x"].map(Name::from);
        for limit in 1..=8 {
            let (mut all, mut after) = (Vec::new(), None::<String>);
            loop {
                let request = PageRequest { limit, after: after.as_deref() };
                let items = names.iter().map(|name| (name.clone(), name));
                let page = page_of(items, request, |name| (name != "x" && name != "b").then_some(name.as_str()));
                assert!(page.items.len() == limit || page.next.is_none());
                all.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(all, ["a", "c", "d", "e", "f"]);
        }
    }

    #[test]
    fn parts_compare_as_the_text_that_they_make() {
        let texts: [&[&str]; 8] =
            [&[], &["", ""], &["a"], &["a", "-b"], &["a", "/", "b"], &["a/", "b"], &["a-b", ""], &["", "b"]];
        for one in texts {
            for other in texts {
                let compared = compare_parts(one.iter().copied(), other.iter().copied());
                assert_eq!(compared, one.concat().cmp(&other.concat()), "{one:?} {other:?}");
            }
        }
    }
}
