//! Permissions, found by their slugs.

use std::collections::HashSet;

use super::{
    list::Row,
    shapes::{self, Permission},
};
use crate::{
    graph::facts::{self, Name},
    store::{Item, Place, View, view::PermissionProfile},
};

/// What tells of a permission.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// A type declares it.
    Declared(Item<facts::ResourceType>),
    /// No type does, but roles grant it: the oldest of them.
    Granted(Item<facts::Role>),
}

/// A permission that there is.
#[derive(Clone, Debug)]
pub struct Known {
    slug: Name,
    evidence: Evidence,
}

impl Known {
    /// What is told of it.
    pub fn show(&self, environment: &str) -> Permission {
        match &self.evidence {
            Evidence::Declared(declared_on) => Permission::of(environment, declared_on, &self.profile(declared_on)),
            Evidence::Granted(role) => {
                // By convention the slug begins with the type.
                let resource_type = match self.slug.split_once(':') {
                    Some((resource_type, _)) if !resource_type.is_empty() => resource_type.into(),
                    _ => role.fact.resource_type.clone(),
                };
                Permission::undeclared(environment, &self.slug, resource_type, role)
            }
        }
    }

    fn profile(&self, declared_on: &Item<facts::ResourceType>) -> PermissionProfile {
        let mut profiles = declared_on.presentation.permissions.iter();
        let profile = profiles.find(|profile| profile.slug == self.slug).cloned();
        profile.unwrap_or_else(|| PermissionProfile { slug: self.slug.clone(), ..PermissionProfile::default() })
    }

    fn row(self, environment: &str) -> Row<Self> {
        let created = match &self.evidence {
            Evidence::Declared(declared_on) => {
                self.profile(declared_on).times.map_or(declared_on.created, |times| times.created_at)
            }
            Evidence::Granted(role) => role.created,
        };
        let place = Place { created, name: self.slug.clone() };
        Row { id: Permission::id(environment, &self.slug), place, item: self }
    }
}

/// The permission of a slug: one that a type declares (the oldest of them, if several do), or that a role grants
/// although no type declares it.
pub fn permission(view: &View<'_>, environment: &str, slug: &str) -> Option<shapes::Permission> {
    permissions(view, environment, [Name::from(slug)]).pop().map(|row| row.item.show(environment))
}

/// The permissions of those slugs that there are, in no particular order. They stand where what tells of them stands.
pub fn permissions(view: &View<'_>, environment: &str, slugs: impl IntoIterator<Item = Name>) -> Vec<Row<Known>> {
    let mut known = Vec::new();
    let mut undeclared = HashSet::new();
    for slug in slugs {
        let types = view.graph().declared_on(&slug);
        let types = types.iter().filter_map(|name| view.get::<facts::ResourceType>(name));
        match types.min_by_key(Item::place) {
            Some(declared_on) => known.push(Known { slug, evidence: Evidence::Declared(declared_on) }),
            None => drop(undeclared.insert(slug)),
        }
    }
    for role in view.all::<facts::Role>() {
        if undeclared.is_empty() {
            break;
        }
        for slug in &role.fact.permissions {
            if let Some(slug) = undeclared.take(slug) {
                known.push(Known { slug, evidence: Evidence::Granted(role.clone()) });
            }
        }
    }
    known.into_iter().map(|known| known.row(environment)).collect()
}
