//! What has to go before the deletions that are under way can be completed.

mod plan;

use super::{
    Graph,
    facts::{Kind, Name, ObjectRef},
};

/// What the deletions under way in an environment still have to remove.
///
/// It follows from the objects alone, so it can be asked for anew at any time: nothing has to be remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cascade {
    /// What can be removed now, in any order: nothing that depends on any of it remains.
    pub removals: Vec<Removal>,
    /// Every object under deletion of a kind that cascades, sorted.
    pub deletions: Vec<Deletion>,
    /// Every object that exists, is not under deletion itself and will be removed in the end, sorted.
    pub doomed: Vec<ObjectRef>,
}

/// Something to be removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Removal {
    /// An object.
    Object(ObjectRef),
    /// The name of a membership from the members of a group.
    Member {
        /// The name of the group.
        group: Name,
        /// The name of the membership.
        member: Name,
    },
    /// The name of a group from the subgroups of another.
    Subgroup {
        /// The name of the group that lists it.
        group: Name,
        /// The name that it lists.
        subgroup: Name,
    },
}

impl Removal {
    /// The object that has to be written to.
    #[must_use]
    pub fn target(&self) -> ObjectRef {
        match self {
            Self::Object(object) => object.clone(),
            Self::Member { group, .. } | Self::Subgroup { group, .. } => {
                ObjectRef { kind: Kind::Group, name: group.clone() }
            }
        }
    }
}

/// An object under deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The object.
    pub object: ObjectRef,
    /// How many objects and names in groups have still to go before it: 0 means that it can go itself. What has to go
    /// before another object under deletion is counted there, and that object as one.
    pub remaining: usize,
    /// It is not to be cascaded: what depends on it has to be removed by somebody else.
    pub restricted: bool,
}

impl Graph {
    /// What the deletions under way have to remove next: up to `limit` removals, beside those that would write to an
    /// object of which `is_held` says that it takes no writes for now.
    ///
    /// `is_restricted` says which resources are not to be cascaded although they are under deletion. One that is
    /// below another that is cascaded goes with it all the same.
    ///
    /// # Guarantees
    /// Parents go after all below them, as far as their order is defined: where the parents of resources under
    /// deletion run in a circle, these do not wait for each other.
    #[must_use]
    pub fn cascade(
        &self,
        limit: usize,
        is_restricted: impl Fn(&ObjectRef) -> bool,
        is_held: impl Fn(&ObjectRef) -> bool,
    ) -> Cascade {
        plan::plan(self, limit, &is_restricted, &is_held)
    }
}
