//! Why something was not written.

use crate::graph::{facts::ObjectRef, query::Reason};

/// Why something was not written, or not read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// There is an object of that name already.
    #[error("there is a {object} already")]
    AlreadyExists {
        /// Which.
        object: ObjectRef,
    },
    /// There is no such object, or it is another one of that name.
    #[error("there is no {object}")]
    NotFound {
        /// Which.
        object: ObjectRef,
    },
    /// The object has changed since it was read.
    #[error("{object} has changed meanwhile")]
    Conflict {
        /// Which.
        object: ObjectRef,
    },
    /// What the object would say is not allowed by its schema or its rules.
    #[error("{object}: {problem}")]
    Invalid {
        /// Which.
        object: ObjectRef,
        /// What is wrong, naming the field and the remedy.
        problem: String,
    },
    /// What the object would say contradicts others.
    #[error("{object}: {}", .reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused {
        /// Which.
        object: ObjectRef,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// Somebody forbids the write: a policy of the cluster, or the permissions of the program.
    #[error("{problem}")]
    Forbidden {
        /// Who and why, with the remedy.
        problem: String,
    },
    /// Nothing can be written here.
    #[error("{problem}")]
    ReadOnly {
        /// Why, with the remedy.
        problem: String,
    },
    /// The store does not answer, or not in time. Said again, the write may succeed.
    #[error("{problem}")]
    Unavailable {
        /// What is the matter.
        problem: String,
    },
    /// The object has changed in the store, by this write or another, but this replica's graph does not contain that yet. Said
    /// again, a write that was made changes nothing more.
    #[error("{object} has changed, but the graph of this replica does not contain that yet")]
    NotSeenYet {
        /// Which.
        object: ObjectRef,
    },
}
