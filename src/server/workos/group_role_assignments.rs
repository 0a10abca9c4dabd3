//! The roles of groups on resources.

use std::{collections::HashSet, sync::Arc};

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use serde::Deserialize;

use super::{
    Error,
    body::{Body, Findings, Path, Query},
    context::{self, Context},
    id::Prefix,
    list::{Page, PageParameters, Row, place_in},
    shapes,
    terms::{Found, Terms, Wanted, end, is_over},
};
use crate::{
    graph::facts::{self, Kind, Name, ObjectRef, Timestamp},
    server::Server,
    store::{
        self, Draft, Item, Naming, Planned, View, names,
        spec::{GroupRoleAssignmentSpec, NameRef},
    },
};

/// So many assignments can be written at a time.
const MAX_ENTRIES: usize = 100;

pub fn routes() -> Router<Arc<Server>> {
    let assignments = "/authorization/groups/{group}/role_assignments";
    Router::new()
        .route(assignments, get(list).post(create).put(replace).patch(patch).delete(delete_matching))
        .route(&format!("{assignments}/{{assignment}}"), get(show).delete(delete))
}

#[derive(Debug, Deserialize)]
struct OfGroup {
    group: String,
}

#[derive(Debug, Deserialize)]
struct OfAssignment {
    group: String,
    assignment: String,
}

/// A group and its assignments, ended ones too.
struct Group {
    item: Item<facts::Group>,
    assignments: Vec<Assignment>,
}

struct Assignment {
    item: Item<facts::GroupRoleAssignment>,
    /// The name of the resource that it is on.
    resource: Name,
}

impl Group {
    fn find(view: &View<'_>, text: &str) -> Result<Self, Error> {
        let item = context::group(view, text)?;
        let names = view.graph().assignments_of_group(&item.name);
        // WorkOS knows no conditions: what depends on one is neither shown nor changed here.
        let items = names.iter().filter_map(|name| view.get::<facts::GroupRoleAssignment>(name));
        let items = items.filter(|item| item.fact.condition.is_none());
        let mut assignments: Vec<_> = items
            .map(|assignment| {
                let resource = assignment.fact.resource.clone().unwrap_or_else(|| item.fact.organization.clone());
                Assignment { item: assignment, resource }
            })
            .collect();
        assignments.sort_by_key(|assignment| assignment.item.place());
        Ok(Self { item, assignments })
    }

    /// Those that give that role on that resource, the oldest first.
    fn matching<'a>(&'a self, found: &'a Found) -> impl Iterator<Item = &'a Assignment> {
        self.assignments.iter().filter(|assignment| found.is(&assignment.item.fact.role, &assignment.resource))
    }

    /// The one of those that has not ended; of several, the one that ends then, or else the oldest.
    fn live<'a>(&'a self, found: &'a Found, expires_at: Option<Timestamp>) -> Option<&'a Assignment> {
        let live = self.matching(found).filter(|assignment| assignment.is_live());
        live.min_by_key(|assignment| assignment.item.fact.expires_at != expires_at)
    }

    /// Those that have not ended and whose role and resource there are.
    fn shown<'a>(&'a self, view: &'a View<'_>) -> impl Iterator<Item = &'a Assignment> {
        self.assignments.iter().filter(|assignment| assignment.is_shown(view, &self.item.fact.organization))
    }

    /// One that gives that role on that resource.
    fn new_assignment(&self, found: &Found, expires_at: Option<Timestamp>) -> Planned {
        let (group, role, resource) = (&self.item.name, &found.role.name, &found.resource.item.name);
        let reference = |name: &Name| NameRef { name: name.to_string() };
        let spec = GroupRoleAssignmentSpec {
            group_ref: reference(group),
            role_ref: reference(role),
            resource_ref: Some(reference(resource)),
            expires_at: end(expires_at),
            condition: None,
        };
        let naming = Naming::After {
            called: names::joined(&[group, role, resource]).into(),
            identity: format!("{group}/{role}/{resource}"),
        };
        Planned::Create(Draft::new(naming, spec))
    }

    /// The same, in place of those that gave it and have ended.
    fn addition(&self, found: &Found, expires_at: Option<Timestamp>) -> Vec<Planned> {
        let mut writes = vec![self.new_assignment(found, expires_at)];
        writes.extend(self.matching(found).filter(|assignment| !assignment.is_live()).map(Assignment::deletion));
        writes
    }
}

impl Assignment {
    fn is_live(&self) -> bool {
        !is_over(self.item.fact.expires_at)
    }

    fn is_shown(&self, view: &View<'_>, organization: &str) -> bool {
        self.is_live()
            && view.get::<facts::Role>(&self.item.fact.role).is_some()
            && view.graph().organization_of(&self.resource).is_some_and(|of| of == organization)
    }

    fn object(&self) -> ObjectRef {
        ObjectRef { kind: Kind::GroupRoleAssignment, name: self.item.name.clone() }
    }

    fn deletion(&self) -> Planned {
        Planned::Delete(self.object())
    }

    fn row(&self, view: &View<'_>) -> Option<Row<shapes::GroupRoleAssignment>> {
        let item = shapes::GroupRoleAssignment::of(view, &self.item)?;
        Some(Row { id: Prefix::GroupRoleAssignment.id(self.item.id), place: self.item.place(), item })
    }
}

async fn list(
    context: Context,
    Path(path): Path<OfGroup>,
    Query(parameters): Query<PageParameters>,
) -> Result<Json<Page<shapes::GroupRoleAssignment>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let group = Group::find(&view, &path.group)?;
    let rows = group.shown(&view).filter_map(|assignment| assignment.row(&view));
    let place = place_in(&view, Prefix::GroupRoleAssignment);
    parameters.page(rows.collect(), place, |assignment| assignment).map(Json)
}

async fn create(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(terms): Body<Terms>,
) -> Result<impl IntoResponse, Error> {
    let mut findings = Findings::default();
    let wanted = terms.wanted(&mut findings);
    findings.done()?;
    let expires_at = wanted.expiry.flatten();
    let plan = |view: &View<'_>| {
        let group = Group::find(view, &path.group)?;
        let found = wanted.find_fitting(view, &group.item.fact.organization)?;
        if group.live(&found, expires_at).is_some() {
            let sentence = format!("The group has role '{}' on this resource already.", found.role.fact.slug);
            return Err(Error::conflict("duplicate_group_role_assignment", sentence));
        }
        Ok(group.addition(&found, expires_at))
    };
    let names = context.store().write_together(context.environment(), plan).await?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let created = names.first().and_then(|name| view.get::<facts::GroupRoleAssignment>(name));
    let created = created.and_then(|item| shapes::GroupRoleAssignment::of(&view, &item));
    Ok((StatusCode::CREATED, Json(created.ok_or_else(|| Error::not_found("Group", path.group))?)))
}

#[derive(Debug, Deserialize)]
struct Replacement {
    role_assignments: Option<Vec<Terms>>,
}

/// Makes the assignments of the group exactly those (rule 48). One that is given no end has none.
async fn replace(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(replacement): Body<Replacement>,
) -> Result<Json<Page<shapes::GroupRoleAssignment>>, Error> {
    let mut findings = Findings::default();
    let entries = replacement.role_assignments.as_deref().unwrap_or_else(|| {
        findings.add("role_assignments", "role_assignments must be an array");
        &[]
    });
    if entries.len() > MAX_ENTRIES {
        findings.add("role_assignments", format!("role_assignments must contain no more than {MAX_ENTRIES} elements"));
    }
    let wanted: Vec<Wanted<'_>> = entries.iter().map(|terms| terms.wanted(&mut findings)).collect();
    findings.done()?;

    let plan = |view: &View<'_>| {
        let group = Group::find(view, &path.group)?;
        let mut kept = HashSet::new();
        let mut writes = Vec::new();
        for (found, expires_at) in distinct(view, &group, "role_assignments", &wanted)? {
            match group.live(&found, expires_at) {
                Some(live) => drop(kept.insert(live.item.name.clone())),
                None => writes.push(group.new_assignment(&found, expires_at)),
            }
        }
        let others = group.assignments.iter().filter(|assignment| !kept.contains(&assignment.item.name));
        writes.extend(others.map(Assignment::deletion));
        Ok::<_, Error>(writes)
    };
    context.store().write_together(context.environment(), plan).await?;
    set_ends(&context, &path, "role_assignments", &wanted).await?;

    let snapshot = context.snapshot();
    let view = snapshot.view();
    let group = Group::find(&view, &path.group)?;
    // The newest first, as in the list.
    let rows: Vec<_> = group.shown(&view).filter_map(|assignment| assignment.row(&view)).collect();
    Ok(Json(Page::whole(rows.into_iter().rev().map(|row| row.item).collect())))
}

/// The roles and resources that entries name, each once, and when that is to end.
fn distinct(
    view: &View<'_>,
    group: &Group,
    field: &'static str,
    entries: &[Wanted<'_>],
) -> Result<Vec<(Found, Option<Timestamp>)>, Error> {
    let mut distinct: Vec<(Found, Option<Timestamp>)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let found = entry.find_fitting(view, &group.item.fact.organization)?;
        let expires_at = entry.expiry.flatten();
        match distinct.iter().find(|(known, _)| known.is(&found.role.name, &found.resource.item.name)) {
            None => distinct.push((found, expires_at)),
            Some((_, other)) if *other == expires_at => {}
            Some(_) => {
                let sentence =
                    format!("{field} must not name role '{}' on the same resource with two ends", found.role.fact.slug);
                return Err(Error::field(field, sentence));
            }
        }
    }
    Ok(distinct)
}

/// Lets the assignments that entries name end when these say.
async fn set_ends(context: &Context, path: &OfGroup, field: &'static str, entries: &[Wanted<'_>]) -> Result<(), Error> {
    let differing: Vec<(ObjectRef, Option<Timestamp>)> = {
        let snapshot = context.snapshot();
        let view = snapshot.view();
        let group = Group::find(&view, &path.group)?;
        let distinct = distinct(&view, &group, field, entries)?;
        let live = distinct.iter().filter_map(|(found, end)| Some((group.live(found, *end)?, *end)));
        let differing = live.filter(|(assignment, end)| assignment.item.fact.expires_at != *end);
        differing.map(|(assignment, end)| (assignment.object(), end)).collect()
    };
    for (object, expires_at) in differing {
        let set_end = |_: &View<'_>, assignment: &mut GroupRoleAssignmentSpec| {
            assignment.expires_at = end(expires_at);
            Ok(())
        };
        match context.edit(&object, set_end).await {
            // Somebody took it away meanwhile, so that it ended.
            Err(Error::Store(store::Error::NotFound { .. })) => {}
            done => done?,
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Patch {
    #[serde(default)]
    add: Option<Vec<Terms>>,
    #[serde(default)]
    remove: Option<Vec<Terms>>,
}

/// Adds and removes assignments at one stroke (rule 49).
async fn patch(context: Context, Path(path): Path<OfGroup>, Body(changes): Body<Patch>) -> Result<StatusCode, Error> {
    let mut findings = Findings::default();
    let (add, remove) = (changes.add.as_deref().unwrap_or_default(), changes.remove.as_deref().unwrap_or_default());
    if !(1..=MAX_ENTRIES).contains(&(add.len() + remove.len())) {
        findings.add("add", format!("add and remove must contain 1 to {MAX_ENTRIES} elements together"));
    }
    let add: Vec<Wanted<'_>> = add.iter().map(|terms| terms.wanted(&mut findings)).collect();
    let remove: Vec<Wanted<'_>> = remove.iter().map(|terms| terms.wanted(&mut findings)).collect();
    findings.done()?;

    let plan = |view: &View<'_>| {
        let group = Group::find(view, &path.group)?;
        let added = distinct(view, &group, "add", &add)?;
        let mut writes = Vec::new();
        let mut removed = HashSet::new();
        for entry in &remove {
            let found = entry.find(view, &group.item.fact.organization)?;
            if added.iter().any(|(added, _)| added.is(&found.role.name, &found.resource.item.name)) {
                let sentence = format!(
                    "role '{}' on the same resource must not be both in add and in remove",
                    found.role.fact.slug
                );
                return Err(Error::field("remove", sentence));
            }
            let matching = group.matching(&found).filter(|assignment| removed.insert(assignment.item.name.clone()));
            writes.extend(matching.map(Assignment::deletion));
        }
        for (found, expires_at) in &added {
            if group.live(found, *expires_at).is_none() {
                writes.extend(group.addition(found, *expires_at));
            }
        }
        Ok(writes)
    };
    context.store().write_together(context.environment(), plan).await?;
    // An assignment that is there already is skipped, but given another end where one is told.
    let with_end: Vec<Wanted<'_>> = add.into_iter().filter(|entry| entry.expiry.is_some()).collect();
    set_ends(&context, &path, "add", &with_end).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_matching(
    context: Context,
    Path(path): Path<OfGroup>,
    Body(terms): Body<Terms>,
) -> Result<StatusCode, Error> {
    let mut findings = Findings::default();
    let wanted = terms.wanted(&mut findings);
    findings.done()?;
    let plan = |view: &View<'_>| {
        let group = Group::find(view, &path.group)?;
        let found = wanted.find(view, &group.item.fact.organization)?;
        if group.live(&found, None).is_none() {
            return Err(Error::not_found("Group role assignment", found.role.fact.slug.as_str()));
        }
        Ok(group.matching(&found).map(Assignment::deletion).collect())
    };
    context.store().write_together(context.environment(), plan).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl OfAssignment {
    fn find(&self, view: &View<'_>) -> Result<Assignment, Error> {
        let group = Group::find(view, &self.group)?;
        let not_found = || Error::not_found("Group role assignment", &self.assignment);
        let item = context::find::<facts::GroupRoleAssignment>(view, Prefix::GroupRoleAssignment, &self.assignment);
        let item = item.ok_or_else(not_found)?;
        let organization = group.item.fact.organization;
        let mut shown = group.assignments.into_iter().filter(|assignment| assignment.is_shown(view, &organization));
        shown.find(|assignment| assignment.item.name == item.name).ok_or_else(not_found)
    }
}

async fn show(context: Context, Path(path): Path<OfAssignment>) -> Result<Json<shapes::GroupRoleAssignment>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let row = path.find(&view)?.row(&view);
    row.map(|row| Json(row.item)).ok_or_else(|| Error::not_found("Group role assignment", path.assignment))
}

async fn delete(context: Context, Path(path): Path<OfAssignment>) -> Result<StatusCode, Error> {
    let plan = |view: &View<'_>| Ok::<_, Error>(vec![path.find(view)?.deletion()]);
    context.store().write_together(context.environment(), plan).await?;
    Ok(StatusCode::NO_CONTENT)
}
