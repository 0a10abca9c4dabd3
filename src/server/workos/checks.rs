//! Checks and what follows from them: effective permissions, and who has access to what (rules 1-26).

use std::sync::Arc;

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Error,
    body::{self, Body, Findings, Path, Query},
    context::{self, AttachedResource, Context},
    error::ErrorBody,
    explain,
    id::Prefix,
    list::{Page, PageParameters, WholeList},
    permission_lookup::permissions,
    resources::{Locate, OfExternalId, OfResource},
    shapes,
    target::{ResourceTarget, Target},
};
use crate::{
    graph::{
        facts::{self, Name, Timestamp},
        query::{self, Action, CheckRequest, PageRequest, Reach, ResourceFilter, Subject},
    },
    server::Server,
    store::{Item, View},
};

/// So many questions are answered at a time.
const MAX_BATCH: usize = 10_000;

/// The whole of a list of the graph: it is cut into pages in another order.
const WHOLE: PageRequest<'static> = PageRequest { limit: usize::MAX, after: None };

pub fn routes() -> Router<Arc<Server>> {
    let of_membership =
        |rest: &str| format!("/authorization/organization_memberships/{{organization_membership_id}}{rest}");
    let of_external_id = "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}";
    Router::new()
        .route(&of_membership("/check"), post(check))
        .route(&of_membership("/batch_check"), post(batch_check))
        .route(&of_membership("/explain"), post(explain::explain))
        .route(&of_membership("/resources"), get(resources))
        .route(&of_membership("/resources/{resource_id}/permissions"), get(permissions_by_id))
        .route(
            "/authorization/resources/{resource_id}/organization_memberships/{organization_membership_id}/permissions",
            get(permissions_by_id),
        )
        .route(
            &of_membership("/resources/{resource_type_slug}/{external_id}/permissions"),
            get(permissions_by_external_id),
        )
        .route("/authorization/resources/{resource_id}/organization_memberships", get(memberships::<OfResource>))
        .route(&format!("{of_external_id}/organization_memberships"), get(memberships::<OfExternalId>))
}

#[derive(Debug, Deserialize)]
pub struct OfMembership {
    pub organization_membership_id: String,
}

/// The question of a check.
#[derive(Debug, Deserialize)]
pub struct Question {
    permission_slug: Option<String>,
    #[serde(flatten)]
    resource: ResourceTarget,
}

/// The same, understood as far as it goes without looking for the resource.
#[derive(Clone, Copy, Debug)]
pub struct Understood<'a> {
    /// The permission.
    pub permission: &'a str,
    /// The resource.
    pub resource: Target<'a>,
}

impl Question {
    /// Whether it is a question at all (rules 7, 11).
    pub fn understood(&self) -> Result<Understood<'_>, Error> {
        let mut findings = Findings::default();
        let permission = findings.required("permission_slug", self.permission_slug.as_deref(), usize::MAX);
        let resource = self.resource.required(&mut findings);
        findings.done()?;
        // Where no resource is meant, something was found.
        let resource = resource.ok_or_else(|| Error::field("resource_id", "resource_id should not be empty"))?;
        Ok(Understood { permission, resource })
    }
}

#[derive(Debug, Serialize)]
struct CheckResult {
    authorized: bool,
    /// In a batch: why the question could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
}

/// Asks on behalf of one membership, all of it at one moment.
struct Asker<'v> {
    context: &'v Context,
    view: &'v View<'v>,
    membership: &'v Item<facts::OrganizationMembership>,
    now: Timestamp,
}

impl Asker<'_> {
    fn check(&self, question: &Question) -> Result<bool, Error> {
        let Understood { permission, resource } = question.understood()?;
        // A resource that is not there, or in another organization, is not merely a no (rule 9).
        let resource = resource.find(self.view, &self.membership.fact.organization)?;
        let request = CheckRequest {
            subject: Subject::Membership(&self.membership.name),
            action: Action::Permission(permission),
            resource: query::Target::Name(&resource.item.name),
        };
        Ok(self.context.server().metrics.workos.check(self.view.graph(), &request, self.now.into()).is_allowed())
    }
}

async fn check(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(question): Body<Question>,
) -> Result<Json<CheckResult>, Error> {
    question.understood()?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.organization_membership_id)?;
    let asker = Asker { context: &context, view: &view, membership: &membership, now: Timestamp::now() };
    Ok(Json(CheckResult { authorized: asker.check(&question)?, error: None }))
}

#[derive(Debug, Deserialize)]
struct Batch {
    checks: Option<Vec<Value>>,
}

/// An extension: many checks, all answered from the same state.
async fn batch_check(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(batch): Body<Batch>,
) -> Result<Json<WholeList<CheckResult>>, Error> {
    let checks = batch.checks.ok_or_else(|| Error::field("checks", "checks should not be empty"))?;
    if checks.len() > MAX_BATCH {
        return Err(Error::field("checks", format!("checks must contain no more than {MAX_BATCH} elements")));
    }
    let questions: Vec<Result<Question, Error>> = checks.into_iter().map(body::read).collect();
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.organization_membership_id)?;
    let asker = Asker { context: &context, view: &view, membership: &membership, now: Timestamp::now() };
    let answer = |question: Result<Question, Error>| match question.and_then(|question| asker.check(&question)) {
        Ok(authorized) => CheckResult { authorized, error: None },
        Err(error) => {
            context.server().metrics.workos.count_error();
            CheckResult { authorized: false, error: Some(error.into()) }
        }
    };
    Ok(Json(questions.into_iter().map(answer).collect::<Vec<_>>().into()))
}

#[derive(Debug, Deserialize)]
struct OfMembershipAndResource {
    organization_membership_id: String,
    resource_id: String,
}

async fn permissions_by_id(
    context: Context,
    Path(path): Path<OfMembershipAndResource>,
    Query(page): Query<PageParameters>,
) -> Result<Json<Page<shapes::Permission>>, Error> {
    let resource = Target::Id(&path.resource_id);
    effective_permissions(&context, &path.organization_membership_id, resource, &page)
}

#[derive(Debug, Deserialize)]
struct OfMembershipAndExternalId {
    organization_membership_id: String,
    resource_type_slug: String,
    external_id: String,
}

async fn permissions_by_external_id(
    context: Context,
    Path(path): Path<OfMembershipAndExternalId>,
    Query(page): Query<PageParameters>,
) -> Result<Json<Page<shapes::Permission>>, Error> {
    let resource = Target::ExternalId { resource_type: &path.resource_type_slug, external_id: &path.external_id };
    effective_permissions(&context, &path.organization_membership_id, resource, &page)
}

/// Rules 15-17.
fn effective_permissions(
    context: &Context,
    membership: &str,
    resource: Target<'_>,
    page: &PageParameters,
) -> Result<Json<Page<shapes::Permission>>, Error> {
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, membership)?;
    let resource = resource.find(&view, &membership.fact.organization)?;
    let subject = Subject::Membership(&membership.name);
    let found = view.graph().permissions(subject, query::Target::Name(&resource.item.name), Timestamp::now());
    // All that is named exists: a denial says that the membership has nothing, such as while it is inactive (rule 13).
    let rows = permissions(&view, context.environment(), found.unwrap_or_default());
    Ok(Json(page.page(rows, |_| None, |known| known.show(context.environment()))?))
}

#[derive(Debug, Deserialize)]
struct Discovery {
    permission_slug: Option<String>,
    parent_resource_id: Option<String>,
    parent_resource_type_slug: Option<String>,
    #[serde(alias = "parent_external_id")]
    parent_resource_external_id: Option<String>,
    /// An extension.
    resource_type_slug: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

/// The resources that a membership has a permission on: the children of a parent (rules 18-21), or, an extension, without one
/// all of the organization.
async fn resources(
    context: Context,
    Path(path): Path<OfMembership>,
    Query(query): Query<Discovery>,
) -> Result<Json<Page<shapes::Resource>>, Error> {
    let mut findings = Findings::default();
    let permission = findings.required("permission_slug", query.permission_slug.as_deref(), usize::MAX);
    let parent = Target::of(
        ["parent_resource_id", "parent_resource_external_id", "parent_resource_type_slug"],
        [
            query.parent_resource_id.as_deref(),
            query.parent_resource_external_id.as_deref(),
            query.parent_resource_type_slug.as_deref(),
        ],
        &mut findings,
    );
    findings.done()?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.organization_membership_id)?;
    let parent = parent.map(|parent| parent.find(&view, &membership.fact.organization)).transpose()?;
    let filter = ResourceFilter {
        resource_type: query.resource_type_slug.as_deref(),
        parent: parent.as_ref().map(|parent| query::Target::Name(&parent.item.name)),
    };
    let subject = Subject::Membership(&membership.name);
    let found = view.graph().resources(subject, Action::Permission(permission), filter, WHOLE, Timestamp::now());
    // All that is named exists: a denial says that the membership has nothing, such as while it is inactive (rule 13).
    let found = found.map(|page| page.items).unwrap_or_default();
    let names: Vec<Name> = found.into_iter().map(|found| found.name).collect();
    let row = |name: &Name| context::attached(&view, name).map(AttachedResource::row);
    let show = |resource| shapes::Resource::of(&view, &resource);
    let page = query.page.page_of_rows::<facts::Resource, _, _>(&view, Prefix::Resource, &names, row, show)?;
    Ok(Json(page.flatten()))
}

#[derive(Debug, Deserialize)]
struct WhoHas {
    permission_slug: Option<String>,
    assignment: Option<String>,
    #[serde(flatten)]
    page: PageParameters,
}

/// The memberships that have a permission on a resource (rules 22-26).
async fn memberships<P: Locate>(
    context: Context,
    Path(path): Path<P>,
    Query(query): Query<WhoHas>,
) -> Result<Json<Page<shapes::OrganizationMembership>>, Error> {
    let mut findings = Findings::default();
    let permission = findings.required("permission_slug", query.permission_slug.as_deref(), usize::MAX);
    let reach = match query.assignment.as_deref() {
        None | Some("direct") => Reach::Direct,
        Some("indirect") => Reach::All,
        Some(_) => {
            findings.add("assignment", "assignment must be one of direct, indirect");
            Reach::Direct
        }
    };
    findings.done()?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let resource = path.find(&view)?;
    let (target, action) = (query::Target::Name(&resource.item.name), Action::Permission(permission));
    let found = view.graph().memberships(target, action, reach, WHOLE, Timestamp::now());
    let found: Vec<Name> =
        found.map_or_else(|_| Vec::new(), |page| page.items.into_iter().map(|item| item.name).collect());
    // What no OrganizationMembership declares is none of this API.
    let get = |name: &Name| view.get::<facts::OrganizationMembership>(name);
    let show = |item: &Item<_>| shapes::OrganizationMembership::without_roles(&view, item);
    query.page.page_of(&view, Prefix::OrganizationMembership, &found, get, show).map(Json)
}
