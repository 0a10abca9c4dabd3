//! Names interned to dense ids, with a record for each.

use std::{
    fmt,
    hash::{BuildHasher as _, Hash, Hasher},
    marker::PhantomData,
    num::NonZeroU32,
    ops::{Index, IndexMut},
};

use super::{
    chunks::Chunks,
    facts::Name,
    index::{Candidates, Index as HashIndex},
};

/// The dense id of a record in a [`Table<R>`].
///
/// Ids are reused once nothing refers to them any more, so one is meaningful only within one state of the graph.
pub(super) struct Id<R>(NonZeroU32, PhantomData<fn() -> R>);

impl<R> Id<R> {
    fn from_index(index: usize) -> Self {
        // INVARIANT: a table of four thousand million names does not fit into memory.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        let id = u32::try_from(index + 1).ok().and_then(NonZeroU32::new).expect("fewer than 2^32 names");
        Self(id, PhantomData)
    }

    /// Where its record is among all. Of [`Table::capacity`] numbers not all stand for an id.
    pub(super) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The id as a number that is never 0, for packing.
    pub(super) const fn get(self) -> u32 {
        self.0.get()
    }

    /// The id that [`Self::get`] gave; none for 0.
    pub(super) fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(|id| Self(id, PhantomData))
    }
}

impl<R> Clone for Id<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Id<R> {}

impl<R> PartialEq for Id<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<R> Eq for Id<R> {}

impl<R> PartialOrd for Id<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> Ord for Id<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<R> Hash for Id<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<R> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Interned names, each with a record that exists as long as anything refers to the name.
///
/// So a reference to an object that is not there is a reference to an empty record, and takes effect when the
/// object fills it.
#[derive(Clone, Debug)]
pub(super) struct Table<R> {
    /// By the hash of the name. The index holds nothing but numbers, so that a look-up reads little memory, and can
    /// go on with the record while the name is still being compared.
    ids: HashIndex,
    hasher: foldhash::fast::RandomState,
    records: Chunks<R>,
    /// None: the id is free.
    names: Chunks<Option<Name>>,
    /// How many references there are to an id; of a free one, the number of the next that is free.
    references: Chunks<u32>,
    /// The number of the first id that is free; 0: none.
    free: u32,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            ids: HashIndex::default(),
            hasher: foldhash::fast::RandomState::default(),
            records: Chunks::default(),
            names: Chunks::default(),
            references: Chunks::default(),
            free: 0,
        }
    }
}

impl<R: Clone + Default> Table<R> {
    /// The id of a name, with one more reference to it.
    pub(super) fn acquire(&mut self, name: &Name) -> Id<R> {
        let id = self.id(name).unwrap_or_else(|| {
            let id = self.unused();
            self.names[id] = Some(name.clone());
            let Self { ids, hasher, names, .. } = self;
            ids.insert(hasher.hash_one(&**name), id.get(), |other| {
                hasher.hash_one(name_of(names, other).unwrap_or_default())
            });
            id
        });
        self.references[id] += 1;
        id
    }

    /// An id that nothing refers to yet.
    fn unused(&mut self) -> Id<R> {
        let Some(id) = Id::new(self.free) else {
            let index = self.records.push(R::default());
            self.names.push(None);
            self.references.push(0);
            return Id::from_index(index);
        };
        self.free = std::mem::take(&mut self.references[id]);
        id
    }

    /// Gives one reference back; with the last one the record is forgotten.
    pub(super) fn release(&mut self, id: Id<R>) {
        let references = &mut self.references[id];
        *references -= 1;
        if *references == 0 {
            *references = self.free;
            self.free = id.get();
            if let Some(name) = self.names[id].take() {
                self.ids.remove(self.hasher.hash_one(&*name), |other| other == id.get());
            }
            self.records[id] = R::default();
        }
    }
}

impl<R> Table<R> {
    /// The id of a name that something refers to.
    pub(super) fn id(&self, name: &str) -> Option<Id<R>> {
        self.seek(name).id()
    }

    /// Begins to look for a name.
    #[inline]
    pub(super) fn seek<'a>(&'a self, name: &'a str) -> Sought<'a, R> {
        Sought { table: self, name, candidates: self.ids.candidates(self.hasher.hash_one(name)) }
    }

    /// How many references there are to an id.
    pub(super) fn references(&self, id: Id<R>) -> usize {
        self.references[id] as usize
    }

    /// The name of an id.
    pub(super) fn name(&self, id: Id<R>) -> &Name {
        // INVARIANT: an id lives while something refers to it, and as long its name is kept.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        self.names[id].as_ref().expect("the name of a live id")
    }

    /// Every id that something refers to, in no particular order.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id<R>> + '_ {
        self.ids.iter().filter_map(Id::new)
    }

    /// Every id that something refers to with its record, in the order in which they lie in memory.
    pub(super) fn records(&self) -> impl Iterator<Item = (Id<R>, &R)> {
        let records = self.records.iter().zip(self.names.iter());
        let used = records.filter(|(_, (_, name))| name.is_some());
        used.map(|((index, record), _)| (Id::from_index(index), record))
    }

    /// One more than the greatest index of an id.
    pub(super) const fn capacity(&self) -> usize {
        self.records.bound()
    }

    /// See [`Chunks::prefetch`].
    pub(super) fn prefetch(&self, id: Id<R>) {
        self.records.prefetch(id.index());
    }

    /// See [`Chunks::adopt`].
    pub(super) fn adopt(&mut self, other: &Self) {
        let Self { ids, hasher, records, names, references, free } = other;
        self.ids.adopt(ids);
        self.hasher.clone_from(hasher);
        self.records.adopt(records);
        self.names.adopt(names);
        self.references.adopt(references);
        self.free = *free;
    }
}

/// A name that is being looked for, in steps between which its memory can arrive: whoever looks for several takes each
/// step for all of them, and so waits but once for all.
#[derive(Debug)]
pub(super) struct Sought<'a, R> {
    table: &'a Table<R>,
    name: &'a str,
    candidates: Candidates<'a>,
}

impl<R> Sought<'_, R> {
    /// The id that the name has if it has any, nearly always. Its record is being fetched.
    #[inline]
    pub(super) fn likely_id(&self) -> Option<Id<R>> {
        let id = self.candidates.peek().and_then(Id::new)?;
        self.table.names.prefetch(id.index());
        self.table.prefetch(id);
        Some(id)
    }

    /// The id of the name, if something refers to it.
    #[inline]
    pub(super) fn id(mut self) -> Option<Id<R>> {
        let number = self.candidates.find(|&number| name_of(&self.table.names, number) == Some(self.name));
        number.and_then(Id::new)
    }
}

fn name_of(names: &Chunks<Option<Name>>, number: u32) -> Option<&str> {
    names[number as usize - 1].as_deref()
}

impl<R> Index<Id<R>> for Table<R> {
    type Output = R;

    fn index(&self, id: Id<R>) -> &R {
        &self.records[id]
    }
}

impl<R: Clone> IndexMut<Id<R>> for Table<R> {
    fn index_mut(&mut self, id: Id<R>) -> &mut R {
        &mut self.records[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_its_references() {
        let mut table = Table::<u8>::default();
        let (a, b) = (Name::from("a"), Name::from("b"));
        let id = table.acquire(&a);
        assert_eq!(table.acquire(&a), id);
        table[id] = 7;
        table.release(id);
        assert_eq!((table.id("a"), table[id], &**table.name(id)), (Some(id), 7, "a"));
        table.release(id);
        assert_eq!(table.id("a"), None);
        let again = table.acquire(&b);
        assert_eq!((again, table[again], table.capacity()), (id, 0, 1), "a forgotten id is used again, empty");
        assert_eq!(table.ids().collect::<Vec<_>>(), [id]);
    }
}
