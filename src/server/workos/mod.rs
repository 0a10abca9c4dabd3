//! The WorkOS Authorization API, as the official SDKs speak it. `docs/workos.md` has every endpoint and says where it differs.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `context` | the environment of a request, and finding what requests name |
//! | `body`, `target`, `id`, `list`, `error`, `shapes` | what all endpoints share |
//! | the others | the endpoints, by what they are about |

mod body;
mod context;
mod error;
mod id;
mod list;
mod shapes;
mod target;

use std::sync::Arc;

use axum::Router;

pub(super) use self::error::Error;
use super::Server;

/// Every endpoint, in the environment of the caller at the root of the host, and in any under its name.
pub(super) fn routes() -> Router<Arc<Server>> {
    let endpoints = Router::new();
    Router::new().merge(endpoints.clone()).nest("/environments/{namespace}", endpoints)
}
