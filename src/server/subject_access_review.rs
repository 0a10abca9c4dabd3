//! The authorization webhook: kube-apiserver asks with a SubjectAccessReview whether somebody may do something with
//! the Kubernetes API, and a [`Mapping`] says which question to the graph that is.
//!
//! # Guarantees
//! - It answers from memory and calls nobody, least of all the API server, so that no question leads to another one.
//! - It never denies: what it does not allow, it has no opinion of, so that the API server asks its other authorizers.
//! - It has no opinion, without a look at the graph, of the operator itself and of Kubernetes' own users.
//! - Whatever it cannot answer, be it that not every source has delivered yet, is no opinion as well, and
//!   `status.evaluationError` says why.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `file` | the mapping of a file, followed while it changes |
//! | `mapping` | which question to the graph a SubjectAccessReview is |
//! | `metrics` | what it counts |
//! | `names` | from the names of Kubernetes' users and groups to ids of users |
//! | `review` | the format of `authorization.k8s.io/v1` |
//! | `rule` | what one rule of the mapping is about, and what it asks |
//! | `template` | texts with placeholders |

mod file;
mod mapping;
mod metrics;
mod names;
mod review;
mod rule;
mod template;

pub use file::{CurrentMapping, MappingFile, MappingFileError};
pub use mapping::{Mapping, MappingError};
pub(super) use metrics::Metrics;

use std::{sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{sync::Semaphore, time::timeout};
use tower_http::catch_panic::CatchPanicLayer;

use self::{
    mapping::{Subjects, Unasked},
    metrics::Outcome,
    review::{AccessRequest, Failure, Status, SubjectAccessReview},
    rule::Question,
};
use super::{Error, Server, decision_log, error, extract::JsonBody};
use crate::graph::{
    Graph,
    facts::Timestamp,
    query::{CheckRequest, Decision, Denial, Subject},
};

/// The path that the API server is to ask at.
const PATH: &str = "/subject-access-review";

/// How long a body may be, in bytes: a review holds the groups of one user.
const MAX_BODY: usize = 1024 * 1024;

/// How many reviews may be under way at a time, bodies that still arrive included.
const MAX_REVIEWS: usize = 256;

/// The webhook.
#[derive(Debug)]
struct Webhook {
    server: Arc<Server>,
    mapping: Arc<CurrentMapping>,
    permits: Semaphore,
}

/// The authorization webhook.
///
/// It does without the limits that the API has on its requests, so that no flood of those keeps the API server waiting.
pub fn access_reviews(server: Arc<Server>, mapping: Arc<CurrentMapping>) -> Router {
    let webhook = Webhook { server, mapping, permits: Semaphore::new(MAX_REVIEWS) };
    Router::new()
        .route(PATH, post(review))
        .fallback(async || Error::NoSuchRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .with_state(Arc::new(webhook))
}

/// `POST /subject-access-review`
async fn review(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    let started = Instant::now();
    let (outcome, response) = match webhook.read(request).await {
        Ok(request) => {
            let (outcome, status) = webhook.answer(&request);
            tracing::debug!(user = request.user, outcome = outcome.as_str(), reason = status.reason, "reviewed");
            (outcome, Json(SubjectAccessReview::answer(status)).into_response())
        }
        Err(error) => (Outcome::Malformed, Failure::from(error).into_response()),
    };
    webhook.server.metrics.access_reviews.observe(outcome, started.elapsed());
    response
}

impl Webhook {
    async fn read(&self, request: Request) -> Result<AccessRequest, Error> {
        let read = async {
            let _permit = self.permits.acquire().await.map_err(|_closed| Error::Internal)?;
            JsonBody::read(request, MAX_BODY).await?.parse::<SubjectAccessReview>()?.into_request()
        };
        timeout(self.server.config.limits.request_time, read).await.map_err(|_elapsed| Error::Timeout)?
    }

    fn answer(&self, request: &AccessRequest) -> (Outcome, Status) {
        let mapping = self.mapping.get();
        let subjects = match mapping.subjects(&request.user, &request.groups) {
            Ok(subjects) => subjects,
            Err(Unasked::Ignored) => return (Outcome::Ignored, Status::no_opinion(Unasked::Ignored.to_string())),
            Err(unasked) => return (Outcome::Unmapped, Status::no_opinion(unasked.to_string())),
        };
        let now = Timestamp::now();
        let mut nearest: Option<(Denial, String)> = None;
        let (mut elsewhere, mut unanswered) = (None, None);
        for question in mapping.questions(&request.attributes) {
            let environment = question.environment.as_deref().unwrap_or(&self.server.config.default_environment);
            // Each error fails closed; another rule may still allow it.
            let graph = match self.server.environment(environment) {
                Ok(graph) => graph,
                Err(error @ (Error::NotServed { .. } | Error::Field { .. })) => {
                    elsewhere = Some(error);
                    continue;
                }
                Err(error) => {
                    unanswered = Some(error);
                    continue;
                }
            };
            let ask = || self.ask(&graph.read(), &subjects, &question, now);
            match decision_log::in_environment(&self.server, environment, ask) {
                Ok(reason) => {
                    return (Outcome::Allowed, Status::allowed(format!("environment {environment}: {reason}")));
                }
                Err(denial) if nearest.as_ref().is_none_or(|(nearest, _)| denial < *nearest) => {
                    nearest = Some((denial, format!("{question} in environment {environment}: {denial}")));
                }
                Err(_farther) => {}
            }
        }
        let (outcome, reason) = match (nearest, elsewhere) {
            (Some((_, reason)), _) => (Outcome::NotGranted, reason),
            (None, Some(error)) => (Outcome::Unmapped, error.to_string()),
            (None, None) => (Outcome::Unmapped, "no rule of the mapping is about this".to_owned()),
        };
        if let Some(error) = unanswered {
            return (Outcome::Unanswered, Status::unanswered(error.to_string()));
        }
        let mut status = Status::no_opinion(reason);
        if subjects.left_out > 0 {
            let problem = format!("{} groups are too many: that many were not heeded", subjects.left_out);
            status.evaluation_error = Some(problem);
        }
        (outcome, status)
    }

    /// Asks a question for the user and each of the groups: why it is allowed, or what comes nearest to that.
    fn ask(&self, graph: &Graph, subjects: &Subjects, question: &Question, now: Timestamp) -> Result<String, Denial> {
        let mut nearest = Denial::UnknownSubject;
        for (at, subject) in subjects.ids.iter().enumerate() {
            let request = CheckRequest {
                subject: Subject::User(subject),
                action: question.action(),
                resource: question.target(),
            };
            match self.server.metrics.access_review_checks.check(graph, &request, now.into()) {
                Decision::Allowed => return Ok(graph.explain(&request, now).summary),
                Decision::Denied(denial) if at == 0 || denial < nearest => nearest = denial,
                Decision::Denied(_) => {}
            }
        }
        Err(nearest)
    }
}
