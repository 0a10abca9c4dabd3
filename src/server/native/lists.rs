//! What checks would say, listed.
//!
//! A list is what checks would say one by one. So where every check would be denied for what the membership or the
//! resource is (suspended, detached, of another organization), the list is empty; where the question names nothing that
//! is known it is a 404, and a 409 where it names several things.

use axum::{
    Json,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{TargetFields, grants::GrantSource, subject};
use crate::{
    graph::{
        facts::Timestamp,
        query::{self, Action, Denial, Page, Reach, ResourceFilter},
    },
    server::{
        Error,
        answer::Reason,
        environment::Environment,
        extract::{Parameters, optional, required},
        openapi::{Ambiguous, Failures, InEnvironment},
        paging::{List, Paging},
    },
};

/// The permissions that a membership or user has on a resource, sorted.
#[utoipa::path(
    get,
    path = "/environments/{namespace}/v1/permissions",
    tag = "Lists",
    params(InEnvironment, PermissionsParameters),
    responses((status = 200, description = "The permissions, all of them.", body = Permissions), Ambiguous, Failures)
)]
pub async fn permissions(
    environment: Environment,
    Parameters(parameters): Parameters<PermissionsParameters>,
) -> Result<Response, Error> {
    let subject = subject(parameters.membership.as_deref(), parameters.user.as_deref())?;
    let target = resource_fields(
        parameters.resource.as_deref(),
        parameters.resource_type.as_deref(),
        parameters.resource_id.as_deref(),
        parameters.organization.as_deref(),
    )
    .required()?;
    let permissions = environment
        .read()
        .permissions(subject, target, Timestamp::now())
        .or_else(|denial| empty(denial).map(|()| Vec::new()))?;
    Ok(Json(Permissions { permissions: permissions.iter().map(AsRef::as_ref).collect() }).into_response())
}

/// The resources on which a membership or user has a permission, by name.
#[utoipa::path(
    get,
    path = "/environments/{namespace}/v1/resources",
    tag = "Lists",
    params(InEnvironment, ResourcesParameters),
    responses((status = 200, description = "A page of resources.", body = List<Resource>), Ambiguous, Failures)
)]
pub async fn resources(
    environment: Environment,
    uri: Uri,
    Parameters(parameters): Parameters<ResourcesParameters>,
) -> Result<Response, Error> {
    let paging = Paging::new(&uri, parameters.limit, parameters.cursor.as_deref())?;
    let subject = subject(parameters.membership.as_deref(), parameters.user.as_deref())?;
    let action = Action::Permission(required("permission", parameters.permission.as_deref())?);
    let filter = ResourceFilter {
        resource_type: optional("type", parameters.resource_type.as_deref())?,
        parent: TargetFields {
            name: ("parent", parameters.parent.as_deref()),
            resource_type: ("parentType", parameters.parent_type.as_deref()),
            id: ("parentId", parameters.parent_id.as_deref()),
            organization: ("organization", parameters.organization.as_deref()),
        }
        .optional()?,
    };
    let page =
        page_or_empty(environment.read().resources(subject, action, filter, paging.request(), Timestamp::now()))?;
    Ok(paging.respond(&page, Resource::from))
}

/// The memberships that have a permission on a resource, by name.
#[utoipa::path(
    get,
    path = "/environments/{namespace}/v1/memberships",
    tag = "Lists",
    params(InEnvironment, MembershipsParameters),
    responses((status = 200, description = "A page of memberships.", body = List<Membership>), Ambiguous, Failures)
)]
pub async fn memberships(
    environment: Environment,
    uri: Uri,
    Parameters(parameters): Parameters<MembershipsParameters>,
) -> Result<Response, Error> {
    let paging = Paging::new(&uri, parameters.limit, parameters.cursor.as_deref())?;
    let action = Action::Permission(required("permission", parameters.permission.as_deref())?);
    let target = resource_fields(
        parameters.resource.as_deref(),
        parameters.resource_type.as_deref(),
        parameters.resource_id.as_deref(),
        parameters.organization.as_deref(),
    )
    .required()?;
    let reach = match parameters.assignment {
        AssignmentReach::Direct => Reach::Direct,
        AssignmentReach::All => Reach::All,
    };
    let page =
        page_or_empty(environment.read().memberships(target, action, reach, paging.request(), Timestamp::now()))?;
    Ok(paging.respond(&page, Membership::from))
}

/// The assignments of a membership, or those on a resource, whether they have effect or not.
#[utoipa::path(
    get,
    path = "/environments/{namespace}/v1/assignments",
    tag = "Lists",
    params(InEnvironment, AssignmentsParameters),
    responses((status = 200, description = "A page of assignments.", body = List<Assignment>), Ambiguous, Failures)
)]
pub async fn assignments(
    environment: Environment,
    uri: Uri,
    Parameters(parameters): Parameters<AssignmentsParameters>,
) -> Result<Response, Error> {
    let paging = Paging::new(&uri, parameters.limit, parameters.cursor.as_deref())?;
    let target = resource_fields(
        parameters.resource.as_deref(),
        parameters.resource_type.as_deref(),
        parameters.resource_id.as_deref(),
        parameters.organization.as_deref(),
    )
    .optional()?;
    let now = Timestamp::now();
    let page = match (optional("membership", parameters.membership.as_deref())?, target) {
        (Some(membership), None) => environment.read().assignments_of_membership(membership, paging.request(), now),
        (None, Some(target)) => environment.read().assignments_of_resource(target, paging.request(), now),
        (None, None) => return Err(Error::field("membership", "is missing, or else a resource")),
        (Some(_), Some(_)) => {
            return Err(Error::field("membership", "is given beside a resource; one of the two is needed"));
        }
    };
    Ok(paging.respond(&page_or_empty(page)?, Assignment::from))
}

/// Whose permissions on what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PermissionsParameters {
    /// The name of the membership. Either this or `user` is needed.
    membership: Option<String>,
    /// The id of the user: the user's membership in the organization of the resource is meant.
    user: Option<String>,
    /// The name of the Resource object. Either this or `resourceType` and `resourceId` are needed.
    resource: Option<String>,
    /// The resource's type.
    resource_type: Option<String>,
    /// The resource's external id, or its object's name.
    resource_id: Option<String>,
    /// Beside `resourceType` and `resourceId`: the resource's organization, needed where several have such a resource.
    organization: Option<String>,
}

/// Whose resources.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResourcesParameters {
    /// The name of the membership. Either this or `user` is needed.
    membership: Option<String>,
    /// The id of the user: all memberships of the user are meant.
    user: Option<String>,
    /// The permission's slug.
    #[param(required)]
    permission: Option<String>,
    /// Only resources of this type.
    #[serde(rename = "type")]
    resource_type: Option<String>,
    /// Only direct children of the Resource object of this name.
    parent: Option<String>,
    /// Only direct children of the resource of this type and `parentId`.
    parent_type: Option<String>,
    /// The parent's external id, or its object's name.
    parent_id: Option<String>,
    /// Beside `parentType` and `parentId`: the parent's organization, needed where several have such a resource.
    organization: Option<String>,
    /// How many items a page has at the most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Whose memberships.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MembershipsParameters {
    /// The permission's slug.
    #[param(required)]
    permission: Option<String>,
    /// The name of the Resource object. Either this or `resourceType` and `resourceId` are needed.
    resource: Option<String>,
    /// The resource's type.
    resource_type: Option<String>,
    /// The resource's external id, or its object's name.
    resource_id: Option<String>,
    /// Beside `resourceType` and `resourceId`: the resource's organization, needed where several have such a resource.
    organization: Option<String>,
    /// `direct`: only those with a grant on that very resource; `all`: all that a check would allow.
    #[serde(default)]
    #[param(inline)]
    assignment: AssignmentReach,
    /// How many items a page has at the most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Which grants count.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum AssignmentReach {
    Direct,
    #[default]
    All,
}

/// Whose assignments, or those on what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AssignmentsParameters {
    /// The name of the membership. Either this or a resource is needed.
    membership: Option<String>,
    /// The name of the Resource object.
    resource: Option<String>,
    /// The resource's type, together with `resourceId`.
    resource_type: Option<String>,
    /// The resource's external id, or its object's name.
    resource_id: Option<String>,
    /// Beside `resourceType` and `resourceId`: the resource's organization, needed where several have such a resource.
    organization: Option<String>,
    /// How many items a page has at the most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Permissions on a resource.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"permissions": ["project:edit", "project:view"]}))]
pub struct Permissions<'a> {
    /// Their slugs.
    permissions: Vec<&'a str>,
}

/// A resource.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "website", "type": "project", "externalId": "prj-1", "organization": "acme", "parent": "engineering"
}))]
pub struct Resource<'a> {
    /// The object's name.
    name: &'a str,
    /// Its type.
    r#type: &'a str,
    /// The id that the application knows it by.
    external_id: &'a str,
    /// The name of the organization at the root of its tree.
    organization: &'a str,
    /// The name of the resource above it.
    parent: Option<&'a str>,
}

impl<'a> From<&'a query::ResourceItem> for Resource<'a> {
    fn from(item: &'a query::ResourceItem) -> Self {
        let query::ResourceItem { name, resource_type, external_id, organization, parent } = item;
        Self { name, r#type: resource_type, external_id, organization, parent: parent.as_deref() }
    }
}

/// A membership.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "alice-acme", "user": "alice", "organization": "acme"}))]
pub struct Membership<'a> {
    /// Its name.
    name: &'a str,
    /// The id of its user, where it is declared.
    user: Option<&'a str>,
    /// The name of its organization, where it is declared.
    organization: Option<&'a str>,
}

impl<'a> From<&'a query::MembershipItem> for Membership<'a> {
    fn from(item: &'a query::MembershipItem) -> Self {
        let query::MembershipItem { name, user, organization } = item;
        Self { name, user: user.as_deref(), organization: organization.as_deref() }
    }
}

/// A role on a resource, as one membership or group has it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Assignment<'a> {
    /// Where it comes from.
    source: GrantSource<'a>,
    /// The name of the membership that has it; null where a group has it.
    membership: Option<&'a str>,
    /// The name of the role.
    role: &'a str,
    /// The name of the resource; null where it is the organization of a membership that has none.
    resource: Option<&'a str>,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The condition without which it has no effect. Here it is judged as for a question that tells nothing of itself.
    condition: Option<&'a str>,
    /// Whether it has effect.
    effective: bool,
    /// Why it has none.
    inert: Vec<Reason>,
}

impl<'a> From<&'a query::AssignmentItem> for Assignment<'a> {
    fn from(item: &'a query::AssignmentItem) -> Self {
        let query::AssignmentItem { source, membership, role, resource, expires_at, condition, inert } = item;
        Self {
            source: source.into(),
            membership: membership.as_deref(),
            role,
            resource: resource.as_deref(),
            expires_at: expires_at.map(|at| at.to_string()),
            condition: condition.as_ref().map(|condition| condition.text()),
            effective: inert.is_empty(),
            inert: inert.iter().map(Reason::from).collect(),
        }
    }
}

/// The parameters by which most lists name a resource.
fn resource_fields<'a>(
    resource: Option<&'a str>,
    resource_type: Option<&'a str>,
    resource_id: Option<&'a str>,
    organization: Option<&'a str>,
) -> TargetFields<'a> {
    TargetFields {
        name: ("resource", resource),
        resource_type: ("resourceType", resource_type),
        id: ("resourceId", resource_id),
        organization: ("organization", organization),
    }
}

/// The page, empty where every check would be denied for what the subject or the resource is.
///
/// # Errors
/// Where the question names nothing that is known, or several things.
fn page_or_empty<T>(page: Result<Page<T>, Denial>) -> Result<Page<T>, Error> {
    page.or_else(|denial| empty(denial).map(|()| Page { items: Vec::new(), next: None }))
}

fn empty(denial: Denial) -> Result<(), Error> {
    match denial {
        Denial::UnknownSubject | Denial::UnknownResource | Denial::UnknownOrganization | Denial::AmbiguousResource => {
            Err(Error::Denied(denial))
        }
        Denial::NoGrant
        | Denial::NotAMember
        | Denial::OtherOrganization
        | Denial::SuspendedMembership
        | Denial::UnusableMembership
        | Denial::UndeclaredMembership
        | Denial::DetachedResource => Ok(()),
    }
}
