//! Who asks, and what they may ask. docs/authentication.md tells it to users.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `access` | what each endpoint takes |
//! | `callers`, `files` | the callers that a file tells of |
//! | `reviews` | the callers that Kubernetes vouches for |
//! | `certificate` | what the certificate of a client says |
//! | `digest` | what is kept of a secret |
//!
//! # Guarantees
//! - Where callers are asked who they are, no request of the API goes on without an answer to that:
//!   [`Authentication::admit`] stands before all handlers.
//! - Whoever is not known gets the same 401, whatever the credential, the path and the environment are. Whoever is known and
//!   may not gets the same 403, whether the environment exists or not.
//! - What cannot be found out is a 503 and never a yes.

mod access;
mod callers;
mod certificate;
mod digest;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod reviews;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, AUTHORIZATION},
        request::Parts,
    },
    middleware::map_response,
    response::Response,
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use smol_str::SmolStr;

pub(super) use self::certificate::ClientCertificate;
use self::{
    access::Need,
    callers::Listed,
    reviews::{Known, Reviews},
};
pub use self::{
    access::Verb,
    digest::{Digest, DigestError},
    files::{CallersFile, CallersFileError},
    reviews::{Identity, ReviewError, Reviewer},
};
use super::{Error, Server, environment, unread};
use crate::{graph::Environments, store::Author};

/// A longer token is nobody's.
const MAX_TOKEN: usize = 16 * 1024;

/// A request that goes on.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The request.
    pub request: Request,
    /// It asks an environment, and its caller may: others are told nothing of any, not even how fresh it is.
    pub of_environment: bool,
}

/// Whom the API answers.
#[derive(Debug)]
pub struct Authentication {
    callers: Option<Arc<CallersFile>>,
    reviews: Option<Reviews>,
    metrics: Metrics,
}

impl Authentication {
    /// Answers those whom the file tells of, and those whom the reviewer vouches for. Registers its figures.
    #[must_use]
    pub fn new(
        callers: Option<Arc<CallersFile>>,
        reviewer: Option<Arc<dyn Reviewer>>,
        registry: &mut Registry,
    ) -> Arc<Self> {
        let metrics = Metrics::register(registry);
        let reviews = reviewer.map(|reviewer| Reviews::new(reviewer, registry));
        Arc::new(Self { callers, reviews, metrics })
    }

    /// Lets a request go on whose caller may ask it; with it goes, where somebody wants to know, who that is.
    ///
    /// # Errors
    /// Why it does not go on. Nothing of it but its head was looked at.
    pub(super) async fn admit(
        &self,
        server: &Server,
        route: &str,
        request_id: Option<&HeaderValue>,
        request: Request,
    ) -> Result<Admitted, Error> {
        let (mut parts, mut body) = request.into_parts();
        let judged = self.judge(server, route, &parts).await;
        self.metrics.count(&judged);
        let author = |caller: &SmolStr| Author::new(caller.clone(), route, request_id.and_then(|id| id.to_str().ok()));
        match judged {
            Ok(admitted) => {
                let of_environment = matches!(admitted, Some((_, Need::Verb(_))));
                if let Some((caller, need)) = admitted
                    && (need == Need::Verb(Verb::Write) || server.config.decision_log.is_some())
                {
                    parts.extensions.insert(Arc::new(author(caller.name())));
                }
                Ok(Admitted { request: Request::from_parts(parts, body), of_environment })
            }
            Err(error) => {
                if let Error::NotPermitted { caller, verb: Verb::Write, .. } = &error {
                    author(caller).note_refusal(environment::spelled(server, route, parts.uri.path()));
                }
                unread::dismiss(&mut body, server.config.limits.body).await;
                Err(error)
            }
        }
    }

    /// Whom a request comes from, where it may go on. None: from anybody.
    async fn judge(&self, server: &Server, route: &str, parts: &Parts) -> Result<Option<(Caller, Need)>, Error> {
        let need = access::need(route, &parts.method);
        if need == Need::Nothing {
            return Ok(None);
        }
        let caller = self.identify(parts).await?;
        let Need::Verb(verb) = need else { return Ok(Some((caller, need))) };
        // One that is spelled otherwise than environments are called is nobody's.
        let environment = environment::spelled(server, route, parts.uri.path());
        if self.permits(server, &caller, verb, environment).await? {
            return Ok(Some((caller, need)));
        }
        let remedy = match (&caller, &self.reviews) {
            (Caller::Reviewed(..), Some(reviews)) => reviews.reviewer.remedy(verb),
            _ => format!("the file of callers must give the verb `{}` there", verb.as_str()),
        };
        Err(Error::NotPermitted { caller: caller.name().clone(), verb, place: place(environment), remedy })
    }

    async fn identify(&self, parts: &Parts) -> Result<Caller, Error> {
        let now = Timestamp::now();
        let callers = self.callers.as_ref().map(|callers| callers.current());
        if !parts.headers.contains_key(AUTHORIZATION) {
            let certificate = parts.extensions.get::<Arc<ClientCertificate>>();
            let certificate = certificate.filter(|certificate| now < certificate.not_after);
            let listed = certificate.zip(callers).and_then(|(certificate, callers)| {
                certificate.names.iter().find_map(|name| callers.with_certificate(name, now).cloned())
            });
            return listed.map(Caller::Certificate).ok_or(Error::Unauthenticated);
        }
        let token = bearer(&parts.headers).ok_or(Error::Unauthenticated)?;
        let digest = Digest::of(token.as_bytes());
        if let Some(listed) = callers.and_then(|callers| callers.with_key(&digest, now).cloned()) {
            return Ok(Caller::Key(listed));
        }
        let reviews = self.reviews.as_ref().ok_or(Error::Unauthenticated)?;
        let known = reviews.identify(digest, token).await.map_err(|_logged| Error::NotReviewed)?;
        known.map(|known| Caller::Reviewed(digest, known)).ok_or(Error::Unauthenticated)
    }

    async fn permits(&self, server: &Server, caller: &Caller, verb: Verb, environment: &str) -> Result<bool, Error> {
        match (caller, &self.reviews) {
            (Caller::Key(listed) | Caller::Certificate(listed), _) => Ok(listed.may(verb, environment)),
            (Caller::Reviewed(digest, known), Some(reviews)) => {
                // Kubernetes is not asked about namespaces that there cannot be, nor about those that nobody is answered about.
                if !Environments::may_be_named(environment) || !server.serves(environment) {
                    return Ok(false);
                }
                let answer = reviews.permits((*digest, known), verb, environment).await;
                answer.map_err(|_logged| Error::NotReviewed)
            }
            (Caller::Reviewed(..), None) => Ok(false),
        }
    }
}

/// Somebody who is known.
#[derive(Debug)]
enum Caller {
    Key(Arc<Listed>),
    Certificate(Arc<Listed>),
    Reviewed(Digest, Arc<Known>),
}

impl Caller {
    fn name(&self) -> &SmolStr {
        match self {
            Self::Key(listed) | Self::Certificate(listed) => &listed.name,
            Self::Reviewed(_, known) => &known.identity.name,
        }
    }
}

/// The same router, which does not tell strangers by the header `Allow` what there is: a router adds that to whatever is answered
/// to a method that a path does not take.
pub(super) fn discreet(router: Router) -> Router {
    Router::new().fallback_service(router).layer(map_response(async |mut response: Response| {
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().remove(ALLOW);
        }
        response
    }))
}

/// The environment in words, without repeating whatever a path holds.
fn place(environment: &str) -> String {
    if Environments::may_be_named(environment) {
        format!("environment `{environment}`")
    } else {
        "an environment of that name".to_owned()
    }
}

/// The token of the header `Authorization: Bearer`, where there is one such header and no other.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|value| value.len() <= MAX_TOKEN)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    outcome: &'static str,
}

/// Counts requests by how their callers were known.
#[derive(Debug)]
struct Metrics {
    key: Counter,
    certificate: Counter,
    token: Counter,
    nobody: Counter,
    unauthenticated: Counter,
    not_permitted: Counter,
    unknown: Counter,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let family = Family::<Labels, Counter>::default();
        registry.register(
            "authentications",
            "Requests of the API, by how their callers are known and whether they may ask",
            family.clone(),
        );
        let counter = |method, outcome| family.get_or_create_owned(&Labels { method, outcome });
        Self {
            key: counter("key", "admitted"),
            certificate: counter("certificate", "admitted"),
            token: counter("token", "admitted"),
            nobody: counter("none", "admitted"),
            unauthenticated: counter("none", "unauthenticated"),
            not_permitted: counter("any", "not_permitted"),
            unknown: counter("token", "error"),
        }
    }

    fn count(&self, judged: &Result<Option<(Caller, Need)>, Error>) {
        let counter = match judged {
            Ok(None) => &self.nobody,
            Ok(Some((Caller::Key(_), _))) => &self.key,
            Ok(Some((Caller::Certificate(_), _))) => &self.certificate,
            Ok(Some((Caller::Reviewed(..), _))) => &self.token,
            Err(Error::NotPermitted { .. }) => &self.not_permitted,
            Err(Error::NotReviewed) => &self.unknown,
            Err(_) => &self.unauthenticated,
        };
        counter.inc();
    }
}
