//! What hangs on what: the lists that the graph keeps of each object.

use super::{
    Graph,
    facts::Name,
    grants::SubjectId,
    links,
    records::{Assignment, Created, Declared, Membership, Resource, State, Terms, User},
    table::{Id, Table},
};

// Resources.
impl Graph {
    pub(super) fn resource_state(&self, resource: Id<Resource>) -> State {
        self.details[resource].state
    }

    pub(super) fn created(&self, resource: Id<Resource>) -> Created {
        self.details[resource].created
    }

    /// Known while the resource is there.
    pub(super) fn external_id(&self, resource: Id<Resource>) -> Option<&Name> {
        self.keys().external_id(resource)
    }

    /// The organization that the resource's chain last ended in. Right while it is attached; not cleared when it is cut
    /// off, so that cutting off a subtree stays one write.
    pub(super) fn last_organization(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        self.details[resource].last_organization
    }

    /// The resources that are there and have this one as parent.
    pub(super) fn children(&self, resource: Id<Resource>) -> impl Iterator<Item = Id<Resource>> + '_ {
        links::iter(self.details[resource].first_child, |id| &self.details[id].siblings)
    }
}

// Memberships.
impl Graph {
    /// What declares a membership, usable or not.
    pub(super) fn declared(&self, membership: Id<Membership>) -> Option<&Declared> {
        self.membership_details[membership].declared.as_ref()
    }

    /// The memberships that are declared in an organization, usable or not.
    pub(super) fn declared_in(&self, organization: Id<Resource>) -> impl Iterator<Item = Id<Membership>> + '_ {
        let first = self.memberships_of_organization.get(&organization).copied();
        links::iter(first, |id| &self.membership_details[id].in_organization)
    }

    /// The memberships that are declared in any organization, usable or not.
    pub(super) fn declared_anywhere(&self) -> impl Iterator<Item = Id<Membership>> + '_ {
        let declared = self.memberships.records().filter(|(_, record)| record.organization.is_some());
        declared.map(|(id, _)| id)
    }

    /// The memberships that are declared for a user, usable or not.
    pub(super) fn declared_for(&self, user: Id<User>) -> impl Iterator<Item = Id<Membership>> + '_ {
        links::iter(self.users[user].first_membership, |id| &self.membership_details[id].of_user)
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
        let table = self.assignments(subject);
        links::iter(self.first_assignment(subject), |id| &table[id].of_subject)
    }

    /// Where the list of a subject's assignments begins.
    pub(super) fn first_assignment(&self, subject: SubjectId) -> Option<Id<Assignment>> {
        match subject {
            SubjectId::Membership(id) => self.membership_details[id].first_assignment,
            SubjectId::Group(id) => self.first_assignment_of_group[id],
        }
    }

    /// Where the grant of an assignment lies at present: on the resource that it names, or else on the organization of
    /// its subject.
    pub(super) fn placed(&self, terms: Terms) -> Option<Id<Resource>> {
        terms.resource.or_else(|| self.organization_of_subject(terms.subject))
    }

    /// The organization of a subject, where known.
    pub(super) fn organization_of_subject(&self, subject: SubjectId) -> Option<Id<Resource>> {
        match subject {
            SubjectId::Membership(id) => self.memberships[id].organization,
            SubjectId::Group(id) => self.groups[id].organization,
        }
    }
}
