//! The objects, to be shown and to be written.
//!
//! - [`ObjectStore`]: where objects are kept: [`ClusterStore`] (the Kubernetes API) or [`DirectoryStore`] (a folder of manifests).
//! - [`Store`]: what the surfaces write through. What they plan ([`Planned`]) is given names, reviewed by the graph, retried where
//!   somebody else was faster, and over only when the local graph contains it.
//! - [`View`]: the objects of an environment at one moment.

mod author;
mod cluster;
mod directory;
mod error;
mod locks;
pub mod names;
mod objects;
mod plan;
pub(crate) mod seen;
pub mod spec;
pub mod view;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rand::Rng as _;
use serde_json::Value;
use smol_str::ToSmolStr as _;

#[cfg(fuzzing)]
pub use self::directory::fuzzing;
pub use crate::source::progress::{History, Missing, NotFresh};

pub use self::{
    author::{Author, LAST_WRITTEN_BY_ANNOTATION},
    cluster::ClusterStore,
    directory::DirectoryStore,
    error::Error,
    objects::{NewObject, ObjectStore, StoredObject, Write},
    plan::{Draft, Naming, Planned},
    spec::Spec,
    view::{Item, ObjectId, OfKind, Place, Presentation, Snapshot, View},
};
use self::{locks::Locks, plan::Named};
use crate::{
    graph::{
        Environments, Proposal,
        facts::{Name, Object, ObjectRef, Timestamp},
    },
    source::{
        Ledger, Progress,
        convert::{self, Metadata, UnknownFields},
        ledger::{Awaited, Outcome, Records, identity::revision},
    },
};

/// How often a write is tried where others change the same objects.
const ATTEMPTS: usize = 12;

/// What the surfaces read and write objects through. A clone writes to the same place.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Result<Arc<dyn ObjectStore>, String>,
    environments: Arc<Environments>,
    ledger: Arc<Ledger>,
    locks: Arc<Locks>,
    /// Whom it writes for, where that is known.
    author: Option<Arc<Author>>,
}

impl Store {
    /// Objects that are written to `objects`, from where they come into the graphs of `environments` and into the `ledger`.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, environments: Arc<Environments>, ledger: Arc<Ledger>) -> Self {
        Self { objects: Ok(objects), environments, ledger, locks: Arc::default(), author: None }
    }

    /// The same where nothing may be written; `problem` says why and names the remedy.
    #[must_use]
    pub fn read_only(problem: impl Into<String>, environments: Arc<Environments>, ledger: Arc<Ledger>) -> Self {
        Self { objects: Err(problem.into()), environments, ledger, locks: Arc::default(), author: None }
    }

    /// The same, writing for somebody: what is written says so, and the audit log has a line for each object.
    #[must_use]
    pub fn written_by(&self, author: Arc<Author>) -> Self {
        Self { author: Some(author), ..self.clone() }
    }

    /// How far the graphs have come with what the objects are.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        self.ledger.progress()
    }

    /// Notes that what the task tells now comes after a write, which the graph contains.
    fn note_written(&self, environment: &str) {
        seen::note(&self.environments.revision(environment));
    }

    /// An environment as it is now.
    #[must_use]
    pub fn snapshot(&self, environment: &str) -> Snapshot {
        let graph = self.environments.get(environment).unwrap_or_default();
        Snapshot::new(graph, self.ledger.get(environment).unwrap_or_default())
    }

    /// Creates an object. `draft` says which, and whether at all, as the environment is now; where another writer was faster it
    /// is asked again. The name that the object got.
    ///
    /// # Errors
    /// Those of `draft`, and those of the store.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "unreachable, see the invariant")]
    pub async fn create<E: From<Error>>(
        &self,
        environment: &str,
        draft: impl Fn(&View<'_>) -> Result<Draft, E> + Send,
    ) -> Result<Name, E> {
        let mut names =
            self.write_together::<E>(environment, move |view| Ok(vec![Planned::Create(draft(view)?)])).await?;
        // INVARIANT: one name is returned for each object that is created.
        Ok(names.pop().expect("the name of what was created"))
    }

    /// Carries out several writes that take effect together on this replica. `plan` says which, as the environment is now; where
    /// another writer was faster it is asked again, so that saying it again completes what was begun. The names of the created
    /// objects, in their order.
    ///
    /// # Errors
    /// Those of `plan`, and those of the store.
    pub async fn write_together<E: From<Error>>(
        &self,
        environment: &str,
        plan: impl Fn(&View<'_>) -> Result<Vec<Planned>, E> + Send,
    ) -> Result<Vec<Name>, E> {
        let objects = self.objects()?;
        let (mut attempt, mut has_waited) = (0, false);
        loop {
            attempt += 1;
            let Named { mut writes, names, vacated } = {
                let snapshot = self.snapshot(environment);
                let view = snapshot.view();
                Named::of(plan(&view)?, &view)?
            };
            if !vacated.is_empty() && !has_waited {
                has_waited = true;
                self.wait_until_gone(environment, &vacated).await;
                continue;
            }
            for write in &mut writes {
                match write {
                    Write::Create(NewObject { name, annotations, spec }) => {
                        self.sign(annotations);
                        self.review(environment, name, spec)?;
                    }
                    Write::Replace(changed) => self.review(environment, &changed.name, &changed.spec)?,
                    // Whether anything speaks against that is seen when its turn comes.
                    Write::Delete { .. } => {}
                }
            }
            let written = objects.write(environment, writes.clone()).await;
            self.note(environment, &writes, written.as_ref().copied());
            match written {
                Ok(()) => {
                    self.note_written(environment);
                    return Ok(names);
                }
                // A deleted object that is gone already is what was wanted: the next plan does not name it.
                Err(error @ (Error::AlreadyExists { .. } | Error::Conflict { .. } | Error::NotFound { .. })) => {
                    let error = self.caught_up(environment, &writes, error).await;
                    if attempt >= ATTEMPTS || matches!(error, Error::NotSeenYet { .. }) {
                        return Err(error.into());
                    }
                    pause(attempt).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Changes what an object says. `change` is told what it says now; where another writer was faster it is told again.
    ///
    /// # Errors
    /// Those of `change`, and those of the store.
    pub async fn edit<E: From<Error>>(
        &self,
        environment: &str,
        object: &ObjectRef,
        change: impl Fn(&View<'_>, &mut StoredObject) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let objects = self.objects()?;
        // Writers of this replica queue up instead of refusing each other.
        let _turn = self.locks.lock(environment, object).await;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Some(stored) = objects.read(environment, object).await? else {
                return Err(self.gone(environment, object).await.into());
            };
            let mut changed = stored.clone();
            {
                let snapshot = self.snapshot(environment);
                change(&snapshot.view(), &mut changed)?;
            }
            if changed == stored {
                // It may be another replica that wrote it, not long ago.
                self.wait_until_seen(environment, &stored).await?;
                self.note_written(environment);
                return Ok(());
            }
            self.sign(&mut changed.annotations);
            self.review(environment, &changed.name, &changed.spec)?;
            let writes = vec![Write::Replace(changed)];
            let written = objects.write(environment, writes.clone()).await;
            self.note(environment, &writes, written.as_ref().copied());
            match written {
                Ok(()) => {
                    self.note_written(environment);
                    return Ok(());
                }
                Err(Error::Conflict { .. }) if attempt < ATTEMPTS => pause(attempt).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deletes an object and all that depends on it.
    ///
    /// # Errors
    /// Those of the store; [`Error::NotFound`] where there is no such object.
    pub async fn delete(&self, environment: &str, object: &ObjectRef) -> Result<(), Error> {
        let objects = self.objects()?;
        let uid = self.uid(environment, object).ok_or_else(|| Error::NotFound { object: object.clone() })?;
        let _turn = self.locks.lock(environment, object).await;
        let write = Write::Delete { object: object.clone(), uid };
        let written = objects.write(environment, vec![write.clone()]).await;
        self.note(environment, std::slice::from_ref(&write), written.as_ref().copied());
        match written {
            Err(error @ Error::NotFound { .. }) => Err(self.caught_up(environment, &[write], error).await),
            done => {
                self.note_written(environment);
                done
            }
        }
    }

    /// Whether anything may be written at all.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], where nothing may.
    pub fn check_writable(&self) -> Result<(), Error> {
        self.objects().map(drop)
    }

    fn objects(&self) -> Result<&Arc<dyn ObjectStore>, Error> {
        self.objects.as_ref().map_err(|problem| Error::ReadOnly { problem: problem.clone() })
    }

    /// Says on an object who wrote it. What nobody is known to have written no longer names the one before.
    fn sign(&self, annotations: &mut BTreeMap<String, String>) {
        match &self.author {
            Some(author) => annotations.insert(LAST_WRITTEN_BY_ANNOTATION.to_owned(), author.caller().to_owned()),
            None => annotations.remove(LAST_WRITTEN_BY_ANNOTATION),
        };
    }

    fn note(&self, environment: &str, writes: &[Write], ended: Result<(), &Error>) {
        if let Some(author) = &self.author {
            author.note(environment, writes, ended);
        }
    }

    fn uid(&self, environment: &str, object: &ObjectRef) -> Option<Name> {
        self.ledger
            .get(environment)?
            .get(object)
            .filter(|record| !record.deleting)
            .map(|record| record.uid.to_smolstr())
    }

    /// Asks the graph what it thinks of an object, as the admission webhook does.
    fn review(&self, environment: &str, name: &Name, spec: &Spec) -> Result<(), Error> {
        let object = ObjectRef { kind: spec.kind(), name: name.clone() };
        let proposed = fact_object(&object, &spec.to_value())?;
        let graph = self.environments.get(environment).unwrap_or_default();
        let reasons = graph.review(&Proposal::Write(proposed), Timestamp::now()).refusals;
        if reasons.is_empty() { Ok(()) } else { Err(Error::Refused { object, reasons }) }
    }

    /// Waits until this replica knows an object as it was read, or newer.
    async fn wait_until_seen(&self, environment: &str, stored: &StoredObject) -> Result<(), Error> {
        let outcome = Outcome::Written { revision: revision(&stored.resource_version) };
        let awaited = Awaited { object: stored.object_ref(), uid: stored.uid.clone(), outcome };
        let seen = self.ledger.wait_for(environment, &[awaited], SIGHT_TIME).await;
        seen.map_err(|object| Error::NotSeenYet { object })
    }

    /// Waits until objects under deletion are gone, or long enough. Another replica may know already that they are, and choose
    /// their names: whoever chose others beside it would create twice what is to be there once.
    async fn wait_until_gone(&self, environment: &str, objects: &[ObjectRef]) {
        if let Some(ledger) = self.ledger.get(environment) {
            ledger
                .wait_until(VACATING_TIME, |records| objects.iter().all(|object| records.get(object).is_none()))
                .await;
        }
    }

    /// Waits until this replica knows what it is that was in the way of one of the writes: who is told that something is gone, or
    /// there already, is to find it so. Where it does not get to know that, [`Error::NotSeenYet`] takes the place of the error.
    async fn caught_up(&self, environment: &str, writes: &[Write], error: Error) -> Error {
        let (Error::AlreadyExists { object } | Error::Conflict { object } | Error::NotFound { object }) = &error else {
            return error;
        };
        let Some(write) = writes.iter().find(|write| write.object() == *object) else { return error };
        let is_known = |records: &Records| {
            let record = records.get(object);
            match write {
                Write::Create(_) => record.is_some(),
                Write::Replace(_) => true,
                Write::Delete { uid, .. } => record.is_none_or(|record| record.deleting || record.uid != **uid),
            }
        };
        let object = object.clone();
        if self.is_seen(environment, is_known).await { error } else { Error::NotSeenYet { object } }
    }

    /// The error for an object that the store does not have, once this replica knows that.
    async fn gone(&self, environment: &str, object: &ObjectRef) -> Error {
        let is_gone = |records: &Records| records.get(object).is_none_or(|record| record.deleting);
        let object = object.clone();
        if self.is_seen(environment, is_gone).await { Error::NotFound { object } } else { Error::NotSeenYet { object } }
    }

    async fn is_seen(&self, environment: &str, is_known: impl Fn(&Records) -> bool) -> bool {
        let ledger = self.ledger.get(environment).unwrap_or_default();
        ledger.wait_until(CATCH_UP, is_known).await
    }
}

/// How long to wait until the local graph contains what was written.
const SIGHT_TIME: Duration = Duration::from_secs(10);

/// How long to wait until this replica knows of an object what the store does.
const CATCH_UP: Duration = Duration::from_secs(2);

/// How long to wait for the name of an object under deletion.
const VACATING_TIME: Duration = Duration::from_secs(2);

/// Waits before another try, the longer the more there were, and everybody for another time.
async fn pause(attempt: usize) {
    let limit = 10 * (1 << attempt.min(5));
    let pause = rand::rng().random_range(1..=limit);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// An object as the graph would know it.
fn fact_object(object: &ObjectRef, spec: &Value) -> Result<Object, Error> {
    let metadata = Metadata { name: object.name.clone(), created: None, deleting: false };
    let (proposed, problems) = convert::object(object.kind, metadata, spec, UnknownFields::Refuse);
    if problems.is_empty() {
        return Ok(proposed);
    }
    Err(Error::Invalid { object: object.clone(), problem: convert::summary(&problems) })
}
