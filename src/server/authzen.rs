//! The AuthZEN Authorization API 1.0 of the `OpenID` Foundation: Access Evaluation, Access Evaluations, the Search APIs
//! (`search`) and the metadata by which all of them are found (`metadata`). `parts` has what they are all asked with.
//!
//! Subjects are of type `user` (the user's membership in the organization of the resource) or `membership`. A resource
//! is named by its type and its external id or object name, and where several organizations have such a one, by
//! `resource.properties.organization`. An action is a permission's slug, or what follows the resource type and a
//! colon in one. The properties of all three and the context are what the conditions of assignments look into. Everything
//! else of a request is accepted and not heeded, as the specification demands.

mod digest;
mod metadata;
mod parts;
mod search;

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Error, Server,
    answer::{LongJson, Reason},
    environment::Environment,
    extract::{Batch, Elements, JsonBody, Object, Text, check_batch_size, properties},
    freshness,
    metrics::CheckMetrics,
    openapi::{Failures, InEnvironment},
};
use crate::graph::{
    facts::Timestamp,
    query::{Asked, CheckRequest, Decision, Denial, Given, Properties},
};
use parts::{AskedSubject, EvaluationAction, EvaluationResource, EvaluationSubject, present};

pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(evaluation))
        .routes(routes!(evaluations))
        .routes(routes!(evaluation_in))
        .routes(routes!(evaluations_in))
        .merge(search::routes())
        .merge(metadata::routes())
}

pub use metadata::{InvalidUrl, PublicUrl};

/// May this subject do this on that resource? Asks the default environment.
#[utoipa::path(
    post,
    path = "/access/v1/evaluation",
    tag = "AuthZEN",
    request_body = EvaluationRequest,
    responses((status = 200, description = "The decision.", body = EvaluationResponse), Failures)
)]
pub(super) async fn evaluation(
    State(server): State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<Json<EvaluationResponse>, Error> {
    let EvaluationRequest { subject, action, resource, context } = body.parse()?;
    let question = Question::new(subject.as_ref(), action.as_ref(), resource.as_ref(), context.as_ref())?;
    Ok(Json(question.answer_alone(&server, &environment)))
}

/// May this subject do this on that resource? Asks the environment of this name.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/access/v1/evaluation",
    tag = "AuthZEN",
    params(InEnvironment),
    request_body = EvaluationRequest,
    responses((status = 200, description = "The decision.", body = EvaluationResponse), Failures)
)]
async fn evaluation_in(
    server: State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<Json<EvaluationResponse>, Error> {
    evaluation(server, environment, body).await
}

/// Several evaluations in one request, all answered from the same state of the default environment.
///
/// Without `evaluations` the request is a single evaluation, and so is the response.
#[utoipa::path(
    post,
    path = "/access/v1/evaluations",
    tag = "AuthZEN",
    request_body = EvaluationsRequest,
    responses((status = 200, description = "The decisions, in the order of the questions.", body = EvaluationsResponse), Failures)
)]
pub(super) async fn evaluations(
    State(server): State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<LongJson<EvaluationsResponse>, Error> {
    let EvaluationsRequest { subject, action, resource, context, evaluations, options } = read_several(&body)?;
    let (subject, action, resource, context) = (subject.as_ref(), action.as_ref(), resource.as_ref(), context.as_ref());
    let semantic = options.map_or(Ok(Semantic::ExecuteAll), |Object(options)| options.semantic())?;
    let Some(elements) = evaluations.filter(|elements| elements.len() > 0) else {
        let question = Question::new(subject, action, resource, context)?;
        return Ok(LongJson(EvaluationsResponse::Single(question.answer_alone(&server, &environment))));
    };
    check_batch_size("evaluations", elements.len())?;
    let elements = elements.read();

    let metrics = &server.metrics.authzen;
    let refuse = |error: &Error| {
        metrics.count_error();
        EvaluationResponse::error(error)
    };
    let now = Timestamp::now();
    let graph = environment.read();
    let mut batch = metrics.batch();
    let mut evaluations = Vec::new();
    for element in elements {
        let element = element.as_ref();
        let answer = match element {
            Ok(element) => Question::new(
                element.subject.as_ref().or(subject),
                element.action.as_ref().or(action),
                element.resource.as_ref().or(resource),
                element.context.as_ref().or(context),
            )
            .map_or_else(
                |error| refuse(&error),
                |question| {
                    question.answer(metrics, |request, given| {
                        batch.check(&graph, request, Asked { now, given: Some(given) })
                    })
                },
            ),
            Err(error) => refuse(error),
        };
        let last = semantic.ends_at(answer.decision);
        evaluations.push(answer);
        if last {
            break;
        }
    }
    let context = freshness::token(&server, graph.revision()).map(EvaluationContext::of_revision);
    Ok(LongJson(EvaluationsResponse::Several { evaluations, context }))
}

/// A request of several evaluations, of which some may be such that they cannot be understood.
fn read_several(body: &JsonBody) -> Result<EvaluationsRequest<'_, Elements<'_, EvaluationElement<'_>>>, Error> {
    if let Some(request) = body.parse_if_valid::<EvaluationsRequest<'_>>() {
        return Ok(request.with_elements(Elements::Understood));
    }
    body.parse::<EvaluationsRequest<'_, _>>().map(|request| request.with_elements(Elements::Unread))
}

/// Several evaluations in one request, all answered from the same state of the environment of this name.
///
/// Without `evaluations` the request is a single evaluation, and so is the response.
#[utoipa::path(
    post,
    path = "/environments/{namespace}/access/v1/evaluations",
    tag = "AuthZEN",
    params(InEnvironment),
    request_body = EvaluationsRequest,
    responses((status = 200, description = "The decisions, in the order of the questions.", body = EvaluationsResponse), Failures)
)]
async fn evaluations_in(
    server: State<Arc<Server>>,
    environment: Environment,
    body: JsonBody,
) -> Result<LongJson<EvaluationsResponse>, Error> {
    evaluations(server, environment, body).await
}

/// One question. Fields that are not named here are accepted and not heeded.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "edit"},
    "resource": {"type": "project", "id": "website"}
}))]
struct EvaluationRequest<'a> {
    /// Who asks.
    #[serde(borrow)]
    #[schema(value_type = EvaluationSubject)]
    subject: Option<Object<EvaluationSubject<'a>>>,
    /// To do what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationAction)]
    action: Option<Object<EvaluationAction<'a>>>,
    /// On what.
    #[serde(borrow)]
    #[schema(value_type = EvaluationResource)]
    resource: Option<Object<EvaluationResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
}

/// Several questions, with defaults for what they have in common.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "edit"},
    "evaluations": [
        {"resource": {"type": "project", "id": "website"}},
        {"resource": {"type": "project", "id": "app"}, "action": {"name": "view"}}
    ],
    "options": {"evaluations_semantic": "execute_all"}
}))]
#[schema(bound = "")]
struct EvaluationsRequest<'a, E = Batch<Object<EvaluationElement<'a>>>> {
    /// The subject of every evaluation that has none of its own.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationSubject>)]
    subject: Option<Object<EvaluationSubject<'a>>>,
    /// The action of every evaluation that has none of its own.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationAction>)]
    action: Option<Object<EvaluationAction<'a>>>,
    /// The resource of every evaluation that has none of its own.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationResource>)]
    resource: Option<Object<EvaluationResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
    /// The questions, 10,000 at the most. Absent or empty: the defaults are the one question.
    #[schema(value_type = Option<Vec<EvaluationElement>>, max_items = 10000)]
    evaluations: Option<E>,
    /// How to go about it.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationsOptions>)]
    options: Option<Object<EvaluationsOptions<'a>>>,
}

impl<'a, E> EvaluationsRequest<'a, E> {
    fn with_elements<F>(self, elements: impl FnOnce(E) -> F) -> EvaluationsRequest<'a, F> {
        let Self { subject, action, resource, context, evaluations, options } = self;
        EvaluationsRequest { subject, action, resource, context, evaluations: evaluations.map(elements), options }
    }
}

/// One of several questions.
#[derive(Debug, Deserialize, ToSchema)]
struct EvaluationElement<'a> {
    /// Absent: the default.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationSubject>)]
    subject: Option<Object<EvaluationSubject<'a>>>,
    /// Absent: the default.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationAction>)]
    action: Option<Object<EvaluationAction<'a>>>,
    /// Absent: the default.
    #[serde(borrow)]
    #[schema(value_type = Option<EvaluationResource>)]
    resource: Option<Object<EvaluationResource<'a>>>,
    /// What conditions know as `context`.
    #[serde(default, borrow, deserialize_with = "properties")]
    #[schema(value_type = Option<Object>)]
    context: Option<Properties<'a>>,
}

/// How to go about several evaluations.
#[derive(Debug, Deserialize, ToSchema)]
struct EvaluationsOptions<'a> {
    /// `execute_all` (the default) answers every question; `deny_on_first_deny` ends after the first no or error,
    /// `permit_on_first_permit` after the first yes.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, example = "execute_all")]
    evaluations_semantic: Option<Text<'a>>,
}

impl EvaluationsOptions<'_> {
    fn semantic(&self) -> Result<Semantic, Error> {
        match self.evaluations_semantic.as_deref() {
            None | Some("execute_all") => Ok(Semantic::ExecuteAll),
            Some("deny_on_first_deny") => Ok(Semantic::DenyOnFirstDeny),
            Some("permit_on_first_permit") => Ok(Semantic::PermitOnFirstPermit),
            Some(_) => Err(Error::field(
                "options.evaluations_semantic",
                "must be `execute_all`, `deny_on_first_deny` or `permit_on_first_permit`",
            )),
        }
    }
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    const fn ends_at(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// A complete question.
#[derive(Debug)]
enum Question<'a> {
    Check(CheckRequest<'a>, Given<'a>),
    /// There are no subjects of this type.
    UnsupportedSubject(&'a str),
}

impl<'a> Question<'a> {
    fn new(
        subject: Option<&'a Object<EvaluationSubject<'_>>>,
        action: Option<&'a Object<EvaluationAction<'_>>>,
        resource: Option<&'a Object<EvaluationResource<'_>>>,
        context: Option<&'a Properties<'_>>,
    ) -> Result<Self, Error> {
        let (subject, action, resource) =
            (present("subject", subject)?, present("action", action)?, present("resource", resource)?);
        let given = Given {
            subject: subject.properties.as_ref(),
            resource: resource.properties.as_ref().map(|properties| &properties.all),
            action: action.properties.as_ref(),
            context,
        };
        let (subject, action, resource) = (subject.asked()?, action.asked()?, resource.asked()?);
        let subject = match subject {
            AskedSubject::Known(subject) => subject,
            AskedSubject::OfType(unsupported) => return Ok(Self::UnsupportedSubject(unsupported)),
        };
        Ok(Self::Check(CheckRequest { subject, action, resource }, given))
    }

    /// Asks the graph by `check`, if it is to be asked.
    fn answer(
        &self,
        metrics: &CheckMetrics,
        check: impl FnOnce(&CheckRequest<'_>, &Given<'_>) -> Decision,
    ) -> EvaluationResponse {
        match self {
            Self::Check(request, given) => match check(request, given) {
                Decision::Allowed => EvaluationResponse { decision: true, context: None },
                Decision::Denied(Denial::NoGrant) => EvaluationResponse { decision: false, context: None },
                Decision::Denied(denial) => EvaluationResponse::denied(denial.into()),
            },
            Self::UnsupportedSubject(subject_type) => {
                metrics.count_denied();
                EvaluationResponse::denied(Reason {
                    code: "unsupported_subject_type",
                    message: format!("subjects are of type `user` or `membership`, not `{subject_type}`").into(),
                })
            }
        }
    }

    /// The answer to the only question of a request.
    fn answer_alone(&self, server: &Server, environment: &Environment) -> EvaluationResponse {
        let metrics = &server.metrics.authzen;
        let graph = environment.read();
        let answer = self.answer(metrics, |request, given| {
            metrics.check(&graph, request, Asked { now: Timestamp::now(), given: Some(given) })
        });
        answer.told_of(freshness::token(server, graph.revision()))
    }
}

/// The answer to one question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"decision": true}))]
pub(super) struct EvaluationResponse {
    /// Whether the subject may.
    decision: bool,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<EvaluationContext>,
}

impl EvaluationResponse {
    const fn denied(reason: Reason) -> Self {
        Self { decision: false, context: Some(EvaluationContext { reason: Some(reason), ..EvaluationContext::NONE }) }
    }

    fn error(error: &Error) -> Self {
        let error = EvaluationError { status: error.status().as_u16(), message: error.to_string() };
        Self { decision: false, context: Some(EvaluationContext { error: Some(error), ..EvaluationContext::NONE }) }
    }

    /// Says as well which state it comes from.
    fn told_of(mut self, revision: Option<String>) -> Self {
        if revision.is_some() {
            self.context.get_or_insert(EvaluationContext::NONE).revision = revision;
        }
        self
    }
}

/// What is to be said besides the decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EvaluationContext {
    /// Why the answer is no, where it is for another reason than that nothing grants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Why the question, one of several, could not be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<EvaluationError>,
    /// Which state the answer comes from: what the header `Bailiwick-Revision` has. Of several answers it is told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
}

impl EvaluationContext {
    const NONE: Self = Self { reason: None, error: None, revision: None };

    /// Where there is nothing else to say.
    fn of_revision(revision: String) -> Self {
        Self { revision: Some(revision), ..Self::NONE }
    }
}

/// What is wrong with a question.
#[derive(Debug, Serialize, ToSchema)]
struct EvaluationError {
    /// The status that a request with this question alone would get.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong, naming the field.
    #[schema(example = "`resource` is missing")]
    message: String,
}

/// The answer to several questions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"evaluations": [{"decision": true}, {"decision": false}]}))]
pub(super) enum EvaluationsResponse {
    /// The answers, in the order of the questions, up to the one at which the semantic ends.
    Several {
        /// The answers.
        evaluations: Vec<EvaluationResponse>,
        /// What there is to say of all of them.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<EvaluationContext>,
    },
    /// The one answer where there were no `evaluations`.
    Single(EvaluationResponse),
}
