//! A hash index whose copies share what is the same in them.

use super::chunks::{Chunks, place};

/// Numbers to be found by a hash of what they stand for, in lines of the processor's cache, so that a look-up reads but one as a rule. Equal
/// ones, and different ones of the same hash, are kept as often as they are put in.
///
/// It grows by one line at a time (linear hashing), so no single change costs much. A line that is full spills into
/// others; of such a chain all but the first line are full.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    lines: Chunks<Line<u32, NUMBERS>>,
    spill: Chunks<Line<u32, NUMBERS>>,
    /// The first of the unused lines in `spill`, which are linked by `next`.
    unused: Next,
    /// How many `lines` there are.
    width: usize,
    len: usize,
}

/// So many entries are in a line.
const NUMBERS: usize = 12;

/// One more than the index of a line in `spill`; 0: none.
type Next = u32;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Line<E, const N: usize> {
    entries: [E; N],
    /// Bits of each entry's hash that are never all 0; from the first 0 on there are no more entries.
    tags: [u8; N],
    next: Next,
}

impl<E: Copy + Default, const N: usize> Default for Line<E, N> {
    fn default() -> Self {
        const { assert!(size_of::<Self>() == 64, "it is a line of the cache") };
        Self { entries: [E::default(); N], tags: [0; N], next: 0 }
    }
}

impl<E: Copy + Default, const N: usize> Line<E, N> {
    fn len(&self) -> usize {
        self.tags.iter().position(|&tag| tag == 0).unwrap_or(N)
    }

    /// The entries with their tags.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, E)> + '_ {
        self.tags.iter().zip(&self.entries).map(|(&tag, &entry)| (tag, entry)).take_while(|&(tag, _)| tag != 0)
    }

    pub(super) const fn is_full(&self) -> bool {
        self.tags[N - 1] != 0
    }

    /// Adds an entry; there is room.
    pub(super) fn push(&mut self, hash: u64, entry: E) {
        self.set(self.len(), (tag_of(hash), entry));
    }

    /// Takes an entry out. The last fills the gap.
    pub(super) fn swap_remove(&mut self, slot: usize) -> E {
        let removed = self.entries[slot];
        if let Some(last) = self.pop()
            && slot < self.len()
        {
            self.set(slot, last);
        }
        removed
    }

    /// The slots whose entries are tagged with that hash, for [`Self::next_tagged`]: a byte for each slot.
    #[inline]
    pub(super) fn tagged(&self, hash: u64) -> u128 {
        let tag = tag_of(hash);
        let mut tags = [0; 16];
        tags[..N].copy_from_slice(&self.tags);
        let differences = u128::from_le_bytes(tags) ^ u128::from_le_bytes([tag; 16]);
        !(((differences & LOW_BITS) + LOW_BITS) | differences | LOW_BITS)
    }

    #[inline]
    pub(super) fn next_tagged(&self, tagged: &mut u128) -> Option<E> {
        if *tagged == 0 {
            return None;
        }
        let slot = tagged.trailing_zeros() as usize / 8;
        *tagged &= *tagged - 1;
        Some(self.entries[slot])
    }

    fn set(&mut self, slot: usize, (tag, entry): (u8, E)) {
        self.tags[slot] = tag;
        self.entries[slot] = entry;
    }

    /// Takes the last entry.
    fn pop(&mut self) -> Option<(u8, E)> {
        let last = self.len().checked_sub(1)?;
        Some((std::mem::take(&mut self.tags[last]), self.entries[last]))
    }
}

/// All bits of each byte but the highest.
const LOW_BITS: u128 = u128::from_le_bytes([0x7f; 16]);

/// Lines are chosen by the low bits of a hash, so this takes the highest.
const fn tag_of(hash: u64) -> u8 {
    let tag = (hash >> 56) as u8;
    if tag == 0 { 1 } else { tag }
}

/// The entries of a hash, and perhaps others.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    index: &'a Index,
    hash: u64,
    /// None: there are no more lines.
    line: Option<&'a Line<u32, NUMBERS>>,
    /// Those of the line that are still to be looked at.
    tagged: u128,
}

impl Candidates<'_> {
    /// What [`Self::next`] would give, unless that is in another line.
    #[inline]
    pub(super) fn peek(&self) -> Option<u32> {
        let mut tagged = self.tagged;
        self.line?.next_tagged(&mut tagged)
    }
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        loop {
            let line = self.line?;
            if let Some(entry) = line.next_tagged(&mut self.tagged) {
                return Some(entry);
            }
            self.line = (line.next as usize).checked_sub(1).map(|next| &self.index.spill[next]);
            self.tagged = self.line?.tagged(self.hash);
        }
    }
}

impl Index {
    /// All entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let lines = self.lines.iter().chain(self.spill.iter());
        lines.flat_map(|(_, line)| line.iter()).map(|(_, entry)| entry)
    }

    /// The first entry of that hash that is meant.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_meant: impl FnMut(u32) -> bool) -> Option<u32> {
        self.candidates(hash).find(|&entry| is_meant(entry))
    }

    /// The entries of that hash, and perhaps others.
    #[inline]
    pub(super) fn candidates(&self, hash: u64) -> Candidates<'_> {
        let line = (self.len > 0).then(|| &self.lines[self.line_of(hash)]);
        Candidates { index: self, hash, line, tagged: line.map_or(0, |line| line.tagged(hash)) }
    }

    /// Puts an entry in. `hash_of` gives the hashes of those that are in already.
    pub(super) fn insert(&mut self, hash: u64, entry: u32, hash_of: impl Fn(u32) -> u64) {
        // Three quarters of the room are used, so that few lines spill.
        if 4 * self.len >= 3 * NUMBERS * self.width {
            self.grow(hash_of);
        }
        self.put(self.line_of(hash), (tag_of(hash), entry));
        self.len += 1;
    }

    /// Takes one entry out.
    pub(super) fn remove(&mut self, hash: u64, mut is_meant: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let tag = tag_of(hash);
        let first = self.line_of(hash);
        let mut next = None;
        let mut line = &self.lines[first];
        let slot = loop {
            if let Some(slot) = line.iter().position(|(other, entry)| other == tag && is_meant(entry)) {
                break slot;
            }
            let number = (line.next as usize).checked_sub(1)?;
            next = Some(number);
            line = &self.spill[number];
        };
        let removed = line.entries[slot];
        // The last entry of the first line fills the gap.
        let head = &mut self.lines[first];
        let last = head.pop()?;
        let (is_empty, after_head) = (head.len() == 0, head.next as usize);
        match next {
            Some(number) => self.spill[number].set(slot, last),
            None if slot < head.len() => head.set(slot, last),
            None => {}
        }
        if is_empty && let Some(second) = after_head.checked_sub(1) {
            self.lines[first] = self.spill[second];
            self.discard(second);
        }
        self.len -= 1;
        Some(removed)
    }

    pub(super) fn adopt(&mut self, other: &Self) {
        let Self { lines, spill, unused, width, len } = other;
        self.lines.adopt(lines);
        self.spill.adopt(spill);
        self.unused = *unused;
        self.width = *width;
        self.len = *len;
    }

    /// The index of the line for that hash.
    fn line_of(&self, hash: u64) -> usize {
        let mask = self.width.next_power_of_two() - 1;
        // INVARIANT: there are fewer than 2^32 lines.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        let line = hash as usize & mask;
        place(if line < self.width { line } else { line & (mask >> 1) })
    }

    fn put(&mut self, number: usize, tagged: (u8, u32)) {
        let len = self.lines[number].len();
        if len < NUMBERS {
            self.lines[number].set(len, tagged);
            return;
        }
        let full = self.lines[number];
        let spilled = self.spill_line();
        self.spill[spilled] = full;
        // INVARIANT: there are fewer lines than entries, of which there are fewer than 2^32.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        let next = spilled as u32 + 1;
        let mut head = Line { next, ..Line::default() };
        head.set(0, tagged);
        self.lines[number] = head;
    }

    /// The index of an unused line in `spill`.
    fn spill_line(&mut self) -> usize {
        if let Some(unused) = (self.unused as usize).checked_sub(1) {
            self.unused = self.spill[unused].next;
            return unused;
        }
        self.spill.push(Line::default())
    }

    fn discard(&mut self, spilled: usize) {
        self.spill[spilled] = Line { next: self.unused, ..Line::default() };
        // INVARIANT: as in `put`.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        let next = spilled as u32 + 1;
        self.unused = next;
    }

    /// Adds a line, and divides between it and another what was in that.
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let added = self.width;
        self.lines.push(Line::default());
        self.width += 1;
        if added == 0 {
            return;
        }
        let divided = place(added - (1 << added.ilog2()));
        let mut line = std::mem::take(&mut self.lines[divided]);
        loop {
            for (tag, entry) in line.iter() {
                self.put(self.line_of(hash_of(entry)), (tag, entry));
            }
            let Some(next) = (line.next as usize).checked_sub(1) else {
                return;
            };
            line = self.spill[next];
            self.discard(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, hash::BuildHasher as _, iter};

    use proptest::{collection::vec, prelude::any, prop_assert_eq, proptest};

    use super::*;

    /// Bad on purpose: many share their hash.
    fn hash(entry: u32) -> u64 {
        u64::from(entry % 50).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    proptest! {
        #[test]
        fn an_index_is_a_multiset(changes in vec((any::<bool>(), 0_u32..120), 0..600)) {
            let mut index = Index::default();
            let mut plain = BTreeMap::<u32, usize>::new();
            for (insert, entry) in changes {
                let count = plain.entry(entry).or_default();
                if insert {
                    index.insert(hash(entry), entry, hash);
                    *count += 1;
                } else {
                    let removed = index.remove(hash(entry), |other| other == entry);
                    prop_assert_eq!(removed.is_some(), *count > 0);
                    *count = count.saturating_sub(1);
                }
            }
            for entry in 0..120 {
                let found = index.candidates(hash(entry)).filter(|&other| other == entry).count();
                prop_assert_eq!(found, plain.get(&entry).copied().unwrap_or_default());
            }
            let mut all: Vec<u32> = index.iter().collect();
            all.sort_unstable();
            let expected: Vec<u32> = plain.iter().flat_map(|(&entry, &count)| iter::repeat_n(entry, count)).collect();
            prop_assert_eq!(index.len, expected.len());
            prop_assert_eq!(all, expected);
        }
    }

    #[test]
    fn few_lines_spill() {
        let mut index = Index::default();
        let hash = |entry: u32| foldhash::fast::FixedState::default().hash_one(entry);
        (0..10_000).for_each(|entry| index.insert(hash(entry), entry, hash));
        let spilled = index.spill.bound();
        assert!(index.width < 1_200 && spilled < index.width / 4, "{spilled} of {}", index.width);
    }
}
