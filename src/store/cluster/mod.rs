//! Objects kept by the Kubernetes API.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `patch` | what has to be merged into an object |
//! | `refusal` | what it means when the API server refuses |

mod patch;
mod refusal;

use std::{fmt, sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
use kube::{
    Client, Resource as _,
    api::{
        Api, DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions,
        PropagationPolicy,
    },
    core::Request,
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use tracing::{Instrument as _, debug_span};

use self::refusal::Asked;
use super::{Error, NewObject, ObjectStore, SIGHT_TIME, Spec, StoredObject, Write};
use crate::{
    api::{CASCADE_FINALIZER, CREATED_AT_ANNOTATION},
    graph::{
        Proposal,
        facts::{Kind, Name, ObjectRef, Timestamp},
    },
    source::{
        cluster::{self, WatchedObject, publish::Publisher},
        ledger::{Awaited, Outcome, identity::revision},
    },
};

/// Who owns what is written through an API of this program, as managed fields name it.
pub const FIELD_MANAGER: &str = "bailiwick/api";

/// How long a request to the API server may take.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// How many requests of one call are under way at once.
const CONCURRENCY: usize = 16;

/// How often a deletion is tried of an object that others change at the same time.
const ATTEMPTS: usize = 10;

/// Objects kept by the Kubernetes API.
///
/// # Guarantees
/// - Reads are quorum reads.
/// - A write that was begun is carried to its end, whether or not anybody waits for it.
/// - A replaced object keeps what is not changed: of its metadata, of its status, and of its spec what this version does not know;
///   and whoever owns a field that does not change still owns it.
#[derive(Clone)]
pub struct ClusterStore {
    client: Client,
    publisher: Arc<Publisher>,
}

impl fmt::Debug for ClusterStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterStore").finish_non_exhaustive()
    }
}

impl ObjectStore for ClusterStore {
    fn read<'a>(
        &'a self,
        environment: &'a str,
        object: &'a ObjectRef,
    ) -> BoxFuture<'a, Result<Option<StoredObject>, Error>> {
        Box::pin(async move {
            let Some(found) = self.get(environment, object).await? else { return Ok(None) };
            let ObjectMeta { uid, resource_version, annotations, .. } = found.meta();
            Ok(Some(StoredObject {
                name: object.name.clone(),
                uid: text(uid.as_ref()),
                resource_version: text(resource_version.as_ref()),
                annotations: annotations.clone().unwrap_or_default(),
                spec: read_spec(object, &found.spec)?,
            }))
        })
    }

    fn write<'a>(&'a self, environment: &'a str, writes: Vec<Write>) -> BoxFuture<'a, Result<(), Error>> {
        let (store, environment) = (self.clone(), environment.to_owned());
        Box::pin(async move {
            // A task of its own: a caller that goes away must not leave a half behind.
            let task = async move { store.write_all(&environment, writes).await };
            match tokio::spawn(task.in_current_span()).await {
                Ok(done) => done,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_ended) => Err(Error::Unavailable { problem: "the program is ending".to_owned() }),
            }
        })
    }
}

impl ClusterStore {
    /// Writes as the user of the client. What is written becomes visible through the publisher.
    #[must_use]
    pub const fn new(client: Client, publisher: Arc<Publisher>) -> Self {
        Self { client, publisher }
    }

    async fn write_all(&self, environment: &str, writes: Vec<Write>) -> Result<(), Error> {
        let hold = if writes.len() > 1 {
            Some(self.publisher.hold(environment, writes.iter().map(Write::object).collect()).await)
        } else {
            None
        };
        let (mut done, mut outcome) = (Vec::with_capacity(writes.len()), Ok(()));
        let alike = writes.chunk_by(|one, other| std::mem::discriminant(one) == std::mem::discriminant(other));
        for writes in alike.flat_map(|writes| writes.chunks(CONCURRENCY)) {
            for written in join_all(writes.iter().map(|write| self.carry_out(environment, write))).await {
                match written {
                    Ok(awaited) => done.push(awaited),
                    Err(error) => outcome = outcome.and(Err(error)),
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if let Some(hold) = &hold {
            hold.until(&done);
        }
        let seen = self.publisher.ledger().wait_for(environment, &done, SIGHT_TIME).await;
        outcome.and(seen.map_err(|object| Error::NotSeenYet { object }))
    }

    async fn carry_out(&self, environment: &str, write: &Write) -> Result<Awaited, Error> {
        let object = write.object();
        let operation = write.operation();
        let carried_out = async {
            Ok(match write {
                Write::Create(new) => self.create(environment, &object, new).await?,
                Write::Replace(changed) => (changed.uid.clone(), self.replace(environment, &object, changed).await?),
                Write::Delete { uid, .. } => {
                    self.delete(environment, &object, uid).await?;
                    (uid.clone(), Outcome::Deleted)
                }
            })
        };
        let (uid, outcome) = carried_out.instrument(debug_span!("write", operation)).await?;
        Ok(Awaited { object, uid, outcome })
    }

    async fn create(
        &self,
        environment: &str,
        object: &ObjectRef,
        NewObject { name, annotations, spec }: &NewObject,
    ) -> Result<(Name, Outcome), Error> {
        let resource = cluster::resource(object.kind);
        let mut annotations = annotations.clone();
        annotations.insert(CREATED_AT_ANNOTATION.to_owned(), format!("{:.3}", Timestamp::now()));
        let mut body = DynamicObject::new(name, &resource).data(json!({ "spec": spec.to_value() }));
        body.metadata.annotations = Some(annotations);
        body.metadata.finalizers = object.kind.cascades().then(|| vec![CASCADE_FINALIZER.to_owned()]);
        let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), environment, &resource);
        let created = self.ask(Asked { verb: "create", environment, object }, api.create(&parameters, &body)).await?;
        Ok((text(created.metadata.uid.as_ref()), written(&created.metadata)))
    }

    async fn replace(&self, environment: &str, object: &ObjectRef, changed: &StoredObject) -> Result<Outcome, Error> {
        let current = self.get_uid(environment, object, &changed.uid).await?;
        if text(current.meta().resource_version.as_ref()) != changed.resource_version {
            return Err(Error::Conflict { object: object.clone() });
        }
        let known = read_spec(object, &current.spec)?.to_value();
        let mut patch = Map::new();
        let mut metadata = Map::new();
        if let Some(spec) = patch::merge_patch(&known, &changed.spec.to_value()) {
            patch.insert("spec".to_owned(), spec);
        }
        let annotations = json!(current.meta().annotations.clone().unwrap_or_default());
        if let Some(annotations) = patch::merge_patch(&annotations, &json!(changed.annotations)) {
            metadata.insert("annotations".to_owned(), annotations);
        }
        if patch.is_empty() && metadata.is_empty() {
            return Ok(written(current.meta()));
        }
        metadata.insert("uid".to_owned(), json!(&*changed.uid));
        metadata.insert("resourceVersion".to_owned(), json!(&*changed.resource_version));
        patch.insert("metadata".to_owned(), Value::Object(metadata));
        let patched = self.patch(environment, object, &Patch::Merge(Value::Object(patch))).await?;
        Ok(written(patched.meta()))
    }

    async fn delete(&self, environment: &str, object: &ObjectRef, uid: &Name) -> Result<(), Error> {
        if !object.kind.cascades() {
            // The only precondition is the uid, so that what is in conflict with it is another object.
            return self.delete_as(environment, object, uid, None).await.map_err(|error| match error {
                Error::Conflict { object } => Error::NotFound { object },
                error => error,
            });
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.delete_cascading(environment, object, uid).await {
                Err(Error::Conflict { .. }) if attempt < ATTEMPTS => {}
                done => return done,
            }
        }
    }

    /// Deletes an object in a state in which the finalizer is on it, so that what depends on it goes even where no leader has
    /// seen it yet.
    async fn delete_cascading(&self, environment: &str, object: &ObjectRef, uid: &Name) -> Result<(), Error> {
        let mut current = self.get_uid(environment, object, uid).await?;
        self.review_deletion(environment, object, current.is_restricted())?;
        let finalizers = current.meta().finalizers.as_deref().unwrap_or_default();
        if !finalizers.iter().any(|finalizer| finalizer == CASCADE_FINALIZER) {
            let version = current.meta().resource_version.as_deref().unwrap_or_default();
            let operations = cluster::add_finalizer(uid, version, !finalizers.is_empty());
            // INVARIANT: it is a list of operations.
            #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
            let patch = Patch::Json(serde_json::from_value(operations).expect("a JSON patch"));
            current = self.patch(environment, object, &patch).await?;
        }
        self.delete_as(environment, object, uid, current.meta().resource_version.clone()).await
    }

    /// Asks the graph what it thinks of a deletion, as the admission webhook does.
    fn review_deletion(&self, environment: &str, object: &ObjectRef, restricted: bool) -> Result<(), Error> {
        let graph = self.publisher.environments().get(environment).unwrap_or_default();
        let proposal = Proposal::Delete { object: object.clone(), restricted };
        let reasons = graph.review(&proposal, Timestamp::now()).refusals;
        if reasons.is_empty() { Ok(()) } else { Err(Error::Refused { object: object.clone(), reasons }) }
    }

    async fn delete_as(
        &self,
        environment: &str,
        object: &ObjectRef,
        uid: &Name,
        resource_version: Option<String>,
    ) -> Result<(), Error> {
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { resource_version, uid: Some(uid.to_string()) }),
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        let api = self.api(environment, object.kind);
        self.ask(Asked { verb: "delete", environment, object }, api.delete(&object.name, &parameters)).await.map(drop)
    }

    async fn patch(&self, environment: &str, object: &ObjectRef, patch: &Patch<Value>) -> Result<WatchedObject, Error> {
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let api = self.api(environment, object.kind);
        self.ask(Asked { verb: "patch", environment, object }, api.patch(&object.name, &parameters, patch)).await
    }

    /// An object as it is now. None: it does not exist, or is under deletion.
    async fn get(&self, environment: &str, object: &ObjectRef) -> Result<Option<WatchedObject>, Error> {
        let api = self.api(environment, object.kind);
        match self.ask(Asked { verb: "get", environment, object }, api.get(&object.name)).await {
            Ok(found) => Ok(Some(found).filter(|found| found.meta().deletion_timestamp.is_none())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, where it is still the one with this uid.
    async fn get_uid(&self, environment: &str, object: &ObjectRef, uid: &Name) -> Result<WatchedObject, Error> {
        let found = self.get(environment, object).await?.filter(|found| text(found.meta().uid.as_ref()) == *uid);
        found.ok_or_else(|| Error::NotFound { object: object.clone() })
    }

    /// Asks the API server, which has [`REQUEST_TIME`] to answer. Where it asks for patience, the client tries again within that.
    async fn ask<T>(&self, asked: Asked<'_>, request: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
        let span = debug_span!("write", operation = asked.verb);
        match timeout(REQUEST_TIME, request.instrument(span)).await {
            Ok(Ok(answer)) => Ok(answer),
            // One that is starting permits nothing before it has read what it permits.
            Ok(Err(error)) if asked.lacks_permission(&error) && !self.is_ready().await => {
                let problem =
                    format!("{}, unless the API server is only starting: it is not ready", asked.refused(&error));
                Err(Error::Unavailable { problem })
            }
            Ok(Err(error)) => Err(asked.refused(&error)),
            Err(_elapsed) => Err(Error::Unavailable {
                problem: format!("the API server has not answered for {} seconds", REQUEST_TIME.as_secs()),
            }),
        }
    }

    /// Whether the API server says that it is ready.
    async fn is_ready(&self) -> bool {
        // A GET of the path.
        let Ok(request) = Request::new("/readyz").list(&ListParams::default()) else { return false };
        matches!(timeout(REQUEST_TIME, self.client.request_text(request)).await, Ok(Ok(_)))
    }

    fn api(&self, environment: &str, kind: Kind) -> Api<WatchedObject> {
        cluster::api(&self.client, environment, kind)
    }
}

fn read_spec(object: &ObjectRef, spec: &Value) -> Result<Spec, Error> {
    Spec::read(object.kind, spec).map_err(|error| Error::Invalid {
        object: object.clone(),
        problem: format!("what is stored cannot be read: {error}; correct it with kubectl"),
    })
}

fn written(metadata: &ObjectMeta) -> Outcome {
    Outcome::Written { revision: revision(metadata.resource_version.as_deref().unwrap_or_default()) }
}

fn text(field: Option<&String>) -> Name {
    field.map(Name::from).unwrap_or_default()
}
