//! Facts in a line each, for tests that tell the graph something.
//!
//! A function named after a kind makes a plain object of it: without creation time, not being deleted, its
//! external id or slug the same as its name. A participle changes one thing about an object and panics where the
//! object has no such thing: `deleting(resource("web", "project", "acme"))`.

use std::sync::Arc;

use bailiwick::graph::{
    Graph,
    facts::{
        Change, Condition, ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, IdentitySource, Kind,
        MembershipRoleAssignment, Name, ORGANIZATION, Object, ObjectRef, OrganizationMembership, Resource,
        ResourceType, Role, RoleMapping, Timestamp,
    },
};

/// The instant so many seconds after the one at which tests begin.
pub fn at(second: i64) -> Timestamp {
    const START: i64 = 1_800_000_000;
    Timestamp::from_second(START + second).expect("tests run within a few years")
}

/// A resource of the type `organization`.
pub fn organization(name: &str) -> Object {
    object(
        name,
        Fact::Resource(Resource { resource_type: ORGANIZATION.into(), parent: None, external_id: name.into() }),
    )
}

/// A resource below another.
pub fn resource(name: &str, resource_type: &str, parent: &str) -> Object {
    let fact = Resource { resource_type: resource_type.into(), parent: Some(parent.into()), external_id: name.into() };
    object(name, Fact::Resource(fact))
}

/// A role that every organization may use.
pub fn role(name: &str, resource_type: &str, permissions: &[&str]) -> Object {
    let fact = Role {
        slug: name.into(),
        resource_type: resource_type.into(),
        permissions: names(permissions),
        organization: None,
    };
    object(name, Fact::Role(fact))
}

/// A role of one organization.
pub fn custom_role(name: &str, resource_type: &str, permissions: &[&str], organization: &str) -> Object {
    let fact = Role {
        slug: name.into(),
        resource_type: resource_type.into(),
        permissions: names(permissions),
        organization: Some(organization.into()),
    };
    object(name, Fact::Role(fact))
}

/// A group without subgroups.
pub fn group(name: &str, organization: &str, members: &[&str]) -> Object {
    nested_group(name, organization, members, &[])
}

/// A group with subgroups.
pub fn nested_group(name: &str, organization: &str, members: &[&str], subgroups: &[&str]) -> Object {
    let fact = Group { organization: organization.into(), members: names(members), subgroups: names(subgroups) };
    object(name, Fact::Group(fact))
}

/// A `MembershipRoleAssignment` named `{membership}-{role}-{resource}`.
pub fn grant(membership: &str, role: &str, resource: &str) -> Object {
    let fact = MembershipRoleAssignment {
        membership: membership.into(),
        role: role.into(),
        resource: Some(resource.into()),
        expires_at: None,
        condition: None,
    };
    object(&format!("{membership}-{role}-{resource}"), Fact::MembershipRoleAssignment(fact))
}

/// A `MembershipRoleAssignment` on the membership's organization, named `{membership}-{role}`.
pub fn organization_grant(membership: &str, role: &str) -> Object {
    let fact = MembershipRoleAssignment {
        membership: membership.into(),
        role: role.into(),
        resource: None,
        expires_at: None,
        condition: None,
    };
    object(&format!("{membership}-{role}"), Fact::MembershipRoleAssignment(fact))
}

/// A `GroupRoleAssignment` named `{group}-{role}-{resource}`.
pub fn group_grant(group: &str, role: &str, resource: &str) -> Object {
    let fact = GroupRoleAssignment {
        group: group.into(),
        role: role.into(),
        resource: Some(resource.into()),
        expires_at: None,
        condition: None,
    };
    object(&format!("{group}-{role}-{resource}"), Fact::GroupRoleAssignment(fact))
}

/// A `GroupRoleAssignment` on the group's organization, named `{group}-{role}`.
pub fn organization_group_grant(group: &str, role: &str) -> Object {
    let fact = GroupRoleAssignment {
        group: group.into(),
        role: role.into(),
        resource: None,
        expires_at: None,
        condition: None,
    };
    object(&format!("{group}-{role}"), Fact::GroupRoleAssignment(fact))
}

/// An `OrganizationMembership` without roles.
pub fn membership(name: &str, organization: &str, user: &str) -> Object {
    let fact = OrganizationMembership {
        organization: organization.into(),
        user: user.into(),
        roles: Vec::new(),
        suspended: false,
        directory_groups: Vec::new(),
        sso_groups: Vec::new(),
    };
    object(name, Fact::OrganizationMembership(fact))
}

/// The declaration of a type.
pub fn resource_type(name: &str, parents: &[&str], permissions: &[&str]) -> Object {
    object(name, Fact::ResourceType(ResourceType { parents: names(parents), permissions: names(permissions) }))
}

/// The settings of the environment.
pub fn environment(settings: Environment) -> Object {
    object(ENVIRONMENT_NAME, Fact::Environment(settings))
}

/// A role mapping for all organizations.
pub fn mapping(source: IdentitySource, group: &str, role: &str) -> RoleMapping {
    RoleMapping { source, group: group.into(), role: role.into(), organization: None }
}

/// An object whose spec cannot be used.
pub fn invalid(kind: Kind, name: &str) -> Object {
    object(name, Fact::Invalid { kind, problem: "spec.field: of no use; correct it".into() })
}

/// The object with a deletion timestamp.
pub fn deleting(mut object: Object) -> Object {
    object.deleting = true;
    object
}

/// The object, created so many seconds after the start.
pub fn created(second: i64, mut object: Object) -> Object {
    object.created = Some(at(second));
    object
}

/// The object under another name.
pub fn named(name: &str, mut object: Object) -> Object {
    object.name = name.into();
    object
}

/// The resource with another external id than its name.
pub fn known_as(external_id: &str, mut object: Object) -> Object {
    match &mut object.fact {
        Fact::Resource(resource) => resource.external_id = external_id.into(),
        other => panic!("{other:?} has no external id"),
    }
    object
}

/// The assignment, ending so many seconds after the start.
pub fn expiring(second: i64, mut object: Object) -> Object {
    match &mut object.fact {
        Fact::MembershipRoleAssignment(assignment) => assignment.expires_at = Some(at(second)),
        Fact::GroupRoleAssignment(assignment) => assignment.expires_at = Some(at(second)),
        other => panic!("{other:?} does not expire"),
    }
    object
}

/// The assignment, dependent on a condition.
pub fn conditional(condition: &str, mut object: Object) -> Object {
    let condition = Some(Arc::new(Condition::new(condition).expect("a condition")));
    match &mut object.fact {
        Fact::MembershipRoleAssignment(assignment) => assignment.condition = condition,
        Fact::GroupRoleAssignment(assignment) => assignment.condition = condition,
        other => panic!("{other:?} depends on no condition"),
    }
    object
}

/// The membership, suspended.
pub fn suspended(object: Object) -> Object {
    with_membership(object, |membership| membership.suspended = true)
}

/// The membership with roles of its own.
pub fn having_roles(roles: &[&str], object: Object) -> Object {
    with_membership(object, |membership| membership.roles = names(roles))
}

/// The membership with what the identity provider says of it.
pub fn in_identity_groups(source: IdentitySource, groups: &[&str], object: Object) -> Object {
    with_membership(object, |membership| match source {
        IdentitySource::Directory => membership.directory_groups = names(groups),
        IdentitySource::Sso => membership.sso_groups = names(groups),
    })
}

/// That these objects exist.
pub fn applied(objects: impl IntoIterator<Item = Object>) -> Vec<Change> {
    objects.into_iter().map(Change::Apply).collect()
}

/// That an object is gone.
pub fn deleted(kind: Kind, name: &str) -> Change {
    Change::Delete(ObjectRef { kind, name: name.into() })
}

/// The graph of these objects.
pub fn graph(objects: impl IntoIterator<Item = Object>) -> Graph {
    let mut graph = Graph::default();
    graph.apply(&applied(objects));
    graph
}

/// Names, shared.
pub fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|&name| name.into()).collect()
}

fn object(name: &str, fact: Fact) -> Object {
    Object { name: name.into(), created: None, deleting: false, fact }
}

fn with_membership(mut object: Object, change: impl FnOnce(&mut OrganizationMembership)) -> Object {
    match &mut object.fact {
        Fact::OrganizationMembership(membership) => change(membership),
        other => panic!("{other:?} is no membership"),
    }
    object
}
