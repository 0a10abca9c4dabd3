//! What a caller needs for each endpoint. This is the one place that says so.

use axum::http::Method;

use crate::server::{environment::IN_ENVIRONMENT, openapi, workos};

/// What may be done in an environment. None of these contains another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Ask whether somebody may do something.
    Check,
    /// List who may do what, and be told why.
    Search,
    /// Read the objects through the WorkOS API.
    Read,
    /// Write objects.
    Write,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Check, Self::Search, Self::Read, Self::Write];

    /// Its name: in the file of callers, and of the virtual subresource that Kubernetes is asked about.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Search => "search",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What an endpoint asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it tells of the program, and nothing of any environment.
    Nothing,
    /// To be somebody who is known here.
    Identity,
    /// The verb, in the environment that is asked.
    Verb(Verb),
}

/// What a route asks of its caller. A route that is not told of here takes what allows the most, so that nobody can forget it.
pub(super) fn need(route: &str, method: &Method) -> Need {
    match route.strip_prefix(IN_ENVIRONMENT).unwrap_or(route) {
        "/access/v1/evaluation" | "/access/v1/evaluations" | "/v1/check" | "/v1/checks" => Need::Verb(Verb::Check),
        // The API server calls it, on a listener of its own.
        "/admission/validate" => Need::Nothing,
        path if path.starts_with("/.well-known/") => Need::Nothing,
        // Who asks what there is gets an answer only once it is known who that is.
        openapi::PATH | UNMATCHED => Need::Identity,
        path if path.starts_with("/access/v1/search/") || path.starts_with("/v1/") => Need::Verb(Verb::Search),
        path if workos::has_path(path) => Need::Verb(workos_verb(path, method)),
        _ => Need::Verb(Verb::Write),
    }
}

/// The route of a path at which there is nothing.
pub(super) const UNMATCHED: &str = "unmatched";

fn workos_verb(path: &str, method: &Method) -> Verb {
    if method.is_safe() {
        return Verb::Read;
    }
    match path.strip_prefix("/authorization/organization_memberships/{organization_membership_id}/") {
        Some("check" | "batch_check") => Verb::Check,
        Some("explain") => Verb::Search,
        _ => Verb::Write,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_thought_of_takes_the_most() {
        for route in ["/", "/new", "/environments/{namespace}", "/environments/{namespace}/v2/check"] {
            for method in [Method::GET, Method::POST] {
                assert_eq!(need(route, &method), Need::Verb(Verb::Write), "{method} {route}");
            }
        }
    }
}
