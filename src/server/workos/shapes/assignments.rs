//! Roles that memberships and groups have on resources.

use serde::Serialize;

use super::{Instant, Slug, Times, display_name, external_id};
use crate::{
    graph::facts::{self, Name, Timestamp},
    server::workos::{
        context,
        id::{Id, Prefix},
    },
    store::{Item, View},
};

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
