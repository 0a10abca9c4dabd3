//! An extension: the types of resources. The hosted API has them in its dashboard only (reference, 1.2).

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Error,
    body::{Body, Findings, Path, Query, present},
    context::{self, Context},
    id::Prefix,
    list::{Page, PageParameters},
    shapes,
};
use crate::{
    graph::{
        Proposal,
        facts::{self, Fact, Kind, Name, ORGANIZATION, Object, ObjectRef, Timestamp},
        query::Reason,
    },
    server::Server,
    store::{self, Draft, Item, Naming, Planned, View, spec::ResourceTypeSpec},
};

const MAX_SLUG: usize = 48;
const MAX_NAME: usize = 48;

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/authorization/resource_types", get(list).post(create))
        .route("/authorization/resource_types/{slug}", get(read).patch(update).delete(delete))
}

#[derive(Debug, Deserialize)]
struct OfResourceType {
    slug: String,
}

/// The declared type of a slug or an id.
fn resource_type(view: &View<'_>, text: &str) -> Result<Item<facts::ResourceType>, Error> {
    context::find(view, Prefix::ResourceType, text).ok_or_else(|| Error::not_found("Resource type", text))
}

fn object_of(context: &Context, path: &OfResourceType) -> Result<ObjectRef, Error> {
    let snapshot = context.snapshot();
    let item = resource_type(&snapshot.view(), &path.slug)?;
    Ok(ObjectRef { kind: Kind::ResourceType, name: item.name })
}

fn show(context: &Context, name: &str) -> Result<Response, Error> {
    let snapshot = context.snapshot();
    let item = resource_type(&snapshot.view(), name)?;
    Ok(Json(shapes::ResourceType::from(&item)).into_response())
}

async fn read(context: Context, Path(path): Path<OfResourceType>) -> Result<Response, Error> {
    show(&context, &path.slug)
}

async fn list(context: Context, Query(page): Query<PageParameters>) -> Result<Json<Page<shapes::ResourceType>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let show = |item: &Item<_>| Some(item.into());
    let names: Vec<Name> = view.all::<facts::ResourceType>().map(|item| item.name).collect();
    page.page_of(&view, Prefix::ResourceType, &names, |name| view.get(name), show).map(Json)
}

#[derive(Debug, Deserialize)]
struct CreateResourceType {
    slug: Option<String>,
    name: Option<String>,
    parent_type_slugs: Option<Vec<String>>,
    description: Option<Value>,
}

async fn create(context: Context, Body(body): Body<CreateResourceType>) -> Result<Response, Error> {
    let mut findings = Findings::default();
    let slug = findings.required("slug", body.slug.as_deref(), MAX_SLUG);
    if !is_slug(slug) {
        findings.add("slug", "slug must be lowercase letters, digits and hyphens, with a letter or digit at both ends");
    }
    let name = body.name.as_deref().map(|name| findings.required("name", Some(name), MAX_NAME));
    let parents = body.parent_type_slugs.unwrap_or_else(|| vec![ORGANIZATION.to_owned()]);
    if parents.is_empty() {
        findings.add("parent_type_slugs", NO_PARENT);
    }
    refuse_description(&mut findings, body.description.as_ref());
    findings.done()?;
    refuse_built_in(slug)?;

    let contradicts = || {
        Error::conflict(
            IN_USE,
            format!(
                "Resources or roles that are there would have no effect any more if the type '{slug}' were declared so: choose its parents so that they fit, or declare it with its permissions in a manifest."
            ),
        )
    };
    if !contradictions(&context, slug, &parents).is_empty() {
        return Err(contradicts());
    }
    let draft = |view: &View<'_>| {
        if view.graph().is_known_type(slug) {
            return Err(Error::conflict(
                "resource_type_slug_conflict",
                format!("There is a resource type '{slug}' already."),
            ));
        }
        check_parents(view, slug, &parents)?;
        let spec = ResourceTypeSpec {
            parents: Some(parents.clone()),
            permissions: Vec::new(),
            display_name: name.map(ToOwned::to_owned),
        };
        Ok(Draft::new(Naming::Exactly(slug.into()), spec))
    };
    context.store().create(context.environment(), draft).await.map_err(in_use)?;
    show(&context, slug).map(|shown| (StatusCode::CREATED, shown).into_response())
}

#[derive(Debug, Deserialize)]
struct UpdateResourceType {
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    parent_type_slugs: Option<Vec<String>>,
    description: Option<Value>,
}

async fn update(
    context: Context,
    Path(path): Path<OfResourceType>,
    Body(body): Body<UpdateResourceType>,
) -> Result<Response, Error> {
    let mut findings = Findings::default();
    let name = body.name.as_ref().map(|name| findings.required("name", name.as_deref(), MAX_NAME));
    if body.parent_type_slugs.as_ref().is_some_and(Vec::is_empty) {
        findings.add("parent_type_slugs", NO_PARENT);
    }
    refuse_description(&mut findings, body.description.as_ref());
    findings.done()?;

    if body.parent_type_slugs.is_some() {
        refuse_built_in(&path.slug)?;
    }
    let object = object_of(&context, &path)?;
    if body.parent_type_slugs.is_some() {
        refuse_built_in(&object.name)?;
    }
    let change = |view: &View<'_>, spec: &mut ResourceTypeSpec| {
        if let Some(name) = name {
            spec.display_name = Some(name.to_owned());
        }
        if let Some(parents) = &body.parent_type_slugs {
            check_parents(view, &object.name, parents)?;
            spec.parents = Some(parents.clone());
        }
        Ok(())
    };
    context.edit(&object, change).await.map_err(in_use)?;
    show(&context, &object.name)
}

async fn delete(context: Context, Path(path): Path<OfResourceType>) -> Result<StatusCode, Error> {
    refuse_built_in(&path.slug)?;
    let object = object_of(&context, &path)?;
    refuse_built_in(&object.name)?;
    let used = |by: &str| Error::conflict(IN_USE, format!("The resource type '{}' is in use: {by}.", object.name));
    let proposal = Proposal::Delete { object: object.clone(), restricted: false };
    if let Some(by) = users(&context, &proposal).first() {
        return Err(used(&format!("by {by}; delete all such first")));
    }
    let plan = |view: &View<'_>| {
        let item = resource_type(view, &object.name)?;
        if let Some(permission) = item.fact.permissions.first() {
            return Err(used(&format!("it has the permission '{permission}'; delete its permissions first")));
        }
        let below =
            |other: &Item<facts::ResourceType>| other.name != item.name && other.fact.parents.contains(&item.name);
        if let Some(other) = view.all::<facts::ResourceType>().find(below) {
            return Err(used(&format!("the type '{}' may lie below it; change that first", other.name)));
        }
        Ok(vec![Planned::Delete(object.clone())])
    };
    context.store().write_together(context.environment(), plan).await?;
    Ok(StatusCode::NO_CONTENT)
}

const IN_USE: &str = "resource_type_in_use";

const NO_PARENT: &str = "parent_type_slugs must contain at least 1 element";

fn is_slug(text: &str) -> bool {
    let is_alphanumeric = |letter: &u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let letters = text.as_bytes();
    letters.iter().all(|letter| is_alphanumeric(letter) || *letter == b'-')
        && letters.first().is_none_or(is_alphanumeric)
        && letters.last().is_none_or(is_alphanumeric)
}

/// A type has no description: what cannot be kept is not taken.
fn refuse_description(findings: &mut Findings, description: Option<&Value>) {
    if description.is_some_and(|description| !description.is_null()) {
        findings.add("description", "description should not be given: a resource type has none");
    }
}

/// Whether those types are known, so that the type of that slug can lie below them; it can lie below its own kind.
fn check_parents(view: &View<'_>, slug: &str, parents: &[String]) -> Result<(), Error> {
    let unknown = parents.iter().find(|parent| *parent != slug && !view.graph().is_known_type(parent));
    unknown.map_or(Ok(()), |parent| Err(Error::not_found("Resource type", parent)))
}

/// The objects that would lose effect if a type were declared that is not.
fn contradictions(context: &Context, slug: &str, parents: &[String]) -> Vec<ObjectRef> {
    let parents = parents.iter().map(Name::from).collect();
    let fact = Fact::ResourceType(facts::ResourceType { parents, permissions: Vec::new() });
    users(context, &Proposal::Write(Object { name: slug.into(), created: None, deleting: false, fact }))
}

/// The objects that a proposal would leave without something that they need.
fn users(context: &Context, proposal: &Proposal) -> Vec<ObjectRef> {
    let Some(graph) = context.server().environments.get(context.environment()) else { return Vec::new() };
    let user = |reason| match reason {
        Reason::InUse { object, .. } => Some(object),
        _ => None,
    };
    graph.review(proposal, Timestamp::now()).warnings.into_iter().filter_map(user).collect()
}

/// The type `organization` is there, be it declared or not.
fn refuse_built_in(slug: &str) -> Result<(), Error> {
    if slug != ORGANIZATION {
        return Ok(());
    }
    let message =
        "The resource type 'organization' is built in: it is neither created nor deleted, and has no parents.";
    Err(Error::coded(StatusCode::BAD_REQUEST, "bad_request", message))
}

/// What the graph refuses for the sake of resources and roles that are there is a conflict here.
fn in_use(error: Error) -> Error {
    match error {
        Error::Store(error @ store::Error::Refused { .. }) => Error::conflict(IN_USE, error.to_string()),
        error => error,
    }
}
