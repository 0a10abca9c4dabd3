//! Which names are taken.

use super::{
    Graph,
    facts::{Fact, Kind, ObjectRef},
};

impl Graph {
    /// Whether an object of that kind has the name, in whatever state, or a mere reference to one does.
    ///
    /// # Guarantees
    /// What is created under a name that is not taken inherits nothing. The type `organization` is always taken, for
    /// the graph itself refers to it.
    ///
    /// # Assumptions
    /// Nobody mends an object whose spec cannot be used at the same time: what it refers to is not known. An
    /// `Environment` that is not heeded refers to nothing.
    #[must_use]
    pub fn is_name_taken(&self, object: &ObjectRef) -> bool {
        let name = &object.name;
        // A table has a name as long as the object is there or anything that is there refers to it.
        let is_known = match object.kind {
            Kind::Resource => self.resources.id(name).is_some(),
            Kind::Role => self.roles.id(name).is_some(),
            Kind::Group => self.groups.id(name).is_some(),
            Kind::GroupRoleAssignment => self.group_assignments.id(name).is_some(),
            Kind::MembershipRoleAssignment => self.membership_assignments.id(name).is_some(),
            Kind::OrganizationMembership => self.memberships.id(name).is_some(),
            Kind::ResourceType => self.resource_types.id(name).is_some(),
            Kind::Environment => self.environment_objects.get(name).is_some(),
        };
        is_known || self.terminating.iter().any(|(_, fact)| refers_to(fact, object))
    }
}

/// Whether an object that says this, and is not an `Environment`, refers to another.
fn refers_to(fact: &Fact, ObjectRef { kind, name }: &ObjectRef) -> bool {
    match (fact, kind) {
        (Fact::Resource(it), Kind::Resource) => it.parent.as_ref() == Some(name),
        (Fact::Resource(it), Kind::ResourceType) => it.resource_type == *name,
        (Fact::Role(it), Kind::Resource) => it.organization.as_ref() == Some(name),
        (Fact::Role(it), Kind::ResourceType) => it.resource_type == *name,
        (Fact::Group(it), Kind::Resource) => it.organization == *name,
        (Fact::Group(it), Kind::Group) => it.subgroups.contains(name),
        (Fact::Group(it), Kind::OrganizationMembership) => it.members.contains(name),
        (Fact::GroupRoleAssignment(it), Kind::Group) => it.group == *name,
        (Fact::GroupRoleAssignment(it), Kind::Role) => it.role == *name,
        (Fact::GroupRoleAssignment(it), Kind::Resource) => it.resource.as_ref() == Some(name),
        (Fact::MembershipRoleAssignment(it), Kind::OrganizationMembership) => it.membership == *name,
        (Fact::MembershipRoleAssignment(it), Kind::Role) => it.role == *name,
        (Fact::MembershipRoleAssignment(it), Kind::Resource) => it.resource.as_ref() == Some(name),
        (Fact::OrganizationMembership(it), Kind::Resource) => it.organization == *name,
        (Fact::OrganizationMembership(it), Kind::Role) => it.roles.contains(name),
        (Fact::ResourceType(it), Kind::ResourceType) => it.parents.contains(name),
        _ => false,
    }
}
