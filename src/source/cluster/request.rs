//! What everybody who writes to the API server asks in the same way.

use kube::{Api, Client, core::Status};
use serde_json::{Value, json};

use super::{WatchedObject, resource};
use crate::{api::CASCADE_FINALIZER, graph::facts::Kind};

/// The objects of a kind in an environment.
pub fn api(client: &Client, environment: &str, kind: Kind) -> Api<WatchedObject> {
    Api::namespaced_with(client.clone(), environment, &resource(kind))
}

/// The JSON patch that puts the cascade's finalizer on an object, in this state of it and in no other. `has_finalizers`: it has
/// others.
pub fn add_finalizer(uid: &str, resource_version: &str, has_finalizers: bool) -> Value {
    let add = if has_finalizers {
        json!({ "op": "add", "path": "/metadata/finalizers/-", "value": CASCADE_FINALIZER })
    } else {
        json!({ "op": "add", "path": "/metadata/finalizers", "value": [CASCADE_FINALIZER] })
    };
    json!([
        { "op": "test", "path": "/metadata/uid", "value": uid },
        { "op": "test", "path": "/metadata/resourceVersion", "value": resource_version },
        add,
    ])
}

/// Whether a JSON patch was refused because a `test` in it failed. The API server has no words for that; but of whatever
/// else it refuses with this code, it names the object.
pub fn is_failed_test(status: &Status) -> bool {
    status.code == 422 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}
