//! Objects kept in a folder of manifests.

use futures::future::BoxFuture;

use super::{Error, ObjectStore, StoredObject, Write};
use crate::{graph::facts::ObjectRef, source::DirectoryHandle};

/// Objects kept in a folder of manifests.
#[derive(Debug)]
pub struct DirectoryStore {
    folder: DirectoryHandle,
}

impl DirectoryStore {
    /// Writes into the folder.
    #[must_use]
    pub const fn new(folder: DirectoryHandle) -> Self {
        Self { folder }
    }
}

impl ObjectStore for DirectoryStore {
    fn read<'a>(
        &'a self,
        _environment: &'a str,
        _object: &'a ObjectRef,
    ) -> BoxFuture<'a, Result<Option<StoredObject>, Error>> {
        unimplemented!()
    }

    fn write<'a>(&'a self, _environment: &'a str, _writes: Vec<Write>) -> BoxFuture<'a, Result<(), Error>> {
        unimplemented!()
    }
}
