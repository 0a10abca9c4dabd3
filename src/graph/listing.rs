//! What refers to an object, by name: what lies below it, belongs to it or is assigned to it.
//!
//! Only what is *there* is listed: what exists, is not under deletion and whose spec can be used. What is asked about
//! need not be there itself. The lists are in no particular order, and a name is in a list but once.

use super::{
    Graph,
    facts::{Kind, Name, ObjectRef},
    grants::{Grant, SubjectId},
    object::names_in,
    records::{Assignment, Declared, Membership, Resource, State},
    table::Id,
};

// Resources.
impl Graph {
    /// The organization at the root of an attached resource's tree (itself for an organization); none: the resource is
    /// detached or not there.
    #[must_use]
    pub fn organization_of(&self, resource: &str) -> Option<Name> {
        let organization = self.attached_to(self.resources.id(resource)?)?;
        Some(self.resources.name(organization).clone())
    }

    /// The organizations that are attached.
    #[must_use]
    pub fn organizations(&self) -> Vec<Name> {
        let all = self.organizations.iter().map(|(&id, ())| id);
        let organizations = all.filter(|&id| self.attached_to(id) == Some(id));
        organizations.map(|id| self.resources.name(id).clone()).collect()
    }

    /// The resources that are there and name it as parent, attached or not.
    #[must_use]
    pub fn children_of(&self, resource: &str) -> Vec<Name> {
        self.resources.id(resource).map_or_else(Vec::new, |id| names_in(&self.resources, self.children(id)))
    }

    /// The resources of the type that are there and have the external id, in whatever organization or none.
    #[must_use]
    pub fn resources_with_external_id(&self, resource_type: &str, external_id: &str) -> Vec<Name> {
        let resource_type = self.resource_types.id(resource_type);
        let found = resource_type.into_iter().flat_map(|resource_type| self.candidates(resource_type, external_id));
        names_in(&self.resources, found)
    }

    /// Whether a resource that is there has children that are there, or assignments of either kind lie on it, be they
    /// in effect or not (rule 59).
    #[must_use]
    pub fn has_dependents(&self, resource: &str) -> bool {
        let there = self.resources.id(resource).filter(|&id| self.resource_state(id) == State::There);
        there.is_some_and(|id| self.children(id).next().is_some() || !self.resources[id].grants.is_empty())
    }
}

// Memberships and groups.
impl Graph {
    /// The memberships that are declared in an organization and there, suspended or not.
    #[must_use]
    pub fn memberships_in(&self, organization: &str) -> Vec<Name> {
        let organization = self.resources.id(organization);
        self.names_of_declared(organization.into_iter().flat_map(|id| self.declared_in(id)))
    }

    /// The memberships that are declared for a user and there, suspended or not.
    #[must_use]
    pub fn memberships_of_user(&self, user: &str) -> Vec<Name> {
        let user = self.users.id(user);
        self.names_of_declared(user.into_iter().flat_map(|user| self.declared_for(user)))
    }

    fn names_of_declared(&self, memberships: impl Iterator<Item = Id<Membership>>) -> Vec<Name> {
        let there = memberships.filter(|&id| self.declared_there(id).is_some());
        there.map(|id| self.memberships.name(id).clone()).collect()
    }

    /// What declares a membership, if that is there.
    pub(super) fn declared_there(&self, membership: Id<Membership>) -> Option<&Declared> {
        self.declared(membership).filter(|declared| declared.state == State::There)
    }

    /// The groups of an organization that are there.
    #[must_use]
    pub fn groups_in(&self, organization: &str) -> Vec<Name> {
        let organization = self.resources.id(organization);
        names_in(&self.groups, organization.into_iter().flat_map(|id| self.groups_of(id)))
    }

    /// The groups that are there and list the membership themselves, not by a subgroup.
    #[must_use]
    pub fn groups_listing(&self, membership: &str) -> Vec<Name> {
        let membership = self.memberships.id(membership);
        membership.map_or_else(Vec::new, |id| names_in(&self.groups, self.memberships[id].groups.iter().copied()))
    }
}

// Assignments.
impl Graph {
    /// The `MembershipRoleAssignment`s that are there and name the membership, whatever their effect.
    #[must_use]
    pub fn own_assignments_of_membership(&self, membership: &str) -> Vec<Name> {
        let subject = self.memberships.id(membership).map(SubjectId::Membership);
        subject.map_or_else(Vec::new, |subject| self.names_of_assignments(subject))
    }

    /// The `GroupRoleAssignment`s that are there and name the group, whatever their effect.
    #[must_use]
    pub fn assignments_of_group(&self, group: &str) -> Vec<Name> {
        let subject = self.groups.id(group).map(SubjectId::Group);
        subject.map_or_else(Vec::new, |subject| self.names_of_assignments(subject))
    }

    fn names_of_assignments(&self, subject: SubjectId) -> Vec<Name> {
        names_in(self.assignments(subject), self.assignments_of(subject))
    }

    /// The assignments of both kinds that are there and lie on that very resource, whatever their effect. One that
    /// names no resource lies on the organization of its subject.
    #[must_use]
    pub fn assignments_on(&self, resource: &str) -> Vec<ObjectRef> {
        let placed = self.resources.id(resource).into_iter().flat_map(|id| self.placed_on(id));
        let references = placed.map(|(subject, id)| {
            let kind = match subject {
                SubjectId::Membership(_) => Kind::MembershipRoleAssignment,
                SubjectId::Group(_) => Kind::GroupRoleAssignment,
            };
            ObjectRef { kind, name: self.assignments(subject).name(id).clone() }
        });
        references.collect()
    }

    /// The assignments whose grants lie on that very resource, with their subjects.
    pub(super) fn placed_on(&self, resource: Id<Resource>) -> impl Iterator<Item = (SubjectId, Id<Assignment>)> {
        let mut subjects: Vec<_> = self.resources[resource].grants.iter().map(Grant::subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects.into_iter().flat_map(move |subject| {
            let table = self.assignments(subject);
            let placed_here =
                move |&id: &Id<Assignment>| table[id].terms().is_some_and(|terms| self.placed(terms) == Some(resource));
            self.assignments_of(subject).filter(placed_here).map(move |id| (subject, id))
        })
    }
}

// Types.
impl Graph {
    /// Whether any type but `organization` is declared. A `ResourceType` whose spec cannot be used declares its type.
    #[must_use]
    pub fn declares_types(&self) -> bool {
        self.declared_types > usize::from(self.resource_types[self.organization_type].is_declared())
    }

    /// Whether the type is declared; `organization` always counts as one that is.
    #[must_use]
    pub fn is_known_type(&self, resource_type: &str) -> bool {
        let resource_type = self.resource_types.id(resource_type);
        resource_type.is_some_and(|id| id == self.organization_type || self.resource_types[id].is_declared())
    }

    /// The types that declare a permission.
    #[must_use]
    pub fn declared_on(&self, permission: &str) -> Vec<Name> {
        let permission = self.permissions.id(permission);
        let mut types = permission.map_or_else(Vec::new, |id| self.permissions[id].declared_on.to_vec());
        // A type may list it twice.
        types.sort_unstable();
        types.dedup();
        names_in(&self.resource_types, types)
    }
}
