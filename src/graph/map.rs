//! A map whose copies share what is the same in them.

use std::hash::{BuildHasher as _, Hash};

use super::{chunks::Chunks, index::Index};

/// Items, each with a number for as long as it is there.
#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    slots: Chunks<Slot<T>>,
    /// The first of the free slots, which are linked.
    free: Next,
}

/// One more than the number of a slot; 0: none.
type Next = u32;

#[derive(Clone, Debug)]
enum Slot<T> {
    Free(Next),
    Used(T),
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::Free(0)
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Chunks::default(), free: 0 }
    }
}

impl<T: Clone> Slab<T> {
    pub(super) fn insert(&mut self, item: T) -> u32 {
        let number = self.free.checked_sub(1).unwrap_or_else(|| {
            // INVARIANT: four thousand million items do not fit into memory.
            #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
            let index = self.slots.push(Slot::default()) as u32;
            index
        });
        let slot = &mut self.slots[number as usize];
        if let Slot::Free(next) = std::mem::replace(slot, Slot::Used(item)) {
            self.free = next;
        }
        number
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        let slot = std::mem::replace(&mut self.slots[number as usize], Slot::Free(self.free));
        self.free = number + 1;
        match slot {
            Slot::Used(item) => Some(item),
            Slot::Free(_) => None,
        }
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        match &self.slots[number as usize] {
            Slot::Used(item) => Some(item),
            Slot::Free(_) => None,
        }
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        match &mut self.slots[number as usize] {
            Slot::Used(item) => Some(item),
            Slot::Free(_) => None,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|(_, slot)| match slot {
            Slot::Used(item) => Some(item),
            Slot::Free(_) => None,
        })
    }

    pub(super) fn adopt(&mut self, other: &Self) {
        let Self { slots, free } = other;
        self.slots.adopt(slots);
        self.free = *free;
    }
}

/// A map.
#[derive(Clone, Debug)]
pub(super) struct SharedMap<K, V> {
    index: Index,
    entries: Slab<(K, V)>,
    hasher: foldhash::fast::RandomState,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { index: Index::default(), entries: Slab::default(), hasher: foldhash::fast::RandomState::default() }
    }
}

impl<K: Clone + Hash + Eq, V: Clone> SharedMap<K, V> {
    pub(super) fn insert(&mut self, key: K, value: V) {
        let hash = self.hasher.hash_one(&key);
        if let Some(number) = self.number(&key)
            && let Some((_, known)) = self.entries.get_mut(number)
        {
            *known = value;
            return;
        }
        let number = self.entries.insert((key, value));
        let Self { index, entries, hasher } = self;
        index.insert(hash, number, |other| entries.get(other).map_or(0, |(key, _)| hasher.hash_one(key)));
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let Self { index, entries, hasher } = self;
        let is_meant = |number| entries.get(number).is_some_and(|(other, _)| other == key);
        let number = index.remove(hasher.hash_one(key), is_meant)?;
        entries.remove(number).map(|(_, value)| value)
    }

    fn number(&self, key: &K) -> Option<u32> {
        let is_meant = |number| self.entries.get(number).is_some_and(|(other, _)| other == key);
        self.index.find(self.hasher.hash_one(key), is_meant)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.number(key).and_then(|number| self.entries.get(number)).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.number(key).and_then(|number| self.entries.get_mut(number)).map(|(_, value)| value)
    }

    /// Every key with its value, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub(super) fn adopt(&mut self, other: &Self) {
        let Self { index, entries, hasher } = other;
        self.index.adopt(index);
        self.entries.adopt(entries);
        self.hasher.clone_from(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_does_not_see_changes_until_it_adopts_them() {
        let mut map = SharedMap::default();
        (0..500).for_each(|key| map.insert(key, key));
        let mut clone = map.clone();
        (0..500).step_by(2).for_each(|key| assert_eq!(map.remove(&key), Some(key)));
        (400..700).for_each(|key| map.insert(key, key + 1));
        assert_eq!((clone.get(&0), clone.get(&499), clone.get(&600)), (Some(&0), Some(&499), None));
        clone.adopt(&map);
        for of in [&map, &clone] {
            assert_eq!((of.get(&0), of.get(&1), of.get(&499), of.get(&600)), (None, Some(&1), Some(&500), Some(&601)));
            assert_eq!(of.iter().count(), 500);
        }
    }
}
