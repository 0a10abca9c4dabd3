//! The metadata of this Policy Decision Point: where its endpoints are.

use std::{fmt, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, HeaderValue, Uri,
        header::{CACHE_CONTROL, HOST},
        uri::Authority,
    },
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::server::{
    Error, Server,
    environment::ServedName,
    openapi::{Failures, InEnvironment},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().routes(routes!(metadata)).routes(routes!(metadata_of))
}

/// Where applications reach the API: `https://authz.example.com`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl(String);

/// Why a text is no [`PublicUrl`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not an URL such as `https://authz.example.com`: http or https, a host, no user, query or fragment")]
pub struct InvalidUrl;

impl FromStr for PublicUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidUrl)?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        // What parses URLs drops a fragment.
        let is_plain = uri.query().is_none() && !text.contains(['#', '?']);
        let has_host = uri.authority().is_some_and(is_host);
        if is_http && is_plain && has_host { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(InvalidUrl) }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host(authority: &Authority) -> bool {
    !authority.host().is_empty() && !authority.as_str().contains('@')
}

impl PublicUrl {
    /// What the request itself calls the server. What proxies say of themselves is not believed: whoever
    /// connects could say it too.
    fn of_request(uri: &Uri, headers: &HeaderMap) -> Result<Self, Error> {
        let mut hosts = headers.get_all(HOST).iter();
        let authority = match (uri.authority(), hosts.next(), hosts.next()) {
            (Some(authority), _, None) => Some(authority.clone()),
            (None, Some(host), None) => Authority::try_from(host.as_bytes()).ok(),
            _ => None,
        };
        let authority = authority.filter(is_host);
        authority
            .map(|authority| Self(format!("http://{authority}")))
            .ok_or_else(|| Error::field("host", "is missing or is not that of an URL, and --public-url is not given"))
    }
}

/// Where the endpoints of the default environment are.
///
/// The URLs begin with `--public-url`, or else with `http://` and the host that the request names.
#[utoipa::path(
    get,
    path = "/.well-known/authzen-configuration",
    tag = "AuthZEN",
    responses((status = 200, description = "The metadata.", body = Metadata), Failures)
)]
async fn metadata(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    describe(&server, &uri, &headers, "")
}

/// Where the endpoints of the environment of this name are.
#[utoipa::path(
    get,
    path = "/.well-known/authzen-configuration/environments/{namespace}",
    tag = "AuthZEN",
    params(InEnvironment),
    responses((status = 200, description = "The metadata.", body = Metadata), Failures)
)]
async fn metadata_of(
    State(server): State<Arc<Server>>,
    ServedName(namespace): ServedName,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    describe(&server, &uri, &headers, &format!("/environments/{namespace}"))
}

fn describe(server: &Server, uri: &Uri, headers: &HeaderMap, path: &str) -> Result<Response, Error> {
    let (base, cache) = match &server.config.public_url {
        Some(url) => (url.clone(), HeaderValue::from_static("max-age=3600")),
        // Another caller may call the server something else.
        None => (PublicUrl::of_request(uri, headers)?, HeaderValue::from_static("no-store")),
    };
    let endpoint = |name| format!("{base}{path}/access/v1/{name}");
    let metadata = Metadata {
        policy_decision_point: format!("{base}{path}"),
        access_evaluation_endpoint: endpoint("evaluation"),
        access_evaluations_endpoint: endpoint("evaluations"),
        search_subject_endpoint: endpoint("search/subject"),
        search_resource_endpoint: endpoint("search/resource"),
        search_action_endpoint: endpoint("search/action"),
    };
    Ok(([(CACHE_CONTROL, cache)], Json(metadata)).into_response())
}

/// Where everything is. `capabilities` is left out, as the standard wants it of a list without elements: no capability
/// is registered that is provided here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDecisionPointMetadata)]
struct Metadata {
    /// What the endpoints lie below: the identifier of the Policy Decision Point.
    #[schema(example = "https://authz.example.com")]
    policy_decision_point: String,
    /// Access Evaluation.
    #[schema(example = "https://authz.example.com/access/v1/evaluation")]
    access_evaluation_endpoint: String,
    /// Access Evaluations.
    #[schema(example = "https://authz.example.com/access/v1/evaluations")]
    access_evaluations_endpoint: String,
    /// Search for subjects.
    #[schema(example = "https://authz.example.com/access/v1/search/subject")]
    search_subject_endpoint: String,
    /// Search for resources.
    #[schema(example = "https://authz.example.com/access/v1/search/resource")]
    search_resource_endpoint: String,
    /// Search for actions.
    #[schema(example = "https://authz.example.com/access/v1/search/action")]
    search_action_endpoint: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_that_applications_can_use() {
        for (text, url) in [
            ("https://authz.example.com", "https://authz.example.com"),
            ("https://authz.example.com/", "https://authz.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://example.com/authz/", "https://example.com/authz"),
            ("https://[::1]:8080", "https://[::1]:8080"),
        ] {
            assert_eq!(text.parse(), Ok(PublicUrl(url.to_owned())), "{text}");
        }
        for text in [
            "",
            "authz.example.com",
            "/authz",
            "ftp://example.com",
            "https://",
            "https:///x",
            "https://example.com?x=1",
            "https://example.com#x",
            "https://example.com?",
            "https://user@example.com",
            "https://exa mple.com",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidUrl), "{text}");
        }
    }
}
