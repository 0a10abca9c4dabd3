//! What is known of all objects of one environment.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    ops::Bound,
};

use uuid::Uuid;

use super::Record;
use crate::graph::facts::{Kind, Name, ObjectRef, Timestamp};

/// So many objects that are gone are remembered by their place, so that whoever goes through a list and deletes what it
/// shows can go on from there.
const GONE_REMEMBERED: usize = 10_000;

/// Names an object for ever: the 128 bits of its uid.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId(pub u128);

impl ObjectId {
    /// The id of the object with a uid. A uid that is no UUID, which no API server gives, is one by its hash.
    #[must_use]
    pub fn of_uid(uid: &str) -> Self {
        Self(Uuid::parse_str(uid).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, uid.as_bytes())).as_u128())
    }
}

/// Where an object stands among those of its kind in the order of their creation.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// When it was created.
    pub created: Timestamp,
    /// Its name, which decides between objects that were created at the same time.
    pub name: Name,
}

/// What is known of the objects of one environment.
#[derive(Debug, Default)]
pub struct Records {
    by_kind: [OfKind; Kind::ALL.len()],
    by_id: HashMap<ObjectId, ObjectRef>,
    /// The objects that went last, oldest first, and where they stood.
    gone: VecDeque<ObjectId>,
    places_of_gone: HashMap<ObjectId, Place>,
    revision: u64,
}

#[derive(Debug, Default)]
struct OfKind {
    by_name: HashMap<Name, Record>,
    in_order: BTreeSet<Place>,
}

impl Records {
    /// What is known of an object; none: it does not exist.
    #[must_use]
    pub fn get(&self, object: &ObjectRef) -> Option<&Record> {
        self.by_kind[object.kind as usize].by_name.get(&object.name)
    }

    /// The same, by kind and name.
    #[must_use]
    pub fn named(&self, kind: Kind, name: &str) -> Option<&Record> {
        self.by_kind[kind as usize].by_name.get(name)
    }

    /// The object that has an id.
    #[must_use]
    pub fn with_id(&self, id: ObjectId) -> Option<&ObjectRef> {
        self.by_id.get(&id)
    }

    /// Every object.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        Kind::ALL.into_iter().flat_map(move |kind| {
            self.by_kind[kind as usize].by_name.keys().map(move |name| ObjectRef { kind, name: name.clone() })
        })
    }

    /// The objects of a kind, the oldest first.
    #[must_use]
    pub fn in_order(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Name> + '_ {
        self.by_kind[kind as usize].in_order.iter().map(|place| &place.name)
    }

    /// The objects of a kind that were created within bounds, the oldest first. None where the bounds leave no room.
    #[must_use]
    pub fn between(
        &self,
        kind: Kind,
        bounds: (Bound<Place>, Bound<Place>),
    ) -> impl DoubleEndedIterator<Item = &Name> + '_ {
        let has_room = match (&bounds.0, &bounds.1) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
            (Bound::Included(from), Bound::Included(to)) => from <= to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from < to,
        };
        let places = has_room.then(|| self.by_kind[kind as usize].in_order.range(bounds));
        places.into_iter().flatten().map(|place| &place.name)
    }

    /// Where the object with an id stands, or stood if it went not long ago.
    #[must_use]
    pub fn place(&self, id: ObjectId) -> Option<Place> {
        let Some(object) = self.by_id.get(&id) else { return self.places_of_gone.get(&id).cloned() };
        self.get(object).map(|record| Place { created: record.created, name: object.name.clone() })
    }

    /// The newest resource version that changed the graph of the environment.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn advance(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    pub(super) fn insert(&mut self, kind: Kind, name: Name, record: Record) {
        let (id, created) = (ObjectId::of_uid(&record.uid), record.created);
        let of_kind = &mut self.by_kind[kind as usize];
        let before = of_kind.by_name.insert(name.clone(), record);
        match before {
            Some(before) if before.created == created && ObjectId::of_uid(&before.uid) == id => return,
            Some(before) => self.forget(kind, &name, &before),
            None => {}
        }
        self.by_kind[kind as usize].in_order.insert(Place { created, name: name.clone() });
        self.by_id.insert(id, ObjectRef { kind, name });
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &Name) {
        let of_kind = &mut self.by_kind[kind as usize];
        let Some(before) = of_kind.by_name.remove(name) else { return };
        if of_kind.by_name.is_empty() {
            of_kind.by_name.shrink_to_fit();
        }
        self.forget(kind, name, &before);
    }

    fn forget(&mut self, kind: Kind, name: &Name, before: &Record) {
        let id = ObjectId::of_uid(&before.uid);
        let place = Place { created: before.created, name: name.clone() };
        self.by_kind[kind as usize].in_order.remove(&place);
        self.by_id.remove(&id);
        self.gone.push_back(id);
        self.places_of_gone.insert(id, place);
        if self.gone.len() > GONE_REMEMBERED
            && let Some(oldest) = self.gone.pop_front()
        {
            self.places_of_gone.remove(&oldest);
        }
    }
}
