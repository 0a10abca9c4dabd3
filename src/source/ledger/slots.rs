//! Where values stay while others come and go.

/// How many values a chunk has at the most.
const CHUNK: usize = 1024;

/// Values, each in a numbered slot of its own. It grows chunk by chunk: nothing is ever moved, and no more room is kept than one
/// chunk and what was freed.
#[derive(Debug)]
pub struct Slots<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    count: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), count: 0 }
    }
}

impl<T> Slots<T> {
    /// Puts a value into a free slot; none: there are too many already to be numbered.
    pub fn insert(&mut self, value: T) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            let (chunk, index) = place(slot);
            self.chunks[chunk][index] = Some(value);
            self.count += 1;
            return Some(slot);
        }
        let slot = u32::try_from(self.count).ok()?;
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(Some(value)),
            _ => self.chunks.push(vec![Some(value)]),
        }
        self.count += 1;
        Some(slot)
    }

    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let (chunk, index) = place(slot);
        let value = self.chunks.get_mut(chunk)?.get_mut(index)?.take()?;
        self.count -= 1;
        if self.count == 0 {
            *self = Self::default();
        } else {
            self.free.push(slot);
        }
        Some(value)
    }

    pub fn get(&self, slot: u32) -> Option<&T> {
        let (chunk, index) = place(slot);
        self.chunks.get(chunk)?.get(index)?.as_ref()
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let (chunk, index) = place(slot);
        self.chunks.get_mut(chunk)?.get_mut(index)?.as_mut()
    }
}

const fn place(slot: u32) -> (usize, usize) {
    let slot = slot as usize;
    (slot / CHUNK, slot % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_and_the_others_keep_theirs() {
        let count = 3 * u32::try_from(CHUNK).unwrap();
        let mut slots = Slots::default();
        for value in 0..count {
            assert_eq!(slots.insert(value), Some(value));
        }
        assert_eq!([slots.remove(7), slots.remove(7), slots.remove(count)], [Some(7), None, None]);
        assert_eq!([slots.get(7), slots.get(8)], [None, Some(&8)]);
        assert_eq!(slots.insert(1), Some(7));
        assert_eq!(slots.insert(2), Some(count), "none of the others was free");
        for slot in 0..=count {
            slots.remove(slot);
        }
        assert!(slots.chunks.is_empty());
    }
}
