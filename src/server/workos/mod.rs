//! The WorkOS Authorization API, as the official SDKs speak it. `docs/workos.md` has every endpoint and says where it differs.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `context` | the environment of a request, and finding what requests name |
//! | `body`, `target`, `terms`, `described` | reading requests: their fields, the resource that they name, the role that they assign, what they call roles and permissions |
//! | `shapes`, `id`, `list`, `error` | the bodies of responses, ids, pages, and errors |
//! | `permission_lookup` | permissions, which have no objects of their own |
//! | `annotations` | what is kept with objects that their specs have no fields for |
//! | `idempotency` | a write that is sent again is answered again, and carried out once |
//! | the others | the endpoints, by what they are about |

#![allow(clippy::option_option, reason = "in a change, a field that is absent, null or a value are three things")]

mod annotations;
mod body;
mod checks;
mod context;
mod described;
mod environment;
mod error;
mod explain;
mod group_role_assignments;
mod groups;
mod id;
mod idempotency;
mod list;
mod memberships;
mod organizations;
mod permission_lookup;
mod permissions;
mod resource_types;
mod resources;
mod role_assignments;
mod roles;
mod shapes;
mod target;
mod terms;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};

pub(super) use self::error::Error;
use super::Server;

/// Every endpoint, in the environment of the caller at the root of the host, and in any under its name.
pub(super) fn routes(server: &Arc<Server>) -> Router<Arc<Server>> {
    let writing = Router::new()
        .merge(environment::routes())
        .merge(group_role_assignments::routes())
        .merge(groups::routes())
        .merge(memberships::routes())
        .merge(organizations::routes())
        .merge(permissions::routes())
        .merge(resource_types::routes())
        .merge(resources::routes())
        .merge(role_assignments::routes())
        .merge(roles::routes())
        .route_layer(from_fn_with_state(Arc::clone(server), check_writable));
    let reading = Router::new().merge(checks::routes()).merge(users::routes());
    let endpoints = idempotency::honoured(writing, server).merge(reading);
    Router::new().merge(endpoints.clone()).nest("/environments/{namespace}", endpoints)
}

/// Refuses what would write where nothing may be written, whatever it says: nobody has to get it right to be told.
async fn check_writable(State(server): State<Arc<Server>>, request: Request, next: Next) -> Result<Response, Error> {
    if !request.method().is_safe() {
        server.store.check_writable()?;
    }
    Ok(next.run(request).await)
}

/// Whether a path belongs to this API, be there anything at it or not.
pub(super) fn has_path(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    if segments.peek() == Some(&"environments") {
        segments.nth(1);
    }
    matches!(segments.next(), Some("authorization" | "organizations" | "user_management"))
}
