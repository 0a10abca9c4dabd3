//! What is read of an object that the API server sends.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{DELETION_ANNOTATION, Problem, RESTRICT},
    graph::facts::{Kind, Object},
    source::convert::{self, Metadata, UnknownFields},
};

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
    /// Its status, null where it has none.
    pub status: Value,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    metadata: WireMetadata,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMetadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    finalizers: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl From<Wire> for WatchedObject {
    fn from(Wire { metadata, spec, status }: Wire) -> Self {
        let WireMetadata {
            name,
            namespace,
            uid,
            resource_version,
            generation,
            creation_timestamp,
            deletion_timestamp,
            finalizers,
            annotations,
        } = metadata;
        let metadata = ObjectMeta {
            name,
            namespace,
            uid,
            resource_version,
            generation,
            creation_timestamp,
            deletion_timestamp,
            finalizers,
            annotations,
            ..ObjectMeta::default()
        };
        Self { metadata, spec, status }
    }
}

impl WatchedObject {
    /// The object as the graph knows it, and what is wrong with its spec.
    #[must_use]
    pub fn to_object(&self, kind: Kind) -> (Object, Vec<Problem>) {
        let ObjectMeta { name, creation_timestamp, deletion_timestamp, .. } = &self.metadata;
        let metadata = Metadata {
            name: name.as_deref().unwrap_or_default().into(),
            created: creation_timestamp.as_ref().map(|time| time.0),
            deleting: deletion_timestamp.is_some(),
        };
        convert::object(kind, metadata, &self.spec, UnknownFields::Ignore)
    }

    /// Whether it is annotated not to be deleted while anything depends on it.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        let policy = self.metadata.annotations.as_ref().and_then(|annotations| annotations.get(DELETION_ANNOTATION));
        policy.is_some_and(|policy| policy == RESTRICT)
    }
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
