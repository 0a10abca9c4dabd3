//! The roles of an organization: its own, and those of the environment, which it may use but not change (rules 66, 67).

use std::sync::Arc;

use axum::{
    Json, Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{delete as deleting, get, put},
};
use rand::Rng as _;
use serde::Deserialize;
use ulid::Ulid;

use super::{Locate, add_permission, delete, edit, read, set_permissions, show_written, update};
use crate::{
    graph::facts,
    server::{
        Server,
        workos::{
            Error,
            body::{Body, Findings, Path},
            context::{self, Context},
            described::{Described, MAX_SLUG, check_slug},
            list::WholeList,
            roles, shapes,
        },
    },
    store::{Item, View, spec::RoleSpec},
};

/// How slugs of an organization's roles begin where callers choose them.
const PREFIX: &str = "org-";

/// How many characters at the end tell a slug that is made of a name from others made of the same.
const SUFFIX_LENGTH: usize = 6;

pub fn routes() -> Router<Arc<Server>> {
    let roles = "/authorization/organizations/{organization}/roles";
    Router::new()
        .route(roles, get(list).post(create))
        .route(&format!("{roles}/{{slug}}"), get(read::<OfRole>).patch(update::<OfRole>).delete(delete::<OfRole>))
        .route(&format!("{roles}/{{slug}}/permissions"), put(set_permissions::<OfRole>).post(add_permission::<OfRole>))
        .route(&format!("{roles}/{{slug}}/permissions/{{permission}}"), deleting(remove_permission))
}

#[derive(Debug, Deserialize)]
struct OfOrganization {
    organization: String,
}

#[derive(Debug, Deserialize)]
struct OfRole {
    organization: String,
    slug: String,
}

impl Locate for OfRole {
    fn find(&self, view: &View<'_>) -> Result<Item<facts::Role>, Error> {
        let organization = context::organization(view, &self.organization)?.organization;
        context::role(view, Some(&organization), &self.slug).ok_or_else(|| Error::not_found("Role", &self.slug))
    }

    /// What is of the environment is not changed here (rule 67).
    fn find_own(&self, view: &View<'_>) -> Result<Item<facts::Role>, Error> {
        let role = self.find(view)?;
        if role.fact.organization.is_none() {
            let sentence = format!("Role '{}' is of the environment: change it there.", self.slug);
            return Err(Error::coded(StatusCode::BAD_REQUEST, "bad_request", sentence));
        }
        Ok(role)
    }
}

#[derive(Debug, Deserialize)]
struct OfPermission {
    #[serde(flatten)]
    role: OfRole,
    permission: String,
}

async fn list(context: Context, Path(path): Path<OfOrganization>) -> Result<Json<WholeList<shapes::Role>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let organization = context::organization(&view, &path.organization)?.organization;
    Ok(roles::list(&view, Some(&organization)))
}

async fn create(
    context: Context,
    Path(path): Path<OfOrganization>,
    Body(role): Body<Described>,
) -> Result<impl IntoResponse, Error> {
    let mut findings = Findings::default();
    role.check(&mut findings);
    if let Some(slug) = role.slug.as_deref() {
        findings.required("slug", Some(slug), MAX_SLUG);
        check_slug(&mut findings, slug, "-_");
        check_form(&mut findings, slug);
    }
    findings.done()?;
    let slug = role.slug.clone().unwrap_or_else(|| slug_of(role.name.as_deref().unwrap_or_default()));
    let draft = |view: &View<'_>| {
        let organization = context::organization(view, &path.organization)?.organization;
        let draft = roles::draft(&role, view, &slug, Some(&organization))?;
        let namesake =
            view.graph().find_role(&slug, Some(&organization)).and_then(|name| view.get::<facts::Role>(&name));
        // One of the environment gives way to it (rule 28).
        if namesake.is_some_and(|namesake| namesake.fact.organization.is_some()) {
            let sentence = format!("There is a role '{slug}' of the organization already.");
            return Err(Error::conflict("organization_role_slug_conflict", sentence));
        }
        Ok(draft)
    };
    let name = context.store().create(context.environment(), draft).await?;
    Ok((StatusCode::CREATED, show_written(&context, &name)?))
}

const fn is_separator(letter: char) -> bool {
    matches!(letter, '-' | '_')
}

/// Notes if a given slug does not begin as it must, or has separators where none may be.
fn check_form(findings: &mut Findings, slug: &str) {
    if !slug.starts_with(PREFIX) {
        findings.add("slug", format!("slug must begin with `{PREFIX}`"));
    }
    // A leading separator is no beginning with the prefix.
    let doubled = slug.as_bytes().windows(2).any(|pair| pair.iter().all(|&letter| is_separator(letter.into())));
    if doubled || slug.ends_with(is_separator) {
        findings.add("slug", "slug must not end with `-` or `_`, nor have two of them in a row");
    }
}

/// A slug for a role of that name, which nothing else has.
fn slug_of(name: &str) -> String {
    let mut slug = String::with_capacity(MAX_SLUG);
    for letter in name.chars() {
        let separator = is_separator(letter) || letter.is_whitespace();
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if separator && !slug.is_empty() && !slug.ends_with(is_separator) {
            slug.push(if letter == '_' { '_' } else { '-' });
        }
    }
    slug.truncate(MAX_SLUG - SUFFIX_LENGTH - 1);
    let base = slug.trim_end_matches(is_separator);
    let base = if base.is_empty() { "role" } else { base };
    let id = Ulid(rand::rng().random()).to_string().to_ascii_lowercase();
    format!("{base}-{}", &id[id.len() - SUFFIX_LENGTH..])
}

async fn remove_permission(
    context: Context,
    Path(OfPermission { role: path, permission }): Path<OfPermission>,
) -> Result<Json<shapes::Role>, Error> {
    let change = |_: &View<'_>, role: &mut RoleSpec| {
        let Some(index) = role.permissions.iter().position(|had| *had == permission) else {
            return Err(Error::not_found("Permission", &permission));
        };
        role.permissions.remove(index);
        Ok(())
    };
    edit(&context, &path, change).await
}
