//! The semantics once more, written to be obviously right rather than fast: it follows `docs/semantics.md` sentence
//! by sentence over a plain map of objects and shares no code with the engine.

mod dependencies;
mod grants;
mod lists;
mod questions;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use bailiwick::graph::facts::{
    Change, ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, Kind, MembershipRoleAssignment, Name,
    ORGANIZATION, Object, ObjectRef, OrganizationMembership, Resource, ResourceType, Role, Timestamp, Undeclared,
};

pub use dependencies::Dependencies;
pub use grants::{Grant, Source, text_of};
pub use lists::references;
pub use questions::Meaning;

/// How many steps from a resource to its organization are followed.
const MAX_STEPS: usize = 1024;

/// All objects of an environment.
#[derive(Clone, Debug, Default)]
pub struct World {
    objects: BTreeMap<Kind, BTreeMap<Name, Object>>,
    /// What [`World::organization_of`] answered since the last change, for everything asks it again and again.
    organizations: RefCell<BTreeMap<Name, Option<Name>>>,
    /// Whether questions tell of a second factor.
    pub tells_of_mfa: bool,
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

    pub fn object(&self, object: &ObjectRef) -> Option<&Object> {
        self.exists(object.kind, &object.name)
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
