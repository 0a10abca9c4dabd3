//! Permissions, found by what tells of them: the types that declare them, and the roles that grant them.

use std::{collections::HashSet, sync::Arc};

use super::{list::Row, shapes::Permission};
use crate::{
    graph::facts::{self, Name, Timestamp},
    store::{Item, Place, View, view::PermissionProfile},
};

/// A permission, and the type that declares it: the oldest, if several do.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The type.
    pub on: Item<facts::ResourceType>,
    /// What it says of the permission.
    pub profile: PermissionProfile,
}

impl Declared {
    /// When it was declared.
    pub fn created(&self) -> Timestamp {
        self.profile.times.map_or(self.on.created, |times| times.created_at)
    }

    /// What is told of it.
    pub fn show(&self, environment: &str) -> Permission {
        Permission::of(environment, &self.on, &self.profile)
    }
}

/// All permissions that types declare, each with its position in its type.
pub fn all_declared<'a>(view: &'a View<'_>) -> impl Iterator<Item = (usize, Declared)> + 'a {
    let mut known = HashSet::new();
    let declared = view.all::<facts::ResourceType>().flat_map(|on| {
        let presentation = Arc::clone(&on.presentation);
        let profiles = presentation.permissions.clone().into_iter().enumerate();
        profiles.map(move |(position, profile)| (position, Declared { on: on.clone(), profile }))
    });
    declared.filter(move |(_, declared)| known.insert(declared.profile.slug.clone()))
}

/// The permission of a slug, if any type declares it.
pub fn declared(view: &View<'_>, slug: &str) -> Option<Declared> {
    let types = view.graph().declared_on(slug);
    let on = types.iter().filter_map(|name| view.get::<facts::ResourceType>(name)).min_by_key(Item::place)?;
    let profile = on.presentation.permissions.iter().find(|profile| profile.slug == slug)?.clone();
    Some(Declared { on, profile })
}

/// A permission that there is.
#[derive(Clone, Debug)]
pub enum Known {
    /// A type declares it.
    Declared(Declared),
    /// No type does, but roles grant it.
    Granted {
        /// The permission.
        slug: Name,
        /// The oldest of these roles.
        by: Item<facts::Role>,
    },
}

impl Known {
    /// What is told of it.
    pub fn show(&self, environment: &str) -> Permission {
        match self {
            Self::Declared(declared) => declared.show(environment),
            Self::Granted { slug, by } => {
                // By convention the slug begins with the type.
                let resource_type = match slug.split_once(':') {
                    Some((resource_type, _)) if !resource_type.is_empty() => resource_type.into(),
                    _ => by.fact.resource_type.clone(),
                };
                Permission::undeclared(environment, slug, resource_type, by)
            }
        }
    }

    fn row(self, environment: &str) -> Row<Self> {
        let (created, slug) = match &self {
            Self::Declared(declared) => (declared.created(), &declared.profile.slug),
            Self::Granted { slug, by } => (by.created, slug),
        };
        let place = Place { created, name: slug.clone() };
        Row { id: Permission::id(environment, slug), place, item: self }
    }
}

/// The permissions of those slugs that there are, in no particular order: those that a type declares, and those that a role
/// grants although no type declares them. They stand where what tells of them stands.
pub fn permissions(view: &View<'_>, environment: &str, slugs: impl IntoIterator<Item = Name>) -> Vec<Row<Known>> {
    let mut known = Vec::new();
    let mut undeclared = HashSet::new();
    for slug in slugs {
        match declared(view, &slug) {
            Some(declared) => known.push(Known::Declared(declared)),
            None => drop(undeclared.insert(slug)),
        }
    }
    for by in view.all::<facts::Role>() {
        if undeclared.is_empty() {
            break;
        }
        let granted = by.fact.permissions.iter().filter_map(|slug| undeclared.take(slug));
        known.extend(granted.map(|slug| Known::Granted { slug, by: by.clone() }));
    }
    known.into_iter().map(|known| known.row(environment)).collect()
}
