//! The semantics once more, written to be obviously right rather than fast: it follows `docs/semantics.md` sentence
//! by sentence over a plain map of objects and shares no code with the engine.

mod questions;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use bailiwick::graph::{
    facts::{
        Change, ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, IdentitySource, Kind,
        MembershipRoleAssignment, Name, ORGANIZATION, Object, OrganizationMembership, Resource, ResourceType, Role,
        Timestamp, Undeclared,
    },
    query::GrantSource,
};

pub use questions::Meaning;

/// How many steps from a resource to its organization are followed.
const MAX_STEPS: usize = 1024;

/// All objects of an environment.
#[derive(Clone, Debug, Default)]
pub struct World {
    objects: BTreeMap<Kind, BTreeMap<Name, Object>>,
    /// What [`World::organization_of`] answered since the last change, for everything asks it again and again.
    organizations: RefCell<BTreeMap<Name, Option<Name>>>,
}

/// A role that a membership has on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub source: Source,
    pub role: Name,
    pub resource: Name,
    pub expires_at: Option<Timestamp>,
}

/// Where a grant comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    MembershipRoleAssignment(Name),
    GroupRoleAssignment(Name),
    OrganizationMembership(Name),
    IdentityProvider(IdentitySource, Name),
    DefaultRole,
}

impl From<&GrantSource> for Source {
    fn from(source: &GrantSource) -> Self {
        match source {
            GrantSource::MembershipRoleAssignment(name) => Self::MembershipRoleAssignment(name.clone()),
            GrantSource::GroupRoleAssignment { assignment, .. } => Self::GroupRoleAssignment(assignment.clone()),
            GrantSource::OrganizationMembership(name) => Self::OrganizationMembership(name.clone()),
            GrantSource::IdentityProvider { source, group } => Self::IdentityProvider(*source, group.clone()),
            GrantSource::DefaultRole => Self::DefaultRole,
        }
    }
}

// Objects.
impl World {
    pub fn apply(&mut self, change: &Change) {
        self.organizations.get_mut().clear();
        match change {
            Change::Apply(object) => {
                let of_kind = self.objects.entry(object.fact.kind()).or_default();
                of_kind.insert(object.name.clone(), object.clone());
            }
            Change::Delete(object) => {
                self.objects.entry(object.kind).or_default().remove(&object.name);
            }
        }
    }

    fn exists(&self, kind: Kind, name: &str) -> Option<&Object> {
        self.objects.get(&kind)?.get(name)
    }

    /// What an object says, if it is there.
    fn there(&self, kind: Kind, name: &str) -> Option<&Fact> {
        let object = self.exists(kind, name)?;
        let usable = !object.deleting && !matches!(object.fact, Fact::Invalid { .. });
        usable.then_some(&object.fact)
    }

    /// Every object, by kind and name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values().flat_map(BTreeMap::values)
    }

    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    pub fn resource(&self, name: &str) -> Option<&Resource> {
        match self.there(Kind::Resource, name)? {
            Fact::Resource(resource) => Some(resource),
            _ => None,
        }
    }

    fn role(&self, name: &str) -> Option<&Role> {
        match self.there(Kind::Role, name)? {
            Fact::Role(role) => Some(role),
            _ => None,
        }
    }

    fn group(&self, name: &str) -> Option<&Group> {
        match self.there(Kind::Group, name)? {
            Fact::Group(group) => Some(group),
            _ => None,
        }
    }

    fn membership_assignment(&self, name: &str) -> Option<&MembershipRoleAssignment> {
        match self.there(Kind::MembershipRoleAssignment, name)? {
            Fact::MembershipRoleAssignment(assignment) => Some(assignment),
            _ => None,
        }
    }

    pub fn group_assignment(&self, name: &str) -> Option<&GroupRoleAssignment> {
        match self.there(Kind::GroupRoleAssignment, name)? {
            Fact::GroupRoleAssignment(assignment) => Some(assignment),
            _ => None,
        }
    }

    /// The declaration of a type. An invalid one still declares it, with nothing allowed.
    fn declared_type(&self, name: &str) -> Option<ResourceType> {
        let object = self.exists(Kind::ResourceType, name)?;
        match &object.fact {
            _ if object.deleting => None,
            Fact::ResourceType(resource_type) => Some(resource_type.clone()),
            _ => Some(ResourceType { parents: Vec::new(), permissions: Vec::new() }),
        }
    }

    fn environment(&self) -> Environment {
        let Some(object) = self.exists(Kind::Environment, ENVIRONMENT_NAME) else {
            return Environment::default();
        };
        match &object.fact {
            _ if object.deleting => Environment::default(),
            Fact::Environment(environment) => environment.clone(),
            _ => Environment {
                undeclared_memberships: Undeclared::Deny,
                undeclared_resource_types: Undeclared::Deny,
                ..Environment::default()
            },
        }
    }

    /// What orders two objects by age: an unknown creation time first, then the name.
    fn age(object: &Object) -> (Option<Timestamp>, &Name) {
        (object.created, &object.name)
    }
}

// Resources.
impl World {
    /// The names from a resource up to its organization, if all are there.
    fn chain(&self, name: &str) -> Option<Vec<Name>> {
        let mut chain: Vec<Name> = Vec::new();
        let mut current: Name = name.into();
        loop {
            if chain.contains(&current) {
                return None;
            }
            let resource = self.resource(&current)?;
            chain.push(current);
            if &*resource.resource_type == ORGANIZATION {
                return Some(chain);
            }
            current = resource.parent.clone()?;
        }
    }

    /// The organization of a resource, if the resource is attached.
    pub fn organization_of(&self, name: &str) -> Option<Name> {
        if let Some(known) = self.organizations.borrow().get(name) {
            return known.clone();
        }
        let organization = self.find_organization(name);
        self.organizations.borrow_mut().insert(name.into(), organization.clone());
        organization
    }

    fn find_organization(&self, name: &str) -> Option<Name> {
        let chain = self.chain(name)?;
        let organization = chain.last()?.clone();
        let attached = chain.len() - 1 <= MAX_STEPS
            && chain.iter().all(|link| self.is_well_placed(link) && !self.is_younger_of_two(link, &organization));
        attached.then_some(organization)
    }

    fn is_organization(&self, name: &str) -> bool {
        self.organization_of(name).is_some_and(|organization| &*organization == name)
    }

    /// Whether the declared types allow the resource where it is.
    fn is_well_placed(&self, name: &str) -> bool {
        let Some(resource) = self.resource(name) else { return false };
        if &*resource.resource_type == ORGANIZATION {
            return true;
        }
        let Some(declared) = self.declared_type(&resource.resource_type) else {
            return self.environment().undeclared_resource_types == Undeclared::Allow;
        };
        let Some(parent) = resource.parent.as_ref().and_then(|parent| self.resource(parent)) else { return false };
        declared.parents.contains(&parent.resource_type)
    }

    /// Whether an older resource of the organization has the same type and external id. Organizations are
    /// compared with all others.
    fn is_younger_of_two(&self, name: &str, organization: &Name) -> bool {
        let Some(resource) = self.resource(name) else { return false };
        let Some(object) = self.exists(Kind::Resource, name) else { return false };
        self.all(Kind::Resource).any(|other| {
            let same = matches!(&other.fact, Fact::Resource(rival)
                if rival.resource_type == resource.resource_type && rival.external_id == resource.external_id);
            let older = Self::age(other) < Self::age(object);
            same && older
                && self
                    .chain(&other.name)
                    .is_some_and(|chain| &*resource.resource_type == ORGANIZATION || chain.last() == Some(organization))
        })
    }
}

// Roles.
impl World {
    fn usable_role(&self, name: &str) -> Option<&Role> {
        let role = self.role(name)?;
        let known = &*role.resource_type == ORGANIZATION
            || self.declared_type(&role.resource_type).is_some()
            || self.environment().undeclared_resource_types == Undeclared::Allow;
        known.then_some(role)
    }

    /// Whether a role has a permission.
    fn has(&self, role: &Role, permission: &str) -> bool {
        if !role.permissions.iter().any(|listed| &**listed == permission) {
            return false;
        }
        let declared_on: Vec<&Name> = self
            .all(Kind::ResourceType)
            .map(|object| &object.name)
            .filter(|name| {
                self.declared_type(name)
                    .is_some_and(|declared| declared.permissions.iter().any(|listed| &**listed == permission))
            })
            .collect();
        if !declared_on.is_empty() {
            return declared_on.iter().any(|declaring| self.is_or_lies_below(declaring, &role.resource_type));
        }
        let refused = match permission.split_once(':') {
            Some((prefix, _)) => self.declared_type(prefix).is_some(),
            None => self.declared_type(&role.resource_type).is_some(),
        };
        !refused && self.environment().undeclared_resource_types == Undeclared::Allow
    }

    fn is_or_lies_below(&self, lower: &str, upper: &str) -> bool {
        let mut reached = BTreeSet::from([Name::from(lower)]);
        loop {
            let parents: BTreeSet<Name> = reached
                .iter()
                .filter_map(|name| self.declared_type(name))
                .flat_map(|declared| declared.parents)
                .collect();
            let before = reached.len();
            reached.extend(parents);
            if reached.len() == before {
                return upper == ORGANIZATION || reached.contains(upper);
            }
        }
    }
}

// Memberships and groups.
impl World {
    fn is_declared(&self, membership: &str) -> bool {
        self.exists(Kind::OrganizationMembership, membership).is_some()
    }

    /// What declares a membership, be it under deletion or not, if its spec can be used.
    pub fn declaration(&self, membership: &str) -> Option<&OrganizationMembership> {
        match &self.exists(Kind::OrganizationMembership, membership)?.fact {
            Fact::OrganizationMembership(declaration) => Some(declaration),
            _ => None,
        }
    }

    fn is_able(&self, membership: &str, organization: &str) -> bool {
        if !self.is_declared(membership) {
            return self.environment().undeclared_memberships == Undeclared::Allow;
        }
        match self.there(Kind::OrganizationMembership, membership) {
            Some(Fact::OrganizationMembership(declaration)) => {
                !declaration.suspended
                    && self.is_organization(&declaration.organization)
                    && &*declaration.organization == organization
            }
            _ => false,
        }
    }

    fn usable_group(&self, name: &str) -> Option<&Group> {
        let group = self.group(name)?;
        (self.is_organization(&group.organization) && !self.is_on_a_cycle(name)).then_some(group)
    }

    fn is_on_a_cycle(&self, name: &str) -> bool {
        let mut reached: BTreeSet<Name> = BTreeSet::new();
        let mut waiting = vec![Name::from(name)];
        while let Some(current) = waiting.pop() {
            for subgroup in self.group(&current).map(|group| group.subgroups.clone()).unwrap_or_default() {
                if self.group(&subgroup).is_some() && reached.insert(subgroup.clone()) {
                    waiting.push(subgroup);
                }
            }
        }
        reached.contains(name)
    }

    /// Whether a membership belongs to a group. Ends because no usable group is on a cycle.
    fn belongs(&self, membership: &str, name: &str) -> bool {
        let Some(group) = self.usable_group(name) else { return false };
        group.members.iter().any(|member| &**member == membership)
            || group.subgroups.iter().any(|subgroup| {
                self.usable_group(subgroup).is_some_and(|lower| lower.organization == group.organization)
                    && self.belongs(membership, subgroup)
            })
    }

    /// Whether groups, from the first down to the last, pass a membership of the last on to the first.
    pub fn passes_on(&self, membership: &str, groups: &[Name]) -> bool {
        let linked = groups.windows(2).all(|pair| {
            let (Some(upper), Some(lower)) = (self.usable_group(&pair[0]), self.usable_group(&pair[1])) else {
                return false;
            };
            upper.subgroups.contains(&pair[1]) && upper.organization == lower.organization
        });
        let lists = groups
            .last()
            .and_then(|group| self.usable_group(group))
            .is_some_and(|group| group.members.iter().any(|member| &**member == membership));
        linked && lists
    }
}

// Grants.
impl World {
    /// The possible grants of a membership on whatever resource, but for the default role.
    fn possible_grants(&self, membership: &str) -> BTreeSet<Grant> {
        let mut grants = BTreeSet::new();
        let declaration = self.declaration(membership);

        for object in self.all(Kind::MembershipRoleAssignment) {
            let Some(assignment) = self.membership_assignment(&object.name) else { continue };
            let resource = assignment.resource.clone().or_else(|| Some(declaration?.organization.clone()));
            if let Some(resource) = resource
                && &*assignment.membership == membership
            {
                grants.insert(Grant {
                    source: Source::MembershipRoleAssignment(object.name.clone()),
                    role: assignment.role.clone(),
                    resource,
                    expires_at: assignment.expires_at,
                });
            }
        }

        for object in self.all(Kind::GroupRoleAssignment) {
            let Some(assignment) = self.group_assignment(&object.name) else { continue };
            let Some(resource) = self.resource_of_group_assignment(&object.name) else { continue };
            if self.belongs(membership, &assignment.group) {
                grants.insert(Grant {
                    source: Source::GroupRoleAssignment(object.name.clone()),
                    role: assignment.role.clone(),
                    resource,
                    expires_at: assignment.expires_at,
                });
            }
        }

        let Some(declaration) = declaration else { return grants };
        let on_organization = |source, role: &Name| Grant {
            source,
            role: role.clone(),
            resource: declaration.organization.clone(),
            expires_at: None,
        };
        for role in &declaration.roles {
            grants.insert(on_organization(Source::OrganizationMembership(membership.into()), role));
        }
        for mapping in self.environment().role_mappings {
            let listed = match mapping.source {
                IdentitySource::Directory => &declaration.directory_groups,
                IdentitySource::Sso => &declaration.sso_groups,
            };
            let concerned = mapping.organization.is_none_or(|organization| organization == declaration.organization);
            if concerned && listed.contains(&mapping.group) {
                grants.insert(on_organization(
                    Source::IdentityProvider(mapping.source, mapping.group.clone()),
                    &mapping.role,
                ));
            }
        }
        grants
    }

    /// The resource that a group's assignment is on, if the group can be used and is of the same organization.
    pub fn resource_of_group_assignment(&self, name: &str) -> Option<Name> {
        let assignment = self.group_assignment(name)?;
        let group = self.usable_group(&assignment.group)?;
        let resource = assignment.resource.as_ref().unwrap_or(&group.organization);
        (self.organization_of(resource)? == group.organization).then(|| resource.clone())
    }

    /// Whether a role fits a resource and both can be used, at a time when the assignment still runs.
    fn applies(&self, role: &str, resource: &str, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
        let (Some(role), Some(organization)) = (self.usable_role(role), self.organization_of(resource)) else {
            return false;
        };
        self.resource(resource).is_some_and(|resource| resource.resource_type == role.resource_type)
            && role.organization.as_ref().is_none_or(|of_role| *of_role == organization)
            && expires_at.is_none_or(|end| now < end)
    }

    fn counts(&self, membership: &str, grant: &Grant, now: Timestamp) -> bool {
        self.applies(&grant.role, &grant.resource, grant.expires_at, now)
            && self.organization_of(&grant.resource).is_some_and(|organization| self.is_able(membership, &organization))
    }

    /// The grants of a membership that are in effect.
    pub fn effective_grants(&self, membership: &str, now: Timestamp) -> BTreeSet<Grant> {
        let environment = self.environment();
        let mut counting: BTreeSet<Grant> =
            self.possible_grants(membership).into_iter().filter(|grant| self.counts(membership, grant, now)).collect();

        if let (Some(declaration), Some(role)) = (self.declaration(membership), environment.default_role) {
            let default = Grant {
                source: Source::DefaultRole,
                role,
                resource: declaration.organization.clone(),
                expires_at: None,
            };
            let alone = counting.iter().all(|grant| grant.resource != declaration.organization);
            if alone && self.counts(membership, &default, now) {
                counting.insert(default);
            }
        }

        if environment.multiple_roles {
            return counting;
        }
        let rank = |role: &Name| {
            let listed = environment.role_priority.iter().position(|name| name == role).unwrap_or(usize::MAX);
            let created = self.exists(Kind::Role, role).and_then(|object| object.created);
            (listed, created, role.clone())
        };
        counting
            .iter()
            .filter(|grant| {
                let rivals = counting.iter().filter(|rival| rival.resource == grant.resource);
                let winner = rivals.min_by_key(|rival| (tier(&rival.source), rank(&rival.role)));
                !self.is_organization(&grant.resource)
                    || winner
                        .is_some_and(|winner| tier(&winner.source) == tier(&grant.source) && winner.role == grant.role)
            })
            .cloned()
            .collect()
    }

    /// The effective grants of a membership on a resource and those above it.
    pub fn grants_on(&self, membership: &str, resource: &str, now: Timestamp) -> BTreeSet<Grant> {
        if self.organization_of(resource).is_none() {
            return BTreeSet::new();
        }
        let chain = self.chain(resource).unwrap_or_default();
        self.effective_grants(membership, now).into_iter().filter(|grant| chain.contains(&grant.resource)).collect()
    }

    pub fn allows(&self, grant: &Grant, permissions: &[Name]) -> bool {
        permissions.iter().any(|permission| self.role_has(&grant.role, permission))
    }

    pub fn role_has(&self, role: &str, permission: &str) -> bool {
        self.role(role).is_some_and(|role| self.has(role, permission))
    }
}

/// Which grants at the organization level take precedence.
fn tier(source: &Source) -> u8 {
    match source {
        Source::IdentityProvider(IdentitySource::Directory, _) => 1,
        Source::IdentityProvider(IdentitySource::Sso, _) => 2,
        Source::MembershipRoleAssignment(_) | Source::GroupRoleAssignment(_) | Source::OrganizationMembership(_) => 3,
        Source::DefaultRole => 4,
    }
}
