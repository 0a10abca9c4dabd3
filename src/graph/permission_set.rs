//! A set of permissions as bits.

use smallvec::SmallVec;

use super::{records::Permission, table::Id};

/// A set of permissions of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PermissionSet {
    words: SmallVec<[u64; 4]>,
}

impl PermissionSet {
    pub(super) fn insert(&mut self, permission: Id<Permission>) {
        let word = permission.index() / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (permission.index() % 64);
    }

    pub(super) fn contains(&self, permission: Id<Permission>) -> bool {
        let word = permission.index() / 64;
        self.words.get(word).is_some_and(|bits| bits & (1 << (permission.index() % 64)) != 0)
    }

    /// Whether any permission is in both sets.
    pub(super) fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(one, other)| one & other != 0)
    }

    /// Adds all of another set.
    pub(super) fn extend(&mut self, other: &Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// The numbers ([`Id::get`]) of the permissions in the set, ascending.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.words).flat_map(|(word, &bits)| {
            (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word * 64 + bit + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let ids: Vec<Id<Permission>> = [1, 64, 65, 400].iter().filter_map(|&n| Id::new(n)).collect();
        let mut set = PermissionSet::default();
        let mut rest = PermissionSet::default();
        set.insert(ids[0]);
        set.insert(ids[1]);
        rest.insert(ids[2]);
        rest.insert(ids[3]);
        assert!(set.contains(ids[1]) && !set.contains(ids[2]) && !set.contains(ids[3]));
        set.extend(&rest);
        assert_eq!(set.numbers().collect::<Vec<_>>(), [1, 64, 65, 400]);
    }
}
