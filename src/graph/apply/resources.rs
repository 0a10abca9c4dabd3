//! Resources and their types.

use smallvec::SmallVec;

use super::super::{
    Graph,
    external_ids::Keys,
    facts::{Fact, Name, Object},
    links,
    records::{Resource, ResourceDetails, ResourceKind, ResourceType, State},
    table::Id,
};

impl Graph {
    pub(in super::super) fn acquire_resource(&mut self, name: &Name) -> Id<Resource> {
        let id = self.resources.acquire(name);
        self.details.reserve(self.resources.capacity());
        id
    }

    pub(super) fn insert_resource(&mut self, object: &Object, state: State) {
        let id = self.acquire_resource(&object.name);
        let details = &mut self.details[id];
        details.state = state;
        details.created = object.created.into();
        let (State::There, Fact::Resource(spec)) = (state, &object.fact) else {
            return;
        };
        let named_as_known = spec.external_id == object.name;
        if !named_as_known {
            details.external_id = self.external_names.insert(spec.external_id.clone());
        }
        let resource_type = self.resource_types.acquire(&spec.resource_type);
        let parent = spec.parent.as_ref().map(|parent| self.acquire_resource(parent));
        let record = &mut self.resources[id];
        record.kind = ResourceKind::new(resource_type, named_as_known);
        record.parent = parent;
        if resource_type == self.organization_type {
            self.organizations.insert(id, ());
        }
        if let Some(parent) = parent {
            self.enter_parent(parent, id);
        }
        for child in self.children(id).collect::<Vec<_>>() {
            self.note_type_below(id, child);
        }
        let organization = self.structural_root(id);
        self.details[id].last_organization = organization;
        self.list_external_id(id);
        if let Some(organization) = organization {
            self.settle(id, organization);
        }
    }

    /// Gives a resource that stays what it is another parent, or another creation time. False: it does not stay so.
    pub(super) fn move_resource(&mut self, object: &Object) -> bool {
        let Fact::Resource(spec) = &object.fact else {
            return false;
        };
        let Some(id) = self.resources.id(&object.name) else {
            return false;
        };
        let resource_type = self.resources[id].kind.resource_type().map(|id| self.resource_types.name(id));
        let same_identity = !object.deleting
            && resource_type == Some(&spec.resource_type)
            && self.external_id(id) == Some(&spec.external_id);
        if !same_identity {
            return false;
        }
        self.details[id].created = object.created.into();
        let parent = spec.parent.as_ref().map(|parent| self.acquire_resource(parent));
        let before = self.structural_root(id);
        self.leave_parent(id);
        self.resources[id].parent = parent;
        if let Some(parent) = parent {
            self.enter_parent(parent, id);
        }
        // All below a resource that was in the organization is noted to be there: nothing to do for moves within.
        let after = self.structural_root(id);
        if after != before
            && let Some(organization) = after
        {
            self.relist_external_id(id, organization);
            self.settle(id, organization);
        }
        true
    }

    fn enter_parent(&mut self, parent: Id<Resource>, child: Id<Resource>) {
        let first = self.details[parent].first_child;
        links::link(&mut self.details, |record| &mut record.siblings, first, child);
        self.details[parent].first_child = Some(child);
        self.note_type_below(parent, child);
    }

    /// Notes that a resource of the child's type was seen below one of the parent's.
    fn note_type_below(&mut self, parent: Id<Resource>, child: Id<Resource>) {
        let type_of = |resource| self.resources[resource].kind.resource_type();
        if let (Some(above), Some(below)) = (type_of(parent), type_of(child))
            && !self.resource_types[above].seen_below.contains(&below)
        {
            self.resource_types[above].seen_below.push(below);
        }
    }

    fn leave_parent(&mut self, child: Id<Resource>) {
        let Some(parent) = self.resources[child].parent.take() else {
            return;
        };
        let first = self.details[parent].first_child;
        let left = links::unlink(&mut self.details, |record| &mut record.siblings, first, child);
        if left != first {
            self.details[parent].first_child = left;
        }
        self.resources.release(parent);
    }

    pub(super) fn remove_resource(&mut self, name: &Name) -> bool {
        let Some(id) = self.resources.id(name).filter(|&id| self.resource_exists(id)) else {
            return false;
        };
        let kind = self.resources[id].kind;
        if let Some(resource_type) = kind.resource_type() {
            self.organizations.remove(&id);
            self.unlist_external_id(id);
            if !kind.is_named_as_known() {
                self.external_names.remove(self.details[id].external_id);
            }
            self.resource_types.release(resource_type);
            self.resources[id].kind = ResourceKind::default();
            self.leave_parent(id);
        }
        let details = &mut self.details[id];
        *details = ResourceDetails { first_child: details.first_child, ..ResourceDetails::default() };
        self.resources.release(id);
        true
    }

    /// Notes for all below a resource that they are now in that organization.
    fn settle(&mut self, resource: Id<Resource>, organization: Id<Resource>) {
        let mut open = vec![resource];
        while let Some(id) = open.pop() {
            for child in self.children(id).collect::<SmallVec<[_; 16]>>() {
                if self.last_organization(child) != Some(organization) {
                    self.relist_external_id(child, organization);
                }
                open.push(child);
            }
        }
    }

    fn relist_external_id(&mut self, resource: Id<Resource>, organization: Id<Resource>) {
        self.unlist_external_id(resource);
        self.details[resource].last_organization = Some(organization);
        self.list_external_id(resource);
    }

    fn list_external_id(&mut self, resource: Id<Resource>) {
        let Self { external_ids, resources, details, external_names, organization_type, .. } = self;
        let keys = Keys { resources, details, external_names, organization_type: *organization_type };
        external_ids.insert(resource, keys);
        self.mark_contested(resource, true);
    }

    fn unlist_external_id(&mut self, resource: Id<Resource>) {
        let Self { external_ids, resources, details, external_names, organization_type, .. } = self;
        let keys = Keys { resources, details, external_names, organization_type: *organization_type };
        external_ids.remove(resource, keys);
        self.mark_contested(resource, false);
    }

    /// Marks the rivals of a resource as contested or not: with the resource itself, or without it.
    fn mark_contested(&mut self, resource: Id<Resource>, counts: bool) {
        let key = self.keys().of(resource);
        if key.organization.is_none() && key.resource_type != Some(self.organization_type) {
            return; // Of no organization yet: detached, so nobody's rival.
        }
        let rivals = self.external_ids.get(key, self.keys()).filter(|&rival| counts || rival != resource);
        let rivals: SmallVec<[Id<Resource>; 4]> = rivals.collect();
        for &rival in &rivals {
            if self.resources[rival].kind.is_contested() != (rivals.len() > 1) {
                self.resources[rival].kind.set_contested(rivals.len() > 1);
            }
        }
    }

    pub(super) fn insert_resource_type(&mut self, object: &Object, state: State) {
        let id = self.resource_types.acquire(&object.name);
        self.resource_types[id].state = state;
        if let (State::There, Fact::ResourceType(spec)) = (state, &object.fact) {
            let parents = spec.parents.iter().map(|parent| self.resource_types.acquire(parent)).collect();
            let permissions: Vec<_> =
                spec.permissions.iter().map(|permission| self.permissions.acquire(permission)).collect();
            for &permission in &permissions {
                self.permissions[permission].declared_on.push(id);
            }
            let record = &mut self.resource_types[id];
            record.parents = parents;
            record.permissions = permissions;
        }
        self.declared_types += usize::from(self.resource_types[id].is_declared());
        self.stale.role_permissions = true;
    }

    pub(super) fn remove_resource_type(&mut self, name: &Name) -> bool {
        let existing = self.resource_types.id(name).filter(|&id| self.resource_types[id].state != State::Absent);
        let Some(id) = existing else {
            return false;
        };
        self.declared_types -= usize::from(self.resource_types[id].is_declared());
        let record = &mut self.resource_types[id];
        let seen_below = std::mem::take(&mut record.seen_below);
        let record = std::mem::replace(record, ResourceType { seen_below, ..ResourceType::default() });
        for parent in record.parents {
            self.resource_types.release(parent);
        }
        for permission in record.permissions {
            self.permissions[permission].declared_on.retain(|other| *other != id);
            self.permissions.release(permission);
        }
        self.resource_types.release(id);
        self.stale.role_permissions = true;
        true
    }
}
