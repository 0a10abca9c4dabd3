//! From external ids to resources.

use std::hash::BuildHasher as _;

use super::{
    chunks::Chunks,
    facts::Name,
    index::Index,
    map::Slab,
    records::{Resource, ResourceDetails, ResourceType},
    table::{Id, Table},
};

/// The resources that are there and whose external id is not their name, by type, organization and external id. Those
/// whose external id is their name, as of most, are found in the table of the resources.
///
/// The ids themselves stay with the resources: the lists hold nothing but numbers, so that a look-up reads little
/// memory, and can go on with the resource while its id is still being compared.
#[derive(Clone, Debug, Default)]
pub(super) struct ExternalIds {
    /// By type, organization and external id. Rivals for one id have an entry each.
    in_organization: Index,
    /// By type and external id.
    anywhere: Index,
    hasher: foldhash::fast::RandomState,
}

/// What a resource is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    pub(super) resource_type: Option<Id<ResourceType>>,
    /// External ids are unique per organization, those of organizations in the whole environment: none.
    pub(super) organization: Option<Id<Resource>>,
    pub(super) id: Option<&'a str>,
}

/// Where the keys of the resources are.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) resources: &'a Table<Resource>,
    pub(super) details: &'a Chunks<ResourceDetails>,
    pub(super) external_names: &'a Slab<Name>,
    pub(super) organization_type: Id<ResourceType>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(self, resource: Id<Resource>) -> Key<'a> {
        let resource_type = self.resources[resource].kind.resource_type();
        let organization = self.details[resource].last_organization;
        let organization = organization.filter(|_| resource_type != Some(self.organization_type));
        Key { resource_type, organization, id: self.external_id(resource).map(|id| &**id) }
    }

    /// The external id of a resource that is there.
    pub(super) fn external_id(self, resource: Id<Resource>) -> Option<&'a Name> {
        let kind = self.resources[resource].kind;
        kind.resource_type()?;
        if kind.is_named_as_known() {
            Some(self.resources.name(resource))
        } else {
            self.external_names.get(self.details[resource].external_id)
        }
    }

    /// The resource whose name and external id this is.
    fn named_as_known(self, id: &str) -> Option<Id<Resource>> {
        self.resources.id(id).filter(|&named| self.resources[named].kind.is_named_as_known())
    }

    fn is_listed(self, resource: Id<Resource>) -> bool {
        !self.resources[resource].kind.is_named_as_known()
    }
}

impl ExternalIds {
    fn hash(&self, key: Key<'_>) -> u64 {
        self.hasher.hash_one(key)
    }

    fn hash_anywhere(&self, Key { resource_type, id, .. }: Key<'_>) -> u64 {
        self.hasher.hash_one((resource_type, id))
    }

    /// Lists a resource under its key.
    pub(super) fn insert(&mut self, resource: Id<Resource>, keys: Keys<'_>) {
        if !keys.is_listed(resource) {
            return;
        }
        let key = keys.of(resource);
        let (hash, hash_anywhere) = (self.hash(key), self.hash_anywhere(key));
        let Self { in_organization, anywhere, hasher } = self;
        let key_of = |number| Id::new(number).map(|other| keys.of(other));
        in_organization.insert(hash, resource.get(), |other| key_of(other).map_or(0, |key| hasher.hash_one(key)));
        anywhere.insert(hash_anywhere, resource.get(), |other| {
            key_of(other).map_or(0, |Key { resource_type, id, .. }| hasher.hash_one((resource_type, id)))
        });
    }

    /// Takes a resource off the lists, before its key changes.
    pub(super) fn remove(&mut self, resource: Id<Resource>, keys: Keys<'_>) {
        if !keys.is_listed(resource) {
            return;
        }
        let key = keys.of(resource);
        let (hash, hash_anywhere) = (self.hash(key), self.hash_anywhere(key));
        self.in_organization.remove(hash, |other| other == resource.get());
        self.anywhere.remove(hash_anywhere, |other| other == resource.get());
    }

    /// The resources of that key: one, but for rivals.
    pub(super) fn get<'a>(&'a self, key: Key<'a>, keys: Keys<'a>) -> impl Iterator<Item = Id<Resource>> + 'a {
        let named = key.id.and_then(|id| keys.named_as_known(id)).filter(|&named| keys.of(named) == key);
        named.into_iter().chain(self.get_listed(key, keys))
    }

    /// The same without the resource whose name and external id it is.
    pub(super) fn get_listed<'a>(&'a self, key: Key<'a>, keys: Keys<'a>) -> impl Iterator<Item = Id<Resource>> + 'a {
        let listed = self.in_organization.candidates(self.hash(key)).filter_map(Id::new);
        listed.filter(move |&candidate| keys.of(candidate) == key)
    }

    /// The resources of a type and external id, in whatever organization or none.
    pub(super) fn get_anywhere<'a>(&'a self, key: Key<'a>, keys: Keys<'a>) -> impl Iterator<Item = Id<Resource>> + 'a {
        let named = key.id.and_then(|id| keys.named_as_known(id));
        let listed = self.anywhere.candidates(self.hash_anywhere(key)).filter_map(Id::new);
        named.into_iter().chain(listed).filter(move |&candidate| {
            let Key { resource_type, id, .. } = keys.of(candidate);
            (resource_type, id) == (key.resource_type, key.id)
        })
    }

    /// See [`Chunks::adopt`].
    pub(super) fn adopt(&mut self, other: &Self) {
        let Self { in_organization, anywhere, hasher } = other;
        self.in_organization.adopt(in_organization);
        self.anywhere.adopt(anywhere);
        self.hasher.clone_from(hasher);
    }
}
