//! Objects kept in a folder of manifests.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `batch` | what waiting writers want, carried out one after the other |
//! | `changes` | what a call changes in which file, prepared in memory |
//! | `text` | the text of a manifest in which documents are changed and nothing else |
//! | `edit` | the few bytes of a text that have to change so that it says something else |
//! | `files` | files that are there as a whole or not at all |

mod batch;
mod changes;
mod edit;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod text;

use std::sync::Arc;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use self::batch::Job;
use super::{Error, ObjectStore, StoredObject, Write};
use crate::{
    graph::facts::ObjectRef,
    source::{DirectoryHandle, blocking},
};

/// Objects kept in a folder of manifests.
///
/// # Guarantees
/// - Each object that is created gets a file of its own. Of a file in which objects are changed or deleted, nothing else
///   changes: neither other documents nor the comments between them.
/// - All that one call writes is prepared before anything is written, and takes effect together.
/// - Every file is replaced as a whole, so that readers see the old one or the new one, also after a crash.
/// - What a person changes at the same time is not overwritten: it is a [`Error::Conflict`].
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    folder: DirectoryHandle,
    waiting: Arc<Mutex<Vec<Job>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl DirectoryStore {
    /// Writes into the folder.
    #[must_use]
    pub fn new(folder: DirectoryHandle) -> Self {
        Self { folder, waiting: Arc::default(), turn: Arc::default() }
    }

    async fn write_with_others(&self, environment: &str, writes: Vec<Write>) -> Result<(), Error> {
        let (answer, mut answered) = oneshot::channel();
        self.waiting.lock().push(Job { environment: environment.into(), writes, answer });
        // Whoever has the turn carries out what everybody waits for by then, so that all share the reading of the folder.
        let _turn = self.turn.lock().await;
        if let Ok(outcome) = answered.try_recv() {
            return outcome;
        }
        let Self { folder, waiting, .. } = self.clone();
        blocking(move || {
            let mut held = folder.hold();
            let jobs = std::mem::take(&mut *waiting.lock());
            batch::carry_out(&mut held, jobs);
        })
        .await;
        answered.await.unwrap_or_else(|_| Err(shutting_down()))
    }
}

impl ObjectStore for DirectoryStore {
    fn read<'a>(
        &'a self,
        environment: &'a str,
        object: &'a ObjectRef,
    ) -> BoxFuture<'a, Result<Option<StoredObject>, Error>> {
        let (folder, environment, object) = (self.folder.clone(), environment.into(), object.clone());
        Box::pin(async move {
            let read = blocking(move || changes::read(&mut folder.hold(), &environment, &object)).await;
            read.unwrap_or_else(|| Err(shutting_down()))
        })
    }

    fn write<'a>(&'a self, environment: &'a str, writes: Vec<Write>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.write_with_others(environment, writes))
    }
}

fn shutting_down() -> Error {
    Error::Unavailable { problem: "the program is being shut down".to_owned() }
}

#[cfg(test)]
mod tests;
