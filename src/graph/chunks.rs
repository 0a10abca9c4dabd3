//! A vector whose copies share what is the same in them.

use std::{
    iter,
    ops::{Index, IndexMut},
    sync::Arc,
};

use prefetch_index::prefetch_index;

use super::table::Id;

/// Chunks begin at the multiples of this, so that finding one takes no division.
const STRIDE: usize = 128;

/// How many items fill a chunk. The last two indices of each stride are not used: so items of the usual sizes, together with
/// the counts before them, just fill what an allocator gives.
const ITEMS: usize = STRIDE - 2;

/// A vector in chunks. A clone shares them all; whichever of the two is changed gets a chunk of its own first. Not every
/// index has an item, see [`place`].
///
/// It notes which chunks it made its own, so that another copy can [`adopt`](Self::adopt) just those.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// All full, but for the first while it is the only one: what is small takes little room.
    shared: Vec<Arc<[T]>>,
    /// More than every index that is in use.
    bound: usize,
    /// The numbers of the chunks that no other copy has, each once.
    touched: Vec<u32>,
}

/// The index of the item of that number from 0 on.
#[inline]
pub(super) const fn place(number: usize) -> usize {
    number + number / ITEMS * (STRIDE - ITEMS)
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { shared: Vec::new(), bound: 0, touched: Vec::new() }
    }
}

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), bound: self.bound, touched: Vec::new() }
    }
}

impl<T> Chunks<T> {
    /// More than every index that is in use.
    pub(super) const fn bound(&self) -> usize {
        self.bound
    }

    /// Has an item fetched into the processor's cache that is wanted soon, and does not wait for it.
    #[inline]
    pub(super) fn prefetch(&self, index: usize) {
        if let Some(chunk) = self.shared.get(index / STRIDE) {
            prefetch_index(chunk, index % STRIDE);
        }
    }

    /// Every item with its index, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let chunks = (0..).step_by(STRIDE).zip(&self.shared);
        let all = chunks.flat_map(|(start, chunk)| (start..).zip(chunk.iter()));
        all.take_while(|&(index, _)| index < self.bound)
    }

    /// Becomes the same as another, of which this is a clone from when neither had been changed, or that adopted this
    /// or was adopted by it since.
    pub(super) fn adopt(&mut self, other: &Self) {
        self.shared.truncate(other.shared.len());
        for number in self.touched.drain(..).chain(other.touched.iter().copied()) {
            let number = number as usize;
            if let (Some(own), Some(others)) = (self.shared.get_mut(number), other.shared.get(number)) {
                own.clone_from(others);
            }
        }
        self.shared.extend(other.shared[self.shared.len()..].iter().cloned());
        self.bound = other.bound;
    }

    fn touch(touched: &mut Vec<u32>, chunk: usize) {
        // INVARIANT: items are numbered by 32 bits, so chunks are.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        touched.push(chunk as u32);
    }
}

impl<T: Clone + Default> Chunks<T> {
    /// Adds an item after all others. Its index is the one that is returned.
    pub(super) fn push(&mut self, item: T) -> usize {
        let index = if self.bound % STRIDE == ITEMS { self.bound + STRIDE - ITEMS } else { self.bound };
        self.reserve(index + 1);
        self[index] = item;
        index
    }

    /// Adds default items until all indices below the bound have one.
    pub(super) fn reserve(&mut self, bound: usize) {
        while self.room() < bound {
            self.add_room();
        }
        self.bound = self.bound.max(bound);
    }

    fn room(&self) -> usize {
        match &*self.shared {
            [only] if only.len() < ITEMS => only.len(),
            chunks => chunks.len() * STRIDE,
        }
    }

    fn add_room(&mut self) {
        let fresh = |count| iter::repeat_with(T::default).take(count);
        match &mut *self.shared {
            [only] if only.len() < ITEMS => {
                let more = only.len().min(ITEMS - only.len());
                if Arc::strong_count(only) > 1 {
                    Self::touch(&mut self.touched, 0);
                }
                *only = only.iter().cloned().chain(fresh(more)).collect();
            }
            chunks => {
                let count = if chunks.is_empty() { 4 } else { ITEMS };
                Self::touch(&mut self.touched, chunks.len());
                self.shared.push(fresh(count).collect());
            }
        }
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.shared[index / STRIDE][index % STRIDE]
    }
}

impl<T: Clone> IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        let number = index / STRIDE;
        let chunk = &mut self.shared[number];
        // Nobody else changes the count meanwhile: readers of a copy take no part in its chunks.
        if Arc::strong_count(chunk) > 1 {
            Self::touch(&mut self.touched, number);
        }
        &mut Arc::make_mut(chunk)[index % STRIDE]
    }
}

impl<T, R> Index<Id<R>> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: Id<R>) -> &T {
        &self[id.index()]
    }
}

impl<T: Clone, R> IndexMut<Id<R>> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, id: Id<R>) -> &mut T {
        &mut self[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::{bool::weighted, collection::vec, prelude::any, prop_assert_eq, proptest};

    use super::*;

    fn contents(chunks: &Chunks<u64>) -> Vec<u64> {
        chunks.iter().map(|(_, &item)| item).collect()
    }

    fn change(chunks: &mut Chunks<u64>, plain: &mut Vec<u64>, changes: &[(bool, usize, u64)]) {
        for &(push, at, value) in changes {
            if push || plain.is_empty() {
                chunks.push(value);
                plain.push(value);
            } else {
                let at = at % plain.len();
                chunks[place(at)] = value;
                plain[at] = value;
            }
        }
    }

    proptest! {
        /// Two copies that adopt each other's changes, or take their own back, are what plain vectors are; and the
        /// other copy does not see a change before it adopts it.
        #[test]
        fn copies_are_vectors(
            batches in vec((vec((weighted(0.8), any::<usize>(), any::<u64>()), 0..200), any::<bool>(), any::<bool>()), 0..12)
        ) {
            let mut idle = Chunks::<u64>::default();
            let mut active = idle.clone();
            let mut plain = Vec::new();
            for (changes, take_back, forget) in batches {
                let mut changed = plain.clone();
                if forget && changed.len() > 10 {
                    idle = Chunks::default();
                    changed.clear();
                }
                change(&mut idle, &mut changed, &changes);
                prop_assert_eq!(contents(&idle), changed.clone());
                prop_assert_eq!(contents(&active), plain.clone(), "nothing of it shows in the other");
                if take_back {
                    idle.adopt(&active);
                } else {
                    plain = changed;
                    std::mem::swap(&mut idle, &mut active);
                    idle.adopt(&active);
                }
                prop_assert_eq!(contents(&idle), plain.clone());
                prop_assert_eq!(contents(&active), plain.clone());
                let shared = idle.shared.iter().zip(&active.shared).all(|(own, others)| Arc::ptr_eq(own, others));
                prop_assert_eq!((shared, idle.shared.len()), (true, active.shared.len()), "one copy is kept");
            }
        }
    }

    #[test]
    fn a_change_copies_one_chunk_once() {
        let mut active = Chunks::<u64>::default();
        active.reserve(1000);
        let mut idle = active.clone();
        idle[1] = 1;
        idle[2] = 2;
        idle[999] = 3;
        let own = idle.shared.iter().zip(&active.shared).filter(|(own, others)| !Arc::ptr_eq(own, others)).count();
        assert_eq!((own, idle.touched.len()), (2, 2), "the first chunk and the last");
    }
}
