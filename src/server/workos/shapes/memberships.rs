//! Memberships, with their users and their roles on the organization.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Instant, Slug, Times, display_name};
use crate::{
    graph::facts::{self, Name, Timestamp},
    server::workos::id::{Id, Prefix},
    store::{Item, View, view::UserProfile},
};

/// The role that a membership without any role is said to have: every environment of the hosted API begins with it, and here
/// it permits nothing.
pub const SEEDED_ROLE: &str = "member";

/// A membership with its user.
#[derive(Debug, Serialize)]
pub struct OrganizationMembership {
    object: &'static str,
    id: Id,
    user_id: Name,
    organization_id: Id,
    organization_name: Name,
    status: &'static str,
    directory_managed: bool,
    custom_attributes: BTreeMap<Name, Name>,
    /// Its first role: absent where roles are not told (rule 26).
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<Slug>>,
    user: User,
    #[serde(flatten)]
    times: Times,
}

#[derive(Debug, Serialize)]
struct User {
    object: &'static str,
    id: Name,
    first_name: Option<Name>,
    last_name: Option<Name>,
    name: Option<String>,
    profile_picture_url: Option<Name>,
    email: Name,
    email_verified: bool,
    external_id: Option<Name>,
    metadata: BTreeMap<Name, Name>,
    last_sign_in_at: Option<Instant>,
    locale: Option<Name>,
    #[serde(flatten)]
    times: Times,
}

impl OrganizationMembership {
    /// What is told of a membership, but for its roles (rule 26). None: its organization is gone by now.
    pub fn without_roles(view: &View<'_>, item: &Item<facts::OrganizationMembership>) -> Option<Self> {
        let organization = view.get::<facts::Resource>(&item.fact.organization)?;
        let UserProfile { email, first_name, last_name } = item.presentation.user.clone().unwrap_or_default();
        let names: Vec<&str> = [&first_name, &last_name].into_iter().flatten().map(Name::as_str).collect();
        Some(Self {
            object: "organization_membership",
            id: Prefix::OrganizationMembership.id(item.id),
            user_id: item.fact.user.clone(),
            organization_id: Prefix::Organization.id(organization.id),
            organization_name: display_name(&organization),
            status: if item.fact.suspended { "inactive" } else { "active" },
            directory_managed: !item.fact.directory_groups.is_empty(),
            custom_attributes: BTreeMap::new(),
            role: None,
            roles: None,
            user: User {
                object: "user",
                id: item.fact.user.clone(),
                name: (!names.is_empty()).then(|| names.join(" ")),
                first_name,
                last_name,
                profile_picture_url: None,
                email_verified: email.is_some(),
                email: email.unwrap_or_default(),
                external_id: None,
                metadata: BTreeMap::new(),
                last_sign_in_at: None,
                locale: None,
                times: item.into(),
            },
            times: item.into(),
        })
    }

    /// What is told of a membership with its roles on the organization, of which there always is one (rule 36).
    pub fn of(view: &View<'_>, item: &Item<facts::OrganizationMembership>) -> Option<Self> {
        let roles = view.graph().organization_roles_of(&item.name, Timestamp::now());
        let slug = |name: Name| view.get::<facts::Role>(&name).map(|role| Slug { slug: role.fact.slug });
        let mut roles: Vec<Slug> = roles.into_iter().filter_map(slug).collect();
        if roles.is_empty() {
            roles.push(Slug { slug: SEEDED_ROLE.into() });
        }
        let role = roles.first().map(|role| Slug { slug: role.slug.clone() });
        Some(Self { role, roles: Some(roles), ..Self::without_roles(view, item)? })
    }
}
