//! Parts of lists.

use super::query::PageRequest;

/// The items of a page in the order of their keys, which are unique, and the key to go on after.
pub(super) fn paginate<'k, T: Copy>(
    mut items: Vec<T>,
    key: impl Fn(T) -> &'k str,
    page: PageRequest<'_>,
) -> (Vec<T>, Option<String>) {
    if let Some(after) = page.after {
        items.retain(|&item| key(item) > after);
    }
    let limit = page.limit.max(1);
    let more = items.len() > limit;
    if more {
        // Only the page is sorted, not the list.
        items.select_nth_unstable_by(limit, |&a, &b| key(a).cmp(key(b)));
        items.truncate(limit);
    }
    items.sort_unstable_by(|&a, &b| key(a).cmp(key(b)));
    let next = items.last().filter(|_| more).map(|&last| key(last).to_owned());
    (items, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_put_together_are_the_sorted_list() {
        let names = ["d", "a", "c", "e", "b"];
        for limit in 1..=6 {
            let (mut all, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = PageRequest { limit, after: after.as_deref() };
                let (items, next) = paginate(names.to_vec(), |name| name, page);
                assert!(items.len() == limit || next.is_none());
                all.extend(items);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(all, ["a", "b", "c", "d", "e"]);
        }
    }
}
