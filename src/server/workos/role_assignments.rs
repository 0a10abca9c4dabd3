//! The roles of memberships on resources.

mod assign;
mod held_roles;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{delete as deleting, get},
};
use serde::Deserialize;

use self::held_roles::{HeldRole, Source, held_by, held_on};
use super::{
    Error,
    body::{Body, Findings, Path, Query},
    context::{self, AttachedResource, Context},
    id::Prefix,
    list::{Page, PageParameters, place_in},
    shapes,
    terms::Terms,
};
use crate::{
    graph::facts::{self, Kind, ObjectRef},
    server::Server,
    store::{Item, Planned, View, spec::OrganizationMembershipSpec},
};

pub fn routes() -> Router<Arc<Server>> {
    let of_membership = "/authorization/organization_memberships/{membership}/role_assignments";
    let by_external_id =
        "/authorization/organizations/{organization}/resources/{resource_type}/{external_id}/role_assignments";
    Router::new()
        .route(of_membership, get(list).post(create).delete(delete_matching))
        .route(&format!("{of_membership}/{{assignment}}"), deleting(delete))
        .route("/authorization/resources/{resource}/role_assignments", get(list_on))
        .route(by_external_id, get(list_on_by_external_id))
}

#[derive(Debug, Deserialize)]
struct OfMembership {
    membership: String,
}

#[derive(Debug, Deserialize)]
struct OfAssignment {
    membership: String,
    assignment: String,
}

#[derive(Debug, Deserialize)]
struct OfResource {
    resource: String,
}

#[derive(Debug, Deserialize)]
struct OfExternalId {
    organization: String,
    resource_type: String,
    external_id: String,
}

/// The parameters of the list of a membership: those that are given must all fit (rule 35).
#[derive(Debug, Deserialize)]
struct ListParameters {
    resource_id: Option<String>,
    resource_external_id: Option<String>,
    resource_type_slug: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

impl ListParameters {
    fn fit(&self, view: &View<'_>, resource: &AttachedResource) -> bool {
        let Self { resource_id, resource_external_id, resource_type_slug, page: _ } = self;
        let has_id = |id: &String| context::resource(view, id).is_ok_and(|meant| meant.item.name == resource.item.name);
        let has_external_id = |id: &String| {
            resource.item.fact.external_id == *id
                // An organization goes by its id as well.
                || resource.is_organization() && Prefix::Organization.id(resource.item.id).to_string() == *id
        };
        resource_id.as_ref().is_none_or(has_id)
            && resource_external_id.as_ref().is_none_or(has_external_id)
            && resource_type_slug.as_ref().is_none_or(|slug| resource.item.fact.resource_type == *slug)
    }
}

#[derive(Debug, Deserialize)]
struct ResourceListParameters {
    role_slug: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

type Assignments = Json<Page<shapes::RoleAssignment>>;

async fn list(
    context: Context,
    Path(path): Path<OfMembership>,
    Query(parameters): Query<ListParameters>,
) -> Result<Assignments, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.membership)?;
    let held = held_by(&view, &membership).into_iter().filter(|held| !held.superseded);
    let fitting = held.filter(|held| parameters.fit(&view, &held.resource));
    page(&view, &parameters.page, fitting.map(|held| (membership.clone(), held)))
}

fn page(
    view: &View<'_>,
    parameters: &PageParameters,
    held: impl Iterator<Item = (Item<facts::OrganizationMembership>, HeldRole)>,
) -> Result<Assignments, Error> {
    let rows = held.map(|(membership, held)| held.row(&membership));
    let place = place_in(view, Prefix::RoleAssignment);
    parameters.page(rows.collect(), place, |assignment| assignment).map(Json)
}

fn list_of(
    view: &View<'_>,
    resource: &AttachedResource,
    parameters: &ResourceListParameters,
) -> Result<Assignments, Error> {
    let fits = |slug: &String| {
        let role = context::role(view, Some(&resource.organization), slug);
        role.map(|role| role.name)
    };
    // A role that does not exist is assigned to nobody.
    let role = parameters.role_slug.as_ref().map(fits);
    let held = held_on(view, resource).filter(|(_, held)| {
        !held.superseded && role.as_ref().is_none_or(|role| role.as_ref() == Some(&held.role.name))
    });
    page(view, &parameters.page, held)
}

async fn list_on(
    context: Context,
    Path(path): Path<OfResource>,
    Query(parameters): Query<ResourceListParameters>,
) -> Result<Assignments, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let resource = context::resource(&view, &path.resource)?;
    list_of(&view, &resource, &parameters)
}

async fn list_on_by_external_id(
    context: Context,
    Path(path): Path<OfExternalId>,
    Query(parameters): Query<ResourceListParameters>,
) -> Result<Assignments, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let organization = context::organization(&view, &path.organization)?.organization;
    let resource = context::resource_by_external_id(&view, &organization, &path.resource_type, &path.external_id)?;
    list_of(&view, &resource, &parameters)
}

async fn create(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(terms): Body<Terms>,
) -> Result<impl IntoResponse, Error> {
    let mut findings = Findings::default();
    let wanted = terms.with_resource(&mut findings);
    findings.done()?;
    let assigned = assign::assign(&context, &path.membership, &wanted).await?;
    Ok((StatusCode::CREATED, Json(assigned)))
}

async fn delete_matching(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(terms): Body<Terms>,
) -> Result<StatusCode, Error> {
    let mut findings = Findings::default();
    let wanted = terms.with_resource(&mut findings);
    findings.done()?;
    let select = |view: &View<'_>, membership: &Item<facts::OrganizationMembership>| {
        let found = wanted.find(view, &membership.fact.organization)?;
        let mut held = held_by(view, membership);
        held.retain(|held| found.is(&held.role.name, &held.resource.item.name));
        let slug = &found.role.fact.slug;
        own(held, "role_slug", slug).ok_or_else(|| Error::not_found("Role assignment", slug.as_str()))?
    };
    remove(&context, &path.membership, select).await
}

async fn delete(context: Context, Path(path): Path<OfAssignment>) -> Result<StatusCode, Error> {
    let select = |view: &View<'_>, membership: &Item<facts::OrganizationMembership>| {
        let id = Prefix::RoleAssignment.parse(&path.assignment);
        let is_meant = |held: &HeldRole| match &held.source {
            Source::Assignment(assignment) if assignment.name == path.assignment => true,
            _ => Some(held.id.object) == id,
        };
        let mut held = held_by(view, membership);
        held.retain(is_meant);
        own(held, "role_assignment_id", &path.assignment)
            .ok_or_else(|| Error::not_found("Role assignment", &path.assignment))?
    };
    remove(&context, &path.membership, select).await
}

/// Of some roles those that can be taken from the membership alone (rule 38); none: there are none.
fn own(held: Vec<HeldRole>, field: &'static str, name: &str) -> Option<Result<Vec<HeldRole>, Error>> {
    let other = held.first()?.source.clone();
    let own: Vec<_> = held.into_iter().filter(|held| held.source.is_own()).collect();
    if !own.is_empty() {
        return Some(Ok(own));
    }
    let remedy = match other {
        Source::Group(_, group) => {
            format!("the membership has it through group '{}': take it from the group", shapes::display_name(&group))
        }
        Source::IdentityProvider => "the identity provider gives it: change the mapping of its groups".to_owned(),
        _ => "it is the default role of the environment: assign another role".to_owned(),
    };
    Some(Err(Error::field(field, format!("{field} '{name}' cannot be removed here, because {remedy}"))))
}

/// Takes the selected roles from a membership. The last one on the organization gives way to the default role (rule 36).
async fn remove(
    context: &Context,
    membership: &str,
    select: impl Fn(&View<'_>, &Item<facts::OrganizationMembership>) -> Result<Vec<HeldRole>, Error> + Send + Sync,
) -> Result<StatusCode, Error> {
    let (membership, listed) = {
        let snapshot = context.snapshot();
        let view = snapshot.view();
        let membership = context::membership(&view, membership)?;
        let mut selected = select(&view, &membership)?.into_iter();
        let listed = selected.find(|held| matches!(held.source, Source::Membership));
        (membership.name, listed.map(|held| held.role.name))
    };
    let plan = |view: &View<'_>| {
        let selected = select(view, &context::membership(view, &membership)?)?;
        let assignments = selected.into_iter().filter_map(|held| match held.source {
            Source::Assignment(assignment) => Some(assignment.name),
            _ => None,
        });
        let kind = Kind::MembershipRoleAssignment;
        Ok::<_, Error>(assignments.map(|name| Planned::Delete(ObjectRef { kind, name })).collect())
    };
    context.store().write_together(context.environment(), plan).await?;
    if let Some(role) = listed {
        let object = ObjectRef { kind: Kind::OrganizationMembership, name: membership };
        let unlist = |_: &View<'_>, membership: &mut OrganizationMembershipSpec| {
            membership.role_refs.retain(|listed| listed.name != role);
            Ok(())
        };
        context.edit(&object, unlist).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
