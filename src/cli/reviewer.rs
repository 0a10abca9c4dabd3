//! Asks the Kubernetes API server whose a token is, and what RBAC lets its owner do.

use std::fmt;

use futures::future::BoxFuture;
use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec},
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};

use crate::{
    api,
    server::{Identity, ReviewError, Reviewer, Verb},
};

/// What RBAC must let a caller do with the subresource of a verb.
const RBAC_VERB: &str = "create";

/// The resource whose subresources stand for the verbs. There are none such; RBAC does not mind.
const RESOURCE: &str = "environments";

/// Asks the API server.
#[derive(Clone)]
pub(super) struct ApiServerReviewer {
    client: Client,
    audiences: Vec<String>,
}

impl fmt::Debug for ApiServerReviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiServerReviewer").field("audiences", &self.audiences).finish_non_exhaustive()
    }
}

impl ApiServerReviewer {
    /// Takes tokens that were made for one of these audiences.
    pub fn new(client: Client, audiences: Vec<String>) -> Self {
        Self { client, audiences }
    }
}

impl Reviewer for ApiServerReviewer {
    fn identify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, ReviewError>> {
        Box::pin(async move {
            let spec = TokenReviewSpec { token: Some(token.to_owned()), audiences: Some(self.audiences.clone()) };
            let review = TokenReview { spec, ..TokenReview::default() };
            let api = Api::<TokenReview>::all(self.client.clone());
            let answer = api.create(&PostParams::default(), &review).await.map_err(no_answer)?;
            let status = answer.status.unwrap_or_default();
            // A server that knows nothing of audiences says nothing of them: its tokens are for the API server itself.
            let is_for_here = status.audiences.iter().flatten().any(|audience| self.audiences.contains(audience));
            let Some(user) = status.user.filter(|_| status.authenticated == Some(true) && is_for_here) else {
                return Ok(None);
            };
            let Some(name) = user.username.filter(|name| !name.is_empty()) else { return Ok(None) };
            Ok(Some(Identity {
                name: name.into(),
                uid: user.uid.unwrap_or_default(),
                groups: user.groups.unwrap_or_default(),
                extra: user.extra.unwrap_or_default(),
            }))
        })
    }

    fn permits<'a>(
        &'a self,
        identity: &'a Identity,
        verb: Verb,
        environment: &'a str,
    ) -> BoxFuture<'a, Result<bool, ReviewError>> {
        Box::pin(async move {
            let Identity { name, uid, groups, extra } = identity.clone();
            let attributes = ResourceAttributes {
                group: Some(api::GROUP.to_owned()),
                version: Some(api::VERSION.to_owned()),
                resource: Some(RESOURCE.to_owned()),
                subresource: Some(verb.as_str().to_owned()),
                verb: Some(RBAC_VERB.to_owned()),
                namespace: Some(environment.to_owned()),
                ..ResourceAttributes::default()
            };
            let spec = SubjectAccessReviewSpec {
                user: Some(name.to_string()),
                uid: Some(uid).filter(|uid| !uid.is_empty()),
                groups: Some(groups),
                extra: Some(extra),
                resource_attributes: Some(attributes),
                non_resource_attributes: None,
            };
            let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
            let api = Api::<SubjectAccessReview>::all(self.client.clone());
            let answer = api.create(&PostParams::default(), &review).await.map_err(no_answer)?;
            Ok(answer.status.is_some_and(|status| status.allowed && status.denied != Some(true)))
        })
    }

    fn remedy(&self, verb: Verb) -> String {
        format!("RBAC must let it `{RBAC_VERB}` `{RESOURCE}/{}` of `{}` there", verb.as_str(), api::GROUP)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it ends here")]
fn no_answer(error: kube::Error) -> ReviewError {
    ReviewError(crate::source::with_causes(&error))
}
