//! What is read of an object that the API server sends.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{
    api::{CASCADE_FINALIZER, CREATED_AT_ANNOTATION, DELETION_ANNOTATION, Problem, RESTRICT},
    graph::facts::{Kind, Name, Object, Timestamp},
    source::{
        convert::{self, Metadata, UnknownFields},
        ledger::{ObservedStatus, Presentation, Record, identity::revision},
    },
};

/// An object of any of our kinds, whatever its spec looks like.
///
/// A list must not fail as a whole because one object in it cannot be understood, so the spec is not looked into here.
/// Of the metadata only what matters is kept; above all the managed fields, often larger than the spec, are not.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Wire")]
pub struct WatchedObject {
    metadata: ObjectMeta,
    /// When somebody last wrote a part of its spec that is still there.
    spec_written: Option<Timestamp>,
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
    #[serde(default)]
    managed_fields: Vec<WireManagedFields>,
}

/// What of a part of the object who wrote when.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireManagedFields {
    time: Option<Time>,
    #[serde(default, rename = "fieldsV1")]
    fields: WireFields,
}

#[derive(Default, Deserialize)]
struct WireFields {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
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
            managed_fields,
        } = metadata;
        let of_spec = managed_fields.into_iter().filter(|fields| fields.fields.spec.is_some());
        let spec_written = of_spec.filter_map(|fields| Some(fields.time?.0)).max();
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
        Self { metadata, spec_written, spec, status }
    }
}

impl WatchedObject {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> Name {
        self.metadata.name.as_deref().unwrap_or_default().into()
    }

    /// The object as the graph knows it under this name, which is its own, and what is wrong with its spec.
    #[must_use]
    pub fn to_object(&self, kind: Kind, name: Name) -> (Object, Vec<Problem>) {
        let ObjectMeta { creation_timestamp, deletion_timestamp, .. } = &self.metadata;
        let metadata = Metadata {
            name,
            created: creation_timestamp.as_ref().map(|_| self.created()),
            deleting: deletion_timestamp.is_some(),
        };
        convert::object(kind, metadata, &self.spec, UnknownFields::Ignore)
    }

    /// Its resource version as the number that it is; 0 where it is none.
    #[must_use]
    pub fn revision(&self) -> u64 {
        revision(self.metadata.resource_version.as_deref().unwrap_or_default())
    }

    /// What the ledger keeps of it.
    #[must_use]
    pub fn to_record(&self, kind: Kind) -> Record {
        let ObjectMeta { uid, resource_version, generation, deletion_timestamp, finalizers, annotations, .. } =
            &self.metadata;
        let finalizers = finalizers.as_deref().unwrap_or_default();
        let cascade_finalizer = finalizers.iter().position(|finalizer| finalizer == CASCADE_FINALIZER);
        let created = self.created();
        Record {
            uid: uid.as_deref().unwrap_or_default().into(),
            resource_version: resource_version.as_deref().unwrap_or_default().into(),
            generation: generation.unwrap_or_default(),
            deleting: deletion_timestamp.is_some(),
            has_finalizers: !finalizers.is_empty(),
            cascade_finalizer: cascade_finalizer.and_then(|index| index.try_into().ok()),
            restricted: self.is_restricted(),
            status: ObservedStatus::of(&self.status),
            created: created.into(),
            updated: self.spec_written.map_or(created, |written| written.max(created)).into(),
            presentation: Presentation::of(kind, &self.spec, annotations.as_ref()),
        }
    }

    /// When it was created: within the second that the API server tells, its annotation is believed.
    fn created(&self) -> Timestamp {
        let second = self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        let annotation =
            self.metadata.annotations.as_ref().and_then(|annotations| annotations.get(CREATED_AT_ANNOTATION));
        let annotated = annotation.and_then(|text| text.parse::<Timestamp>().ok());
        annotated.filter(|precise| precise.as_second() == second.as_second()).unwrap_or(second)
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
