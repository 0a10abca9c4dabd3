//! Objects where they are kept, and the writes to them, wherever that is.

use std::{collections::BTreeMap, fmt};

use futures::future::BoxFuture;

use super::{Error, Spec};
use crate::graph::facts::{Name, ObjectRef};

/// An object as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredObject {
    /// Its name.
    pub name: Name,
    /// Tells it from others that had its name before.
    pub uid: Name,
    /// Tells this state of it from every other.
    pub resource_version: Name,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it says.
    pub spec: Spec,
}

impl StoredObject {
    /// Names it within its environment.
    #[must_use]
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef { kind: self.spec.kind(), name: self.name.clone() }
    }

    /// What it says, as an object of one kind.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is of another kind.
    pub fn spec_mut<S>(&mut self) -> Result<&mut S, Error>
    where
        for<'a> &'a mut S: TryFrom<&'a mut Spec>,
    {
        let object = self.object_ref();
        (&mut self.spec).try_into().map_err(|_| Error::NotFound { object })
    }
}

/// An object that does not exist yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewObject {
    /// Its name.
    pub name: Name,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it says.
    pub spec: Spec,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Create an object. [`Error::AlreadyExists`] where the name is taken, by an object under deletion also.
    Create(NewObject),
    /// Give an object these annotations and this spec. [`Error::Conflict`] where it changed since it was read,
    /// [`Error::NotFound`] where it is gone.
    Replace(StoredObject),
    /// Delete an object, and with it what depends on it. [`Error::NotFound`] where it is gone, [`Error::Refused`] where it is
    /// annotated not to be deleted while anything depends on it.
    Delete {
        /// Which.
        object: ObjectRef,
        /// Its uid, so that no namesake is hit.
        uid: Name,
    },
}

impl Write {
    /// The object that is written to.
    #[must_use]
    pub fn object(&self) -> ObjectRef {
        match self {
            Self::Create(NewObject { name, spec, .. }) => ObjectRef { kind: spec.kind(), name: name.clone() },
            Self::Replace(changed) => changed.object_ref(),
            Self::Delete { object, .. } => object.clone(),
        }
    }

    /// What it does, in a word.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Replace(_) => "replace",
            Self::Delete { .. } => "delete",
        }
    }
}

/// Where objects are kept.
pub trait ObjectStore: fmt::Debug + Send + Sync {
    /// An object as it is now, not as the graph has it. None: it does not exist, or is under deletion.
    ///
    /// # Errors
    /// Where it cannot be told.
    fn read<'a>(
        &'a self,
        environment: &'a str,
        object: &'a ObjectRef,
    ) -> BoxFuture<'a, Result<Option<StoredObject>, Error>>;

    /// Carries out writes in their order.
    ///
    /// # Guarantees
    /// When this returns without error, the local graph and ledger contain all of it, and no check on this replica ever saw a
    /// part of it: what is deleted, and all that depends on it, grants nothing any more.
    ///
    /// # Errors
    /// Why the first write that failed did. Those before it stay done, and are seen.
    fn write<'a>(&'a self, environment: &'a str, writes: Vec<Write>) -> BoxFuture<'a, Result<(), Error>>;
}
