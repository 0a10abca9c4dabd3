//! What a writer waits for.

use super::{LedgerEntry, ObjectId, Record, Records};
use crate::graph::facts::{Name, ObjectRef};

/// A state of an object that a writer has brought about and waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Awaited {
    /// Which object.
    pub object: ObjectRef,
    /// Its uid, which tells it from others of its name.
    pub uid: Name,
    /// How it is then.
    pub outcome: Outcome,
}

/// What a write has made of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is as of this resource version, or has changed or gone since.
    Written {
        /// The resource version.
        revision: u64,
    },
    /// It is under deletion, or gone. To be awaited only for an object that was known.
    Deleted,
}

impl Awaited {
    /// Whether the records contain it.
    #[must_use]
    pub fn is_in(&self, records: &Records) -> bool {
        match records.get(&self.object) {
            Some(record) if record.uid == *self.uid => self.is_met_by(record),
            // Before the object is known, its name is free or somebody else's.
            other => match self.outcome {
                Outcome::Deleted => true,
                Outcome::Written { revision } => {
                    records.place(ObjectId::of_uid(&self.uid)).is_some()
                        || other.is_some_and(|other| other.resource_version.revision() > revision)
                }
            },
        }
    }

    /// Whether it holds once this is entered.
    pub(in crate::source) fn is_told_by(&self, entry: &LedgerEntry) -> bool {
        match (&entry.record, self.outcome) {
            (Some(record), _) if record.uid == *self.uid => self.is_met_by(record),
            (_, Outcome::Deleted) => true,
            (Some(other), Outcome::Written { revision }) => other.resource_version.revision() > revision,
            (None, Outcome::Written { revision }) => entry.changes_graph.is_some_and(|gone| gone > revision),
        }
    }

    fn is_met_by(&self, record: &Record) -> bool {
        match self.outcome {
            Outcome::Written { revision } => record.resource_version.revision() >= revision,
            Outcome::Deleted => record.deleting,
        }
    }
}
