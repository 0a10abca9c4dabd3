//! The client, and what cases make with it before they ask.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use regex::Regex;
use serde::Serialize;
use serde_json::{Value, json};
use workos::{
    Client, Error, PaginationOrder, authorization as authz, organization_membership as om,
    transport::{HttpRequest, HttpResponse, HttpTransport, TransportError},
};

use crate::support::http;

/// What the paths of the API are made of, besides ids.
const WORDS: [&str; 17] = [
    "authorization",
    "check",
    "deactivate",
    "external_id",
    "groups",
    "organization-memberships",
    "organization_memberships",
    "organizations",
    "permissions",
    "reactivate",
    "resources",
    "role_assignments",
    "roles",
    "user_management",
    "users",
    "",
    "environments",
];

/// Sends with the HTTP client of the tests, and notes which endpoints are requested.
struct Transport {
    client: reqwest::Client,
    requested: Arc<Mutex<BTreeSet<String>>>,
}

impl HttpTransport for Transport {
    fn execute<'transport, 'sent>(
        &'transport self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'sent>>
    where
        'transport: 'sent,
        Self: 'sent,
    {
        Box::pin(async move {
            let HttpRequest { method, url, headers, body } = request;
            self.requested.lock().unwrap().insert(format!("{method} {}", endpoint(&url)));
            let mut builder = self.client.request(method, url).headers(headers);
            if let Some(body) = body {
                builder = builder.body(body);
            }
            let response = builder.send().await.map_err(TransportError::other)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(TransportError::other)?;
            Ok(HttpResponse { status, headers, body })
        })
    }
}

/// The path of a URL, with `*` in place of each id.
fn endpoint(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    path.split('/')
        .map(|segment| if WORDS.contains(&segment) { format!("/{segment}") } else { "/*".to_owned() })
        .collect()
}

/// One client, and names that nobody else uses.
pub struct World {
    pub client: Client,
    requested: Arc<Mutex<BTreeSet<String>>>,
    suffix: u128,
    numbers: AtomicU32,
}

impl World {
    pub fn new(url: &str) -> Self {
        let requested = Arc::default();
        let transport =
            Transport { client: http::client().build().expect("a client"), requested: Arc::clone(&requested) };
        Self { requested, ..Self::over(url, Arc::new(transport)) }
    }

    /// A client that sends with this.
    pub fn over(url: &str, transport: Arc<dyn HttpTransport>) -> Self {
        let client = Client::builder().api_key("sk_test").base_url(url).max_retries(0).transport(transport).build();
        let suffix = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_millis() % 1_000_000;
        Self { client, requested: Arc::default(), suffix, numbers: AtomicU32::default() }
    }

    /// The endpoints requested so far, such as `GET /authorization/roles/*`.
    pub fn requested(&self) -> BTreeSet<String> {
        self.requested.lock().unwrap().clone()
    }

    /// The text, made unique; fit for a slug where the text is.
    pub fn unique(&self, text: &str) -> String {
        format!("{text}-{}-{}", self.suffix, self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn organization(&self, name: &str) -> workos::Organization {
        let body = value(json!({"name": name}));
        let params = workos::organizations::CreateOrganizationParams::new(body);
        self.client.organizations().create_organization(params).await.unwrap()
    }

    pub async fn member(&self, organization: &str, user: &str) -> workos::OrganizationMembership {
        let body = om::CreateOrganizationMembershipParamsBody::new(self.unique(user), organization);
        let params = om::CreateOrganizationMembershipParams::new(body);
        self.client.organization_membership().create_organization_membership(params).await.unwrap()
    }

    /// A resource whose external id is its name.
    pub async fn resource(
        &self,
        organization: &str,
        kind: &str,
        name: &str,
        parent: Option<&str>,
    ) -> workos::AuthorizationResource {
        self.try_resource(organization, kind, name, parent).await.unwrap()
    }

    pub async fn try_resource(
        &self,
        organization: &str,
        kind: &str,
        name: &str,
        parent: Option<&str>,
    ) -> Result<workos::AuthorizationResource, Error> {
        let mut body = authz::CreateResourceParamsBody::new(name, name, kind, organization);
        body.parent_resource =
            parent.map(|parent| authz::ParentResource::ById { parent_resource_id: parent.to_owned() });
        self.client.authorization().create_resource(authz::CreateResourceParams::new(body)).await
    }

    /// A permission of a resource type; returns its slug.
    pub async fn permission(&self, slug: &str, kind: &str) -> String {
        let body = value(json!({"slug": self.unique(slug), "name": slug, "resource_type_slug": kind}));
        self.client.authorization().create_permission(authz::CreatePermissionParams::new(body)).await.unwrap().slug
    }

    /// A role of the environment with these permissions; returns its slug.
    pub async fn role(&self, slug: &str, kind: &str, permissions: &[&str]) -> String {
        let api = self.client.authorization();
        let body = value(json!({"slug": self.unique(slug), "name": slug, "resource_type_slug": kind}));
        let made = api.create_environment_role(authz::CreateEnvironmentRoleParams::new(body)).await.unwrap();
        if !permissions.is_empty() {
            self.set_role(&made.slug, permissions).await;
        }
        made.slug
    }

    /// Gives a role of the environment exactly these permissions.
    pub async fn set_role(&self, slug: &str, permissions: &[&str]) -> workos::Role {
        let body = value(json!({"permissions": permissions}));
        let params = authz::SetEnvironmentRolePermissionsParams::new(body);
        self.client.authorization().set_environment_role_permissions(slug, params).await.unwrap()
    }

    pub async fn group(&self, organization: &str, name: &str, members: &[&str]) -> workos::Group {
        let params = workos::groups::CreateOrganizationGroupParams::new(value(json!({"name": name})));
        let group = self.client.groups().create_organization_group(organization, params).await.unwrap();
        for member in members {
            self.join(organization, &group.id, member).await.unwrap();
        }
        group
    }

    /// Adds a membership to a group.
    pub async fn join(&self, organization: &str, group: &str, member: &str) -> Result<workos::Group, Error> {
        let body = value(json!({"organization_membership_id": member}));
        let params = workos::groups::CreateGroupOrganizationMembershipParams::new(body);
        self.client.groups().create_group_organization_membership(organization, group, params).await
    }

    pub async fn assign(
        &self,
        membership: &str,
        role: &str,
        target: authz::ResourceTarget,
    ) -> Result<workos::UserRoleAssignment, Error> {
        let params = authz::AssignRoleParams::new(authz::AssignRoleParamsBody::new(role, target));
        self.client.authorization().assign_role(membership, params).await
    }

    /// An assignment of a group; without a resource, on the organization.
    pub async fn assign_group(
        &self,
        group: &str,
        role: &str,
        resource: Option<&str>,
    ) -> Result<workos::GroupRoleAssignment, Error> {
        let body = value(json!({"role_slug": role, "resource_id": resource}));
        let params = authz::CreateGroupRoleAssignmentParams::new(body);
        self.client.authorization().create_group_role_assignment(group, params).await
    }

    /// What a check says.
    pub async fn may(&self, membership: &str, permission: &str, resource: &str) -> bool {
        self.check(membership, permission, by_id(resource)).await.unwrap()
    }

    pub async fn check(
        &self,
        membership: &str,
        permission: &str,
        target: authz::ResourceTarget,
    ) -> Result<bool, Error> {
        let params = authz::CheckParams::new(authz::CheckParamsBody::new(permission, target));
        Ok(self.client.authorization().check(membership, params).await?.authorized)
    }

    /// The resource that an organization is.
    pub async fn root(&self, organization: &str) -> workos::AuthorizationResource {
        let api = self.client.authorization();
        api.get_resource_by_external_id(organization, "organization", organization).await.unwrap()
    }
}

/// A body or another value of the SDK, of which only some fields matter.
#[track_caller]
pub fn value<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("a value of the SDK")
}

/// What the SDK parsed, to be compared.
#[track_caller]
pub fn parsed(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("a value in JSON")
}

pub fn by_id(resource: &str) -> authz::ResourceTarget {
    authz::ResourceTarget::ById { resource_id: resource.to_owned() }
}

pub fn by_external_id(kind: &str, external_id: &str) -> authz::ResourceTarget {
    authz::ResourceTarget::ByExternalId {
        resource_external_id: external_id.to_owned(),
        resource_type_slug: kind.to_owned(),
    }
}

/// Ids are a prefix and a ULID (section 1.1).
#[track_caller]
pub fn assert_id(id: &str, prefix: &str) {
    let form = Regex::new(&format!("^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$")).unwrap();
    assert!(form.is_match(id), "`{id}` is no id of the form {prefix}_ULID");
}

/// Timestamps are in UTC with exactly three digits of milliseconds, and in order (section 1.1).
#[track_caller]
pub fn assert_times(created: &str, updated: &str) {
    let form = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
    assert!(form.is_match(created) && form.is_match(updated), "`{created}`, `{updated}`");
    assert!(created <= updated, "created at {created}, after it was updated at {updated}");
}

/// The answer is this error (section 4.3).
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(what: &str, result: Result<T, Error>, status: u16, code: &str) {
    let error = result.expect_err(what);
    assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{what}: {error}");
    let api = error.api().expect("an error of the API");
    assert!(!api.message.is_empty(), "{what}: no message");
    assert!(error.request_id().is_some(), "{what}: rule 74: no request id");
}

#[track_caller]
pub fn assert_not_found<T: std::fmt::Debug>(what: &str, result: Result<T, Error>) {
    assert_refused(what, result, 404, "entity_not_found");
}

/// What is asked of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub limit: Option<i64>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub order: Option<PaginationOrder>,
}

/// Puts a [`Page`] into the parameters of a list.
macro_rules! paged {
    ($page:expr, $params:expr) => {{
        let mut params = $params;
        (params.limit, params.before, params.after, params.order) =
            ($page.limit, $page.before, $page.after, $page.order);
        params
    }};
}
pub(super) use paged;

/// Rule 68, for any list: orders, and cursors in both directions.
///
/// `list` is a method of the SDK, whose result is [parsed]; `expected` are the ids that it lists, in any order.
pub async fn assert_pages(what: &str, list: impl AsyncFn(Page) -> Value, expected: &[&str]) {
    let page = |limit, order| Page { limit, order, ..Page::default() };
    let whole = ids(&list(page(Some(100), Some(PaginationOrder::Asc))).await);
    let (mut listed, mut wanted) = (whole.clone(), expected.to_vec());
    listed.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(listed, wanted, "{what}: what is listed");

    let descending: Vec<_> = whole.iter().rev().cloned().collect();
    for order in [None, Some(PaginationOrder::Desc), Some(PaginationOrder::Normal)] {
        let listed = list(page(Some(100), order.clone())).await;
        assert_eq!(ids(&listed), descending, "{what}: rule 68: {order:?}");
        assert_eq!(cursors(&listed), (None, None), "{what}: rule 68: a page of all has no neighbours");
    }
    let listed = list(page(None, None)).await;
    assert_eq!(ids(&listed), descending[..descending.len().min(10)], "{what}: rule 68: the default limit is 10");

    if whole.len() < 3 {
        return;
    }
    let limit = i64::try_from(whole.len().div_ceil(3)).unwrap();
    for (order, sequence) in [(PaginationOrder::Asc, whole), (PaginationOrder::Desc, descending)] {
        let mut page = page(Some(limit), Some(order.clone()));
        let mut seen: Vec<String> = Vec::new();
        loop {
            let listed = list(page.clone()).await;
            let (before, after) = cursors(&listed);
            let first = ids(&listed).first().cloned().filter(|_| !seen.is_empty());
            assert_eq!(
                before, first,
                "{what}, {order:?}: rule 68: `before` is the id of the first item, but of the first page"
            );
            seen.extend(ids(&listed));
            if after.is_none() || seen.len() > sequence.len() {
                break;
            }
            assert_eq!(after.as_ref(), seen.last(), "{what}, {order:?}: rule 68: `after` is the id of the last item");
            page.after = after;
        }
        assert_eq!(seen, sequence, "{what}, {order:?}: rule 68: forward by `after`");

        let mut seen = sequence[sequence.len() - 1..].to_vec();
        (page.after, page.before) = (None, seen.first().cloned());
        while page.before.is_some() && seen.len() <= sequence.len() {
            let listed = list(page.clone()).await;
            seen.splice(0..0, ids(&listed));
            page.before = cursors(&listed).0;
        }
        assert_eq!(seen, sequence, "{what}, {order:?}: rule 68: backward by `before`");
    }
}

/// The ids of a page.
#[track_caller]
pub fn ids(page: &Value) -> Vec<String> {
    let items = page["data"].as_array().expect("a list");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// The cursors of a page: before, after.
fn cursors(page: &Value) -> (Option<String>, Option<String>) {
    let cursor = |name: &str| page["list_metadata"][name].as_str().map(str::to_owned);
    (cursor("before"), cursor("after"))
}
