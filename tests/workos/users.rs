//! Users, who live elsewhere.

use axum::http::Method;
use serde_json::json;

use super::expect::{coded, refused};
use crate::support::workos::World;

#[tokio::test]
async fn users_are_not_kept_here_which_every_method_says() {
    let world = World::new("");
    let body = coded(
        "users_not_kept_here",
        "Users live in the identity provider and are not kept here: create and look them up there. A membership takes any \
         user_id (POST /user_management/organization_memberships), and with it what is to be shown of the user: \"user\": \
         {\"email\", \"first_name\", \"last_name\"}.",
    );
    for path in ["/user_management/users", "/user_management/users/user_01", "/user_management/users/external_id/a%2Fb"]
    {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            refused(&world.send(method, path, Some(&json!({}))).await, 501, &body);
        }
    }
    refused(&world.get("/environments/default/user_management/users").await, 501, &body);
}
