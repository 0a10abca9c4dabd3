//! From a resource up to its organization.

use super::{
    Graph, Key,
    records::{Resource, ResourceType, State},
    table::Id,
};

/// How many steps from a resource to its organization are followed. A longer chain is detached.
pub const MAX_DEPTH: usize = 1024;

impl Graph {
    /// Walks from a resource to the organization at its root, leaving the chain in `path`, both ends included.
    /// None: the resource is detached.
    pub(super) fn chain(&self, resource: Id<Resource>, path: &mut Vec<Id<Resource>>) -> Option<Id<Resource>> {
        path.clear();
        self.climb(resource, |current| {
            path.push(current);
            self.resources[current].grants.prefetch();
        })
    }

    /// Whether a resource hangs together up to an organization.
    pub(super) fn is_attached(&self, resource: Id<Resource>) -> bool {
        self.attached_to(resource).is_some()
    }

    /// The organization at the root of a resource; none: the resource is detached.
    pub(super) fn attached_to(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        self.climb(resource, |_| {})
    }

    /// Visits the chain from a resource up to its organization, which is found unless the resource is detached.
    #[inline]
    fn climb(&self, resource: Id<Resource>, mut visit: impl FnMut(Id<Resource>)) -> Option<Id<Resource>> {
        let mut current = resource;
        for _ in 0..=MAX_DEPTH {
            visit(current);
            let record = &self.resources[current];
            let resource_type = record.kind.resource_type()?;
            if self.older_duplicate(current).is_some() {
                return None;
            }
            if resource_type == self.organization_type {
                return Some(current);
            }
            let parent = record.parent?;
            if !self.allows_parent(resource_type, parent) {
                return None;
            }
            current = parent;
        }
        None
    }

    /// Whether a resource below an attached one is attached, but for the length of the chain.
    pub(super) fn is_sound_below(&self, resource: Id<Resource>, parent: Id<Resource>) -> bool {
        let kind = self.resources[resource].kind;
        kind.resource_type().is_some_and(|resource_type| self.allows_parent(resource_type, parent))
            && self.older_duplicate(resource).is_none()
    }

    /// Whether a resource of a type, not `organization`, may lie below that parent.
    pub(super) fn allows_parent(&self, resource_type: Id<ResourceType>, parent: Id<Resource>) -> bool {
        if self.declared_types == 0 && !self.settings.denies_undeclared_types {
            return true;
        }
        let declaration = &self.resource_types[resource_type];
        if declaration.is_declared() {
            let parent_type = self.resources[parent].kind.resource_type();
            parent_type.is_some_and(|parent_type| declaration.parents.contains(&parent_type))
        } else {
            !self.settings.denies_undeclared_types
        }
    }

    /// How many steps it is from a resource to the organization at the end of its chain.
    pub(super) fn depth(&self, resource: Id<Resource>) -> Option<usize> {
        Some(self.structural_end(resource)?.1)
    }

    /// The organization at the end of the chain, whatever declared types and external ids say of it.
    pub(super) fn structural_root(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        Some(self.structural_end(resource)?.0)
    }

    #[inline]
    fn structural_end(&self, resource: Id<Resource>) -> Option<(Id<Resource>, usize)> {
        let mut current = resource;
        for depth in 0..=MAX_DEPTH {
            let record = &self.resources[current];
            if record.kind.resource_type()? == self.organization_type {
                return Some((current, depth));
            }
            current = record.parent?;
        }
        None
    }

    /// The oldest other resource of the same type and external id in the same organization, if it is older.
    #[inline]
    pub(super) fn older_duplicate(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        // Hardly any resource has a rival, and a walk must not pay for those that have.
        if self.resources[resource].kind.is_contested() { self.oldest_rival(resource) } else { None }
    }

    fn oldest_rival(&self, resource: Id<Resource>) -> Option<Id<Resource>> {
        self.rivals_of(resource)
            .filter(|&rival| self.age(rival) < self.age(resource))
            .min_by_key(|&rival| self.age(rival))
    }

    /// The other resources of the same type and external id in the same organization.
    pub(super) fn rivals_of(&self, resource: Id<Resource>) -> impl Iterator<Item = Id<Resource>> {
        let resource_type = self.resources[resource].kind.resource_type();
        let external_id = self.external_id(resource).map(|id| &**id);
        let known = resource_type.zip(external_id).zip(self.structural_root(resource));
        known.into_iter().flat_map(move |((resource_type, external_id), root)| {
            self.rivals(resource_type, external_id, root).filter(move |&rival| {
                rival != resource
                    && (resource_type == self.organization_type || self.structural_root(rival) == Some(root))
            })
        })
    }

    /// The resources of a type and external id that may be in that organization.
    fn rivals<'a>(
        &'a self,
        resource_type: Id<ResourceType>,
        id: &'a str,
        organization: Id<Resource>,
    ) -> impl Iterator<Item = Id<Resource>> + 'a {
        self.external_ids.get(self.key(resource_type, id, organization), self.keys())
    }

    /// The key of the resources of a type and external id in an organization.
    pub(super) fn key<'a>(&self, resource_type: Id<ResourceType>, id: &'a str, organization: Id<Resource>) -> Key<'a> {
        let organization = (resource_type != self.organization_type).then_some(organization);
        Key { resource_type: Some(resource_type), organization, id: Some(id) }
    }

    /// What decides who of two is older.
    fn age(&self, resource: Id<Resource>) -> impl Ord + '_ {
        (self.created(resource), self.resources.name(resource))
    }

    /// Whether the resource is an attached organization.
    pub(super) fn is_attached_organization(&self, resource: Id<Resource>) -> bool {
        let kind = self.resources[resource].kind;
        kind.resource_type() == Some(self.organization_type) && self.older_duplicate(resource).is_none()
    }

    /// Whether the resource exists in whatever state.
    pub(super) fn resource_exists(&self, resource: Id<Resource>) -> bool {
        self.resource_state(resource) != State::Absent
    }
}
