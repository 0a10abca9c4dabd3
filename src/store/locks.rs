//! Turns at writing to the same object.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tokio::sync::{Mutex, MutexGuard};

use crate::graph::facts::ObjectRef;

/// So many objects can be written to at a time, as far as they do not fall on the same lock by chance.
const LOCKS: usize = 256;

/// One lock for many objects each.
#[derive(Debug)]
pub struct Locks(Vec<Mutex<()>>);

impl Default for Locks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::default()).collect())
    }
}

impl Locks {
    /// Waits for the turn of an object.
    pub async fn lock(&self, environment: &str, object: &ObjectRef) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (environment, object).hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or_default();
        self.0[index].lock().await
    }
}
