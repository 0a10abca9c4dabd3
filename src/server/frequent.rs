//! The questions that are asked by far the most, answered without the detours of a router.
//!
//! Finding a handler by patterns, percent-decoding what the path holds, boxing what is called on the way: that costs about as much
//! as all else that the program does for a check. So these few paths are told apart first. What is asked at them is answered by the
//! same handlers as behind the router, where every one of them is as well: a request that is not as plain as
//! most are goes there.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Request},
    response::{IntoResponse as _, Response},
};
use futures::{FutureExt as _, future::Either};
use rustls::ServerConnection;

use super::{
    Error, Server,
    authentication::ClientCertificate,
    authzen,
    connections::Handler,
    environment::{self, Environment},
    error,
    extract::JsonBody,
    native, observe, unread,
};
use crate::graph::Environments;

/// What answers on the listener of the API: the frequent questions first.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub server: Arc<Server>,
    pub router: Router,
    /// What the client has shown, where it has.
    pub client: Option<Arc<ClientCertificate>>,
}

impl Handler for Api {
    fn answer(self, mut request: Request<Body>) -> impl Future<Output = Response> + Send {
        if let Some(client) = self.client {
            request.extensions_mut().insert(client);
        }
        match Question::of(&request) {
            Some(question) => Either::Left(answer(self.server, question, request)),
            None => Either::Right(self.router.answer(request)),
        }
    }

    fn greeted(mut self, tls: &ServerConnection) -> Self {
        let shown = tls.peer_certificates().and_then(<[_]>::first);
        self.client = shown.and_then(|certificate| match ClientCertificate::read(certificate) {
            Ok(certificate) => Some(Arc::new(certificate)),
            Err(error) => {
                tracing::warn!(%error, "the certificate of a client cannot be read; it counts as none");
                None
            }
        });
        self
    }
}

async fn answer(server: Arc<Server>, question: Question, request: Request<Body>) -> Response {
    observe::observe(&server, question.route(), request, async |request| {
        let namespace = environment::spelled(&server, question.route(), request.uri().path());
        let environment = Environment::named(&server, namespace);
        let (head, mut body) = request.into_parts();
        let answered = AssertUnwindSafe(async {
            let environment = environment?;
            let body = JsonBody::take(&head.headers, &mut body, server.config.limits.body).await?;
            question.ask(State(Arc::clone(&server)), environment, body).await
        });
        let answered = answered.catch_unwind().await.unwrap_or_else(|panic| Ok(error::after_panic(panic)));
        if answered.is_err() {
            Box::pin(unread::discard(&mut body, server.config.limits.body)).await;
        }
        answered
    })
    .await
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Check,
    Checks,
    Evaluation,
    Evaluations,
}

/// What is asked, and whether the path names the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    kind: Kind,
    in_environment: bool,
}

const ENVIRONMENTS: &str = "/environments/";

impl Question {
    /// None: another request, or one that the router understands better.
    fn of(request: &Request<Body>) -> Option<Self> {
        if request.method() != Method::POST {
            return None;
        }
        let path = request.uri().path();
        let (in_environment, path) = match path.strip_prefix(ENVIRONMENTS) {
            None => (false, path.strip_prefix('/')?),
            Some(path) => {
                let (namespace, path) = path.split_once('/')?;
                // It is not percent-encoded then.
                (Environments::may_be_named(namespace).then_some(true)?, path)
            }
        };
        let kind = match path {
            "access/v1/evaluation" => Kind::Evaluation,
            "access/v1/evaluations" => Kind::Evaluations,
            "v1/check" if in_environment => Kind::Check,
            "v1/checks" if in_environment => Kind::Checks,
            _ => return None,
        };
        Some(Self { kind, in_environment })
    }

    /// The pattern by which the router knows it.
    const fn route(self) -> &'static str {
        match (self.kind, self.in_environment) {
            (Kind::Evaluation, false) => "/access/v1/evaluation",
            (Kind::Evaluations, false) => "/access/v1/evaluations",
            (Kind::Evaluation, true) => "/environments/{namespace}/access/v1/evaluation",
            (Kind::Evaluations, true) => "/environments/{namespace}/access/v1/evaluations",
            (Kind::Check, _) => "/environments/{namespace}/v1/check",
            (Kind::Checks, _) => "/environments/{namespace}/v1/checks",
        }
    }

    async fn ask(
        self,
        server: State<Arc<Server>>,
        environment: Environment,
        body: JsonBody,
    ) -> Result<Response, Error> {
        Ok(match self.kind {
            Kind::Check => native::check(server, environment, body).await?.into_response(),
            Kind::Checks => native::checks(server, environment, body).await?.into_response(),
            Kind::Evaluation => authzen::evaluation(server, environment, body).await?.into_response(),
            Kind::Evaluations => authzen::evaluations(server, environment, body).await?.into_response(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(method: Method, path: &str) -> Option<&'static str> {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        Question::of(&request).map(Question::route)
    }

    #[test]
    fn frequent_questions_are_told_apart() {
        for (path, route) in [
            ("/access/v1/evaluation", Some("/access/v1/evaluation")),
            ("/access/v1/evaluations?x=y", Some("/access/v1/evaluations")),
            ("/environments/a/access/v1/evaluation", Some("/environments/{namespace}/access/v1/evaluation")),
            ("/environments/a-1/access/v1/evaluations", Some("/environments/{namespace}/access/v1/evaluations")),
            ("/environments/default/v1/check", Some("/environments/{namespace}/v1/check")),
            ("/environments/default/v1/checks", Some("/environments/{namespace}/v1/checks")),
            ("/environments/d%65fault/v1/check", None),
            ("/environments//v1/check", None),
            ("/environments/a/b/v1/check", None),
            ("/environments/default/v1/check/", None),
            ("/environments/default/v1/explain", None),
            ("/v1/check", None),
            ("/", None),
        ] {
            assert_eq!(question(Method::POST, path), route, "{path}");
            assert_eq!(question(Method::GET, path), None, "{path}");
        }
    }
}
