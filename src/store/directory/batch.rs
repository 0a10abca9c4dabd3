//! What waiting writers want, carried out one after the other.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::changes::Changes;
use crate::{
    graph::facts::{Name, ObjectRef},
    source::directory::{Care, Held},
    store::{Error, Write},
};

/// What one writer wants.
#[derive(Debug)]
pub struct Job {
    /// In which environment.
    pub environment: Name,
    /// What.
    pub writes: Vec<Write>,
    /// Where the outcome is awaited.
    pub answer: oneshot::Sender<Result<(), Error>>,
}

/// Carries out jobs in their order, and answers each when graph and ledger contain what it did.
pub fn carry_out(held: &mut Held<'_>, jobs: Vec<Job>) {
    let mut batch = Batch { held, has_looked: false, written: BTreeSet::new(), has_deleted: false };
    let mut outcomes = Vec::with_capacity(jobs.len());
    for Job { environment, writes, answer } in jobs {
        // Whoever does not wait any more was not told that it would be done.
        if !answer.is_closed() {
            let objects: Vec<_> = writes.iter().map(outcome).collect();
            let done = batch.carry_out(&environment, &writes);
            outcomes.push((answer, environment, objects, done));
        }
    }
    held.read_again(Care::Quick);
    for (answer, environment, objects, done) in outcomes {
        let is_seen =
            |(object, exists): &(ObjectRef, bool)| held.declaration(&environment, object).is_some() == *exists;
        let seen = done.and_then(|()| match objects.into_iter().find(|expected| !is_seen(expected)) {
            None => Ok(()),
            Some((object, _)) => Err(Error::NotSeenYet { object }),
        });
        // Nobody may wait any more: then nobody is to be told.
        let _ = answer.send(seen);
    }
}

/// The object of a write, and whether it exists afterwards.
fn outcome(write: &Write) -> (ObjectRef, bool) {
    (write.object(), !matches!(write, Write::Delete { .. }))
}

/// The folder, and what has happened to it that graph and ledger do not contain.
struct Batch<'h, 'f> {
    held: &'h mut Held<'f>,
    /// What others did to the folder before this batch is known.
    has_looked: bool,
    written: BTreeSet<(Name, ObjectRef)>,
    has_deleted: bool,
}

impl Batch<'_, '_> {
    fn carry_out(&mut self, environment: &Name, writes: &[Write]) -> Result<(), Error> {
        let deletes = writes.iter().any(|write| matches!(write, Write::Delete { .. }));
        let creates = writes.iter().any(|write| matches!(write, Write::Create(_)));
        let objects: Vec<_> = writes.iter().map(|write| (environment.clone(), write.object())).collect();
        // Where an object may be is to be known, and for a deletion all that depends on it. To change an object it is enough to
        // know its file, which is read in any case.
        if (!self.has_looked && (creates || deletes))
            || (deletes && !self.written.is_empty())
            || self.has_deleted
            || objects.iter().any(|object| self.written.contains(object))
        {
            self.look();
        }
        let mut prepared = Changes::prepare(self.held, environment, writes);
        if matches!(prepared, Err(Error::NotFound { .. })) && !self.has_looked {
            self.look();
            prepared = Changes::prepare(self.held, environment, writes);
        }
        let changes = prepared?;
        self.written.extend(objects);
        self.has_deleted |= deletes;
        changes.carry_out()
    }

    fn look(&mut self) {
        self.held.read_again(Care::Quick);
        self.has_looked = true;
        self.written.clear();
        self.has_deleted = false;
    }
}
