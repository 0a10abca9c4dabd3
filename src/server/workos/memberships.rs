//! Organization memberships: the subjects of every check.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, put},
};
use serde::Deserialize;

use super::{
    Error,
    body::{Body, Findings, Path, Query, present},
    context::{self, Context},
    environment,
    id::Prefix,
    list::{Page, PageParameters},
    shapes::{Group, OrganizationMembership},
};
use crate::{
    graph::facts::{self, Kind, Name, ORGANIZATION, ObjectRef},
    server::Server,
    store::{
        Draft, Item, Naming, Planned, View, names,
        spec::{NameRef, OrganizationMembershipSpec, User},
    },
};

const MAX_USER_ID: usize = 253;
/// The longest address that mail can be sent to.
const MAX_EMAIL: usize = 254;
const MAX_USER_NAME: usize = 256;
const MAX_ROLES: usize = 64;

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/user_management/organization_memberships", get(list).post(create))
        .route("/user_management/organization_memberships/{membership}", get(read).put(update).delete(delete))
        .route("/user_management/organization_memberships/{membership}/deactivate", put(deactivate))
        .route("/user_management/organization_memberships/{membership}/reactivate", put(reactivate))
        .route("/user_management/organization_memberships/{membership}/groups", get(list_groups))
}

#[derive(Debug, Deserialize)]
struct OfMembership {
    membership: String,
}

#[derive(Debug, Deserialize)]
struct ListMemberships {
    organization_id: Option<String>,
    user_id: Option<String>,
    statuses: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

/// Which memberships are wanted.
#[derive(Clone, Copy, Debug)]
struct Statuses {
    active: bool,
    inactive: bool,
}

impl Statuses {
    fn read(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text else { return Ok(Self { active: true, inactive: false }) };
        let mut statuses = Self { active: false, inactive: false };
        for status in text.split(',') {
            match status {
                "active" => statuses.active = true,
                "inactive" => statuses.inactive = true,
                // Nobody is invited here, so that none is pending.
                "pending" => {}
                _ => {
                    return Err(Error::field(
                        "statuses",
                        "each value in statuses must be one of active, inactive, pending",
                    ));
                }
            }
        }
        Ok(statuses)
    }

    fn include(self, membership: &facts::OrganizationMembership) -> bool {
        if membership.suspended { self.inactive } else { self.active }
    }
}

async fn list(
    context: Context,
    Query(query): Query<ListMemberships>,
) -> Result<Json<Page<OrganizationMembership>>, Error> {
    let statuses = Statuses::read(query.statuses.as_deref())?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let organization = match &query.organization_id {
        Some(organization) => Some(context::organization(&view, organization)?.item.name),
        None => None,
    };
    let names = match (&organization, &query.user_id) {
        (_, Some(user)) => view.graph().memberships_of_user(user),
        (Some(organization), None) => view.graph().memberships_in(organization),
        (None, None) => {
            return Err(Error::coded(
                StatusCode::BAD_REQUEST,
                "missing_user_id_or_organization_id",
                "Either user_id or organization_id must be given.",
            ));
        }
    };
    let is_wanted = |membership: &Item<facts::OrganizationMembership>| {
        statuses.include(&membership.fact)
            && organization.as_ref().is_none_or(|organization| membership.fact.organization == *organization)
    };
    let get = |name: &Name| context::membership(&view, name).ok().filter(is_wanted);
    let show = |item: &Item<_>| OrganizationMembership::of(&view, item);
    query.page.page_of(&view, Prefix::OrganizationMembership, &names, get, show).map(Json)
}

async fn read(context: Context, Path(path): Path<OfMembership>) -> Result<Json<OrganizationMembership>, Error> {
    show(&context, &path.membership)
}

/// The roles that a body gives: one or several.
#[derive(Debug, Default, Deserialize)]
struct RoleSlugs {
    role_slug: Option<String>,
    role_slugs: Option<Vec<String>>,
}

impl RoleSlugs {
    /// None: the body gives none.
    fn read(self, findings: &mut Findings) -> Option<Vec<String>> {
        match (self.role_slug, self.role_slugs) {
            (None, None) => None,
            (Some(slug), None) => Some(vec![slug]),
            (None, Some(slugs)) => {
                if slugs.is_empty() || slugs.len() > MAX_ROLES {
                    findings.add("role_slugs", format!("role_slugs must have 1 to {MAX_ROLES} items"));
                }
                Some(slugs)
            }
            (Some(_), Some(_)) => {
                findings.add("role_slugs", "role_slugs should not be given beside role_slug");
                None
            }
        }
    }
}

/// An extension: what the membership embeds of its user. A field that is null is cleared.
#[derive(Debug, Default, Deserialize)]
struct Profile {
    #[serde(default, deserialize_with = "present")]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    first_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    last_name: Option<Option<String>>,
}

impl Profile {
    fn check(&self, findings: &mut Findings) {
        let Self { email, first_name, last_name } = self;
        let given = |text: &'_ Option<Option<String>>| text.clone().flatten();
        if let Some(email) = given(email) {
            findings.required("user.email", Some(&email), MAX_EMAIL);
            if !email.is_empty()
                && !email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
            {
                findings.add("user.email", "user.email must be an email address");
            }
        }
        for (field, name) in [("user.first_name", first_name), ("user.last_name", last_name)] {
            if let Some(name) = given(name) {
                findings.required(field, Some(&name), MAX_USER_NAME);
            }
        }
    }

    fn enter(&self, user: &mut User) {
        let Self { email, first_name, last_name } = self;
        let User { id: _, email: its_email, first_name: its_first_name, last_name: its_last_name } = user;
        for (given, now) in [(email, its_email), (first_name, its_first_name), (last_name, its_last_name)] {
            if let Some(given) = given {
                now.clone_from(given);
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct CreateMembership {
    user_id: Option<String>,
    organization_id: Option<String>,
    #[serde(flatten)]
    roles: RoleSlugs,
    user: Option<Profile>,
}

async fn create(
    context: Context,
    Body(body): Body<CreateMembership>,
) -> Result<(StatusCode, Json<OrganizationMembership>), Error> {
    let mut findings = Findings::default();
    let user_id = findings.required("user_id", body.user_id.as_deref(), MAX_USER_ID);
    let organization_id = body.organization_id.as_deref().unwrap_or_default();
    if organization_id.is_empty() {
        findings.add("organization_id", "organization_id should not be empty");
    }
    let slugs = body.roles.read(&mut findings);
    let profile = body.user.unwrap_or_default();
    profile.check(&mut findings);
    findings.done()?;
    context::organization(&context.snapshot().view(), organization_id)?;

    environment::seed_default_role(&context).await?;
    let created = context.store().create(context.environment(), |view| {
        let organization = context::organization(view, organization_id)?.item;
        if let Some(existing) = membership_of(view, &organization.name, user_id) {
            return Err(Rejoining::There(Box::new(existing)));
        }
        let role_refs = match &slugs {
            Some(slugs) => organization_roles(view, &organization.name, slugs)?,
            None => Vec::new(),
        };
        let mut user = User { id: user_id.to_owned(), email: None, first_name: None, last_name: None };
        profile.enter(&mut user);
        let spec = OrganizationMembershipSpec {
            organization_ref: NameRef { name: organization.name.to_string() },
            user,
            role_refs,
            suspended: false,
            directory_groups: Vec::new(),
            sso_groups: Vec::new(),
        };
        let naming = Naming::After {
            called: names::joined(&[user_id, &organization.name]).to_string(),
            identity: format!("{}/{user_id}", organization.name),
        };
        Ok(Draft::new(naming, spec))
    });
    let membership = match created.await {
        Ok(created) => created,
        Err(Rejoining::There(existing)) => rejoin(&context, &existing, slugs.as_deref(), &profile).await?,
        Err(Rejoining::Failed(error)) => return Err(error),
    };
    Ok((StatusCode::CREATED, show(&context, &membership)?))
}

/// Why a membership is not created.
#[derive(Debug)]
enum Rejoining {
    /// The user has one in the organization.
    There(Box<Item<facts::OrganizationMembership>>),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Rejoining {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The membership of a user in an organization; the active one, should there be several.
fn membership_of(view: &View<'_>, organization: &str, user: &str) -> Option<Item<facts::OrganizationMembership>> {
    let names = view.graph().memberships_of_user(user);
    let memberships = names.iter().filter_map(|name| view.get::<facts::OrganizationMembership>(name));
    let here = memberships.filter(|membership| membership.fact.organization == organization);
    here.min_by_key(|membership| membership.fact.suspended)
}

/// Activates an inactive membership as if it were created, but that it keeps its assignments on other resources.
async fn rejoin(
    context: &Context,
    existing: &Item<facts::OrganizationMembership>,
    slugs: Option<&[String]>,
    profile: &Profile,
) -> Result<Name, Error> {
    let is_member = || {
        let id = Prefix::OrganizationMembership.id(existing.id);
        let message = format!("The user is a member of the organization already: '{id}'.");
        Error::conflict("organization_membership_already_exists", message)
    };
    if !existing.fact.suspended {
        return Err(is_member());
    }
    let roles = |view: &View<'_>| match slugs {
        Some(slugs) => organization_roles(view, &existing.fact.organization, slugs),
        None => Ok(Vec::new()),
    };
    roles(&context.snapshot().view())?;
    // As long as nothing of it counts.
    drop_assignments_on_organization(context, &existing.name).await?;
    let change = |view: &View<'_>, spec: &mut OrganizationMembershipSpec| {
        if !spec.suspended {
            return Err(is_member());
        }
        spec.suspended = false;
        spec.role_refs = roles(view)?;
        profile.enter(&mut spec.user);
        Ok(())
    };
    context.edit(&object(&existing.name), change).await?;
    Ok(existing.name.clone())
}

#[derive(Debug, Deserialize)]
struct UpdateMembership {
    #[serde(flatten)]
    roles: RoleSlugs,
    user: Option<Profile>,
}

async fn update(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(body): Body<UpdateMembership>,
) -> Result<Json<OrganizationMembership>, Error> {
    let mut findings = Findings::default();
    let slugs = body.roles.read(&mut findings);
    let profile = body.user.unwrap_or_default();
    profile.check(&mut findings);
    findings.done()?;
    let membership = find(&context, &path.membership)?;
    let change = |view: &View<'_>, spec: &mut OrganizationMembershipSpec| {
        if let Some(slugs) = &slugs {
            spec.role_refs = organization_roles(view, &spec.organization_ref.name, slugs)?;
        }
        profile.enter(&mut spec.user);
        Ok(())
    };
    context.edit(&object(&membership.name), change).await?;
    if slugs.is_some() {
        drop_assignments_on_organization(&context, &membership.name).await?;
    }
    show(&context, &membership.name)
}

/// Deletes the assignments of its own that a membership has on its organization: its roles there have been set anew, as a whole
/// (rule 36).
async fn drop_assignments_on_organization(context: &Context, membership: &Name) -> Result<(), Error> {
    let plan = |view: &View<'_>| {
        let Some(membership) = view.get::<facts::OrganizationMembership>(membership) else { return Ok(Vec::new()) };
        let organization = &membership.fact.organization;
        let assignments = view.graph().own_assignments_of_membership(&membership.name).into_iter().filter(|name| {
            let assignment = view.get::<facts::MembershipRoleAssignment>(name);
            assignment.is_some_and(|it| it.fact.resource.as_ref().is_none_or(|resource| resource == organization))
        });
        let object = |name| ObjectRef { kind: Kind::MembershipRoleAssignment, name };
        Ok(assignments.map(|name| Planned::Delete(object(name))).collect())
    };
    if plan(&context.snapshot().view()).is_ok_and(|planned: Vec<_>| planned.is_empty()) {
        return Ok(());
    }
    context.store().write_together::<Error>(context.environment(), plan).await.map(drop)
}

async fn delete(context: Context, Path(path): Path<OfMembership>) -> Result<StatusCode, Error> {
    let membership = find(&context, &path.membership)?;
    context.store().delete(context.environment(), &object(&membership.name)).await?;
    Ok(StatusCode::OK)
}

async fn deactivate(context: Context, Path(path): Path<OfMembership>) -> Result<Json<OrganizationMembership>, Error> {
    suspend(&context, &path.membership, true).await
}

async fn reactivate(context: Context, Path(path): Path<OfMembership>) -> Result<Json<OrganizationMembership>, Error> {
    suspend(&context, &path.membership, false).await
}

/// Takes the effect of all grants of a membership, or gives it back (rule 13).
async fn suspend(context: &Context, membership: &str, suspended: bool) -> Result<Json<OrganizationMembership>, Error> {
    let membership = find(context, membership)?;
    let change = |_: &View<'_>, spec: &mut OrganizationMembershipSpec| {
        spec.suspended = suspended;
        Ok(())
    };
    context.edit(&object(&membership.name), change).await?;
    show(context, &membership.name)
}

#[derive(Debug, Deserialize)]
struct ListGroups {
    #[serde(flatten)]
    page: PageParameters,
}

async fn list_groups(
    context: Context,
    Path(path): Path<OfMembership>,
    Query(query): Query<ListGroups>,
) -> Result<Json<Page<Group>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.membership)?;
    let names = view.graph().groups_listing(&membership.name);
    let is_of_organization = |group: &Item<facts::Group>| group.fact.organization == membership.fact.organization;
    let get = |name: &Name| context::group(&view, name).ok().filter(is_of_organization);
    query.page.page_of(&view, Prefix::Group, &names, get, |item| Group::of(&view, item)).map(Json)
}

fn object(membership: &Name) -> ObjectRef {
    ObjectRef { kind: Kind::OrganizationMembership, name: membership.clone() }
}

fn find(context: &Context, membership: &str) -> Result<Item<facts::OrganizationMembership>, Error> {
    context::membership(&context.snapshot().view(), membership)
}

fn show(context: &Context, membership: &str) -> Result<Json<OrganizationMembership>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let shown = OrganizationMembership::of(&view, &context::membership(&view, membership)?);
    shown.map(Json).ok_or_else(|| Error::not_found("Organization membership", membership))
}

/// The roles of these slugs, as a membership has them on its organization (rules 28, 36).
fn organization_roles(view: &View<'_>, organization: &str, slugs: &[String]) -> Result<Vec<NameRef>, Error> {
    let mut names = BTreeSet::new();
    let mut roles = Vec::with_capacity(slugs.len());
    for slug in slugs {
        let role = organization_role(view, Some(organization), slug)?;
        if names.insert(role.name.clone()) {
            roles.push(NameRef { name: role.name.to_string() });
        }
    }
    if roles.len() > 1 && !view.graph().allows_multiple_roles() {
        return Err(Error::coded(
            StatusCode::UNPROCESSABLE_ENTITY,
            "multiple_roles_not_enabled",
            "Multiple roles are not enabled in this environment: give one role, or set multiple_roles at \
             /authorization/environment.",
        ));
    }
    Ok(roles)
}

/// The role of a slug that can be had on an organization; without one, on any organization of the environment.
pub fn organization_role(view: &View<'_>, organization: Option<&str>, slug: &str) -> Result<Item<facts::Role>, Error> {
    let role = context::role(view, organization, slug).ok_or_else(|| Error::invalid_role(slug))?;
    if role.fact.resource_type == ORGANIZATION {
        return Ok(role);
    }
    Err(Error::Role {
        code: "sub_resource_scoped_role_not_allowed",
        message: format!(
            "Role '{slug}' is for resources of type '{}': give a role of type '{ORGANIZATION}', or assign it on such a resource.",
            role.fact.resource_type
        ),
        role_slug: slug.to_owned(),
    })
}
