//! The roles that every organization of the environment may use, and the order of priority of all roles.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, put},
};
use serde::Deserialize;

use super::{Locate, add_permission, delete, read, set_permissions, show_written, update};
use crate::{
    graph::facts,
    server::{
        Server,
        workos::{
            Error,
            body::{Body, Findings},
            context::{self, Context},
            described::{Described, MAX_SLUG, check_slug},
            environment,
            list::WholeList,
            roles, shapes,
        },
    },
    store::{Item, View, spec::EnvironmentSpec},
};

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/authorization/roles", get(list).post(create))
        // That they can be deleted is an extension.
        .route("/authorization/roles/{slug}", get(read::<OfRole>).patch(update::<OfRole>).delete(delete::<OfRole>))
        .route("/authorization/roles/{slug}/permissions", put(set_permissions::<OfRole>).post(add_permission::<OfRole>))
        // Not below `/authorization/roles`, where any name may be the slug of a role.
        .route("/authorization/role_priority", put(set_priority))
}

#[derive(Debug, Deserialize)]
struct OfRole {
    slug: String,
}

impl Locate for OfRole {
    fn find(&self, view: &View<'_>) -> Result<Item<facts::Role>, Error> {
        context::role(view, None, &self.slug).ok_or_else(|| Error::not_found("Role", &self.slug))
    }
}

async fn list(context: Context) -> Json<WholeList<shapes::Role>> {
    let snapshot = context.snapshot();
    roles::list(&snapshot.view(), None)
}

async fn create(context: Context, Body(role): Body<Described>) -> Result<impl IntoResponse, Error> {
    let mut findings = Findings::default();
    let slug = findings.required("slug", role.slug.as_deref(), MAX_SLUG);
    check_slug(&mut findings, slug, "-_");
    role.check(&mut findings);
    findings.done()?;
    let draft = |view: &View<'_>| {
        let draft = roles::draft(&role, view, slug, None)?;
        if view.graph().find_role(slug, None).is_some() {
            return Err(Error::conflict("role_slug_conflict", format!("There is a role '{slug}' already.")));
        }
        Ok(draft)
    };
    let name = context.store().create(context.environment(), draft).await?;
    Ok((StatusCode::CREATED, show_written(&context, &name)?))
}

#[derive(Debug, Deserialize)]
struct Priority {
    role_slugs: Option<Vec<String>>,
}

impl Priority {
    /// Puts the named roles first in this order; the others follow as they did.
    fn apply(&self, view: &View<'_>, environment: &mut EnvironmentSpec) -> Result<(), Error> {
        let Some(slugs) = &self.role_slugs else {
            return Err(Error::field("role_slugs", "role_slugs must be an array of role slugs"));
        };
        let mut order: Vec<String> = Vec::with_capacity(slugs.len());
        for slug in slugs {
            let role = context::role(view, None, slug).ok_or_else(|| Error::not_found("Role", slug))?;
            if order.iter().any(|name| *name == role.name) {
                return Err(Error::field("role_slugs", format!("role_slugs must name '{slug}' but once")));
            }
            order.push(role.name.to_string());
        }
        let others = environment.role_priority.iter().filter(|name| !order.contains(name)).cloned().collect::<Vec<_>>();
        order.extend(others);
        environment.role_priority = order;
        Ok(())
    }
}

/// An extension: the roles of the environment in their new order.
async fn set_priority(
    context: Context,
    Body(priority): Body<Priority>,
) -> Result<Json<WholeList<shapes::Role>>, Error> {
    environment::edit(&context, |view, environment| priority.apply(view, environment)).await?;
    Ok(list(context).await)
}
