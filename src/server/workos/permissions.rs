//! Permissions: what types declare, for roles to grant.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, Router, http::StatusCode, routing::get};
use serde::Deserialize;

use super::{
    Error,
    annotations::{annotate, noted},
    body::{Body, Findings, Path, Query},
    context::Context,
    described::{Described, MAX_SLUG, Rewording, check_slug, undeclared_type},
    id::Prefix,
    list::{Page, PageParameters, Row},
    permission_lookup::{Declared, all_declared, declared},
    shapes,
};
use crate::{
    graph::facts::{self, Kind, Name, ORGANIZATION, ObjectRef, Timestamp},
    server::Server,
    store::{
        self, Draft, Naming, Place, Planned, StoredObject, View,
        spec::{PERMISSION_TIMES_ANNOTATION, Permission, ResourceTypeSpec, RoleSpec},
        view::PermissionTimes,
    },
};

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/authorization/permissions", get(list).post(create))
        .route("/authorization/permissions/{slug}", get(show).patch(update).delete(delete))
}

#[derive(Debug, Deserialize)]
struct OfPermission {
    slug: String,
}

impl OfPermission {
    /// The permission of the slug or id.
    fn find(&self, view: &View<'_>, environment: &str) -> Result<Declared, Error> {
        let by_id = || {
            Prefix::Permission.parse(&self.slug)?;
            let has_id = |slug: &Name| shapes::Permission::id(environment, slug).to_string() == self.slug;
            all_declared(view).map(|(_, declared)| declared).find(|declared| has_id(&declared.profile.slug))
        };
        declared(view, &self.slug).or_else(by_id).ok_or_else(|| Error::not_found("Permission", &self.slug))
    }
}

async fn list(
    context: Context,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Page<shapes::Permission>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let environment = context.environment();
    let rows = all_declared(&view).map(|(position, declared)| Row {
        id: shapes::Permission::id(environment, &declared.profile.slug),
        // Of those as old as their type, the oldest type first, and in it the first declared.
        place: Place { created: declared.created(), name: format!("{}/{position:08}", declared.on.name).into() },
        item: declared,
    });
    parameters.page(rows.collect(), |_| None, |declared| declared.show(environment)).map(Json)
}

async fn create(
    context: Context,
    Body(given): Body<Described>,
) -> Result<(StatusCode, Json<shapes::Permission>), Error> {
    let mut findings = Findings::default();
    let slug = findings.required("slug", given.slug.as_deref(), MAX_SLUG);
    check_slug(&mut findings, slug, "-_:.*");
    given.check(&mut findings);
    findings.done()?;
    let resource_type = ObjectRef { kind: Kind::ResourceType, name: given.resource_type().into() };
    let permission =
        Permission { slug: slug.to_owned(), display_name: given.name.clone(), description: given.description.clone() };
    let check_new = |view: &View<'_>, declared: &[Permission]| {
        let exists =
            !view.graph().declared_on(slug).is_empty() || declared.iter().any(|permission| permission.slug == slug);
        let conflict =
            || Error::conflict("permission_slug_conflict", format!("There is a permission '{slug}' already."));
        if exists { Err(conflict()) } else { Ok(()) }
    };
    if resource_type.name == ORGANIZATION {
        // That type exists without being declared: its first permission declares it.
        let plan = |view: &View<'_>| {
            if view.get::<facts::ResourceType>(ORGANIZATION).is_some() {
                return Ok(Vec::new());
            }
            check_new(view, &[])?;
            let mut permissions = vec![permission.clone()];
            permissions.extend(granted_on_organizations(view).into_iter().filter(|granted| granted.slug != slug));
            let spec = ResourceTypeSpec { parents: None, permissions, display_name: None };
            let mut draft = Draft::new(Naming::Exactly(ORGANIZATION.into()), spec);
            note_times(&mut draft.annotations, slug, Note::Declared);
            Ok::<_, Error>(vec![Planned::Create(draft)])
        };
        let declared = context.store().write_together(context.environment(), plan).await?;
        if !declared.is_empty() {
            return created(context, slug).await;
        }
    }
    let is_declared = {
        let snapshot = context.snapshot();
        snapshot.view().get::<facts::ResourceType>(&resource_type.name).is_some()
    };
    if !is_declared {
        return Err(undeclared_type(&resource_type.name));
    }
    let declare = |view: &View<'_>, stored: &mut StoredObject| {
        let declared_on: &mut ResourceTypeSpec = stored.spec_mut()?;
        check_new(view, &declared_on.permissions)?;
        declared_on.permissions.push(permission.clone());
        note_times(&mut stored.annotations, slug, Note::Declared);
        Ok::<_, Error>(())
    };
    context.store().edit(context.environment(), &resource_type, declare).await?;
    created(context, slug).await
}

async fn created(context: Context, slug: &str) -> Result<(StatusCode, Json<shapes::Permission>), Error> {
    let path = OfPermission { slug: slug.to_owned() };
    Ok((StatusCode::CREATED, show(context, Path(path)).await?))
}

/// What roles grant although no type declares it, and would no longer grant were the type `organization` declared without it.
fn granted_on_organizations(view: &View<'_>) -> Vec<Permission> {
    let mut granted: Vec<Permission> = Vec::new();
    for role in view.all::<facts::Role>() {
        for slug in &role.fact.permissions {
            let of_organization = match slug.split_once(':') {
                Some((resource_type, _)) => resource_type == ORGANIZATION,
                None => role.fact.resource_type == ORGANIZATION,
            };
            let is_new = of_organization
                && view.graph().declared_on(slug).is_empty()
                && granted.iter().all(|permission| permission.slug != *slug);
            if is_new {
                granted.push(Permission { slug: slug.to_string(), display_name: None, description: None });
            }
        }
    }
    granted
}

async fn show(context: Context, Path(path): Path<OfPermission>) -> Result<Json<shapes::Permission>, Error> {
    let snapshot = context.snapshot();
    let permission = path.find(&snapshot.view(), context.environment())?;
    Ok(Json(permission.show(context.environment())))
}

async fn update(
    context: Context,
    Path(path): Path<OfPermission>,
    Body(rewording): Body<Rewording>,
) -> Result<Json<shapes::Permission>, Error> {
    rewording.check()?;
    let Declared { on, profile } = {
        let snapshot = context.snapshot();
        path.find(&snapshot.view(), context.environment())?
    };
    let reword = |_: &View<'_>, stored: &mut StoredObject| {
        let declared_on: &mut ResourceTypeSpec = stored.spec_mut()?;
        let mut permissions = declared_on.permissions.iter_mut();
        let Some(permission) = permissions.find(|permission| permission.slug == profile.slug) else {
            return Err(Error::not_found("Permission", &path.slug));
        };
        let before = permission.clone();
        rewording.apply(&mut permission.display_name, &mut permission.description);
        if *permission != before {
            let created_at = profile.times.map_or(on.created, |times| times.created_at);
            note_times(&mut stored.annotations, &profile.slug, Note::Changed { created_at });
        }
        Ok(())
    };
    let object = ObjectRef { kind: Kind::ResourceType, name: on.name.clone() };
    context.store().edit(context.environment(), &object, reword).await?;
    show(context, Path(path)).await
}

/// Takes a permission from all roles, and then it goes itself (rule 62). In this order what fails half-way is completed by saying
/// it again, and no role that was refused the permission gets it because nothing declares it any more.
async fn delete(context: Context, Path(path): Path<OfPermission>) -> Result<StatusCode, Error> {
    let slug = {
        let snapshot = context.snapshot();
        path.find(&snapshot.view(), context.environment())?.profile.slug
    };
    take_from_roles(&context, &slug).await?;
    let types = context.snapshot().view().graph().declared_on(&slug);
    for name in types {
        let withdraw = |_: &View<'_>, stored: &mut StoredObject| {
            let declared_on: &mut ResourceTypeSpec = stored.spec_mut()?;
            declared_on.permissions.retain(|permission| permission.slug != slug);
            note_times(&mut stored.annotations, &slug, Note::Withdrawn);
            Ok::<_, Error>(())
        };
        context.store().edit(context.environment(), &ObjectRef { kind: Kind::ResourceType, name }, withdraw).await?;
    }
    // A role may have got it meanwhile.
    take_from_roles(&context, &slug).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What happens to a permission.
#[derive(Clone, Copy)]
enum Note {
    Declared,
    Changed { created_at: Timestamp },
    Withdrawn,
}

/// Notes with the type when its permission was declared or changed.
fn note_times(annotations: &mut BTreeMap<String, String>, slug: &str, note: Note) {
    let mut times: BTreeMap<Name, PermissionTimes> = noted(annotations, PERMISSION_TIMES_ANNOTATION);
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap_or_default();
    match note {
        Note::Declared => times.insert(slug.into(), PermissionTimes { created_at: now, updated_at: now }),
        Note::Changed { created_at } => times.insert(slug.into(), PermissionTimes { created_at, updated_at: now }),
        Note::Withdrawn => times.remove(slug),
    };
    annotate(annotations, PERMISSION_TIMES_ANNOTATION, &times, times.is_empty());
}

async fn take_from_roles(context: &Context, slug: &Name) -> Result<(), Error> {
    let roles: Vec<Name> = {
        let snapshot = context.snapshot();
        let view = snapshot.view();
        let granting = view.all::<facts::Role>().filter(|role| role.fact.permissions.contains(slug));
        granting.map(|role| role.name).collect()
    };
    for name in roles {
        let take = |_: &View<'_>, role: &mut RoleSpec| {
            role.permissions.retain(|permission| permission != slug);
            Ok(())
        };
        match context.edit(&ObjectRef { kind: Kind::Role, name }, take).await {
            // It is gone, and what it granted with it.
            Err(Error::Store(store::Error::NotFound { .. })) => {}
            done => done?,
        }
    }
    Ok(())
}
