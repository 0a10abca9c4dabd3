//! What hangs on what: the lists that the graph keeps of each object.

use super::{
    Graph,
    facts::{Name, Timestamp},
    grants::SubjectId,
    records::{Assignment, Created, Membership, Resource, State, Terms, User},
    table::{Id, Table},
};

// Resources.
impl Graph {
    pub(super) fn resource_state(&self, resource: Id<Resource>) -> State {
        self.identities[resource.index()].state
    }

    pub(super) fn created(&self, resource: Id<Resource>) -> Created {
        self.details[resource.index()].created
    }

    /// Known while the resource is there.
    pub(super) fn external_id(&self, resource: Id<Resource>) -> Option<&Name> {
        self.identities[resource.index()].external_id.as_ref()
    }

    /// The organization that the resource's chain last ended in. Right while it is attached; not cleared when it is cut
    /// off, so that cutting off a subtree stays one write.
    pub(super) fn last_organization(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        self.identities[resource.index()].last_organization
    }

    /// The resources that are there and have this one as parent.
    pub(super) fn children(&self, resource: Id<Resource>) -> impl Iterator<Item = Id<Resource>> + '_ {
        self.details[resource.index()].children.iter().copied()
    }
}

// Memberships.
impl Graph {
    /// The memberships that are declared in an organization, usable or not.
    pub(super) fn declared_in(&self, organization: Id<Resource>) -> impl Iterator<Item = Id<Membership>> + '_ {
        self.memberships_of_organization.get(&organization).into_iter().flatten().copied()
    }

    /// The memberships that are declared in any organization, usable or not.
    pub(super) fn declared_anywhere(&self) -> impl Iterator<Item = Id<Membership>> + '_ {
        self.memberships_of_organization.values().flatten().copied()
    }

    /// The memberships that are declared for a user, usable or not.
    pub(super) fn declared_for(&self, user: Id<User>) -> impl Iterator<Item = Id<Membership>> + '_ {
        self.users[user].memberships.iter().copied()
    }
}

// Assignments.
impl Graph {
    /// The assignments of the same kind of subject.
    pub(super) fn assignments(&self, subject: SubjectId) -> &Table<Assignment> {
        match subject {
            SubjectId::Membership(_) => &self.membership_assignments,
            SubjectId::Group(_) => &self.group_assignments,
        }
    }

    /// The assignments that a subject has.
    pub(super) fn assignments_of(&self, subject: SubjectId) -> impl Iterator<Item = Id<Assignment>> + '_ {
        let assignments = match subject {
            SubjectId::Membership(id) => &self.membership_details[id.index()].assignments,
            SubjectId::Group(id) => &self.groups[id].assignments,
        };
        assignments.iter().copied()
    }

    /// Where the grant of an assignment lies at present: on the resource that it names, or else on the organization of
    /// its subject.
    pub(super) fn placed(&self, terms: Terms) -> Option<Id<Resource>> {
        terms.resource.or_else(|| self.organization_of_subject(terms.subject))
    }

    /// When an assignment of that subject expires, if ever.
    pub(super) fn expires_at(&self, subject: SubjectId, id: Id<Assignment>) -> Option<Timestamp> {
        self.assignments(subject)[id].expires_at
    }

    /// The organization of a subject, where known.
    pub(super) fn organization_of_subject(&self, subject: SubjectId) -> Option<Id<Resource>> {
        match subject {
            SubjectId::Membership(id) => self.memberships[id].organization,
            SubjectId::Group(id) => self.groups[id].organization,
        }
    }
}
