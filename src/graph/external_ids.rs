//! From external ids to resources.

use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use smallvec::SmallVec;

use super::{
    records::{Resource, ResourceIdentity, ResourceType},
    table::{Id, Table},
};

/// The resources that are there, by type, organization and external id.
///
/// The ids themselves stay with the resources: the tables hold nothing but numbers, so that a look-up reads little
/// memory, and can go on with the resource while its id is still being compared.
#[derive(Debug, Default)]
pub(super) struct ExternalIds {
    /// By type, organization and external id. Rivals for one id have an entry each.
    in_organization: HashTable<Id<Resource>>,
    /// By type and external id.
    anywhere: HashTable<SmallVec<[Id<Resource>; 4]>>,
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
    pub(super) identities: &'a [ResourceIdentity],
    pub(super) organization_type: Id<ResourceType>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(self, resource: Id<Resource>) -> Key<'a> {
        let identity = &self.identities[resource.index()];
        let resource_type = self.resources[resource].kind.resource_type();
        let organization = identity.last_organization.filter(|_| resource_type != Some(self.organization_type));
        Key { resource_type, organization, id: identity.external_id.as_deref() }
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
        let key = keys.of(resource);
        let (hash, hash_anywhere) = (self.hash(key), self.hash_anywhere(key));
        let Self { in_organization, anywhere, hasher } = self;
        in_organization.insert_unique(hash, resource, |&other| hasher.hash_one(keys.of(other)));
        let hash_of = |others: &SmallVec<[Id<Resource>; 4]>| {
            let Key { resource_type, id, .. } = keys.of(others[0]);
            hasher.hash_one((resource_type, id))
        };
        anywhere
            .entry(hash_anywhere, |others| is_same_id(keys.of(others[0]), key), hash_of)
            .and_modify(|others| others.push(resource))
            .or_insert_with(|| SmallVec::from_slice(&[resource]));
    }

    /// Takes a resource off the lists, before its key changes.
    pub(super) fn remove(&mut self, resource: Id<Resource>, keys: Keys<'_>) {
        let key = keys.of(resource);
        let (hash, hash_anywhere) = (self.hash(key), self.hash_anywhere(key));
        if let Ok(entry) = self.in_organization.find_entry(hash, |&other| other == resource) {
            entry.remove();
        }
        let same_id = |others: &SmallVec<[Id<Resource>; 4]>| is_same_id(keys.of(others[0]), key);
        if let Ok(mut entry) = self.anywhere.find_entry(hash_anywhere, same_id) {
            if entry.get().len() == 1 {
                entry.remove();
            } else {
                entry.get_mut().retain(|other| *other != resource);
            }
        }
    }

    /// The resources of that key: one, but for rivals.
    pub(super) fn get<'a>(&'a self, key: Key<'a>, keys: Keys<'a>) -> impl Iterator<Item = Id<Resource>> + 'a {
        let candidates = self.in_organization.iter_hash(self.hash(key)).copied();
        candidates.filter(move |&candidate| keys.of(candidate) == key)
    }

    /// The resources of a type and external id, in whatever organization or none.
    pub(super) fn get_anywhere(&self, key: Key<'_>, keys: Keys<'_>) -> &[Id<Resource>] {
        let found = self.anywhere.find(self.hash_anywhere(key), |others| is_same_id(keys.of(others[0]), key));
        found.map_or(&[], |others| others)
    }
}

fn is_same_id(one: Key<'_>, other: Key<'_>) -> bool {
    one.resource_type == other.resource_type && one.id == other.id
}
