//! Every write to the API server, each under the claim of leadership.

use std::{fmt, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client, Resource as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    core::Status,
};
use serde_json::{Value, json};
use tracing::{Instrument as _, debug_span};

use super::{lease::Leadership, metrics::Metrics};
use crate::{
    api::{API_VERSION, CASCADE_FINALIZER},
    graph::facts::{Kind, Name, ObjectRef},
    source::{
        cluster::{self, WatchedObject},
        describe_error,
        ledger::{Record, ResourceVersion},
    },
};

/// Who owns the status, as managed fields name it.
const STATUS_MANAGER: &str = "bailiwick";
/// Who owns the finalizer.
const FINALIZER_MANAGER: &str = "bailiwick/finalizer";
/// Who takes the names of what is deleted out of groups.
const CASCADE_MANAGER: &str = "bailiwick/cascade";

/// Writes to the API server.
///
/// # Guarantees
/// - Nothing is written without the claim of leadership.
/// - Every write names the object's uid and, where it follows from the object's state, its resource version: it never
///   hits a namesake, nor a state that it was not meant for.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    leadership: Leadership,
    /// How long a write may take.
    timeout: Duration,
    metrics: Metrics,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("leadership", &self.leadership).finish_non_exhaustive()
    }
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another replica leads, or may.
    #[error("this replica does not lead")]
    NotLeading,
    /// The object does not exist any more.
    #[error("the object is gone")]
    Gone,
    /// The object is not in the state that the write was meant for.
    #[error("the object has changed meanwhile")]
    Conflict,
    /// The API server does not take this write to this object.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// The API server did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// Anything else.
    #[error("{}", describe_error(.0, "what it takes"))]
    Api(Box<kube::Error>),
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.is_not_found() => Self::Gone,
            kube::Error::Api(status) if status.is_conflict() || cluster::is_failed_test(&status) => Self::Conflict,
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 405..=428 | 500) => Self::Refused(status),
            error => Self::Api(Box::new(error)),
        }
    }
}

impl Error {
    const fn outcome(&self) -> &'static str {
        match self {
            Self::NotLeading => "not_leading",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::Refused(_) => "refused",
            Self::Timeout | Self::Api(_) => "error",
        }
    }
}

/// A list of names in the spec of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupList {
    /// `spec.members`.
    Members,
    /// `spec.subgroups`.
    Subgroups,
}

impl GroupList {
    const fn field(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Subgroups => "subgroups",
        }
    }
}

impl Writer {
    /// Writes on behalf of whoever holds the lease.
    #[must_use]
    pub const fn new(client: Client, leadership: Leadership, timeout: Duration, metrics: Metrics) -> Self {
        Self { client, leadership, timeout, metrics }
    }

    /// Writes the status of an object. The resource version that the object has then.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn write_status(
        &self,
        environment: &str,
        object: &ObjectRef,
        record: &Record,
        status: &Value,
    ) -> Result<ResourceVersion, Error> {
        let body = json!({
            "apiVersion": API_VERSION,
            "kind": object.kind.as_str(),
            "metadata": { "name": &*object.name, "uid": record.uid.to_string(), "resourceVersion": record.resource_version.to_string() },
            "status": status,
        });
        let parameters = PatchParams::apply(STATUS_MANAGER).force();
        let api = self.api(environment, object.kind);
        let apply = Patch::Apply(&body);
        let written = match self.write("status", api.patch_status(&object.name, &parameters, &apply)).await {
            // Server-side apply cannot be made to an object of which a part has another type than the schema says.
            Err(Error::Refused(status)) if status.code == 500 => {
                let parameters = PatchParams { field_manager: parameters.field_manager, ..PatchParams::default() };
                let merge = Patch::Merge(&body);
                self.write("status", api.patch_status(&object.name, &parameters, &merge)).await?
            }
            written => written?,
        };
        Ok(written.meta().resource_version.as_deref().unwrap_or_default().into())
    }

    /// Puts the finalizer on an object.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add_finalizer(&self, environment: &str, object: &ObjectRef, record: &Record) -> Result<(), Error> {
        let operations = cluster::add_finalizer(
            &record.uid.to_string(),
            &record.resource_version.to_string(),
            record.has_finalizers,
        );
        self.patch("add_finalizer", FINALIZER_MANAGER, environment, object.kind, &object.name, operations).await
    }

    /// Takes the finalizer off an object.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn remove_finalizer(
        &self,
        environment: &str,
        object: &ObjectRef,
        record: &Record,
        index: u32,
    ) -> Result<(), Error> {
        let path = format!("/metadata/finalizers/{index}");
        let operations = json!([
            { "op": "test", "path": "/metadata/uid", "value": record.uid.to_string() },
            { "op": "test", "path": &path, "value": CASCADE_FINALIZER },
            { "op": "remove", "path": &path },
        ]);
        self.patch("remove_finalizer", FINALIZER_MANAGER, environment, object.kind, &object.name, operations).await
    }

    /// Deletes an object, in the state that the record tells of and no other.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete(&self, environment: &str, object: &ObjectRef, record: &Record) -> Result<(), Error> {
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                resource_version: Some(record.resource_version.to_string()),
                uid: Some(record.uid.to_string()),
            }),
            ..DeleteParams::default()
        };
        let api = self.api(environment, object.kind);
        self.write("delete", api.delete(&object.name, &parameters)).await.map(drop)
    }

    /// Takes names out of lists of a group, as far as they are there.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn take_out_of_group(
        &self,
        environment: &str,
        group: &str,
        names: &[(GroupList, Name)],
    ) -> Result<(), Error> {
        let api = self.api(environment, Kind::Group);
        let current = self.write("read_group", api.get(group)).await?;
        let mut operations = Vec::new();
        for list in [GroupList::Members, GroupList::Subgroups] {
            let listed = current.spec[list.field()].as_array().map_or(&[][..], Vec::as_slice);
            let is_meant =
                |value: &Value| names.iter().any(|(of, name)| *of == list && value.as_str() == Some(name.as_str()));
            // From the end, so that the indices of those before stay what they are.
            for (index, value) in listed.iter().enumerate().rev().filter(|(_, value)| is_meant(value)) {
                let path = format!("/spec/{}/{index}", list.field());
                operations.push(json!({ "op": "test", "path": &path, "value": value }));
                operations.push(json!({ "op": "remove", "path": path }));
            }
        }
        if operations.is_empty() {
            return Ok(());
        }
        let ObjectMeta { uid, .. } = current.meta();
        operations.insert(0, json!({ "op": "test", "path": "/metadata/uid", "value": uid }));
        self.patch("take_out_of_group", CASCADE_MANAGER, environment, Kind::Group, group, Value::Array(operations))
            .await
    }

    async fn patch(
        &self,
        operation: &'static str,
        manager: &'static str,
        environment: &str,
        kind: Kind,
        name: &str,
        operations: Value,
    ) -> Result<(), Error> {
        let parameters = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        // INVARIANT: every patch above is a list of operations.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        let patch: Patch<Value> = Patch::Json(serde_json::from_value(operations).expect("a JSON patch"));
        let api = self.api(environment, kind);
        self.write(operation, api.patch(name, &parameters, &patch)).await.map(drop)
    }

    async fn write<T>(
        &self,
        operation: &'static str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Error> {
        let result = if self.leadership.holds() {
            let span = debug_span!("write", operation);
            match tokio::time::timeout(self.timeout, request.instrument(span)).await {
                Ok(answer) => answer.map_err(Error::from),
                Err(_elapsed) => Err(Error::Timeout),
            }
        } else {
            Err(Error::NotLeading)
        };
        self.metrics.wrote(operation, result.as_ref().map_or_else(Error::outcome, |_| "ok"));
        result
    }

    fn api(&self, environment: &str, kind: Kind) -> Api<WatchedObject> {
        cluster::api(&self.client, environment, kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(details: &Value) -> Error {
        let status = json!({
            "status": "Failure", "code": 422, "reason": "Invalid", "message": "as the API server puts it", "details": details,
        });
        Error::from(kube::Error::Api(Box::new(serde_json::from_value(status).unwrap())))
    }

    #[test]
    fn a_failed_test_of_a_json_patch_is_a_conflict_and_an_invalid_object_is_not() {
        assert!(matches!(refused(&json!({})), Error::Conflict));
        let causes = json!([{ "reason": "FieldValueInvalid", "message": "Invalid value", "field": "spec" }]);
        let invalid = json!({ "name": "web", "group": "authz.bailiwick.dev", "kind": "Resource", "causes": causes });
        assert!(matches!(refused(&invalid), Error::Refused(_)));
    }
}
