//! What is known of all objects of one environment.

use std::{
    collections::{HashMap, VecDeque},
    ops::Bound,
};

use super::{ObjectId, Record, of_kind::OfKind};
use crate::graph::facts::{Kind, Name, ObjectRef, Timestamp};

/// So many objects that are gone are remembered by their place, so that whoever goes through a list and deletes what it
/// shows can go on from there.
const GONE_REMEMBERED: usize = 10_000;

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
    /// The objects that went last, oldest first, and where they stood.
    gone: VecDeque<ObjectId>,
    places_of_gone: HashMap<ObjectId, Place>,
    revision: u64,
}

impl Records {
    /// What is known of an object; none: it does not exist.
    #[must_use]
    pub fn get(&self, object: &ObjectRef) -> Option<&Record> {
        self.named(object.kind, &object.name)
    }

    /// The same, by kind and name.
    #[must_use]
    pub fn named(&self, kind: Kind, name: &str) -> Option<&Record> {
        self.by_kind[kind as usize].named(name)
    }

    /// The name of the object of a kind that has an id.
    #[must_use]
    pub fn with_id(&self, kind: Kind, id: ObjectId) -> Option<&Name> {
        self.by_kind[kind as usize].with_id(id).map(|(name, _)| name)
    }

    /// Every object.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> + '_ {
        let of_kind = |kind| self.in_order(kind).map(move |name| ObjectRef { kind, name: name.clone() });
        Kind::ALL.into_iter().flat_map(of_kind)
    }

    /// The objects of a kind, the oldest first.
    #[must_use]
    pub fn in_order(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Name> + '_ {
        self.between(kind, (Bound::Unbounded, Bound::Unbounded))
    }

    /// The objects of a kind that were created within bounds, the oldest first. None where the bounds leave no room.
    #[must_use]
    pub fn between(
        &self,
        kind: Kind,
        bounds: (Bound<Place>, Bound<Place>),
    ) -> impl DoubleEndedIterator<Item = &Name> + '_ {
        self.by_kind[kind as usize].between(bounds)
    }

    /// Where the object with an id stands, or stood if it went not long ago.
    #[must_use]
    pub fn place(&self, id: ObjectId) -> Option<Place> {
        let found = self.by_kind.iter().find_map(|of_kind| of_kind.with_id(id));
        let place = |(name, record): (&Name, &Record)| Place { created: record.created.into(), name: name.clone() };
        found.map(place).or_else(|| self.places_of_gone.get(&id).cloned())
    }

    /// Where an object stands; none: it does not exist.
    #[must_use]
    pub fn place_of(&self, object: &ObjectRef) -> Option<Place> {
        self.get(object).map(|record| Place { created: record.created.into(), name: object.name.clone() })
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
        if let Some(before) = self.by_kind[kind as usize].insert(&name, record) {
            self.remember(name, &before);
        }
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &Name) {
        if let Some(before) = self.by_kind[kind as usize].remove(name) {
            self.remember(name.clone(), &before);
        }
    }

    /// Remembers where an object stood that is gone, or stands elsewhere now.
    fn remember(&mut self, name: Name, before: &Record) {
        let id = ObjectId::from(&before.uid);
        self.gone.push_back(id);
        self.places_of_gone.insert(id, Place { created: before.created.into(), name });
        if self.gone.len() > GONE_REMEMBERED
            && let Some(oldest) = self.gone.pop_front()
        {
            self.places_of_gone.remove(&oldest);
        }
    }
}
