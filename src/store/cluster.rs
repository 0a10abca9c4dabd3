//! Objects kept by the Kubernetes API.

use std::sync::Arc;

use futures::future::BoxFuture;
use kube::Client;

use super::{Error, ObjectStore, StoredObject, Write};
use crate::{graph::facts::ObjectRef, source::Ledger};

/// Objects kept by the Kubernetes API.
#[derive(Clone)]
pub struct ClusterStore {
    client: Client,
    ledger: Arc<Ledger>,
}

impl std::fmt::Debug for ClusterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterStore").finish_non_exhaustive()
    }
}

impl ClusterStore {
    /// Writes as the user of the client.
    #[must_use]
    pub const fn new(client: Client, ledger: Arc<Ledger>) -> Self {
        Self { client, ledger }
    }
}

impl ObjectStore for ClusterStore {
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
