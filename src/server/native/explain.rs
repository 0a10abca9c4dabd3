//! Why a check is answered as it is.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{check::Check, grants::GrantSource};
use crate::{
    graph::{
        facts::Timestamp,
        query::{self, Asked, Decision},
    },
    server::{
        Error,
        answer::Reason,
        environment::Environment,
        extract::JsonBody,
        openapi::{Failures, InEnvironment},
    },
};

/// Why is a check answered as it is? Every way that allows it, or what comes nearest to allowing it.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/v1/explain",
    tag = "Checks",
    params(InEnvironment),
    request_body = Check,
    responses((status = 200, description = "The explanation.", body = Explanation), Failures)
)]
pub async fn explain(environment: Environment, body: JsonBody) -> Result<Response, Error> {
    let check: Check<'_> = body.parse()?;
    let given = check.given();
    let asked = Asked { now: Timestamp::now(), given: Some(&given) };
    let explanation = environment.read().explain(&check.request()?, asked);
    Ok(Json(Explanation::from(&explanation)).into_response())
}

/// Why a check is answered as it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation<'a> {
    /// The answer, the same as that of a check.
    allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// One sentence.
    summary: &'a str,
    /// The name of the membership that was found.
    membership: Option<&'a str>,
    /// The name of the resource that was found.
    resource: Option<&'a str>,
    /// Every way in which it is allowed.
    paths: Vec<GrantPath<'a>>,
    /// Where it is not allowed: what comes nearest, nearest first.
    near_misses: Vec<NearMiss<'a>>,
}

/// One way in which a check is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantPath<'a> {
    /// Where the grant comes from.
    source: GrantSource<'a>,
    /// The name of the role.
    role: &'a str,
    /// The permission of the role that allows it.
    permission: &'a str,
    /// Names of resources: from the one asked about up to the one that the role is granted on.
    resources: Vec<&'a str>,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The condition without which it does not allow it.
    condition: Option<&'a str>,
}

/// Something that nearly allows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NearMiss<'a> {
    /// A sentence that names what is there and what is lacking.
    message: &'a str,
    /// The name of the role in question.
    role: Option<&'a str>,
    /// The name of the resource that the role is granted on.
    resource: Option<&'a str>,
    /// Why the grant has no effect; empty where it has, but lacks the permission or lies elsewhere.
    inert: Vec<Reason>,
}

impl<'a> From<&'a query::Explanation> for Explanation<'a> {
    fn from(explanation: &'a query::Explanation) -> Self {
        let query::Explanation { decision, summary, membership, resource, paths, near_misses } = explanation;
        Self {
            allowed: decision.is_allowed(),
            reason: match decision {
                Decision::Allowed => None,
                Decision::Denied(denial) => Some((*denial).into()),
            },
            summary,
            membership: membership.as_deref(),
            resource: resource.as_deref(),
            paths: paths.iter().map(GrantPath::from).collect(),
            near_misses: near_misses.iter().map(NearMiss::from).collect(),
        }
    }
}

impl<'a> From<&'a query::GrantPath> for GrantPath<'a> {
    fn from(path: &'a query::GrantPath) -> Self {
        let query::GrantPath { source, role, permission, resources, expires_at, condition } = path;
        Self {
            source: source.into(),
            role,
            permission,
            resources: resources.iter().map(AsRef::as_ref).collect(),
            expires_at: expires_at.map(|at| at.to_string()),
            condition: condition.as_ref().map(|condition| condition.text()),
        }
    }
}

impl<'a> From<&'a query::NearMiss> for NearMiss<'a> {
    fn from(miss: &'a query::NearMiss) -> Self {
        let query::NearMiss { message, role, resource, inert } = miss;
        Self {
            message,
            role: role.as_deref(),
            resource: resource.as_deref(),
            inert: inert.iter().map(Reason::from).collect(),
        }
    }
}
