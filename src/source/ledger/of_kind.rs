//! What is known of the objects of one kind: each record once, found by its name, by its id and in the order of creation.

use std::{hash::BuildHasher as _, ops::Bound};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{
    Moment, ObjectId, Place, Record,
    order::{Order, Position},
    slots::Slots,
};
use crate::graph::facts::Name;

/// What is known of the objects of one kind.
#[derive(Debug, Default)]
pub struct OfKind {
    slots: Slots<Entry>,
    by_name: HashTable<u32>,
    by_id: HashTable<u32>,
    in_order: Order,
    hasher: RandomState,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    record: Record,
}

impl Entry {
    fn id(&self) -> ObjectId {
        ObjectId::from(&self.record.uid)
    }

    fn place(&self) -> (Moment, &str) {
        (self.record.created, &self.name)
    }
}

impl OfKind {
    /// What is known of the object of a name.
    pub fn named(&self, name: &str) -> Option<&Record> {
        self.entry(self.slot_named(name)?).map(|entry| &entry.record)
    }

    /// The object that has an id: its name, and what is known of it.
    pub fn with_id(&self, id: ObjectId) -> Option<(&Name, &Record)> {
        let has_id = |&slot: &u32| self.entry(slot).is_some_and(|entry| entry.id() == id);
        let slot = self.by_id.find(self.hasher.hash_one(id), has_id)?;
        self.entry(*slot).map(|entry| (&entry.name, &entry.record))
    }

    /// The names of the objects that were created within bounds, the oldest first.
    pub fn between(&self, (from, to): (Bound<Place>, Bound<Place>)) -> impl DoubleEndedIterator<Item = &Name> + '_ {
        let start = match from {
            Bound::Unbounded => Order::START,
            Bound::Included(place) => self.position(&place, false),
            Bound::Excluded(place) => self.position(&place, true),
        };
        let end = match to {
            Bound::Unbounded => self.in_order.end(),
            Bound::Included(place) => self.position(&place, true),
            Bound::Excluded(place) => self.position(&place, false),
        };
        self.in_order.between(start, end).filter_map(|slot| self.entry(slot).map(|entry| &entry.name))
    }

    /// Enters what is known of an object. What was known of it, where it stands elsewhere now.
    pub fn insert(&mut self, name: &Name, record: Record) -> Option<Record> {
        let mut before = None;
        if let Some(slot) = self.slot_named(name)
            && let Some(entry) = self.slots.get_mut(slot)
        {
            if entry.record.created == record.created && entry.record.uid == record.uid {
                entry.record = record;
                return None;
            }
            before = self.remove(name);
        }
        let entry = Entry { name: name.clone(), record };
        let hashes = [self.hasher.hash_one(&**name), self.hasher.hash_one(entry.id())];
        // INVARIANT: memory ends long before slots do, of which there are four billion.
        #[expect(clippy::expect_used, reason = "see above")]
        let slot = self.slots.insert(entry).expect("a free slot");
        let Self { slots, by_name, by_id, in_order, hasher } = self;
        let [name_hash, id_hash] = hashes;
        by_name.insert_unique(name_hash, slot, |&slot| slots.get(slot).map_or(0, |it| hasher.hash_one(&*it.name)));
        by_id.insert_unique(id_hash, slot, |&slot| slots.get(slot).map_or(0, |it| hasher.hash_one(it.id())));
        let place = slots.get(slot).map(Entry::place);
        in_order.insert(slot, |other| slots.get(other).map(Entry::place) < place);
        before
    }

    /// Takes out what is known of an object.
    pub fn remove(&mut self, name: &str) -> Option<Record> {
        let slot = self.slot_named(name)?;
        let Self { slots, by_name, by_id, in_order, hasher } = self;
        let entry = slots.get(slot)?;
        let is_it = |other: &u32| *other == slot;
        if let Ok(found) = by_name.find_entry(hasher.hash_one(name), is_it) {
            found.remove();
        }
        if let Ok(found) = by_id.find_entry(hasher.hash_one(entry.id()), is_it) {
            found.remove();
        }
        let place = entry.place();
        in_order.remove(slot, |other| slots.get(other).is_some_and(|other| other.place() < place));
        let removed = slots.remove(slot)?;
        if by_name.is_empty() {
            *self = Self::default();
        }
        Some(removed.record)
    }

    fn entry(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot)
    }

    fn slot_named(&self, name: &str) -> Option<u32> {
        let has_name = |&slot: &u32| self.entry(slot).is_some_and(|entry| *entry.name == *name);
        self.by_name.find(self.hasher.hash_one(name), has_name).copied()
    }

    /// Where what is at a place begins, or where it ends.
    fn position(&self, place: &Place, end: bool) -> Position {
        let place = (Moment::from(place.created), &*place.name);
        self.in_order.partition_point(|slot| {
            self.entry(slot).is_some_and(|entry| if end { entry.place() <= place } else { entry.place() < place })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::facts::Timestamp, source::ledger::Uid};

    fn record(uid: &str, second: i64) -> Record {
        let created = Timestamp::from_second(second).unwrap().into();
        Record {
            uid: Uid::from(uid),
            resource_version: "1".into(),
            generation: 1,
            deleting: false,
            has_finalizers: false,
            cascade_finalizer: None,
            restricted: false,
            status: None,
            created,
            updated: created,
            presentation: None,
        }
    }

    fn place(second: i64, name: &str) -> Place {
        Place { created: Timestamp::from_second(second).unwrap(), name: name.into() }
    }

    #[test]
    fn an_object_is_found_by_name_and_id_and_in_its_order() {
        let mut known = OfKind::default();
        for (name, uid, second) in [("c", "1", 1), ("a", "2", 2), ("b", "3", 1)] {
            assert_eq!(known.insert(&name.into(), record(uid, second)), None);
        }
        let all = (Bound::Unbounded, Bound::Unbounded);
        let names = |known: &OfKind, bounds| known.between(bounds).map(ToString::to_string).collect::<String>();
        assert_eq!(names(&known, all.clone()), "bca");
        assert_eq!(names(&known, (Bound::Excluded(place(1, "b")), Bound::Excluded(place(2, "a")))), "c");
        assert_eq!(names(&known, (Bound::Included(place(1, "b")), Bound::Included(place(1, "c")))), "bc");
        assert_eq!(names(&known, (Bound::Included(place(2, "b")), Bound::Unbounded)), "");
        assert_eq!(known.with_id(ObjectId::of_uid("2")).map(|(name, _)| name.as_str()), Some("a"));

        let again = Record { generation: 2, ..record("3", 1) };
        assert_eq!(known.insert(&"b".into(), again.clone()), None, "it stands where it stood");
        assert_eq!(known.named("b"), Some(&again));
        assert_eq!(known.insert(&"b".into(), record("4", 3)), Some(again), "a namesake stands elsewhere");
        assert_eq!(names(&known, all.clone()), "cab");
        assert_eq!(known.with_id(ObjectId::of_uid("3")), None);

        for (name, uid) in [("a", "2"), ("b", "4"), ("c", "1")] {
            assert_eq!(known.remove(name).map(|record| record.uid), Some(Uid::from(uid)));
            assert_eq!((known.remove(name), known.with_id(ObjectId::of_uid(uid))), (None, None));
        }
        assert_eq!(names(&known, all), "");
    }
}
