//! What a change that somebody proposes would do, before it is made.

use super::{
    PublishedGraph,
    facts::{Object, ObjectRef, Timestamp},
    query::Reason,
};

/// A change that somebody proposes.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// To create an object, or to give it this spec.
    Write(Object),
    /// To delete an object.
    Delete {
        /// Which.
        object: ObjectRef,
        /// Whether its deletion is to be refused while anything depends on it.
        restricted: bool,
    },
}

/// What speaks against a proposal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Why it must be refused: what it would break can never become right by waiting. Empty: it is allowed.
    pub refusals: Vec<Reason>,
    /// What the proposer should know, such as references to what does not exist yet.
    pub warnings: Vec<Reason>,
}

impl PublishedGraph {
    /// Reviews a proposal against the objects as they are now, without changing anything that is visible.
    ///
    /// # Guarantees
    /// What it says of the object is what [`Graph::diagnose`](super::Graph::diagnose) would say of it, were the proposal carried out.
    #[must_use]
    pub fn review(&self, proposal: &Proposal, now: Timestamp) -> Review {
        let _ = (proposal, now);
        unimplemented!()
    }
}
