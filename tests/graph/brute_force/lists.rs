//! What is there and refers to something, by a look at every object.

use std::collections::BTreeSet;

use bailiwick::graph::{
    facts::{ENVIRONMENT_NAME, Environment, Fact, Kind, Name, ORGANIZATION, Object, ObjectRef, Timestamp},
    query::RoleUses,
};

use super::World;

/// Every object that this refers to.
pub fn references(fact: &Fact) -> Vec<ObjectRef> {
    let one = |kind, name: &Name| vec![ObjectRef { kind, name: name.clone() }];
    let all = |kind, names: &[Name]| names.iter().flat_map(|name| one(kind, name)).collect();
    let maybe = |kind, name: &Option<Name>| name.iter().flat_map(|name| one(kind, name)).collect();
    match fact {
        Fact::Resource(it) => [one(Kind::ResourceType, &it.resource_type), maybe(Kind::Resource, &it.parent)].concat(),
        Fact::Role(it) => {
            [one(Kind::ResourceType, &it.resource_type), maybe(Kind::Resource, &it.organization)].concat()
        }
        Fact::Group(it) => [
            one(Kind::Resource, &it.organization),
            all(Kind::OrganizationMembership, &it.members),
            all(Kind::Group, &it.subgroups),
        ]
        .concat(),
        Fact::GroupRoleAssignment(it) => {
            [one(Kind::Group, &it.group), one(Kind::Role, &it.role), maybe(Kind::Resource, &it.resource)].concat()
        }
        Fact::MembershipRoleAssignment(it) => [
            one(Kind::OrganizationMembership, &it.membership),
            one(Kind::Role, &it.role),
            maybe(Kind::Resource, &it.resource),
        ]
        .concat(),
        Fact::OrganizationMembership(it) => {
            [one(Kind::Resource, &it.organization), all(Kind::Role, &it.roles)].concat()
        }
        Fact::ResourceType(it) => all(Kind::ResourceType, &it.parents),
        Fact::Environment(Environment { default_role, role_priority, role_mappings, .. }) => {
            let mapped = role_mappings
                .iter()
                .flat_map(|it| [one(Kind::Role, &it.role), maybe(Kind::Resource, &it.organization)].concat());
            [maybe(Kind::Role, default_role), all(Kind::Role, role_priority), mapped.collect()].concat()
        }
        Fact::Invalid { .. } => Vec::new(),
    }
}

impl World {
    /// The names of the objects of a kind that are there and say something of that sort.
    fn names(&self, kind: Kind, says: impl Fn(&Fact) -> bool) -> Vec<Name> {
        let names = self.all(kind).map(|object| &object.name);
        names.filter(|name| self.there(kind, name).is_some_and(&says)).cloned().collect()
    }

    pub fn children_of(&self, resource: &str) -> Vec<Name> {
        self.names(Kind::Resource, |fact| matches!(fact, Fact::Resource(it) if it.parent.as_deref() == Some(resource)))
    }

    pub fn resources_with_external_id(&self, resource_type: &str, external_id: &str) -> Vec<Name> {
        self.names(
            Kind::Resource,
            |fact| matches!(fact, Fact::Resource(it) if it.resource_type == resource_type && it.external_id == external_id),
        )
    }

    pub fn memberships_in(&self, organization: &str) -> Vec<Name> {
        self.names(
            Kind::OrganizationMembership,
            |fact| matches!(fact, Fact::OrganizationMembership(it) if it.organization == organization),
        )
    }

    pub fn memberships_declared_for(&self, user: &str) -> Vec<Name> {
        self.names(
            Kind::OrganizationMembership,
            |fact| matches!(fact, Fact::OrganizationMembership(it) if it.user == user),
        )
    }

    pub fn groups_in(&self, organization: &str) -> Vec<Name> {
        self.names(Kind::Group, |fact| matches!(fact, Fact::Group(it) if it.organization == organization))
    }

    pub fn groups_listing(&self, membership: &str) -> Vec<Name> {
        self.names(Kind::Group, |fact| matches!(fact, Fact::Group(it) if it.members.contains(&membership.into())))
    }

    pub fn own_assignments_of_membership(&self, membership: &str) -> Vec<Name> {
        self.names(
            Kind::MembershipRoleAssignment,
            |fact| matches!(fact, Fact::MembershipRoleAssignment(it) if it.membership == membership),
        )
    }

    pub fn assignments_of_group(&self, group: &str) -> Vec<Name> {
        self.names(Kind::GroupRoleAssignment, |fact| matches!(fact, Fact::GroupRoleAssignment(it) if it.group == group))
    }

    pub fn assignments_on(&self, resource: &str) -> Vec<ObjectRef> {
        let lies_here = |fact: &Fact| match fact {
            Fact::MembershipRoleAssignment(it) => {
                let organization = self.declaration(&it.membership).map(|it| &it.organization);
                it.resource.as_ref().or(organization).is_some_and(|named| named == resource)
            }
            Fact::GroupRoleAssignment(it) => {
                let organization = self.group(&it.group).map(|it| &it.organization);
                it.resource.as_ref().or(organization).is_some_and(|named| named == resource)
            }
            _ => false,
        };
        let of_kind = |kind| self.names(kind, lies_here).into_iter().map(move |name| ObjectRef { kind, name });
        of_kind(Kind::GroupRoleAssignment).chain(of_kind(Kind::MembershipRoleAssignment)).collect()
    }

    pub fn has_dependents(&self, resource: &str) -> bool {
        self.resource(resource).is_some()
            && !(self.children_of(resource).is_empty() && self.assignments_on(resource).is_empty())
    }

    pub fn uses_of_role(&self, role: &str) -> RoleUses {
        let gives = |fact: &Fact| match fact {
            Fact::MembershipRoleAssignment(it) => it.role == role,
            Fact::GroupRoleAssignment(it) => it.role == role,
            Fact::OrganizationMembership(it) => it.roles.contains(&role.into()),
            _ => false,
        };
        let environment = self.environment();
        RoleUses {
            membership_assignments: self.names(Kind::MembershipRoleAssignment, gives).len(),
            group_assignments: self.names(Kind::GroupRoleAssignment, gives).len(),
            memberships: self.names(Kind::OrganizationMembership, gives).len(),
            role_mappings: environment.role_mappings.iter().filter(|mapping| mapping.role == role).count(),
            is_default: environment.default_role.as_deref() == Some(role),
        }
    }

    /// Sorts roles by priority.
    pub fn sort_by_priority(&self, roles: &mut [Name]) {
        let environment = self.environment();
        roles.sort_by_key(|role| self.rank(&environment, role));
    }

    /// What orders roles by priority: the place where the environment lists them, then their age, then their name.
    pub fn rank(&self, environment: &Environment, role: &Name) -> (usize, Option<Timestamp>, Name) {
        let listed = environment.role_priority.iter().position(|name| name == role).unwrap_or(usize::MAX);
        let created = self.exists(Kind::Role, role).and_then(|object| object.created);
        (listed, created, role.clone())
    }

    pub fn roles_in_priority_order(&self, organization: Option<&str>) -> Vec<Name> {
        let mut roles = self.names(
            Kind::Role,
            |fact| matches!(fact, Fact::Role(it) if it.organization.is_none() || it.organization.as_deref() == organization),
        );
        self.sort_by_priority(&mut roles);
        roles
    }

    pub fn find_role(&self, slug: &str, organization: Option<&str>) -> Option<Name> {
        let oldest_of = |organization: Option<&str>| {
            let called = |fact: &Fact| matches!(fact, Fact::Role(it) if it.slug == slug && it.organization.as_deref() == organization);
            let called = self.names(Kind::Role, called);
            let objects = called.iter().filter_map(|name| self.exists(Kind::Role, name));
            objects.min_by_key(|object| Self::age(object)).map(|object| object.name.clone())
        };
        oldest_of(organization).or_else(|| oldest_of(None))
    }

    pub fn declares_types(&self) -> bool {
        let mut types = self.all(Kind::ResourceType).map(|object| &object.name);
        types.any(|name| name != ORGANIZATION && self.declared_type(name).is_some())
    }

    pub fn is_known_type(&self, resource_type: &str) -> bool {
        resource_type == ORGANIZATION || self.declared_type(resource_type).is_some()
    }

    pub fn declared_on(&self, permission: &str) -> Vec<Name> {
        self.names(
            Kind::ResourceType,
            |fact| matches!(fact, Fact::ResourceType(it) if it.permissions.contains(&permission.into())),
        )
    }

    /// Every object, in whatever state, and whatever any of them refers to. An `Environment` says nothing unless it is
    /// heeded.
    pub fn taken(&self) -> BTreeSet<ObjectRef> {
        let is_heeded = |object: &Object| {
            object.fact.kind() != Kind::Environment || &*object.name == ENVIRONMENT_NAME && !object.deleting
        };
        let own = self.objects().map(|object| ObjectRef { kind: object.fact.kind(), name: object.name.clone() });
        let referred = self.objects().filter(|object| is_heeded(object)).flat_map(|object| references(&object.fact));
        let always = ObjectRef { kind: Kind::ResourceType, name: ORGANIZATION.into() };
        own.chain(referred).chain([always]).collect()
    }

    pub fn allows_multiple_roles(&self) -> bool {
        self.environment().multiple_roles
    }

    pub fn default_role_is_set(&self) -> bool {
        self.environment().default_role.is_some()
    }

    pub fn default_role(&self) -> Option<Name> {
        self.environment().default_role.filter(|name| self.role(name).is_some())
    }

    /// Whether a membership is declared by an object that is there, and its organization is attached.
    pub fn has_place(&self, membership: &str) -> bool {
        self.there(Kind::OrganizationMembership, membership).is_some()
            && self.declaration(membership).is_some_and(|it| self.is_organization(&it.organization))
    }

    /// The same world in which nobody is suspended.
    pub fn without_suspensions(&self) -> Self {
        let mut world = self.clone();
        world.organizations.get_mut().clear();
        for object in world.objects.values_mut().flat_map(|objects| objects.values_mut()) {
            if let Fact::OrganizationMembership(membership) = &mut object.fact {
                membership.suspended = false;
            }
        }
        world
    }
}
