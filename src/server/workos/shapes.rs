//! The bodies of responses, key by key as the official SDKs parse them (reference: its response bodies).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{
    context::{self, AttachedResource},
    id::{Id, Prefix},
};
use crate::{
    graph::facts::{self, Name, ORGANIZATION, Timestamp},
    store::{
        Item, View,
        view::{Domain, PermissionProfile, PermissionTimes, UserProfile},
    },
};

/// The role that a membership without any role is said to have: every environment of the hosted API begins with it, and here
/// it permits nothing.
pub const SEEDED_ROLE: &str = "member";

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

/// An organization.
#[derive(Debug, Serialize)]
pub struct Organization {
    object: &'static str,
    id: Id,
    name: Name,
    domains: Vec<OrganizationDomain>,
    metadata: BTreeMap<Name, Name>,
    external_id: Option<Name>,
    stripe_customer_id: Option<Name>,
    allow_profiles_outside_organization: bool,
    #[serde(flatten)]
    times: Times,
}

#[derive(Debug, Serialize)]
struct OrganizationDomain {
    object: &'static str,
    id: Id,
    organization_id: Id,
    domain: Name,
    state: Name,
    verification_strategy: &'static str,
    verification_token: Option<Name>,
    verification_prefix: Option<Name>,
    #[serde(flatten)]
    times: Times,
}

impl Organization {
    /// What is told of an organization.
    pub fn of(item: &Item<facts::Resource>) -> Self {
        let id = Prefix::Organization.id(item.id);
        let domain = |Domain { domain, state }: &Domain| OrganizationDomain {
            object: "organization_domain",
            id: Prefix::OrganizationDomain.derived(&[&id, domain]),
            organization_id: id,
            domain: domain.clone(),
            state: state.clone(),
            verification_strategy: "manual",
            verification_token: None,
            verification_prefix: None,
            times: item.into(),
        };
        Self {
            object: "organization",
            id,
            name: display_name(item),
            domains: item.presentation.domains.iter().map(domain).collect(),
            metadata: item.presentation.metadata.clone(),
            external_id: item.presentation.external_id.clone(),
            stripe_customer_id: None,
            allow_profiles_outside_organization: false,
            times: item.into(),
        }
    }
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

/// A resource, as assignments name it.
#[derive(Debug, Serialize)]
pub struct ResourceReference {
    id: Id,
    external_id: String,
    resource_type_slug: Name,
}

impl From<&Item<facts::Resource>> for ResourceReference {
    fn from(item: &Item<facts::Resource>) -> Self {
        Self {
            id: Prefix::Resource.id(item.id),
            external_id: external_id(item),
            resource_type_slug: item.fact.resource_type.clone(),
        }
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

/// A role assignment of a membership.
#[derive(Debug, Serialize)]
pub struct RoleAssignment {
    object: &'static str,
    /// Its id.
    pub id: Id,
    organization_membership_id: Id,
    role: Slug,
    resource: ResourceReference,
    source: RoleAssignmentSource,
    /// An extension: when it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
    #[serde(flatten)]
    times: Times,
}

#[derive(Debug, Serialize)]
struct RoleAssignmentSource {
    #[serde(rename = "type")]
    source_type: &'static str,
    group_role_assignment_id: Option<Id>,
    group: Option<GroupReference>,
}

/// A group where something else is told of.
#[derive(Debug, Serialize)]
pub struct GroupReference {
    id: Id,
    name: Name,
}

impl From<&Item<facts::Group>> for GroupReference {
    fn from(item: &Item<facts::Group>) -> Self {
        Self { id: Prefix::Group.id(item.id), name: display_name(item) }
    }
}

impl RoleAssignment {
    /// A role that a membership has by itself.
    pub fn direct(
        id: Id,
        membership: &Item<facts::OrganizationMembership>,
        role: Name,
        resource: &Item<facts::Resource>,
        expires_at: Option<Timestamp>,
        times: Times,
    ) -> Self {
        Self {
            object: "role_assignment",
            id,
            organization_membership_id: Prefix::OrganizationMembership.id(membership.id),
            role: Slug { slug: role },
            resource: resource.into(),
            source: RoleAssignmentSource { source_type: "direct", group_role_assignment_id: None, group: None },
            expires_at: expires_at.map(Instant),
            times,
        }
    }

    /// The id of what a membership has through an assignment of a group.
    pub fn id_through_group(
        membership: &Item<facts::OrganizationMembership>,
        assignment: &Item<facts::GroupRoleAssignment>,
    ) -> Id {
        let assignment = Prefix::GroupRoleAssignment.id(assignment.id);
        Prefix::RoleAssignment.derived(&[&assignment, &Prefix::OrganizationMembership.id(membership.id)])
    }

    /// A role that a membership has through a group.
    pub fn through_group(
        membership: &Item<facts::OrganizationMembership>,
        role: Name,
        resource: &Item<facts::Resource>,
        assignment: &Item<facts::GroupRoleAssignment>,
        group: &Item<facts::Group>,
    ) -> Self {
        let group_role_assignment_id = Prefix::GroupRoleAssignment.id(assignment.id);
        Self {
            source: RoleAssignmentSource {
                source_type: "group",
                group_role_assignment_id: Some(group_role_assignment_id),
                group: Some(group.into()),
            },
            ..Self::direct(
                Self::id_through_group(membership, assignment),
                membership,
                role,
                resource,
                assignment.fact.expires_at,
                assignment.into(),
            )
        }
    }
}

/// A role assignment of a group.
#[derive(Debug, Serialize)]
pub struct GroupRoleAssignment {
    object: &'static str,
    id: Id,
    group_id: Id,
    role: Slug,
    resource: ResourceReference,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
    #[serde(flatten)]
    times: Times,
}

impl GroupRoleAssignment {
    /// What is told of a group's role assignment. None: its group, role or resource does not exist.
    pub fn of(view: &View<'_>, item: &Item<facts::GroupRoleAssignment>) -> Option<Self> {
        let group = view.get::<facts::Group>(&item.fact.group)?;
        let role = view.get::<facts::Role>(&item.fact.role)?;
        let resource = context::attached(view, item.fact.resource.as_ref().unwrap_or(&group.fact.organization))?;
        Some(Self {
            object: "group_role_assignment",
            id: Prefix::GroupRoleAssignment.id(item.id),
            group_id: Prefix::Group.id(group.id),
            role: Slug { slug: role.fact.slug },
            resource: (&resource.item).into(),
            expires_at: item.fact.expires_at.map(Instant),
            times: item.into(),
        })
    }
}

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
