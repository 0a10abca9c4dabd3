//! The format of `admission.k8s.io/v1`, as far as it is needed.
//!
//! Unlike in the types that kube has for it, the objects stay as they are sent, so that one that is odd does not make
//! the request unreadable, and a field that is missing is told by its name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::verdict::Verdict;
use crate::server::Error;

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// What the API server sends and what it is sent.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionReview {
    api_version: String,
    kind: String,
    #[serde(skip_serializing)]
    request: Option<AdmissionRequest>,
    #[serde(skip_deserializing)]
    response: Option<AdmissionResponse>,
}

/// What somebody asks the API server to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionRequest {
    /// Tells this question from every other.
    pub uid: String,
    pub kind: GroupKind,
    /// Which part of the object is concerned; none: the object itself.
    pub sub_resource: Option<String>,
    pub namespace: Option<String>,
    pub operation: Operation,
    #[serde(default)]
    pub user_info: UserInfo,
    /// The object as it would become; none where it is to be deleted.
    pub object: Option<Value>,
    /// The object as it is; none where it is to be created.
    pub old_object: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub struct GroupKind {
    #[serde(default)]
    pub group: String,
    pub kind: String,
}

#[derive(Debug, Default, Deserialize)]
pub struct UserInfo {
    pub username: Option<String>,
}

/// What is to be done with the object.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// As a label and in a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Connect => "connect",
        }
    }
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionResponse {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Why the answer is no, as the API server tells it to whoever asked: a `meta/v1` Status.
#[derive(Debug, Serialize)]
pub struct Status {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: StatusDetails,
}

#[derive(Debug, Serialize)]
pub struct StatusDetails {
    pub name: String,
    pub group: &'static str,
    pub kind: &'static str,
    pub causes: Vec<StatusCause>,
}

#[derive(Debug, Serialize)]
pub struct StatusCause {
    /// The code of the [`Reason`](crate::graph::query::Reason).
    pub reason: &'static str,
    pub message: String,
    /// The path of the field that is at fault.
    pub field: &'static str,
}

impl AdmissionReview {
    /// The request in it.
    pub fn into_request(self) -> Result<AdmissionRequest, Error> {
        let Self { api_version, kind, request, response: _ } = self;
        if api_version != API_VERSION {
            let problem = format!("is not `{API_VERSION}`; set admissionReviewVersions of the webhook to [v1]");
            return Err(Error::field("apiVersion", problem));
        }
        if kind != KIND {
            return Err(Error::field("kind", format!("is not `{KIND}`")));
        }
        let request = request.ok_or_else(|| Error::field("request", "is missing"))?;
        if request.uid.is_empty() {
            return Err(Error::field("request.uid", "is empty"));
        }
        Ok(request)
    }

    /// The answer to the request of this uid.
    pub fn answer(uid: String, verdict: Verdict) -> Self {
        let Verdict { refusal: status, warnings } = verdict;
        let response = AdmissionResponse { uid, allowed: status.is_none(), status, warnings };
        Self { api_version: API_VERSION.to_owned(), kind: KIND.to_owned(), request: None, response: Some(response) }
    }

    /// Whether this is an answer that allows the request.
    pub fn is_allowed(&self) -> bool {
        self.response.as_ref().is_some_and(|response| response.allowed)
    }
}
