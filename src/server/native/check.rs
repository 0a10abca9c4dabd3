//! Checks, one at a time and many at once.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{TargetFields, subject};
use crate::{
    graph::{
        facts::Timestamp,
        query::{Action, Asked, CheckRequest, Decision, Given, Properties, Target},
    },
    server::{
        Error, Server,
        answer::{LongJson, Reason},
        environment::Environment,
        error::ErrorBody,
        extract::{Batch, Elements, JsonBody, Object, Text, check_batch_size, properties, required},
        openapi::{Failures, InEnvironment},
    },
};

/// May this membership or user do this on that resource?
#[utoipa::path(
    post,
    path = "/environments/{namespace}/v1/check",
    tag = "Checks",
    params(InEnvironment),
    request_body = Check,
    responses((status = 200, description = "The decision.", body = CheckResult), Failures)
)]
pub async fn check(
    State(server): State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<Json<CheckResult>, Error> {
    let check: Check<'_> = body.parse()?;
    let request = check.request()?;
    let given = check.given();
    let asked = Asked { now: Timestamp::now(), given: Some(&given) };
    let decision = server.metrics.native.check(&environment.read(), &request, asked);
    Ok(Json(decision.into()))
}

/// Many checks at once, all answered from the same state of the environment.
///
/// A check that cannot be understood is answered with an error in its place; the others are answered.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/v1/checks",
    tag = "Checks",
    params(InEnvironment),
    request_body = Checks,
    responses((status = 200, description = "The decisions, in the order of the checks.", body = CheckResults), Failures)
)]
pub async fn checks(
    State(server): State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<LongJson<CheckResults>, Error> {
    let checks = read_batch(&body)?;
    let metrics = &server.metrics.native;
    let now = Timestamp::now();
    let graph = environment.read();
    let mut batch = metrics.batch();
    let mut answer = |check: Check<'_>| {
        let given = check.given();
        let decision = batch.check(&graph, &check.request()?, Asked { now, given: Some(&given) });
        Ok(CheckResult::from(decision))
    };
    let refuse = |error: Error| {
        metrics.count_error();
        CheckResult { allowed: false, reason: None, error: Some(error.to_body()) }
    };
    let results = checks.map(|check| check.and_then(&mut answer).unwrap_or_else(refuse)).collect();
    Ok(LongJson(CheckResults { results }))
}

/// The questions of a batch, each in its place, and why one cannot be understood.
fn read_batch(body: &JsonBody) -> Result<impl Iterator<Item = Result<Check<'_>, Error>>, Error> {
    let checks = match body.parse_if_valid() {
        Some(Checks { checks }) => checks.map(Elements::Understood),
        None => body.parse().map(|UnreadChecks { checks }| checks.map(Elements::Unread))?,
    };
    let checks = checks.ok_or_else(|| Error::field("checks", "is missing"))?;
    check_batch_size("checks", checks.len())?;
    Ok(checks.read())
}

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "user": "alice", "permission": "project:edit", "resource": {"type": "project", "id": "website"}
}))]
pub struct Check<'a> {
    /// The name of the membership that asks. Either this or `user` is needed.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    membership: Option<Text<'a>>,
    /// The id of the user that asks: the user's membership in the organization of the resource is meant.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    user: Option<Text<'a>>,
    /// The permission's slug.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 1024)]
    permission: Option<Text<'a>>,
    /// The resource that it is about.
    #[serde(borrow)]
    #[schema(value_type = CheckResource)]
    resource: Option<Object<CheckResource<'a>>>,
    /// What conditions know as `subject.properties`.
    #[serde(default, borrow, rename = "subjectProperties", deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    subject_properties: Option<Properties<'a>>,
    /// What conditions know as `resource.properties`.
    #[serde(default, borrow, rename = "resourceProperties", deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    resource_properties: Option<Properties<'a>>,
    /// What conditions know as `action.properties`.
    #[serde(default, borrow, rename = "actionProperties", deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    action_properties: Option<Properties<'a>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
}

/// A resource: its object's `name`, or else its `type` and `id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "project", "id": "website", "organization": "acme"}))]
pub struct CheckResource<'a> {
    /// The name of the Resource object.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    name: Option<Text<'a>>,
    /// The resource's type.
    #[serde(borrow, rename = "type")]
    #[schema(value_type = Option<String>, max_length = 1024)]
    resource_type: Option<Text<'a>>,
    /// Its external id, or its object's name.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    id: Option<Text<'a>>,
    /// Beside `type` and `id`: its organization (external id or object's name), needed where several have such a resource.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    organization: Option<Text<'a>>,
}

impl Check<'_> {
    /// The question as the graph is asked it.
    pub fn request(&self) -> Result<CheckRequest<'_>, Error> {
        let Object(resource) = self.resource.as_ref().ok_or_else(|| Error::field("resource", "is missing"))?;
        Ok(CheckRequest {
            subject: subject(self.membership.as_deref(), self.user.as_deref())?,
            action: Action::Permission(required("permission", self.permission.as_deref())?),
            resource: resource.target()?,
        })
    }

    /// What it tells of itself.
    pub fn given(&self) -> Given<'_> {
        Given {
            subject: self.subject_properties.as_ref(),
            resource: self.resource_properties.as_ref(),
            action: self.action_properties.as_ref(),
            context: self.context.as_ref(),
        }
    }
}

impl CheckResource<'_> {
    fn target(&self) -> Result<Target<'_>, Error> {
        TargetFields {
            name: ("resource.name", self.name.as_deref()),
            resource_type: ("resource.type", self.resource_type.as_deref()),
            id: ("resource.id", self.id.as_deref()),
            organization: ("resource.organization", self.organization.as_deref()),
        }
        .required()
    }
}

/// Many questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Checks<'a> {
    /// The questions, 10,000 at the most.
    #[serde(borrow)]
    #[schema(value_type = Vec<Check>, max_items = 10000)]
    checks: Option<Batch<Object<Check<'a>>>>,
}

/// The same, where one of them cannot be understood, or where they are too many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnreadChecks<'a> {
    #[serde(borrow)]
    checks: Option<Vec<&'a RawValue>>,
}

/// The answer to a question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "allowed": false, "reason": {"code": "unknown_resource", "message": "there is no such resource"}
}))]
pub struct CheckResult {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// In a batch: why the question could not be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

impl From<Decision> for CheckResult {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allowed => Self { allowed: true, reason: None, error: None },
            Decision::Denied(denial) => Self { allowed: false, reason: Some(denial.into()), error: None },
        }
    }
}

/// The answers, in the order of the questions.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckResults {
    results: Vec<CheckResult>,
}
