//! Roles: those that every organization of the environment may use, and those of one organization alone.

mod environment;
mod organization;

use std::sync::Arc;

use axum::{Json, Router, http::StatusCode};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Error,
    body::{Body, Findings, Path},
    context::Context,
    described::{Described, Rewording, undeclared_type},
    list::WholeList,
    shapes,
    terms::is_over,
};
use crate::{
    graph::facts::{self, Kind, Name, ObjectRef},
    server::Server,
    store::{
        Draft, Item, Naming, Planned, View,
        spec::{NameRef, RoleSpec},
    },
};

pub fn routes() -> Router<Arc<Server>> {
    environment::routes().merge(organization::routes())
}

/// A role of that slug, of the environment or of one organization.
///
/// # Errors
/// 404 where there is no such type: an environment that declares none takes any.
fn draft(described: &Described, view: &View<'_>, slug: &str, organization: Option<&Name>) -> Result<Draft, Error> {
    let resource_type = described.resource_type();
    if view.graph().declares_types() && !view.graph().is_known_type(resource_type) {
        return Err(undeclared_type(resource_type));
    }
    let spec = RoleSpec {
        slug: Some(slug.to_owned()),
        resource_type: resource_type.to_owned(),
        permissions: Vec::new(),
        organization_ref: organization.map(|name| NameRef { name: name.to_string() }),
        display_name: described.name.clone(),
        description: described.description.clone(),
    };
    let identity = format!("{}/{slug}", organization.map_or("", Name::as_str));
    Ok(Draft::new(Naming::After { called: slug.to_owned(), identity }, spec))
}

/// The permissions that a role is to have.
#[derive(Debug, Deserialize)]
pub struct PermissionSet {
    permissions: Option<Vec<String>>,
}

impl PermissionSet {
    /// Gives a role these permissions and no others (rule 64).
    ///
    /// # Errors
    /// 404 where one of them does not exist.
    pub fn replace(&self, view: &View<'_>, role: &mut RoleSpec) -> Result<(), Error> {
        let Some(given) = &self.permissions else {
            return Err(Error::field("permissions", "permissions must be an array of permission slugs"));
        };
        let mut permissions: Vec<String> = Vec::with_capacity(given.len());
        for slug in given {
            check_permission(view, role, slug)?;
            if !permissions.contains(slug) {
                permissions.push(slug.clone());
            }
        }
        role.permissions = permissions;
        Ok(())
    }
}

/// A permission that a role is to have besides.
#[derive(Debug, Deserialize)]
pub struct PermissionSlug {
    slug: Option<String>,
}

impl PermissionSlug {
    /// Gives a role this permission too (rule 64).
    ///
    /// # Errors
    /// 404 where it does not exist.
    pub fn add(&self, view: &View<'_>, role: &mut RoleSpec) -> Result<(), Error> {
        let mut findings = Findings::default();
        // What is too long does not exist.
        let slug = findings.required("slug", self.slug.as_deref(), usize::MAX);
        findings.done()?;
        check_permission(view, role, slug)?;
        if !role.permissions.iter().any(|permission| permission == slug) {
            role.permissions.push(slug.to_owned());
        }
        Ok(())
    }
}

/// Whether a permission exists: some type declares it, or the role has it already by its manifest. That it is declared on a type
/// that fits the role's is seen to by the review of the write.
fn check_permission(view: &View<'_>, role: &RoleSpec, slug: &str) -> Result<(), Error> {
    let exists = !view.graph().declared_on(slug).is_empty() || role.permissions.iter().any(|had| had == slug);
    if exists { Ok(()) } else { Err(Error::not_found("Permission", slug)) }
}

/// A path that names a role.
trait Locate: DeserializeOwned + Send + Sync + 'static {
    /// The role.
    ///
    /// # Errors
    /// 404 where there is none.
    fn find(&self, view: &View<'_>) -> Result<Item<facts::Role>, Error>;

    /// The same where it is to be changed.
    ///
    /// # Errors
    /// 400 where it cannot be changed under this path.
    fn find_own(&self, view: &View<'_>) -> Result<Item<facts::Role>, Error> {
        self.find(view)
    }
}

/// The roles that an organization may use, or without one those of the environment.
fn list(view: &View<'_>, organization: Option<&str>) -> Json<WholeList<shapes::Role>> {
    let names = view.graph().roles_in_priority_order(organization);
    let roles = names.iter().filter_map(|name| view.get::<facts::Role>(name));
    Json(roles.map(|role| (&role).into()).collect::<Vec<_>>().into())
}

async fn read<P: Locate>(context: Context, Path(path): Path<P>) -> Result<Json<shapes::Role>, Error> {
    let snapshot = context.snapshot();
    let role = path.find(&snapshot.view())?;
    Ok(Json((&role).into()))
}

/// A role that was just written.
fn show_written(context: &Context, name: &Name) -> Result<Json<shapes::Role>, Error> {
    let snapshot = context.snapshot();
    let role = snapshot.view().get::<facts::Role>(name).ok_or_else(|| Error::not_found("Role", name.as_str()))?;
    Ok(Json((&role).into()))
}

async fn update<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Body(rewording): Body<Rewording>,
) -> Result<Json<shapes::Role>, Error> {
    rewording.check()?;
    let change = |_: &View<'_>, role: &mut RoleSpec| {
        rewording.apply(&mut role.display_name, &mut role.description);
        Ok(())
    };
    edit(&context, &path, change).await
}

async fn set_permissions<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Body(permissions): Body<PermissionSet>,
) -> Result<Json<shapes::Role>, Error> {
    edit(&context, &path, |view, role| permissions.replace(view, role)).await
}

async fn add_permission<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Body(permission): Body<PermissionSlug>,
) -> Result<Json<shapes::Role>, Error> {
    edit(&context, &path, |view, role| permission.add(view, role)).await
}

/// Changes a role, and shows it.
async fn edit(
    context: &Context,
    path: &impl Locate,
    change: impl Fn(&View<'_>, &mut RoleSpec) -> Result<(), Error> + Send,
) -> Result<Json<shapes::Role>, Error> {
    let name = {
        let snapshot = context.snapshot();
        path.find_own(&snapshot.view())?.name
    };
    let object = ObjectRef { kind: Kind::Role, name };
    context.edit(&object, change).await?;
    show_written(context, &object.name)
}

async fn delete<P: Locate>(context: Context, Path(path): Path<P>) -> Result<StatusCode, Error> {
    let plan = |view: &View<'_>| {
        let role = path.find_own(view)?;
        check_unused(view, &role)?;
        Ok::<_, Error>(vec![Planned::Delete(ObjectRef { kind: Kind::Role, name: role.name })])
    };
    context.store().write_together(context.environment(), plan).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_unused(view: &View<'_>, role: &Item<facts::Role>) -> Result<(), Error> {
    let slug = &role.fact.slug;
    let refused = |code, sentence: String| Err(Error::conflict(code, sentence));
    let uses = view.graph().uses_of_role(&role.name);
    if uses.is_default {
        return refused("role_is_default", format!("Role '{slug}' is the default role: make another one that first."));
    }
    if uses.role_mappings > 0 {
        return refused(
            "role_has_group_role_mappings",
            format!("Groups of the identity provider are mapped to role '{slug}': remove these mappings first."),
        );
    }
    let is_assigned = uses.memberships > 0
        || uses.membership_assignments > 0 && {
            let mut all = view.all::<facts::MembershipRoleAssignment>();
            all.any(|item| item.fact.role == role.name && !is_over(item.fact.expires_at))
        }
        || uses.group_assignments > 0 && {
            let mut all = view.all::<facts::GroupRoleAssignment>();
            all.any(|item| item.fact.role == role.name && !is_over(item.fact.expires_at))
        };
    if is_assigned {
        return refused("role_has_assignments", format!("Role '{slug}' is assigned: remove its assignments first."));
    }
    Ok(())
}
