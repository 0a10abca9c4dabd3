//! The validating admission webhook: what would contradict other objects, and never become right by waiting, is
//! refused before it is stored; what refers to something that is not there yet is warned of.
//!
//! It asks [`PublishedGraph::review`] and nothing else, so it judges as the status of the object would, within
//! milliseconds, and calls nobody.
//!
//! # Guarantees
//! - Nothing stands in the way of a deletion, but for that of a resource annotated to be kept while anything depends
//!   on it; nor of an object that is being deleted, nor of a change that leaves the spec as it is.
//! - Before the graph is complete it gives no answer (503), so that the `failurePolicy` of the webhook decides.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `metrics` | what it counts |
//! | `review` | the format of `admission.k8s.io/v1` |
//! | `verdict` | from what the graph says to the words of the answer |

mod metrics;
mod review;
mod verdict;

pub(super) use metrics::Metrics;

use std::{fmt, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware,
    routing::post,
};
use serde_json::Value;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, field};

use self::{
    metrics::Outcome,
    review::{AdmissionRequest, AdmissionReview, Operation},
    verdict::Verdict,
};
use super::{Error, Server, error, extract::JsonBody, observe};
use crate::graph::{
    Proposal, PublishedGraph, Review,
    facts::{Kind, Object, ObjectRef, Timestamp},
};

/// How long a body may be, in bytes: the API server takes no request that is longer.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// How many reviews may be under way at a time. Those of one environment wait for each other anyway.
const MAX_REVIEWS: usize = 8;

/// Who empties namespaces that are being deleted: as itself, or, where controllers share an account, as all of them.
const NAMESPACE_CONTROLLERS: [&str; 2] =
    ["system:serviceaccount:kube-system:namespace-controller", "system:kube-controller-manager"];

/// How objects are read, of whose format the server itself knows nothing.
#[derive(Clone, Copy)]
pub struct ObjectFormat {
    /// The API group of the kinds.
    pub group: &'static str,
    /// Reads an object; an error says what is wrong with its metadata.
    pub read: fn(Kind, &Value) -> Result<Submitted, String>,
}

/// An object that somebody submits.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The object as the graph would know it.
    pub object: Object,
    /// It is not to be deleted while anything depends on it.
    pub restricted: bool,
}

impl fmt::Debug for ObjectFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectFormat").field("group", &self.group).finish_non_exhaustive()
    }
}

/// The webhook.
#[derive(Debug)]
struct Webhook {
    server: Arc<Server>,
    format: ObjectFormat,
    permits: Semaphore,
}

/// The admission webhook.
pub fn router(server: Arc<Server>, format: ObjectFormat) -> Router {
    let webhook = Webhook { server: Arc::clone(&server), format, permits: Semaphore::new(MAX_REVIEWS) };
    Router::new()
        .route("/admission/validate", post(validate))
        .fallback(async || Error::NoSuchRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(middleware::from_fn_with_state(server, observe::around))
        .with_state(Arc::new(webhook))
}

/// `POST /admission/validate`
async fn validate(State(webhook): State<Arc<Webhook>>, request: Request) -> Result<Json<AdmissionReview>, Error> {
    let started = Instant::now();
    let parsed = match JsonBody::read(request, MAX_BODY).await {
        Ok(body) => body.parse::<AdmissionReview>().and_then(AdmissionReview::into_request),
        Err(error) => Err(error),
    };
    let operation = parsed.as_ref().ok().map(|request| request.operation);
    let answered = match parsed {
        Ok(request) => {
            let span = tracing::debug_span!(
                "admission",
                operation = request.operation.as_str(),
                kind = request.kind.kind,
                namespace = request.namespace,
                outcome = field::Empty,
                reasons = field::Empty,
            );
            webhook.answer(request).instrument(span).await
        }
        Err(error) => Err(error),
    };
    let outcome = match &answered {
        Ok(review) if review.is_allowed() => Outcome::Allowed,
        Ok(_) => Outcome::Refused,
        Err(_) => Outcome::Error,
    };
    webhook.server.metrics.admission.observe(operation, outcome, started.elapsed());
    answered.map(Json)
}

impl Webhook {
    async fn answer(&self, mut request: AdmissionRequest) -> Result<AdmissionReview, Error> {
        let asked = self.asked(&mut request)?;
        let verdict = match &asked {
            None => Verdict::allowed(),
            Some(asked) => Verdict::new(self.format.group, asked, &self.review(asked).await?),
        };
        let span = tracing::Span::current();
        span.record("outcome", if verdict.is_allowed() { "allowed" } else { "refused" });
        span.record("reasons", verdict.reasons());
        let object = asked.map(|asked| field::display(asked.object));
        tracing::debug!(object, user = request.user_info.username, "reviewed");
        Ok(AdmissionReview::answer(request.uid, verdict))
    }

    /// What the graph is to be asked. None: whatever it would say, the request is allowed.
    fn asked(&self, request: &mut AdmissionRequest) -> Result<Option<Asked>, Error> {
        let Some(kind) = Kind::named(&request.kind.kind).filter(|_| request.kind.group == self.format.group) else {
            return Ok(None);
        };
        let is_for_a_part = request.sub_resource.as_ref().is_some_and(|name| !name.is_empty());
        let user = request.user_info.username.as_deref();
        if is_for_a_part || user.is_some_and(|user| NAMESPACE_CONTROLLERS.contains(&user)) {
            return Ok(None);
        }
        let namespace = take(&mut request.namespace, "request.namespace")?;
        if !self.server.serves(&namespace) {
            return Ok(None);
        }
        let read = |field, value: &Value| {
            (self.format.read)(kind, value).map_err(|problem| Error::field(field, format!("cannot be used: {problem}")))
        };
        let proposal = match request.operation {
            Operation::Create => {
                let mut object = take(&mut request.object, "request.object")?;
                let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
                if let Some(metadata) = metadata.filter(|metadata| !metadata.contains_key("name")) {
                    // It is still to be generated. The uid is as good as any name: no object has it.
                    metadata.insert("name".to_owned(), Value::String(request.uid.clone()));
                }
                Proposal::Write(read("request.object", &object)?.object)
            }
            Operation::Update => {
                let value = take(&mut request.object, "request.object")?;
                let before = take(&mut request.old_object, "request.oldObject")?;
                let Submitted { object, .. } = read("request.object", &value)?;
                if object.deleting || value["spec"] == before["spec"] {
                    return Ok(None);
                }
                Proposal::Write(object)
            }
            Operation::Delete => {
                let value = take(&mut request.old_object, "request.oldObject")?;
                let Submitted { object, restricted } = read("request.oldObject", &value)?;
                // The graph could but warn of anything else, which is no reason not to answer before it is complete.
                if object.deleting || !(restricted || self.server.environments.is_synced()) {
                    return Ok(None);
                }
                Proposal::Delete { object: ObjectRef { kind, name: object.name }, restricted }
            }
            Operation::Connect => return Ok(None),
        };
        let object = match &proposal {
            Proposal::Write(object) => ObjectRef { kind, name: object.name.clone() },
            Proposal::Delete { object, .. } => object.clone(),
        };
        Ok(Some(Asked { graph: self.server.environment(&namespace)?, object, proposal: Arc::new(proposal) }))
    }

    /// Asks the graph, which waits for the writer of the environment, where that holds nobody up.
    async fn review(&self, asked: &Asked) -> Result<Review, Error> {
        let (graph, proposal) = (Arc::clone(&asked.graph), Arc::clone(&asked.proposal));
        let _permit = self.permits.acquire().await.map_err(|_closed| Error::Internal)?;
        let reviewed = tokio::task::spawn_blocking(move || graph.review(&proposal, Timestamp::now())).await;
        reviewed.map_err(|error| {
            tracing::error!(%error, object = %asked.object, "a review failed");
            Error::Internal
        })
    }
}

/// What a field holds that must be there.
fn take<T>(field: &mut Option<T>, name: &'static str) -> Result<T, Error> {
    field.take().ok_or_else(|| Error::field(name, "is missing"))
}

/// What the graph is asked.
#[derive(Debug)]
struct Asked {
    /// The graph of the environment.
    graph: Arc<PublishedGraph>,
    /// The object in question.
    object: ObjectRef,
    proposal: Arc<Proposal>,
}

#[cfg(test)]
mod tests;
