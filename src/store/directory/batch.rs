//! What waiting writers want, carried out one after the other.

use tokio::sync::oneshot;

use super::changes::Changes;
use crate::{
    graph::facts::Name,
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
    let mut outcomes = Vec::with_capacity(jobs.len());
    for Job { environment, writes, answer } in jobs {
        // Whoever does not wait any more was told that nothing is known of the outcome.
        if answer.is_closed() {
            continue;
        }
        held.read_again(Care::Quick);
        let outcome = Changes::prepare(held, &environment, writes).and_then(Changes::carry_out);
        outcomes.push((answer, outcome));
    }
    held.read_again(Care::Quick);
    for (answer, outcome) in outcomes {
        // Where nobody waits any more, nobody is told.
        let _ = answer.send(outcome);
    }
}
