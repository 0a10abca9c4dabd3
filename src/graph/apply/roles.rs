//! Roles, and which permissions of theirs the declared types let them have.

use smallvec::smallvec;

use super::super::{
    Graph,
    facts::{Fact, Name, Object},
    permission_set::PermissionSet,
    query::Reason,
    records::{Permission, ResourceType, Role, State},
    table::Id,
};

impl Graph {
    pub(super) fn insert_role(&mut self, object: &Object, state: State) {
        let id = self.roles.acquire(&object.name);
        let record = &mut self.roles[id];
        record.state = state;
        record.created = object.created.into();
        if let (State::There, Fact::Role(spec)) = (state, &object.fact) {
            let scope = self.resource_types.acquire(&spec.resource_type);
            let organization = spec.organization.as_ref().map(|organization| self.acquire_resource(organization));
            let listed = spec.permissions.iter().map(|permission| self.permissions.acquire(permission)).collect();
            let record = &mut self.roles[id];
            record.slug.clone_from(&spec.slug);
            record.scope = Some(scope);
            record.organization = organization;
            record.listed = listed;
            if let Some(namesakes) = self.roles_by_slug.get_mut(&spec.slug) {
                namesakes.push(id);
            } else {
                self.roles_by_slug.insert(spec.slug.clone(), smallvec![id]);
            }
        }
        self.refresh_role_permissions(id);
        self.stale.role_ranks = true;
    }

    pub(super) fn remove_role(&mut self, name: &Name) -> bool {
        let Some(id) = self.roles.id(name).filter(|&id| self.roles[id].state != State::Absent) else {
            return false;
        };
        let record = std::mem::take(&mut self.roles[id]);
        if let Some(namesakes) = self.roles_by_slug.get_mut(&record.slug) {
            namesakes.retain(|other| *other != id);
            if namesakes.is_empty() {
                self.roles_by_slug.remove(&record.slug);
            }
        }
        if let Some(scope) = record.scope {
            self.resource_types.release(scope);
        }
        if let Some(organization) = record.organization {
            self.resources.release(organization);
        }
        for permission in record.listed {
            self.permissions.release(permission);
        }
        self.roles.release(id);
        self.stale.role_ranks = true;
        true
    }

    pub(super) fn refresh_all_role_permissions(&mut self) {
        let roles: Vec<_> = self.roles.ids().collect();
        for role in roles {
            self.refresh_role_permissions(role);
        }
    }

    fn refresh_role_permissions(&mut self, role: Id<Role>) {
        let mut permissions = PermissionSet::default();
        let usable = self.usable_scope(role);
        if let Some(scope) = usable {
            let listed = self.roles[role].listed.iter();
            listed.filter(|&&p| self.refusal(scope, p).is_none()).for_each(|&p| permissions.insert(p));
        }
        let record = &mut self.roles[role];
        record.resource_type = usable;
        record.permissions = permissions;
    }

    /// The type of a role that is usable.
    fn usable_scope(&self, role: Id<Role>) -> Option<Id<ResourceType>> {
        self.roles[role].scope.filter(|&scope| self.is_usable_type(scope))
    }

    /// Whether resources and roles of the type may be used.
    pub(in super::super) fn is_usable_type(&self, resource_type: Id<ResourceType>) -> bool {
        resource_type == self.organization_type
            || !self.settings.denies_undeclared_types
            || self.resource_types[resource_type].is_declared()
    }

    /// Why a role of that type may not have the permission, although it lists it.
    pub(in super::super) fn refusal(&self, scope: Id<ResourceType>, permission: Id<Permission>) -> Option<Reason> {
        let declared_on = &self.permissions[permission].declared_on;
        let slug = self.permissions.name(permission);
        if let Some(declaring) = declared_on.iter().map(|&id| self.resource_types.name(id)).min() {
            let in_scope = declared_on.iter().any(|&declaring| self.lies_below(declaring, scope));
            return (!in_scope).then(|| Reason::PermissionOutOfScope {
                permission: slug.clone(),
                resource_type: declaring.clone(),
                role_type: self.resource_types.name(scope).clone(),
            });
        }
        let is_declared = |id: &Id<ResourceType>| self.resource_types[*id].is_declared();
        let should_declare = match slug.split_once(':') {
            Some((prefix, _)) => self.resource_types.id(prefix).filter(is_declared).map(|id| self.type_name(id)),
            None => Some(scope).filter(is_declared).map(|id| self.type_name(id)),
        };
        let denied = || {
            let prefix = slug.split_once(':').map(|(prefix, _)| Name::from(prefix));
            let resource_type = prefix.unwrap_or_else(|| self.type_name(scope));
            self.settings.denies_undeclared_types.then_some(resource_type)
        };
        should_declare
            .or_else(denied)
            .map(|resource_type| Reason::UnknownPermission { permission: slug.clone(), resource_type })
    }

    fn type_name(&self, resource_type: Id<ResourceType>) -> Name {
        self.resource_types.name(resource_type).clone()
    }

    /// Whether a type is another, or lies below it by the declared parents; all lie below `organization`.
    fn lies_below(&self, resource_type: Id<ResourceType>, above: Id<ResourceType>) -> bool {
        if above == self.organization_type {
            return true;
        }
        let mut seen = vec![resource_type];
        let mut next = 0;
        while let Some(&current) = seen.get(next) {
            if current == above {
                return true;
            }
            for &parent in &self.resource_types[current].parents {
                if !seen.contains(&parent) {
                    seen.push(parent);
                }
            }
            next += 1;
        }
        false
    }

    /// Ranks the roles: the listed ones by priority, then the rest by age, then by name.
    pub(super) fn refresh_role_ranks(&mut self) {
        let mut roles: Vec<_> = self.roles.ids().collect();
        let mut priority = vec![usize::MAX; self.roles.capacity()];
        for (place, role) in self.settings.role_priority.iter().enumerate().rev() {
            priority[role.index()] = place;
        }
        roles.sort_unstable_by_key(|&role| (priority[role.index()], self.roles[role].created, self.roles.name(role)));
        for (rank, role) in (0..).zip(roles) {
            self.roles[role].rank = rank;
        }
    }
}
