//! Groups of an organization and their members.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{delete, get},
};
use serde::Deserialize;

use super::{
    Error,
    body::{Body, Findings, Path, Query, present},
    context::{self, Context},
    id::Prefix,
    list::{Page, PageParameters},
    shapes::{self, Group, OrganizationMembership},
};
use crate::{
    graph::facts::{self, Kind, Name, ObjectRef},
    server::Server,
    store::{
        Draft, Item, Naming, View, names,
        spec::{GroupSpec, MEMBERS_MAX, NameRef},
    },
};

const MAX_NAME: usize = 256;
const MAX_DESCRIPTION: usize = 150;
/// So many members can be added and removed with one request.
const MAX_CHANGES: usize = 100;

pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/organizations/{organization}/groups", get(list).post(create))
        .route("/organizations/{organization}/groups/{group}", get(read).patch(update).delete(remove))
        .route(
            "/organizations/{organization}/groups/{group}/organization-memberships",
            get(list_members).post(add_member).patch(change_members),
        )
        .route(
            "/organizations/{organization}/groups/{group}/organization-memberships/{membership}",
            delete(remove_member),
        )
}

#[derive(Debug, Deserialize)]
struct OfOrganization {
    organization: String,
}

#[derive(Debug, Deserialize)]
struct OfGroup {
    organization: String,
    group: String,
}

#[derive(Debug, Deserialize)]
struct OfMember {
    #[serde(flatten)]
    group: OfGroup,
    membership: String,
}

impl OfGroup {
    /// The group, if it is one of the organization (rule 52).
    fn find(&self, view: &View<'_>) -> Result<Item<facts::Group>, Error> {
        let organization = context::organization(view, &self.organization)?.item;
        context::group(view, &self.group)
            .ok()
            .filter(|group| group.fact.organization == organization.name)
            .ok_or_else(|| Error::not_found("Group", &self.group))
    }

    fn object(&self, context: &Context) -> Result<ObjectRef, Error> {
        self.find(&context.snapshot().view()).map(|group| object(&group.name))
    }
}

fn object(group: &Name) -> ObjectRef {
    ObjectRef { kind: Kind::Group, name: group.clone() }
}

fn show(context: &Context, group: &str) -> Result<Json<Group>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let shown = Group::of(&view, &context::group(&view, group)?);
    shown.map(Json).ok_or_else(|| Error::not_found("Group", group))
}

#[derive(Debug, Deserialize)]
struct ListGroups {
    search: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

async fn list(
    context: Context,
    Path(path): Path<OfOrganization>,
    Query(query): Query<ListGroups>,
) -> Result<Json<Page<Group>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let organization = context::organization(&view, &path.organization)?.item;
    let search = query.search.map(|search| (search.to_lowercase(), search));
    let is_wanted = |item: &Item<facts::Group>| {
        search.as_ref().is_none_or(|(part, id)| {
            shapes::display_name(item).to_lowercase().contains(part) || Prefix::Group.id(item.id).to_string() == *id
        })
    };
    let names = view.graph().groups_in(&organization.name);
    let get = |name: &Name| view.get(name).filter(is_wanted);
    query.page.page_of(&view, Prefix::Group, &names, get, |item| Group::of(&view, item)).map(Json)
}

async fn read(context: Context, Path(path): Path<OfGroup>) -> Result<Json<Group>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let shown = Group::of(&view, &path.find(&view)?);
    shown.map(Json).ok_or_else(|| Error::not_found("Group", &path.group))
}

#[derive(Debug, Deserialize)]
struct CreateGroup {
    name: Option<String>,
    description: Option<String>,
}

async fn create(
    context: Context,
    Path(path): Path<OfOrganization>,
    Body(body): Body<CreateGroup>,
) -> Result<(StatusCode, Json<Group>), Error> {
    let mut findings = Findings::default();
    let name = findings.required("name", body.name.as_deref(), MAX_NAME);
    let description = findings.optional("description", body.description.as_deref(), MAX_DESCRIPTION);
    findings.done()?;
    let created = context.store().create(context.environment(), |view| {
        let organization = context::organization(view, &path.organization)?.item.name.to_string();
        // Groups may have one name, also when they are made at the same time: another suffix at each try.
        let naming = Naming::After { called: name.to_owned(), identity: names::any_identity() };
        let spec = GroupSpec {
            organization_ref: NameRef { name: organization },
            members: Vec::new(),
            subgroups: Vec::new(),
            display_name: Some(name.to_owned()),
            description: description.map(str::to_owned),
        };
        Ok::<_, Error>(Draft::new(naming, spec))
    });
    Ok((StatusCode::CREATED, show(&context, &created.await?)?))
}

#[derive(Debug, Deserialize)]
struct UpdateGroup {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
}

async fn update(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(body): Body<UpdateGroup>,
) -> Result<Json<Group>, Error> {
    let mut findings = Findings::default();
    let name = body.name.as_deref().map(|name| findings.required("name", Some(name), MAX_NAME));
    let description = body.description.as_ref().map(Option::as_deref);
    findings.optional("description", description.flatten(), MAX_DESCRIPTION);
    findings.done()?;
    let group = path.object(&context)?;
    let change = |_: &View<'_>, spec: &mut GroupSpec| {
        if let Some(name) = name {
            spec.display_name = Some(name.to_owned());
        }
        if let Some(description) = description {
            spec.description = description.map(str::to_owned);
        }
        Ok(())
    };
    context.edit(&group, change).await?;
    show(&context, &group.name)
}

async fn remove(context: Context, Path(path): Path<OfGroup>) -> Result<StatusCode, Error> {
    let group = path.object(&context)?;
    context.store().delete(context.environment(), &group).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct ListMembers {
    #[serde(flatten)]
    page: PageParameters,
}

async fn list_members(
    context: Context,
    Path(path): Path<OfGroup>,
    Query(query): Query<ListMembers>,
) -> Result<Json<Page<OrganizationMembership>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let group = path.find(&view)?;
    let is_of_organization =
        |member: &Item<facts::OrganizationMembership>| member.fact.organization == group.fact.organization;
    let get = |name: &Name| view.get(name).filter(is_of_organization);
    let show = |item: &Item<_>| OrganizationMembership::without_roles(&view, item);
    query.page.page_of(&view, Prefix::OrganizationMembership, &group.fact.members, get, show).map(Json)
}

#[derive(Debug, Deserialize)]
struct AddMember {
    organization_membership_id: Option<String>,
}

async fn add_member(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(body): Body<AddMember>,
) -> Result<Json<Group>, Error> {
    let field = "organization_membership_id";
    let membership = body.organization_membership_id.as_deref().unwrap_or_default();
    if membership.is_empty() {
        return Err(Error::field(field, format!("{field} should not be empty")));
    }
    let group = path.object(&context)?;
    let changes = Changes { field, add: &[membership], remove: &[] };
    changes.make(&context, &group).await?;
    show(&context, &group.name)
}

#[derive(Debug, Deserialize)]
struct ChangeMembers {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

async fn change_members(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(body): Body<ChangeMembers>,
) -> Result<StatusCode, Error> {
    let [add, remove] = [&body.add, &body.remove].map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
    if !(1..=MAX_CHANGES).contains(&(add.len() + remove.len())) {
        return Err(Error::field("add", format!("add and remove must have 1 to {MAX_CHANGES} items together")));
    }
    let group = path.object(&context)?;
    let changes = Changes { field: "add", add: &add, remove: &remove };
    changes.make(&context, &group).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Members that are to be added and removed, all at once (rules 49, 51).
#[derive(Clone, Copy, Debug)]
struct Changes<'a> {
    /// Where those to be added stand.
    field: &'static str,
    add: &'a [&'a str],
    remove: &'a [&'a str],
}

impl Changes<'_> {
    async fn make(self, context: &Context, group: &ObjectRef) -> Result<(), Error> {
        context.edit(group, |view: &View<'_>, group: &mut GroupSpec| self.apply(view, group)).await
    }

    fn apply(self, view: &View<'_>, group: &mut GroupSpec) -> Result<(), Error> {
        let mut add = Vec::with_capacity(self.add.len());
        for membership in self.add {
            let membership = context::membership(view, membership)?;
            if membership.fact.organization != group.organization_ref.name {
                let id = Prefix::OrganizationMembership.id(membership.id);
                let problem = format!("{} must be of the organization of the group, unlike '{id}'", self.field);
                return Err(Error::field(self.field, problem));
            }
            add.push(membership.name.to_string());
        }
        let remove: BTreeSet<String> = self.remove.iter().map(|text| member_name(view, text)).collect();
        if let Some(both) = add.iter().find(|name| remove.contains(*name)) {
            return Err(Error::field("remove", format!("remove must not name what add names: '{both}'")));
        }
        group.members.retain(|member| !remove.contains(member));
        let mut members: BTreeSet<String> = group.members.iter().cloned().collect();
        group.members.extend(add.into_iter().filter(|name| members.insert(name.clone())));
        if group.members.len() > MEMBERS_MAX {
            return Err(Error::coded(
                StatusCode::BAD_REQUEST,
                "group_membership_limit_exceeded",
                format!("A group has {MEMBERS_MAX} members at the most."),
            ));
        }
        Ok(())
    }
}

/// The name by which a group lists a membership, which need not be there any more.
fn member_name(view: &View<'_>, text: &str) -> String {
    let declared = context::find::<facts::OrganizationMembership>(view, Prefix::OrganizationMembership, text);
    declared.map_or_else(|| text.to_owned(), |membership| membership.name.to_string())
}

async fn remove_member(context: Context, Path(path): Path<OfMember>) -> Result<StatusCode, Error> {
    let group = path.group.object(&context)?;
    let change = |view: &View<'_>, group: &mut GroupSpec| {
        let (before, name) = (group.members.len(), member_name(view, &path.membership));
        group.members.retain(|member| *member != name);
        if group.members.len() == before {
            return Err(Error::not_found("Organization membership", &path.membership));
        }
        Ok(())
    };
    context.edit(&group, change).await?;
    Ok(StatusCode::NO_CONTENT)
}
