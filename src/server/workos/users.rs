//! Users live in the identity provider.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::any};

use super::Error;
use crate::server::Server;

pub fn routes() -> Router<Arc<Server>> {
    let path = "/user_management/users";
    Router::new().route(path, any(refuse)).route(&format!("{path}/{{*rest}}"), any(refuse))
}

async fn refuse() -> Error {
    Error::coded(
        StatusCode::NOT_IMPLEMENTED,
        "users_not_kept_here",
        "Users live in the identity provider and are not kept here: create and look them up there. A membership takes any \
         user_id (POST /user_management/organization_memberships), and with it what is to be shown of the user: \
         \"user\": {\"email\", \"first_name\", \"last_name\"}.",
    )
}
