//! A vector whose copies share what is the same in them.

use std::{
    iter,
    ops::{Index, IndexMut},
    sync::Arc,
};

use super::table::Id;

/// So many bytes are copied where one item of a shared chunk changes.
const CHUNK_BYTES: usize = 4096;

/// A vector in chunks. A clone shares them all; whichever of the two is changed gets a chunk of its own first.
///
/// It notes which chunks it made its own, so that another copy can [`adopt`](Self::adopt) just those.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    /// All full, but for the first while it is the only one: what is small takes little room.
    chunks: Vec<Arc<[T]>>,
    len: usize,
    /// The numbers of the chunks that no other copy has, each once.
    touched: Vec<u32>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0, touched: Vec::new() }
    }
}

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone(), len: self.len, touched: Vec::new() }
    }
}

impl<T> Chunks<T> {
    /// How many items fill a chunk, such that together with the counts before them they fill what an allocator gives.
    const CHUNK: usize = {
        let counts = if align_of::<T>() > 16 { align_of::<T>() } else { 16 };
        let fitting = (CHUNK_BYTES - counts) / size_of::<T>();
        if fitting == 0 { 1 } else { fitting }
    };

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).take(self.len)
    }

    /// Becomes the same as another, of which this is a clone from when neither had been changed, or that adopted this
    /// or was adopted by it since.
    pub(super) fn adopt(&mut self, other: &Self) {
        self.chunks.truncate(other.chunks.len());
        for number in self.touched.drain(..).chain(other.touched.iter().copied()) {
            let number = number as usize;
            if let (Some(own), Some(others)) = (self.chunks.get_mut(number), other.chunks.get(number)) {
                own.clone_from(others);
            }
        }
        self.chunks.extend(other.chunks[self.chunks.len()..].iter().cloned());
        self.len = other.len;
    }

    fn touch(touched: &mut Vec<u32>, chunk: usize) {
        // INVARIANT: items are numbered by 32 bits, so chunks are.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        touched.push(chunk as u32);
    }
}

impl<T: Clone + Default> Chunks<T> {
    /// Adds an item at the end.
    pub(super) fn push(&mut self, item: T) {
        let index = self.len;
        self.resize(index + 1);
        self[index] = item;
    }

    /// Adds default items up to that length, if it is not reached yet.
    pub(super) fn resize(&mut self, len: usize) {
        while self.capacity() < len {
            self.add_room();
        }
        self.len = self.len.max(len);
    }

    fn capacity(&self) -> usize {
        match &*self.chunks {
            [only] => only.len(),
            chunks => chunks.len() * Self::CHUNK,
        }
    }

    fn add_room(&mut self) {
        let fresh = |count| iter::repeat_with(T::default).take(count);
        match &mut *self.chunks {
            [only] if only.len() < Self::CHUNK => {
                let more = only.len().min(Self::CHUNK - only.len());
                if Arc::strong_count(only) > 1 {
                    Self::touch(&mut self.touched, 0);
                }
                *only = only.iter().cloned().chain(fresh(more)).collect();
            }
            chunks => {
                let count = if chunks.is_empty() { Self::CHUNK.min(4) } else { Self::CHUNK };
                Self::touch(&mut self.touched, chunks.len());
                self.chunks.push(fresh(count).collect());
            }
        }
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.chunks[index / Self::CHUNK][index % Self::CHUNK]
    }
}

impl<T: Clone> IndexMut<usize> for Chunks<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        let number = index / Self::CHUNK;
        let chunk = &mut self.chunks[number];
        // Nobody else changes the count meanwhile: readers of a copy take no part in its chunks.
        if Arc::strong_count(chunk) > 1 {
            Self::touch(&mut self.touched, number);
        }
        &mut Arc::make_mut(chunk)[index % Self::CHUNK]
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
    use proptest::{collection::vec, prelude::any, prop_assert_eq, proptest};

    use super::*;

    /// Large, so that there are many chunks soon.
    type Item = [[u64; 16]; 8];

    fn contents(chunks: &Chunks<Item>) -> Vec<u64> {
        chunks.iter().map(|item| item[0][0]).collect()
    }

    fn change(chunks: &mut Chunks<Item>, plain: &mut Vec<u64>, changes: &[(bool, usize, u64)]) {
        for &(push, at, value) in changes {
            if push || plain.is_empty() {
                chunks.push([[value; 16]; 8]);
                plain.push(value);
            } else {
                let at = at % plain.len();
                chunks[at] = [[value; 16]; 8];
                plain[at] = value;
            }
        }
    }

    proptest! {
        /// Two copies that adopt each other's changes, or take their own back, are what plain vectors are; and the
        /// other copy does not see a change before it adopts it.
        #[test]
        fn copies_are_vectors(
            batches in vec((vec((any::<bool>(), any::<usize>(), any::<u64>()), 0..20), any::<bool>(), any::<bool>()), 0..12)
        ) {
            let mut idle = Chunks::<Item>::default();
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
                let shared = idle.chunks.iter().zip(&active.chunks).all(|(own, others)| Arc::ptr_eq(own, others));
                prop_assert_eq!((shared, idle.chunks.len()), (true, active.chunks.len()), "one copy is kept");
            }
        }
    }

    #[test]
    fn a_change_copies_one_chunk_once() {
        let mut active = Chunks::<Item>::default();
        active.resize(100);
        let mut idle = active.clone();
        idle[1][0][0] = 1;
        idle[2][0][0] = 2;
        idle[99][0][0] = 3;
        let own = idle.chunks.iter().zip(&active.chunks).filter(|(own, others)| !Arc::ptr_eq(own, others)).count();
        assert_eq!((own, idle.touched.len()), (2, 2), "the first chunk and the last");
    }
}
