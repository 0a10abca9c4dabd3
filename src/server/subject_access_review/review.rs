//! The format of `authorization.k8s.io/v1`, as far as it is needed.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use crate::server::Error;

const API_VERSION: &str = "authorization.k8s.io/v1";
const KIND: &str = "SubjectAccessReview";

/// How long a reason may be, in bytes. The API server repeats it to whoever asked, and writes it to its audit log.
const MAX_REASON: usize = 1024;

/// What the API server sends and what it is sent.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectAccessReview {
    api_version: String,
    kind: String,
    #[serde(skip_serializing)]
    spec: Option<Spec>,
    #[serde(skip_deserializing)]
    status: Option<Status>,
}

/// Selectors of fields and labels are not heeded: they make a question narrower, so that the answer to the wider one
/// allows no more than was asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    user: String,
    groups: Option<Vec<String>>,
    resource_attributes: Option<ResourceAttributes>,
    non_resource_attributes: Option<PathAttributes>,
}

/// May this user, or one of these groups, do this?
#[derive(Debug)]
pub struct AccessRequest {
    /// Empty: only the groups are asked about.
    pub user: String,
    pub groups: Vec<String>,
    pub attributes: Attributes,
}

/// What somebody wants to do.
#[derive(Debug)]
pub enum Attributes {
    /// With an object, or with all objects of a kind.
    Resource(ResourceAttributes),
    /// With a path that is no object's.
    Path(PathAttributes),
}

/// What is to be done with which object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResourceAttributes {
    pub verb: String,
    /// Empty: the core group.
    pub group: String,
    /// The plural of the kind.
    pub resource: String,
    /// Empty: the object itself.
    pub subresource: String,
    /// Empty: of the whole cluster, or all namespaces.
    pub namespace: String,
    /// Empty: all objects, or a new one.
    pub name: String,
}

/// What is to be done with which path.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PathAttributes {
    pub path: String,
    pub verb: String,
}

/// The answer. It is never `denied`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub allowed: bool,
    pub reason: String,
    /// Why the answer may be no although it should be yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_error: Option<String>,
}

impl SubjectAccessReview {
    /// The question in it.
    pub fn into_request(self) -> Result<AccessRequest, Error> {
        let Self { api_version, kind, spec, status: _ } = self;
        if api_version != API_VERSION {
            let problem = format!(
                "is not `{API_VERSION}`; give the API server --authorization-webhook-version=v1, or set \
                 subjectAccessReviewVersion in its AuthorizationConfiguration to v1"
            );
            return Err(Error::field("apiVersion", problem));
        }
        if kind != KIND {
            return Err(Error::field("kind", format!("is not `{KIND}`")));
        }
        let Spec { user, groups, resource_attributes, non_resource_attributes } =
            spec.ok_or_else(|| Error::field("spec", "is missing"))?;
        let attributes = match (resource_attributes, non_resource_attributes) {
            (Some(resource), None) => Attributes::Resource(resource),
            (None, Some(path)) => Attributes::Path(path),
            _ => return Err(Error::field("spec", "needs either `resourceAttributes` or `nonResourceAttributes`")),
        };
        Ok(AccessRequest { user, groups: groups.unwrap_or_default(), attributes })
    }

    /// The answer to a question.
    pub fn answer(status: Status) -> Self {
        Self { api_version: API_VERSION.to_owned(), kind: KIND.to_owned(), spec: None, status: Some(status) }
    }
}

impl Status {
    /// Yes, and why.
    pub fn allowed(reason: String) -> Self {
        Self { allowed: true, reason: bounded(reason), evaluation_error: None }
    }

    /// Neither yes nor no, and why.
    pub fn no_opinion(reason: String) -> Self {
        Self { allowed: false, reason: bounded(reason), evaluation_error: None }
    }

    /// Neither yes nor no, for want of an answer.
    pub fn unanswered(error: String) -> Self {
        Self {
            allowed: false,
            reason: "not every rule could be asked".to_owned(),
            evaluation_error: Some(bounded(error)),
        }
    }
}

fn bounded(mut reason: String) -> String {
    if reason.len() > MAX_REASON {
        reason.truncate(reason.floor_char_boundary(MAX_REASON - '…'.len_utf8()));
        reason.push('…');
    }
    reason
}

/// Why there is no answer: a `meta/v1` Status, whose message the API server logs.
#[derive(Debug)]
pub struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let code = error.status();
        let reason = if code.is_client_error() { "BadRequest" } else { "InternalError" };
        let status = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Status",
            "status": "Failure",
            "message": error.to_string(),
            "reason": reason,
            "code": code.as_u16(),
        });
        (code, Json(status)).into_response()
    }
}
