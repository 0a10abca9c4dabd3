//! What has to go before the deletions that are under way can be completed.

mod plan;

use std::collections::BTreeSet;

use super::{
    Graph, Map, PublishedGraph, Set,
    facts::{Fact, Kind, Name, Object, ObjectRef},
    trial::Trial,
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
        let is_restricted = |object: &ObjectRef| object.kind == Kind::Resource && is_restricted(object);
        plan::plan(self, limit, &is_restricted, &is_held)
    }
}

impl PublishedGraph {
    /// Everything that would have to go, were these objects deleted and all of it cascaded: they themselves, as far as
    /// they exist, and what depends on them, be it under deletion already. Nothing that is visible changes.
    ///
    /// # Guarantees
    /// It is all that the rounds of [`Graph::cascade`] would remove until the objects can go. Nothing comes before what
    /// depends on it, so one object alone comes last; of a circle of parents, the objects do. No reader waits.
    ///
    /// # Assumptions
    /// The caller holds no guard of [`Self::read`]: like [`Self::apply`], this waits for readers to leave.
    #[must_use]
    pub fn cascade_of(&self, objects: &[ObjectRef]) -> Vec<Removal> {
        let mut trial = Trial::of(self);
        let mut removed = BTreeSet::new();
        for object in objects {
            let Some(existing) = trial.before.object(object) else {
                continue;
            };
            removed.insert(object.clone());
            if object.kind.cascades() {
                trial.make(Object { deleting: true, ..existing });
            }
        }
        let is_other = |object: &ObjectRef| !removed.contains(object);
        let plan = plan::plan(trial.after(), usize::MAX, &is_other, &|_| false);
        let deletions = plan.deletions.into_iter().filter(|deletion| !deletion.restricted);
        removed.extend(deletions.map(|deletion| deletion.object).chain(plan.doomed));

        // On an object only those of the same or an earlier group depend: assignments, their subjects and roles,
        // resources.
        let (resources, mut others): (Vec<_>, Vec<_>) =
            removed.into_iter().partition(|object| object.kind == Kind::Resource);
        others.sort_by_key(|object| object.kind.cascades());
        let roots = objects.iter().filter(|object| resources.binary_search(object).is_ok());
        let resources = trial.before.leaves_first(roots, &resources);
        let mut names = plan.removals;
        names.retain(|removal| !matches!(removal, Removal::Object(_)));
        // Plans differ in order from copy to copy of a graph.
        names.sort_unstable();
        names.into_iter().chain(others.into_iter().chain(resources).map(Removal::Object)).collect()
    }
}

impl Graph {
    /// Those of the resources that are the roots or below them, each after all below it. Circles of parents are cut
    /// above their first root.
    fn leaves_first<'a>(
        &self,
        roots: impl Iterator<Item = &'a ObjectRef>,
        resources: &'a [ObjectRef],
    ) -> Vec<ObjectRef> {
        let mut below = Map::<Name, Vec<&ObjectRef>>::default();
        for resource in resources {
            if let Some(Fact::Resource(spec)) = self.object(resource).map(|object| object.fact)
                && let Some(parent) = spec.parent
            {
                below.entry(parent).or_default().push(resource);
            }
        }
        let mut order = Vec::with_capacity(resources.len());
        let mut visited = Set::default();
        for root in roots {
            let mut open: Vec<&ObjectRef> = visited.insert(root).then_some(root).into_iter().collect();
            while let Some(&last) = open.last() {
                if let Some(children) = below.remove(&last.name) {
                    open.extend(children.into_iter().filter(|&child| visited.insert(child)));
                } else {
                    order.push(last.clone());
                    open.pop();
                }
            }
        }
        order
    }
}
