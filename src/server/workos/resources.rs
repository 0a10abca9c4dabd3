//! Resources (rules 53-61). The resources of organizations are among them, but are made and changed as organizations.

mod list;

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, de::DeserializeOwned};

use self::list::list;
use super::{
    Error,
    body::{Body, Findings, Path, Query, present},
    context::{self, AttachedResource, Context},
    id::Prefix,
    list::Row,
    shapes,
    target::Target,
    terms::is_over,
};
use crate::{
    graph::{
        facts::{self, Kind, Name, ORGANIZATION, ObjectRef},
        query::Reason,
    },
    server::Server,
    store::{
        self, Draft, Naming, Planned, View,
        spec::{NameRef, ResourceSpec},
    },
};

const MAX_NAME: usize = 48;
const MAX_DESCRIPTION: usize = 150;
const MAX_EXTERNAL_ID: usize = 128;

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/authorization/resources", get(list).post(create))
        .route(
            "/authorization/resources/{resource_id}",
            get(read::<OfResource>).patch(update::<OfResource>).delete(delete::<OfResource>),
        )
        .route(
            "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}",
            get(read::<OfExternalId>).patch(update::<OfExternalId>).delete(delete::<OfExternalId>),
        )
}

/// A path that names a resource.
pub trait Locate: DeserializeOwned + Send + Sync + 'static {
    /// The resource.
    ///
    /// # Errors
    /// 404 where there is none.
    fn find(&self, view: &View<'_>) -> Result<AttachedResource, Error>;
}

/// A path that names a resource by its id.
#[derive(Debug, Deserialize)]
pub struct OfResource {
    resource_id: String,
}

impl Locate for OfResource {
    fn find(&self, view: &View<'_>) -> Result<AttachedResource, Error> {
        context::resource(view, &self.resource_id)
    }
}

/// A path that names a resource by its external id.
#[derive(Debug, Deserialize)]
pub struct OfExternalId {
    organization_id: String,
    resource_type_slug: String,
    external_id: String,
}

impl Locate for OfExternalId {
    fn find(&self, view: &View<'_>) -> Result<AttachedResource, Error> {
        let organization = context::organization(view, &self.organization_id)?;
        let Self { resource_type_slug, external_id, .. } = self;
        context::resource_by_external_id(view, &organization.item.name, resource_type_slug, external_id)
    }
}

impl AttachedResource {
    /// As a row of a list.
    pub fn row(self) -> Row<Self> {
        Row { id: Prefix::Resource.id(self.item.id), place: self.item.place(), item: self }
    }

    fn object(&self) -> ObjectRef {
        ObjectRef { kind: Kind::Resource, name: self.item.name.clone() }
    }
}

async fn read<P: Locate>(context: Context, Path(path): Path<P>) -> Result<Response, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    show(&view, &path.find(&view)?)
}

fn show(view: &View<'_>, resource: &AttachedResource) -> Result<Response, Error> {
    let shown = shapes::Resource::of(view, resource);
    shown.map(|shown| Json(shown).into_response()).ok_or_else(|| Error::not_found("Resource", &*resource.item.name))
}

/// Shows a resource that was just written.
fn show_written(context: &Context, name: &str) -> Result<Response, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let resource = context::attached(&view, name).ok_or_else(|| Error::not_found("Resource", name))?;
    show(&view, &resource)
}

#[derive(Debug, Deserialize)]
struct CreateResource {
    organization_id: Option<String>,
    resource_type_slug: Option<String>,
    external_id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    parent_resource_id: Option<String>,
    parent_resource_type_slug: Option<String>,
    #[serde(alias = "parent_external_id")]
    parent_resource_external_id: Option<String>,
}

const PARENT_FIELDS: [&str; 3] = ["parent_resource_id", "parent_resource_external_id", "parent_resource_type_slug"];

async fn create(context: Context, Body(body): Body<CreateResource>) -> Result<Response, Error> {
    let mut findings = Findings::default();
    let organization = findings.required("organization_id", body.organization_id.as_deref(), usize::MAX);
    let resource_type = findings.required("resource_type_slug", body.resource_type_slug.as_deref(), usize::MAX);
    let external_id = findings.required("external_id", body.external_id.as_deref(), MAX_EXTERNAL_ID);
    if !external_id.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()) {
        findings.add("external_id", "external_id must be printable ASCII characters");
    }
    let name = findings.required("name", body.name.as_deref(), MAX_NAME);
    let description = findings.optional("description", body.description.as_deref(), MAX_DESCRIPTION);
    let parent = Target::of(
        PARENT_FIELDS,
        [
            body.parent_resource_id.as_deref(),
            body.parent_resource_external_id.as_deref(),
            body.parent_resource_type_slug.as_deref(),
        ],
        &mut findings,
    );
    findings.done()?;
    if resource_type == ORGANIZATION {
        return Err(made_as_organizations());
    }

    let draft = |view: &View<'_>| {
        let organization = context::organization(view, organization)?;
        if !takes_type(view, resource_type) {
            return Err(Error::not_found("Resource type", resource_type));
        }
        let above = match parent {
            Some(parent) => parent.find(view, &organization.item.name)?,
            None => organization.clone(),
        };
        check_parent_type(view, resource_type, &above, parent)?;
        let names = view.graph().resources_with_external_id(resource_type, external_id);
        let organizations = names.iter().filter_map(|name| view.graph().organization_of(name));
        if organizations.into_iter().any(|of| of == organization.item.name) {
            return Err(external_id_conflict());
        }
        let naming = Naming::After {
            called: external_id.to_owned(),
            identity: format!("{}/{resource_type}/{external_id}", organization.item.name),
        };
        let spec = ResourceSpec {
            type_: resource_type.to_owned(),
            parent_ref: Some(NameRef { name: above.item.name.to_string() }),
            external_id: Some(external_id.to_owned()),
            display_name: Some(name.to_owned()),
            description: description.map(ToOwned::to_owned),
        };
        Ok(Draft::new(naming, spec))
    };
    let name = context.store().create(context.environment(), draft).await.map_err(contradiction)?;
    show_written(&context, &name).map(|shown| (StatusCode::CREATED, shown).into_response())
}

#[derive(Debug, Deserialize)]
struct UpdateResource {
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    parent_resource_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    parent_resource_type_slug: Option<Option<String>>,
    #[serde(default, deserialize_with = "present", alias = "parent_external_id")]
    parent_resource_external_id: Option<Option<String>>,
}

async fn update<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Body(body): Body<UpdateResource>,
) -> Result<Response, Error> {
    let mut findings = Findings::default();
    let name = body.name.as_ref().map(|name| findings.required("name", name.as_deref(), MAX_NAME));
    let description = body
        .description
        .as_ref()
        .map(|description| findings.optional("description", description.as_deref(), MAX_DESCRIPTION));
    let parent = [&body.parent_resource_id, &body.parent_resource_external_id, &body.parent_resource_type_slug];
    for (field, value) in PARENT_FIELDS.into_iter().zip(parent) {
        if *value == Some(None) {
            findings.add(field, format!("{field} should not be null: every resource but an organization has a parent"));
        }
    }
    let parent = Target::of(PARENT_FIELDS, parent.map(|value| value.as_ref()?.as_deref()), &mut findings);
    findings.done()?;

    let object = {
        let snapshot = context.snapshot();
        path.find(&snapshot.view())?.object()
    };
    let change = |view: &View<'_>, spec: &mut ResourceSpec| {
        let resource = path.find(view)?;
        if resource.item.name != object.name {
            return Err(store::Error::NotFound { object: object.clone() }.into());
        }
        if resource.is_organization() {
            return Err(made_as_organizations());
        }
        if let Some(name) = name {
            spec.display_name = Some(name.to_owned());
        }
        if let Some(description) = description {
            spec.description = description.map(ToOwned::to_owned);
        }
        if let Some(parent) = parent {
            let above = parent.find(view, &resource.organization)?;
            check_parent_type(view, &resource.item.fact.resource_type, &above, Some(parent))?;
            if is_at_or_below(view, &above.item.name, &resource.item.name) {
                let field = parent_field(Some(parent));
                return Err(Error::field(
                    field,
                    format!("{field} must name neither the resource itself nor one below it"),
                ));
            }
            spec.parent_ref = Some(NameRef { name: above.item.name.to_string() });
        }
        Ok(())
    };
    context.edit(&object, change).await.map_err(contradiction)?;
    show_written(&context, &object.name)
}

#[derive(Debug, Deserialize)]
struct DeleteParameters {
    cascade_delete: Option<String>,
}

async fn delete<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Query(parameters): Query<DeleteParameters>,
) -> Result<StatusCode, Error> {
    let cascades = match parameters.cascade_delete.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Error::field("cascade_delete", "cascade_delete must be true or false")),
    };
    let plan = |view: &View<'_>| {
        let resource = path.find(view)?;
        if resource.is_organization() {
            return Err(made_as_organizations());
        }
        if !cascades && has_dependents(view, &resource.item.name) {
            return Err(Error::conflict(
                "resource_has_dependents",
                "The resource has children or role assignments. Delete them first, or set cascade_delete=true.",
            ));
        }
        Ok(vec![Planned::Delete(resource.object())])
    };
    context.store().write_together(context.environment(), plan).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a resource has children, or assignments that have not ended (rule 59): what has ended is in no list.
fn has_dependents(view: &View<'_>, name: &Name) -> bool {
    let graph = view.graph();
    let has_ended = |assignment: &ObjectRef| {
        let expires_at = match assignment.kind {
            Kind::GroupRoleAssignment => view.get::<facts::GroupRoleAssignment>(&assignment.name)?.fact.expires_at,
            _ => view.get::<facts::MembershipRoleAssignment>(&assignment.name)?.fact.expires_at,
        };
        Some(is_over(expires_at))
    };
    graph.has_dependents(name)
        && (!graph.children_of(name).is_empty()
            || graph.assignments_on(name).iter().any(|assignment| has_ended(assignment) != Some(true)))
}

/// Whether resources of a type can be created here: where types are declared, it is one of them (rule 56).
fn takes_type(view: &View<'_>, resource_type: &str) -> bool {
    let graph = view.graph();
    graph.is_known_type(resource_type) || !(graph.declares_types() || graph.denies_undeclared_types())
}

/// Whether a resource of a type may lie below that one, which `parent` names, or which is the organization (rule 55).
fn check_parent_type(
    view: &View<'_>,
    resource_type: &str,
    above: &AttachedResource,
    parent: Option<Target<'_>>,
) -> Result<(), Error> {
    let Some(declared) = view.get::<facts::ResourceType>(resource_type) else { return Ok(()) };
    let (above, allowed) = (&above.item.fact.resource_type, &declared.fact.parents);
    if allowed.contains(above) {
        return Ok(());
    }
    let field = parent_field(parent);
    let allowed = allowed.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    let sentence =
        format!("{field} must name a resource of a type that a {resource_type} may lie below ({allowed}), not {above}");
    Err(Error::field(field, sentence))
}

/// The field that is to be corrected where a parent does not fit.
const fn parent_field(parent: Option<Target<'_>>) -> &'static str {
    match parent {
        None | Some(Target::Id(_)) => "parent_resource_id",
        Some(Target::ExternalId { .. }) => "parent_resource_external_id",
    }
}

/// Whether a resource is another one or lies below it.
fn is_at_or_below(view: &View<'_>, resource: &Name, other: &Name) -> bool {
    let parent = |name: &Name| view.get::<facts::Resource>(name)?.fact.parent;
    // The resource is attached, so its chain has an end.
    std::iter::successors(Some(resource.clone()), parent).any(|name| name == *other)
}

fn made_as_organizations() -> Error {
    Error::coded(
        StatusCode::BAD_REQUEST,
        "bad_request",
        "The resource of an organization is created, changed and deleted with the organization: use /organizations.",
    )
}

fn external_id_conflict() -> Error {
    Error::conflict(
        "authorization_resource_external_id_conflict",
        "The organization has a resource of this type and external id already.",
    )
}

/// What the graph refuses for the sake of an external id is a conflict here.
fn contradiction(error: Error) -> Error {
    let is_duplicate = |reason: &Reason| matches!(reason, Reason::DuplicateExternalId { .. });
    match error {
        Error::Store(store::Error::Refused { reasons, .. }) if reasons.iter().any(is_duplicate) => {
            external_id_conflict()
        }
        error => error,
    }
}
