//! The bodies of responses, key by key as the official SDKs parse them (reference: its response bodies).

#![expect(clippy::struct_field_names, reason = "the names that the SDKs read")]

mod assignments;
mod memberships;
mod organizations;

use serde::{Serialize, Serializer};

pub use self::{
    assignments::{GroupReference, GroupRoleAssignment, ResourceReference, RoleAssignment},
    memberships::{OrganizationMembership, SEEDED_ROLE},
    organizations::Organization,
};
use super::{
    context::AttachedResource,
    id::{Id, Prefix},
};
use crate::{
    graph::facts::{self, Name, ORGANIZATION, Timestamp},
    store::{
        Item, View,
        view::{PermissionProfile, PermissionTimes},
    },
};

/// An instant with exactly three digits of a second's fraction: old Pythons read nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// When something was created, and when it last changed.
#[derive(Debug, Serialize)]
pub struct Times {
    created_at: Instant,
    updated_at: Instant,
}

impl<F> From<&Item<F>> for Times {
    fn from(item: &Item<F>) -> Self {
        Self { created_at: Instant(item.created), updated_at: Instant(item.updated) }
    }
}

/// A slug in an object of its own.
#[derive(Debug, Serialize)]
pub struct Slug {
    /// The slug.
    pub slug: Name,
}

/// A resource.
#[derive(Debug, Serialize)]
pub struct Resource {
    object: &'static str,
    id: Id,
    external_id: String,
    name: Name,
    description: Option<Name>,
    resource_type_slug: Name,
    organization_id: Id,
    parent_resource_id: Option<Id>,
    #[serde(flatten)]
    times: Times,
}

impl Resource {
    /// What is told of a resource. None: what it hangs from is gone by now.
    pub fn of(view: &View<'_>, resource: &AttachedResource) -> Option<Self> {
        let item = &resource.item;
        let id_of = |prefix: Prefix, name: &str| view.get::<facts::Resource>(name).map(|item| prefix.id(item.id));
        let parent_resource_id = match &item.fact.parent {
            None => None,
            Some(parent) => Some(id_of(Prefix::Resource, parent)?),
        };
        Some(Self {
            object: "authorization_resource",
            id: Prefix::Resource.id(item.id),
            external_id: external_id(item),
            name: display_name(item),
            description: item.presentation.description.clone(),
            resource_type_slug: item.fact.resource_type.clone(),
            organization_id: id_of(Prefix::Organization, &resource.organization)?,
            parent_resource_id,
            times: item.into(),
        })
    }
}

/// The external id of a resource. An organization that was given none goes by its id.
fn external_id(item: &Item<facts::Resource>) -> String {
    if item.fact.resource_type == ORGANIZATION && item.presentation.external_id.is_none() {
        return Prefix::Organization.id(item.id).to_string();
    }
    item.fact.external_id.to_string()
}

/// What something is called: its name for people, or else its name.
pub fn display_name<F>(item: &Item<F>) -> Name {
    item.presentation.display_name.clone().unwrap_or_else(|| item.name.clone())
}

/// A role.
#[derive(Debug, Serialize)]
pub struct Role {
    object: &'static str,
    id: Id,
    slug: Name,
    name: Name,
    description: Option<Name>,
    #[serde(rename = "type")]
    role_type: &'static str,
    resource_type_slug: Name,
    permissions: Vec<Name>,
    #[serde(flatten)]
    times: Times,
}

impl From<&Item<facts::Role>> for Role {
    fn from(item: &Item<facts::Role>) -> Self {
        let custom = item.fact.organization.is_some();
        Self {
            object: "role",
            id: Prefix::Role.id(item.id),
            slug: item.fact.slug.clone(),
            name: item.presentation.display_name.clone().unwrap_or_else(|| item.fact.slug.clone()),
            description: item.presentation.description.clone(),
            role_type: if custom { "OrganizationRole" } else { "EnvironmentRole" },
            resource_type_slug: item.fact.resource_type.clone(),
            permissions: item.fact.permissions.clone(),
            times: item.into(),
        }
    }
}

/// A permission.
#[derive(Debug, Serialize)]
pub struct Permission {
    object: &'static str,
    id: Id,
    slug: Name,
    name: Name,
    description: Option<Name>,
    system: bool,
    resource_type_slug: Name,
    #[serde(flatten)]
    times: Times,
}

impl Permission {
    /// The id of a permission of an environment, in which its slug is unique.
    pub fn id(environment: &str, slug: &str) -> Id {
        Prefix::Permission.derived(&[&environment, &slug])
    }

    /// What is told of a permission that a type declares.
    pub fn of(environment: &str, declared_on: &Item<facts::ResourceType>, profile: &PermissionProfile) -> Self {
        let PermissionProfile { slug, display_name, description, times: _ } = profile;
        Self {
            object: "permission",
            id: Self::id(environment, slug),
            slug: slug.clone(),
            name: display_name.clone().unwrap_or_else(|| slug.clone()),
            description: description.clone(),
            system: false,
            resource_type_slug: declared_on.name.clone(),
            times: profile.times.map_or_else(
                || declared_on.into(),
                |PermissionTimes { created_at, updated_at }| Times {
                    created_at: Instant(created_at),
                    updated_at: Instant(updated_at),
                },
            ),
        }
    }

    /// What is told of a permission that roles grant although no type declares it.
    pub fn undeclared(environment: &str, slug: &Name, resource_type: Name, granted_by: &Item<facts::Role>) -> Self {
        Self {
            object: "permission",
            id: Self::id(environment, slug),
            slug: slug.clone(),
            name: slug.clone(),
            description: None,
            system: false,
            resource_type_slug: resource_type,
            times: granted_by.into(),
        }
    }
}

/// A group.
#[derive(Debug, Serialize)]
pub struct Group {
    object: &'static str,
    id: Id,
    organization_id: Id,
    name: Name,
    description: Option<Name>,
    #[serde(flatten)]
    times: Times,
}

impl Group {
    /// What is told of a group. None: its organization is gone by now.
    pub fn of(view: &View<'_>, item: &Item<facts::Group>) -> Option<Self> {
        let organization = view.get::<facts::Resource>(&item.fact.organization)?;
        Some(Self {
            object: "group",
            id: Prefix::Group.id(item.id),
            organization_id: Prefix::Organization.id(organization.id),
            name: display_name(item),
            description: item.presentation.description.clone(),
            times: item.into(),
        })
    }
}

/// The name and slug of a type.
#[derive(Debug, Serialize)]
pub struct ResourceType {
    object: &'static str,
    id: Id,
    slug: Name,
    name: Name,
    parent_type_slugs: Vec<Name>,
    permissions: Vec<Name>,
    #[serde(flatten)]
    times: Times,
}

impl From<&Item<facts::ResourceType>> for ResourceType {
    fn from(item: &Item<facts::ResourceType>) -> Self {
        Self {
            object: "resource_type",
            id: Prefix::ResourceType.id(item.id),
            slug: item.name.clone(),
            name: display_name(item),
            parent_type_slugs: item.fact.parents.clone(),
            permissions: item.fact.permissions.clone(),
            times: item.into(),
        }
    }
}
