//! What depends on what, for deletions: by names, over and over all objects until nothing is added.

use std::collections::BTreeSet;

use bailiwick::graph::facts::{Change, Fact, Kind, Name, Object, ObjectRef};

use super::World;

/// What goes with the objects under deletion.
pub struct Dependencies<'a> {
    world: &'a World,
    restricted: &'a BTreeSet<ObjectRef>,
    /// What is gone in the end, under deletion now or not.
    gone: BTreeSet<ObjectRef>,
    /// What would be, if nothing were restricted.
    concerned: BTreeSet<ObjectRef>,
}

pub fn reference(object: &Object) -> ObjectRef {
    ObjectRef { kind: object.fact.kind(), name: object.name.clone() }
}

/// Whether others may depend on objects of the kind.
fn cascades(kind: Kind) -> bool {
    matches!(kind, Kind::Resource | Kind::Role | Kind::Group | Kind::OrganizationMembership)
}

impl<'a> Dependencies<'a> {
    pub fn of(world: &'a World, restricted: &'a BTreeSet<ObjectRef>) -> Self {
        let mut this = Self { world, restricted, gone: BTreeSet::new(), concerned: BTreeSet::new() };
        let deleted: BTreeSet<ObjectRef> = this.under_deletion().collect();
        this.concerned = this.closure(deleted.clone());
        this.gone = this.closure(deleted.difference(restricted).cloned().collect());
        this
    }

    fn under_deletion(&self) -> impl Iterator<Item = ObjectRef> {
        let deleted = self.world.objects().filter(|object| object.deleting).map(reference);
        deleted.filter(|object| cascades(object.kind))
    }

    fn closure(&self, mut reached: BTreeSet<ObjectRef>) -> BTreeSet<ObjectRef> {
        loop {
            let depends = |object: &&Object| self.needed_by(object).iter().any(|needed| reached.contains(needed));
            let more: BTreeSet<ObjectRef> = self.world.objects().filter(depends).map(reference).collect();
            let before = reached.len();
            reached.extend(more);
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// What an object depends on; nothing for an assignment under deletion, which holds nothing up, nor for a
    /// resource under deletion that is above itself.
    fn needed_by(&self, object: &Object) -> Vec<ObjectRef> {
        let refer = |kind, name: &Name| ObjectRef { kind, name: name.clone() };
        let organization = |name: &Name| {
            let resource = self.world.exists(Kind::Resource, name);
            let is_one = resource.is_some_and(
                |object| matches!(&object.fact, Fact::Resource(spec) if spec.resource_type == "organization"),
            );
            is_one.then(|| refer(Kind::Resource, name))
        };
        match &object.fact {
            Fact::Resource(spec) if !(object.deleting && self.is_above_itself(&object.name)) => {
                spec.parent.iter().map(|parent| refer(Kind::Resource, parent)).collect()
            }
            Fact::Role(spec) => spec.organization.as_ref().and_then(organization).into_iter().collect(),
            Fact::Group(spec) => organization(&spec.organization).into_iter().collect(),
            Fact::OrganizationMembership(spec) => organization(&spec.organization).into_iter().collect(),
            Fact::GroupRoleAssignment(spec) if !object.deleting => {
                let resource = spec.resource.iter().map(|name| refer(Kind::Resource, name));
                resource.chain([refer(Kind::Group, &spec.group), refer(Kind::Role, &spec.role)]).collect()
            }
            Fact::MembershipRoleAssignment(spec) if !object.deleting => {
                let resource = spec.resource.iter().map(|name| refer(Kind::Resource, name));
                let subject = refer(Kind::OrganizationMembership, &spec.membership);
                resource.chain([subject, refer(Kind::Role, &spec.role)]).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether parents run in a circle through that resource.
    pub fn is_above_itself(&self, name: &Name) -> bool {
        let parent = |name: &Name| match &self.world.exists(Kind::Resource, name)?.fact {
            Fact::Resource(spec) => spec.parent.clone(),
            _ => None,
        };
        let mut above = parent(name);
        for _ in 0..self.world.all(Kind::Resource).count() {
            if above.as_ref() == Some(name) {
                return true;
            }
            above = above.as_ref().and_then(parent);
        }
        false
    }

    /// What is gone in the end, under deletion now or not.
    pub fn gone(&self) -> &BTreeSet<ObjectRef> {
        &self.gone
    }

    pub fn doomed(&self) -> BTreeSet<ObjectRef> {
        let stays = |object: &&Object| !object.deleting;
        self.world.objects().filter(stays).map(reference).filter(|object| self.gone.contains(object)).collect()
    }

    /// The objects under deletion, what has to go before each, and whether others have to see to that.
    pub fn deletions(&self) -> Vec<(ObjectRef, usize, bool)> {
        let deletions = self.under_deletion().map(|object| {
            let is_restricted = self.restricted.contains(&object) && !self.gone.contains(&object);
            (object.clone(), self.remaining(&object), is_restricted)
        });
        let mut deletions: Vec<_> = deletions.collect();
        deletions.sort();
        deletions
    }

    /// How many objects and names go before one, not counting what goes before another under deletion.
    fn remaining(&self, deleted: &ObjectRef) -> usize {
        let mut reached = BTreeSet::from([deleted.clone()]);
        let mut open = vec![deleted.clone()];
        let mut names = 0;
        while let Some(needed) = open.pop() {
            names += self.listing(&needed).len();
            for object in self.world.objects().filter(|object| self.needed_by(object).contains(&needed)) {
                if reached.insert(reference(object)) && !object.deleting {
                    open.push(reference(object));
                }
            }
        }
        reached.len() - 1 + names
    }

    /// The groups that stay and list the object.
    pub fn listing(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let goes_along = |group: &ObjectRef| {
            self.gone.contains(group) || !self.gone.contains(object) && self.concerned.contains(group)
        };
        let lists = |group: &&Object| match &group.fact {
            Fact::Group(spec) if !group.deleting => match object.kind {
                Kind::OrganizationMembership => spec.members.contains(&object.name),
                Kind::Group => spec.subgroups.contains(&object.name),
                _ => false,
            },
            _ => false,
        };
        let listing = self.world.all(Kind::Group).filter(lists).map(reference);
        listing.filter(|group| !goes_along(group)).collect()
    }

    /// What has to go before an object.
    pub fn holding_up(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let dependents = self.world.objects().filter(|other| self.needed_by(other).contains(object));
        dependents.map(reference).chain(self.listing(object)).collect()
    }

    /// What is left in the end.
    pub fn outcome(&self) -> Vec<Object> {
        let is_gone = |kind, name: &Name| self.gone.contains(&ObjectRef { kind, name: name.clone() });
        let mut left = World::default();
        for object in self.world.objects().filter(|object| !self.gone.contains(&reference(object))) {
            let mut object = object.clone();
            if let Fact::Group(spec) = &mut object.fact {
                spec.members.retain(|name| !is_gone(Kind::OrganizationMembership, name));
                spec.subgroups.retain(|name| !is_gone(Kind::Group, name));
            }
            left.apply(&Change::Apply(object));
        }
        // Restricted ones go when nothing depends on them any more.
        loop {
            let deletions = Dependencies::of(&left, self.restricted).deletions();
            let Some((free, ..)) = deletions.into_iter().find(|&(_, remaining, _)| remaining == 0) else {
                return left.objects().cloned().collect();
            };
            left.apply(&Change::Delete(free));
        }
    }
}
