//! The Search APIs: who may do this on that, on what may somebody do this, and what may somebody do on that.
//!
//! What is found is what an evaluation would allow. What is unknown is no error: nothing is found.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    digest::Digest,
    parts::{
        AskedSubject, EvaluationAction, EvaluationResource, EvaluationResourceProperties, EvaluationSubject,
        ResourceProperties, organization, present, subject_kind,
    },
};
use crate::{
    graph::{
        facts::{Name, Timestamp},
        query::{Asked, Denial, FoundResource, Given, Page, PageRequest, Properties},
    },
    server::{
        Error, Server,
        answer::Reason,
        environment::Environment,
        extract::{JsonBody, Object, Text, Unheeded, properties, required},
        freshness,
        openapi::{Failures, InEnvironment},
        paging::Fingerprint,
    },
};

/// How many results a page has at the most, and where the caller gives no limit.
const MAX_LIMIT: u64 = 1000;

pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(search_subject))
        .routes(routes!(search_resource))
        .routes(routes!(search_action))
        .routes(routes!(search_subject_in))
        .routes(routes!(search_resource_in))
        .routes(routes!(search_action_in))
}

/// Which subjects of a type may do this on that resource? Asks the default environment.
#[utoipa::path(
    post,
    path = "/access/v1/search/subject",
    tag = "AuthZEN",
    request_body = SubjectSearchRequest,
    responses((status = 200, description = "A page of subjects, sorted by id.", body = SearchResponse<FoundSubject>), Failures)
)]
async fn search_subject(
    State(server): State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundSubject>>, Error> {
    let SubjectSearchRequest { subject, action, resource, context, page } = body.parse()?;
    let subject = present("subject", subject.as_ref())?;
    let (action, resource) = (present("action", action.as_ref())?, present("resource", resource.as_ref())?);
    let subject_type = required("subject.type", subject.subject_type.as_deref())?;
    let given = Given {
        subject: subject.properties.as_ref(),
        resource: resource.properties.as_ref().map(|properties| &properties.all),
        action: action.properties.as_ref(),
        context: context.as_ref(),
    };
    let (action, resource) = (action.asked()?, resource.asked()?);
    let paging = Paging::new(&uri, &body, page)?;
    let graph = environment.read();
    let revision = freshness::token(&server, graph.revision());
    let Some(kind) = subject_kind(subject_type) else { return Ok(paging.nothing(revision)) };
    let asked = Asked { now: Timestamp::now(), given: Some(&given) };
    let found = graph.search_subjects(kind, action, resource, paging.request(), asked);
    Ok(paging.respond(found, revision, |id| FoundSubject { subject_type: subject_type.to_owned(), id }))
}

/// Which subjects of a type may do this on that resource? Asks the environment of this name.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/access/v1/search/subject",
    tag = "AuthZEN",
    params(InEnvironment),
    request_body = SubjectSearchRequest,
    responses((status = 200, description = "A page of subjects, sorted by id.", body = SearchResponse<FoundSubject>), Failures)
)]
async fn search_subject_in(
    server: State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundSubject>>, Error> {
    search_subject(server, environment, uri, body).await
}

/// On which resources of a type may this subject do this? Asks the default environment.
#[utoipa::path(
    post,
    path = "/access/v1/search/resource",
    tag = "AuthZEN",
    request_body = ResourceSearchRequest,
    responses((status = 200, description = "A page of resources.", body = SearchResponse<FoundResourceBody>), Failures)
)]
async fn search_resource(
    State(server): State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundResourceBody>>, Error> {
    let ResourceSearchRequest { subject, action, resource, context, page } = body.parse()?;
    let (subject, action) = (present("subject", subject.as_ref())?, present("action", action.as_ref())?);
    let resource = present("resource", resource.as_ref())?;
    let given = Given {
        subject: subject.properties.as_ref(),
        resource: resource.properties.as_ref().map(|properties| &properties.all),
        action: action.properties.as_ref(),
        context: context.as_ref(),
    };
    let (subject, action) = (subject.asked()?, action.asked()?);
    let resource_type = required("resource.type", resource.resource_type.as_deref())?;
    let organization = organization(resource.properties.as_ref())?;
    let paging = Paging::new(&uri, &body, page)?;
    let graph = environment.read();
    let revision = freshness::token(&server, graph.revision());
    let AskedSubject::Known(subject) = subject else { return Ok(paging.nothing(revision)) };
    let asked = Asked { now: Timestamp::now(), given: Some(&given) };
    let found = graph.search_resources(subject, action, resource_type, organization, paging.request(), asked);
    Ok(paging.respond(found, revision, FoundResourceBody::from))
}

/// On which resources of a type may this subject do this? Asks the environment of this name.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/access/v1/search/resource",
    tag = "AuthZEN",
    params(InEnvironment),
    request_body = ResourceSearchRequest,
    responses((status = 200, description = "A page of resources.", body = SearchResponse<FoundResourceBody>), Failures)
)]
async fn search_resource_in(
    server: State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundResourceBody>>, Error> {
    search_resource(server, environment, uri, body).await
}

/// What may this subject do on that resource? Asks the default environment.
#[utoipa::path(
    post,
    path = "/access/v1/search/action",
    tag = "AuthZEN",
    request_body = ActionSearchRequest,
    responses((status = 200, description = "A page of actions, sorted by name.", body = SearchResponse<FoundAction>), Failures)
)]
async fn search_action(
    State(server): State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundAction>>, Error> {
    let ActionSearchRequest { subject, resource, context, page } = body.parse()?;
    let (subject, resource) = (present("subject", subject.as_ref())?, present("resource", resource.as_ref())?);
    let given = Given {
        subject: subject.properties.as_ref(),
        resource: resource.properties.as_ref().map(|properties| &properties.all),
        action: None,
        context: context.as_ref(),
    };
    let (subject, resource) = (subject.asked()?, resource.asked()?);
    let paging = Paging::new(&uri, &body, page)?;
    let graph = environment.read();
    let revision = freshness::token(&server, graph.revision());
    let AskedSubject::Known(subject) = subject else { return Ok(paging.nothing(revision)) };
    let asked = Asked { now: Timestamp::now(), given: Some(&given) };
    let found = graph.search_actions(subject, resource, paging.request(), asked);
    Ok(paging.respond(found, revision, |name| FoundAction { name }))
}

/// What may this subject do on that resource? Asks the environment of this name.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/access/v1/search/action",
    tag = "AuthZEN",
    params(InEnvironment),
    request_body = ActionSearchRequest,
    responses((status = 200, description = "A page of actions, sorted by name.", body = SearchResponse<FoundAction>), Failures)
)]
async fn search_action_in(
    server: State<Arc<Server>>,
    environment: Environment,
    uri: Uri,
    body: JsonBody,
) -> Result<Json<SearchResponse<FoundAction>>, Error> {
    search_action(server, environment, uri, body).await
}

/// A search for subjects. Fields that are not named here are accepted and not heeded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "subject": {"type": "user"},
    "action": {"name": "edit"},
    "resource": {"type": "project", "id": "website"},
    "page": {"limit": 100}
}))]
struct SubjectSearchRequest<'a> {
    /// Which subjects are searched for.
    #[serde(borrow)]
    #[schema(value_type = SearchedSubject)]
    subject: Option<Object<SearchedSubject<'a>>>,
    /// Who may do what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationAction)]
    action: Option<Object<EvaluationAction<'a>>>,
    /// On what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationResource)]
    resource: Option<Object<EvaluationResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
    /// Which part of what is found.
    #[serde(borrow)]
    #[schema(value_type = Option<SearchPage>)]
    page: Option<Object<SearchPage<'a>>>,
}

/// A search for resources. Fields that are not named here are accepted and not heeded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "edit"},
    "resource": {"type": "project"}
}))]
struct ResourceSearchRequest<'a> {
    /// Who asks.
    #[serde(borrow)]
    #[schema(value_type = EvaluationSubject)]
    subject: Option<Object<EvaluationSubject<'a>>>,
    /// To do what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationAction)]
    action: Option<Object<EvaluationAction<'a>>>,
    /// Which resources are searched for.
    #[serde(borrow)]
    #[schema(value_type = SearchedResource)]
    resource: Option<Object<SearchedResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
    /// Which part of what is found.
    #[serde(borrow)]
    #[schema(value_type = Option<SearchPage>)]
    page: Option<Object<SearchPage<'a>>>,
}

/// A search for actions. Fields that are not named here are accepted and not heeded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "subject": {"type": "user", "id": "alice"},
    "resource": {"type": "project", "id": "website"}
}))]
struct ActionSearchRequest<'a> {
    /// Who asks.
    #[serde(borrow)]
    #[schema(value_type = EvaluationSubject)]
    subject: Option<Object<EvaluationSubject<'a>>>,
    /// To act on what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationResource)]
    resource: Option<Object<EvaluationResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
    /// Which part of what is found.
    #[serde(borrow)]
    #[schema(value_type = Option<SearchPage>)]
    page: Option<Object<SearchPage<'a>>>,
}

/// The subjects that are searched for. An id is not heeded.
#[derive(Debug, Deserialize, ToSchema)]
struct SearchedSubject<'a> {
    /// `user` or `membership`.
    #[serde(borrow, rename = "type")]
    #[schema(value_type = String, example = "user")]
    subject_type: Option<Text<'a>>,
    /// What conditions know as `subject.properties`, of whichever subject.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    properties: Option<Properties<'a>>,
}

/// The resources that are searched for. An id is not heeded.
#[derive(Debug, Deserialize, ToSchema)]
struct SearchedResource<'a> {
    /// Their type.
    #[serde(borrow, rename = "type")]
    #[schema(value_type = String, max_length = 1024, example = "project")]
    resource_type: Option<Text<'a>>,
    /// What else is known of them, of whichever: with an organization, only its own are found.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationResourceProperties>)]
    properties: Option<ResourceProperties<'a>>,
}

/// Which part of what is found is wanted.
#[derive(Debug, Deserialize, ToSchema)]
struct SearchPage<'a> {
    /// The `next_token` of the page before; absent or empty: the first page. Everything else of the request must be as it
    /// was; the limit may be left out.
    #[serde(borrow)]
    #[schema(value_type = Option<String>)]
    token: Option<Text<'a>>,
    /// How many results at the most. More than 1000 are not given at a time.
    #[schema(minimum = 0, default = 1000)]
    limit: Option<u64>,
    /// Not heeded.
    #[schema(value_type = Option<Object>)]
    #[expect(dead_code, reason = "its type is checked, its content is not heeded")]
    properties: Option<Object<Unheeded>>,
}

/// What of a request must stay the same from page to page.
#[derive(Debug, Deserialize, Hash)]
struct Query {
    subject: Option<Digest>,
    action: Option<Digest>,
    resource: Option<Digest>,
    context: Option<Digest>,
    page: Option<PageQuery>,
}

#[derive(Debug, Deserialize, Hash)]
struct PageQuery {
    properties: Option<Digest>,
}

/// The part of what is found that a request wants.
///
/// A token holds the limit and the key of the last result before, so nothing that stays allowed is left out or told twice,
/// whatever is written meanwhile; and it holds a fingerprint of the query, to which alone it belongs. It needs no
/// protection, no more than a cursor of the lists.
#[derive(Debug)]
struct Paging {
    limit: u64,
    /// Empty: from the start. Every key is greater.
    after: String,
    query: Fingerprint,
    /// Whether the caller knows of pages.
    is_asked_for: bool,
}

impl Paging {
    fn new(uri: &Uri, body: &JsonBody, page: Option<Object<SearchPage<'_>>>) -> Result<Self, Error> {
        let query: Query = body.parse()?;
        let without_properties = PageQuery { properties: None };
        let page_query = query.page.as_ref().unwrap_or(&without_properties);
        let query = Fingerprint::of((
            uri.path(),
            query.subject,
            query.action,
            query.resource,
            query.context,
            page_query.properties,
        ));
        let is_asked_for = page.is_some();
        let (token, limit) = page.map_or((None, None), |Object(page)| (page.token, page.limit));
        let limit = limit.map(|limit| limit.min(MAX_LIMIT));
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(Self { limit: limit.unwrap_or(MAX_LIMIT), after: String::new(), query, is_asked_for });
        };
        let place = query.place(&token).and_then(|place| {
            let (limit, after) = place.split_once(' ')?;
            Some((limit.parse().ok().filter(|limit| *limit <= MAX_LIMIT)?, after.to_owned()))
        });
        let (limit_before, after) = place.ok_or_else(|| {
            Error::field("page.token", "was not handed out for this very query; begin again without it")
        })?;
        if limit.is_some_and(|limit| limit != limit_before) {
            return Err(Error::field("page.limit", "is another than that of the page before; leave it as it was"));
        }
        Ok(Self { limit: limit_before, after, query, is_asked_for })
    }

    /// The same, as the graph is asked for it.
    fn request(&self) -> PageRequest<'_> {
        // A page without results must still say whether there are any.
        let limit = usize::try_from(self.limit.max(1)).unwrap_or(usize::MAX);
        PageRequest { limit, after: Some(&self.after) }
    }

    /// The response where nothing can be found.
    fn nothing<R>(&self, revision: Option<String>) -> Json<SearchResponse<R>> {
        self.respond(Ok(Page { items: Vec::new(), next: None }), revision, |found| found)
    }

    /// The response with what was found, and with the state it comes from.
    fn respond<T, R>(
        &self,
        found: Result<Page<T>, Denial>,
        revision: Option<String>,
        result: impl FnMut(T) -> R,
    ) -> Json<SearchResponse<R>> {
        let (Page { items, next }, reason) = match found {
            Ok(page) => (page, None),
            Err(denial) => (Page { items: Vec::new(), next: None }, reason(denial)),
        };
        let (results, next): (Vec<R>, _) = if self.limit == 0 {
            (Vec::new(), (!items.is_empty() || next.is_some()).then(|| self.after.clone()))
        } else {
            (items.into_iter().map(result).collect(), next)
        };
        let next_token = next.map(|key| self.query.cursor(&format!("{} {key}", self.limit)));
        let is_needed = self.is_asked_for || next_token.is_some();
        let page = PageInfo { count: results.len(), next_token: next_token.unwrap_or_default() };
        let page = is_needed.then_some(page);
        let has_context = reason.is_some() || revision.is_some();
        Json(SearchResponse { page, context: has_context.then_some(SearchContext { reason, revision }), results })
    }
}

/// What is to be said where nothing is found although all that the query names is known.
fn reason(denial: Denial) -> Option<Reason> {
    match denial {
        Denial::NoGrant
        | Denial::UnknownSubject
        | Denial::UnknownResource
        | Denial::UnknownOrganization
        | Denial::NotAMember => None,
        Denial::OtherOrganization
        | Denial::SuspendedMembership
        | Denial::UnusableMembership
        | Denial::UndeclaredMembership
        | Denial::AmbiguousResource
        | Denial::DetachedResource => Some(denial.into()),
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchResponse<R> {
    /// There where the request has a `page`, or where there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PageInfo>,
    /// There where there is something else to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<SearchContext>,
    /// The results.
    results: Vec<R>,
}

/// Which part of what was found this is.
#[derive(Debug, Serialize, ToSchema)]
struct PageInfo {
    /// The `token` of the next page; empty: this is the last one. A page may be short, or empty, and yet not the last.
    next_token: String,
    /// How many results this page has.
    count: usize,
}

/// What is to be said besides the results.
#[derive(Debug, Serialize, ToSchema)]
struct SearchContext {
    /// Why nothing is found, where that is for another reason than that nothing grants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Which state the results come from: what the header `Bailiwick-Revision` has.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
}

/// A subject that is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "user", "id": "alice"}))]
struct FoundSubject {
    /// The type that was searched for.
    #[serde(rename = "type")]
    subject_type: String,
    /// The user's id, or the membership's name.
    #[schema(value_type = String)]
    id: Name,
}

/// A resource on which the subject is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundResource, example = json!({"type": "project", "id": "website"}))]
struct FoundResourceBody {
    /// The type that was searched for.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    resource_type: Name,
    /// Its external id.
    #[schema(value_type = String)]
    id: Name,
    /// There where the type and the id alone lead to another resource or to several.
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<FoundResourceProperties>,
}

/// What else an evaluation has to know of a resource.
#[derive(Debug, Serialize, ToSchema)]
struct FoundResourceProperties {
    /// Its organization.
    #[schema(value_type = String)]
    organization: Name,
}

impl From<FoundResource> for FoundResourceBody {
    fn from(FoundResource { resource_type, id, organization }: FoundResource) -> Self {
        let properties = organization.map(|organization| FoundResourceProperties { organization });
        Self { resource_type, id, properties }
    }
}

/// An action that is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "edit"}))]
struct FoundAction {
    /// The permission's slug without the resource's type and the colon, where it begins with them.
    #[schema(value_type = String)]
    name: Name,
}
