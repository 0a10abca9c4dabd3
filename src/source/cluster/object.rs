//! What is read of an object that the API server sends.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::Problem,
    graph::facts::{Kind, Object},
    source::convert::{self, Metadata, UnknownFields},
};

/// Says what becomes of a resource that is deleted.
const DELETION: &str = "authz.bailiwick.dev/deletion";

/// The value of [`DELETION`] that keeps a resource from being deleted while anything depends on it.
const RESTRICT: &str = "Restrict";

/// An object of any of our kinds, whatever its spec looks like.
///
/// A list must not fail as a whole because one object in it cannot be understood, so the spec is not looked into here.
/// Of the metadata only what matters is kept; above all the managed fields, often larger than the spec, are not.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Wire")]
pub struct WatchedObject {
    metadata: ObjectMeta,
    /// Its spec, null where it has none.
    pub spec: Value,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    metadata: WireMetadata,
    #[serde(default)]
    spec: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
}

impl From<Wire> for WatchedObject {
    fn from(Wire { metadata, spec }: Wire) -> Self {
        let WireMetadata { name, namespace, uid, resource_version, creation_timestamp, deletion_timestamp } = metadata;
        let metadata = ObjectMeta {
            name,
            namespace,
            uid,
            resource_version,
            creation_timestamp,
            deletion_timestamp,
            ..ObjectMeta::default()
        };
        Self { metadata, spec }
    }
}

impl WatchedObject {
    /// The object as the graph knows it, and what is wrong with its spec.
    pub fn to_object(&self, kind: Kind) -> (Object, Vec<Problem>) {
        let ObjectMeta { name, creation_timestamp, deletion_timestamp, .. } = &self.metadata;
        let metadata = Metadata {
            name: name.as_deref().unwrap_or_default().into(),
            created: creation_timestamp.as_ref().map(|time| time.0),
            deleting: deletion_timestamp.is_some(),
        };
        convert::object(kind, metadata, &self.spec, UnknownFields::Ignore)
    }
}

/// An object in the format of the Kubernetes API as the graph would know it.
///
/// # Errors
/// What is wrong with its metadata. (A spec that cannot be used makes the object
/// [`Invalid`](crate::graph::facts::Fact::Invalid).)
pub fn read_object(kind: Kind, object: &Value) -> Result<Object, String> {
    WatchedObject::deserialize(object).map(|object| object.to_object(kind).0).map_err(|error| error.to_string())
}

/// Whether an object in the format of the Kubernetes API is annotated not to be deleted while anything depends on it.
pub fn is_restricted(object: &Value) -> bool {
    object["metadata"]["annotations"][DELETION] == RESTRICT
}

impl Resource for WatchedObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
