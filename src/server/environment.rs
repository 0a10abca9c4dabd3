//! Which environment a request asks.

use std::{ops::Deref, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use super::{Error, Server};
use crate::{
    graph::{Environments, Graph, PublishedGraph},
    store::seen,
};

/// What the patterns of all paths that name an environment begin with.
pub(super) const IN_ENVIRONMENT: &str = "/environments/{namespace}";

/// The name of the environment that a request asks, as its path spells it. With percent signs in it, only the router knows
/// which that is: no environment is called so.
pub(super) fn spelled<'a>(server: &'a Server, route: &str, path: &'a str) -> &'a str {
    if !route.starts_with(IN_ENVIRONMENT) {
        return &server.config.default_environment;
    }
    path.split('/').nth(2).unwrap_or_default()
}

/// The environment that the path names, or else the default one.
///
/// It cannot be had before every source has delivered: a graph that holds but a part of what is declared would
/// answer wrongly, and not only with noes.
#[derive(Debug)]
pub(super) struct Environment(Arc<PublishedGraph>);

impl Environment {
    /// The environment of that name.
    pub fn named(server: &Server, namespace: &str) -> Result<Self, Error> {
        server.environment(namespace).map(Self)
    }

    /// The environment as it is now; all that one request is told comes from one such state.
    pub fn read(&self) -> impl Deref<Target = Graph> + '_ {
        let graph = self.0.read();
        seen::note(graph.revision());
        graph
    }
}

impl FromRequestParts<Arc<Server>> for Environment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Error> {
        let named = namespace(parts).await?;
        Self::named(server, named.as_deref().unwrap_or(&server.config.default_environment))
    }
}

/// The name of the environment that the path names, where that is served or is not to be told. Unlike the [`Environment`] it can be had at any time.
#[derive(Debug)]
pub(super) struct ServedName(pub String);

impl FromRequestParts<Arc<Server>> for ServedName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Error> {
        let name = namespace(parts).await?.unwrap_or_else(|| server.config.default_environment.clone());
        match server.check_served(&name) {
            // Strangers ask for it too, and do not learn what is served.
            Err(Error::NotServed { .. }) if server.config.authentication.is_some() => {}
            outcome => outcome?,
        }
        Ok(Self(name))
    }
}

/// The name that the path gives.
async fn namespace(parts: &mut Parts) -> Result<Option<String>, Error> {
    let parameters = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|rejection| Error::Malformed { problem: rejection.body_text() })?;
    Ok(parameters.iter().find_map(|(name, value)| (name == "namespace").then(|| value.to_owned())))
}

impl Server {
    /// Whether the environment of that name is one of those that are served.
    pub(super) fn serves(&self, namespace: &str) -> bool {
        self.config.served_environments.as_ref().is_none_or(|served| served.contains(namespace))
    }

    /// Refuses what is no name of an environment, or of one that is not served.
    pub(super) fn check_served(&self, namespace: &str) -> Result<(), Error> {
        check_environment_name(namespace).map_err(|problem| Error::field("namespace", problem))?;
        if self.serves(namespace) { Ok(()) } else { Err(Error::NotServed { namespace: namespace.to_owned() }) }
    }

    pub(super) fn environment(&self, namespace: &str) -> Result<Arc<PublishedGraph>, Error> {
        self.check_served(namespace)?;
        if !self.environments.is_synced() {
            return Err(Error::NotSynced {
                missing: self.environments.closed_gates().into_iter().map(|(gate, _reason)| gate).collect(),
            });
        }
        Ok(self.environments.get(namespace).unwrap_or_else(|| Arc::clone(&self.empty)))
    }
}

/// Whether a namespace, and so an environment, can have this name.
///
/// # Errors
/// What is wrong with it, to be read after the name of what holds it.
pub fn check_environment_name(name: &str) -> Result<(), &'static str> {
    if Environments::may_be_named(name) {
        return Ok(());
    }
    Err(
        "is not the name of a namespace: up to 63 lower-case letters, digits and hyphens, a letter or digit at either end",
    )
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::graph::facts::Kind;

    #[tokio::test]
    async fn what_was_looked_at_is_noted_and_not_what_there_is_afterwards() {
        let environments = Environments::default();
        environments.apply_reaching("here", &[], |revision| revision.set(Kind::Role, 5));
        let environment = Environment(environments.get("here").unwrap());
        let looking = pin!(async {
            drop(environment.read());
            environments.apply_reaching("here", &[], |revision| revision.set(Kind::Role, 6));
        });
        let ((), seen) = seen::seeing(looking).await;
        assert_eq!(seen.map(|revision| revision.of(Kind::Role)), Some(5));
    }
}
