//! Why a resource does not hang together up to an organization.

use super::{
    Graph, MAX_DEPTH, Map,
    diagnose::inert,
    facts::Name,
    query::Reason,
    records::{Resource, State},
    table::Id,
};

impl Graph {
    /// Why a resource is detached, as it concerns itself.
    pub(super) fn detachment(&self, resource: Id<Resource>) -> Option<Reason> {
        if self.is_attached(resource) {
            return None;
        }
        let mut visited = Map::<Id<Resource>, usize>::default();
        let mut path = Vec::new();
        let mut current = resource;
        loop {
            if let Some(&from) = visited.get(&current) {
                let mut cycle: Vec<Name> = path[from..].iter().map(|&id| self.resources.name(id).clone()).collect();
                cycle.extend(cycle.first().cloned());
                let reason = Reason::CycleDetected { object: self.resource_ref(current), cycle };
                return Some(self.as_it_concerns(resource, current, reason));
            }
            visited.insert(current, path.len());
            path.push(current);
            if let Some(reason) = self.link_fault(current) {
                return Some(self.as_it_concerns(resource, current, reason));
            }
            let record = &self.resources[current];
            if record.kind.resource_type() == Some(self.organization_type) {
                return None;
            }
            if path.len() > MAX_DEPTH {
                return Some(Reason::TooDeep { limit: MAX_DEPTH });
            }
            current = record.parent?;
        }
    }

    /// What is wrong with one resource of a chain by itself.
    fn link_fault(&self, resource: Id<Resource>) -> Option<Reason> {
        let state = self.resource_state(resource);
        if state != State::There {
            return self.state_fault(self.resource_ref(resource), state).map(Reason::unwrapped);
        }
        if let Some(winner) = self.older_duplicate(resource) {
            return Some(Reason::DuplicateExternalId { winner: self.resources.name(winner).clone() });
        }
        self.parent_fault(resource)
    }

    /// What is wrong with the types of a resource that is there and of its parent.
    pub(super) fn parent_fault(&self, resource: Id<Resource>) -> Option<Reason> {
        let record = &self.resources[resource];
        let resource_type = record.kind.resource_type()?;
        let parent = record.parent.filter(|_| resource_type != self.organization_type)?;
        let parent_type = self.resources[parent].kind.resource_type();
        if self.allows_parent(resource_type, parent) || (parent_type.is_none() && self.is_usable_type(resource_type)) {
            return None; // What is wrong with the parent itself is told when the walk comes to it.
        }
        let declaration = &self.resource_types[resource_type];
        let type_name = self.resource_types.name(resource_type).clone();
        if !declaration.is_declared() {
            return Some(Reason::UndeclaredResourceType { resource_type: type_name });
        }
        Some(Reason::ParentTypeNotAllowed {
            resource_type: type_name,
            parent_type: parent_type.map_or_else(Name::default, |id| self.resource_types.name(id).clone()),
            allowed: declaration.parents.iter().map(|&id| self.resource_types.name(id).clone()).collect(),
        })
    }

    /// A reason at one resource of a chain, told of the resource at its beginning.
    fn as_it_concerns(&self, resource: Id<Resource>, at: Id<Resource>, reason: Reason) -> Reason {
        if resource == at { reason } else { inert(self.resource_ref(at), reason) }
    }

    /// Why a reference to a resource leads to nothing.
    pub(super) fn resource_fault(&self, resource: Id<Resource>) -> Option<Reason> {
        let reason = self.detachment(resource)?;
        Some(inert(self.resource_ref(resource), reason))
    }
}
