//! The many grants on one resource, by their subjects.

use std::{iter, sync::Arc};

use prefetch_index::prefetch_index;

use super::{grants::Grant, index::Line};

/// A multiset of grants in lines of the processor's cache, so that looking one up reads but one as a rule, right from
/// the resource. Clones share it until one of them changes.
///
/// A grant that finds its line full lies in the next that is not. So a line that is not full ends every search.
#[derive(Clone, Debug, Default)]
pub(super) struct BySubject {
    /// A power of two of them, or none.
    lines: Arc<[Line<Grant, GRANTS>]>,
    len: usize,
}

const GRANTS: usize = 6;

impl BySubject {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// All grants, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Grant> + '_ {
        self.lines.iter().flat_map(Line::iter).map(|(_, grant)| grant)
    }

    pub(super) fn contains(&self, grant: Grant) -> bool {
        self.candidates(grant.hash()).any(|other| other == grant)
    }

    /// The grants of a subject's hash, and perhaps others.
    #[inline]
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = Grant> + '_ {
        let mut searched = self.lines.get(self.home(hash)).map(|line| (self.home(hash), line, line.tagged(hash)));
        iter::from_fn(move || {
            loop {
                let (at, line, tagged) = searched.as_mut()?;
                if let Some(grant) = line.next_tagged(tagged) {
                    return Some(grant);
                }
                let next = self.after(*at);
                let line = line.is_full().then(|| &self.lines[next]);
                searched = line.map(|line| (next, line, line.tagged(hash)));
            }
        })
    }

    /// Has what [`Self::candidates`] begins with fetched, and does not wait for it.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch_index(&self.lines, self.home(hash));
    }

    pub(super) fn insert(&mut self, grant: Grant) {
        // Three quarters of the room are used at the most, so that few lines are full, and never all.
        if 4 * (self.len + 1) > 3 * GRANTS * self.lines.len() {
            let grown = vec![Line::default(); (2 * self.lines.len()).max(8)];
            let mut grown = Self { lines: grown.into(), len: 0 };
            self.iter().for_each(|grant| grown.insert(grant));
            *self = grown;
        }
        let mut at = self.home(grant.hash());
        while self.lines[at].is_full() {
            at = self.after(at);
        }
        Arc::make_mut(&mut self.lines)[at].push(grant.hash(), grant);
        self.len += 1;
    }

    /// Takes away one grant that equals this one. False: there is none.
    pub(super) fn remove(&mut self, grant: Grant) -> bool {
        if self.len == 0 {
            return false;
        }
        let mut gap = self.home(grant.hash());
        let slot = loop {
            let line = &self.lines[gap];
            if let Some(slot) = line.iter().position(|(_, other)| other == grant) {
                break slot;
            }
            if !line.is_full() {
                return false;
            }
            gap = self.after(gap);
        };
        self.len -= 1;
        let mut was_full = self.lines[gap].is_full();
        Arc::make_mut(&mut self.lines)[gap].swap_remove(slot);
        // Whatever lies beyond the gap because the line was full moves into it, and leaves a gap itself.
        let mut at = self.after(gap);
        while was_full {
            let line = &self.lines[at];
            let is_full = line.is_full();
            let passed = |home: usize| self.distance(home, at) >= self.distance(gap, at);
            let moved = line.iter().position(|(_, other)| passed(self.home(other.hash())));
            if let Some(slot) = moved {
                let lines = Arc::make_mut(&mut self.lines);
                let grant = lines[at].swap_remove(slot);
                lines[gap].push(grant.hash(), grant);
                gap = at;
            }
            was_full = is_full;
            at = self.after(at);
        }
        true
    }

    /// Where a search begins.
    fn home(&self, hash: u64) -> usize {
        // INVARIANT: there are fewer than 2^32 lines.
        #[expect(clippy::cast_possible_truncation, reason = "see the invariant")]
        let low = hash as usize;
        low & self.lines.len().wrapping_sub(1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.lines.len() - 1)
    }

    /// How many steps it is from one line to another.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.lines.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::any, prop_assert_eq, proptest};

    use super::*;
    use crate::graph::{grants::SubjectId, table::Id};

    fn grant(number: u32) -> Grant {
        let subject = Id::new(number / 3 + 1).map(SubjectId::Membership).unwrap();
        Grant::new(subject, Id::new(number % 3 + 1).unwrap(), false)
    }

    proptest! {
        /// Few subjects with many grants each, so that lines are full.
        #[test]
        fn it_is_a_multiset(changes in vec((any::<bool>(), 0_u32..40), 0..500)) {
            let mut grants = BySubject::default();
            let mut plain = BTreeMap::<u32, usize>::new();
            for (insert, number) in changes {
                let count = plain.entry(number).or_default();
                let before = grants.clone();
                if insert {
                    grants.insert(grant(number));
                    *count += 1;
                } else {
                    prop_assert_eq!(grants.remove(grant(number)), *count > 0);
                    *count = count.saturating_sub(1);
                }
                prop_assert_eq!(before.len(), before.iter().count(), "a clone stays as it was");
                for (&number, &count) in &plain {
                    let found = grants.candidates(grant(number).hash()).filter(|&other| other == grant(number));
                    prop_assert_eq!(found.count(), count);
                }
                prop_assert_eq!((grants.len(), grants.iter().count()), (plain.values().sum(), plain.values().sum()));
            }
        }
    }
}
