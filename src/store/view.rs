//! The objects of an environment as they are now.

use std::{
    ops::Bound,
    sync::{Arc, LazyLock},
};

use parking_lot::RwLockReadGuard;

use super::seen;
use crate::{
    graph::{
        Graph, PublishedGraph,
        facts::{self, Fact, Kind, Name, ObjectRef, Timestamp},
    },
    source::ledger::{EnvironmentLedger, Record, Records},
};

pub use crate::source::ledger::{
    ObjectId, Place, Presentation,
    presentation::{Domain, PermissionProfile, PermissionTimes, UserProfile},
};

static NOTHING_TO_SHOW: LazyLock<Arc<Presentation>> = LazyLock::new(Arc::default);

/// An environment, to be looked at.
#[derive(Clone, Debug)]
pub struct Snapshot {
    graph: Arc<PublishedGraph>,
    ledger: Arc<EnvironmentLedger>,
}

impl Snapshot {
    pub(super) const fn new(graph: Arc<PublishedGraph>, ledger: Arc<EnvironmentLedger>) -> Self {
        Self { graph, ledger }
    }

    /// The objects as they are now. They do not change while the view lives: drop it soon, for writers wait, never hold it
    /// over an `await`, and never two of one environment at a time.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let still = self.ledger.hold_still();
        let graph = self.graph.read();
        seen::note(graph.revision());
        View { graph: Box::new(graph), records: self.ledger.read(), _still: still }
    }
}

/// The objects of an environment at one moment.
///
/// Only what is there is seen: no object under deletion, and none of which the spec cannot be used.
pub struct View<'a> {
    records: RwLockReadGuard<'a, Records>,
    graph: Box<dyn std::ops::Deref<Target = Graph> + 'a>,
    _still: RwLockReadGuard<'a, ()>,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

/// An object.
#[derive(Clone, Debug)]
pub struct Item<F> {
    /// Its name.
    pub name: Name,
    /// Its id.
    pub id: ObjectId,
    /// When it was created.
    pub created: Timestamp,
    /// When its spec last changed.
    pub updated: Timestamp,
    /// What it says for people.
    pub presentation: Arc<Presentation>,
    /// What it says.
    pub fact: F,
}

/// What an object of one kind says.
pub trait OfKind: Sized {
    /// The kind.
    const KIND: Kind;

    /// It, if that is what the fact is.
    fn of(fact: Fact) -> Option<Self>;
}

macro_rules! of_kind {
    ($($kind:ident),+ $(,)?) => {
        $(impl OfKind for facts::$kind {
            const KIND: Kind = Kind::$kind;

            fn of(fact: Fact) -> Option<Self> {
                match fact {
                    Fact::$kind(said) => Some(said),
                    _ => None,
                }
            }
        })+
    };
}

of_kind!(
    Resource,
    Role,
    Group,
    GroupRoleAssignment,
    MembershipRoleAssignment,
    OrganizationMembership,
    ResourceType,
    Environment,
);

impl View<'_> {
    /// What is known of an object that exists and is not under deletion.
    pub(super) fn record(&self, object: &ObjectRef) -> Option<&Record> {
        self.records.get(object).filter(|record| !record.deleting)
    }

    /// Whether an object is there, but under deletion.
    pub(super) fn is_under_deletion(&self, object: &ObjectRef) -> bool {
        self.records.get(object).is_some_and(|record| record.deleting)
    }

    /// The graph, for all that has to do with effect.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The object of a name.
    #[must_use]
    pub fn get<F: OfKind>(&self, name: &str) -> Option<Item<F>> {
        let object = ObjectRef { kind: F::KIND, name: name.into() };
        let record = self.records.get(&object)?;
        let Record { uid, created, updated, presentation, .. } = record;
        let told = self.graph.object(&object).filter(|told| !told.deleting)?;
        Some(Item {
            id: ObjectId::from(uid),
            created: (*created).into(),
            updated: (*updated).into(),
            presentation: presentation.clone().unwrap_or_else(|| Arc::clone(&NOTHING_TO_SHOW)),
            fact: F::of(told.fact)?,
            name: object.name,
        })
    }

    /// The object of an id.
    #[must_use]
    pub fn with_id<F: OfKind>(&self, id: ObjectId) -> Option<Item<F>> {
        self.get(self.records.with_id(F::KIND, id)?)
    }

    /// The objects of a kind, the oldest first.
    #[must_use]
    pub fn all<F: OfKind>(&self) -> impl DoubleEndedIterator<Item = Item<F>> + '_ {
        self.records.in_order(F::KIND).filter_map(|name| self.get(name))
    }

    /// The objects of a kind that were created within bounds, the oldest first.
    #[must_use]
    pub fn between<F: OfKind>(
        &self,
        bounds: (Bound<Place>, Bound<Place>),
    ) -> impl DoubleEndedIterator<Item = Item<F>> + '_ {
        self.records.between(F::KIND, bounds).filter_map(|name| self.get(name))
    }

    /// Where the object of a name stands among those of its kind, if it exists and is not under deletion.
    #[must_use]
    pub fn place_of<F: OfKind>(&self, name: &Name) -> Option<Place> {
        let record = self.records.named(F::KIND, name).filter(|record| !record.deleting)?;
        Some(Place { created: record.created.into(), name: name.clone() })
    }

    /// Where the object with an id stands in the order of creation, or stood if it went not long ago.
    #[must_use]
    pub fn place(&self, id: ObjectId) -> Option<Place> {
        self.records.place(id)
    }
}

impl<F> Item<F> {
    /// Where it stands in the order of creation.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { created: self.created, name: self.name.clone() }
    }
}
