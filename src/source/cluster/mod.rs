//! Objects of a Kubernetes cluster, watched.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `object` | what is read of an object |
//! | [`publish`] | how it becomes visible |
//! | `request` | what everybody who writes asks in the same way |
//! | `tracker` | from events to changes, without I/O |
//! | `trouble` | why the API server refuses, in words |
//! | `watch` | the watch itself |

mod object;
pub mod publish;
mod request;
mod tracker;
mod trouble;
mod watch;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use kube::Client;
use tokio::task::JoinSet;

pub use self::{object::WatchedObject, watch::resource};
use self::{publish::Publisher, watch::Watch};
pub(crate) use self::{
    request::{add_finalizer, api, is_failed_test},
    trouble::{describe_error, describe_missing_definition},
};
use super::{Ledger, Metrics};
use crate::graph::{Environments, facts::Kind};

/// The objects of a cluster that the graph is kept up to date with: one watch for each kind, or for each kind in each
/// namespace.
///
/// # Guarantees
/// - No answers are given before the first list of every kind is in the graph; until then the gate of that kind says
///   what is missing.
/// - A list that has to be taken anew changes the graph in one step. Nothing older than what the graph has is ever
///   taken for new: lists are quorum reads.
/// - An object that cannot be used loses what it granted.
/// - Where the API server lastingly does not serve a kind, every object of it is invalid until it does again.
/// - Errors end nothing: every watch goes on by itself once it can.
#[derive(Debug)]
pub struct Cluster {
    watches: Vec<Watch>,
    publisher: Arc<Publisher>,
}

impl Cluster {
    /// Prepares to watch the namespaces, or all if none is named. Closes a gate for each watch.
    #[must_use]
    pub fn new(
        client: &Client,
        namespaces: Vec<String>,
        environments: &Arc<Environments>,
        ledger: &Arc<Ledger>,
        metrics: &Metrics,
    ) -> Self {
        let namespaces: BTreeSet<String> = namespaces.into_iter().collect();
        let scopes: Vec<_> =
            if namespaces.is_empty() { vec![None] } else { namespaces.into_iter().map(Some).collect() };
        let publisher = Arc::new(Publisher::new(environments, ledger));
        let watches = scopes
            .iter()
            .flat_map(|namespace| Kind::ALL.map(|kind| (kind, namespace.clone())))
            .map(|(kind, namespace)| Watch::new(client, kind, namespace.as_deref(), &publisher, metrics))
            .collect();
        Self { watches, publisher }
    }

    /// Through what it becomes visible what the watches bring.
    #[must_use]
    pub const fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Keeps the graph up to date until the runtime ends, or this is dropped.
    pub async fn run(self) {
        let mut watches: JoinSet<()> = self.watches.into_iter().map(Watch::follow).collect();
        while let Some(ended) = watches.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
