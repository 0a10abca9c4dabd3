//! Objects of a Kubernetes cluster, watched.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `object` | what is read of an object |
//! | `tracker` | from events to changes, without I/O |
//! | `trouble` | why the API server refuses, in words |
//! | `watch` | the watch itself |

mod object;
mod tracker;
mod trouble;
mod watch;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use kube::Client;
use tokio::task::JoinSet;

pub use self::object::WatchedObject;
pub(crate) use self::trouble::describe_error;
use self::watch::Watch;
pub use self::watch::resource;
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
        let watches = scopes
            .iter()
            .flat_map(|namespace| Kind::ALL.map(|kind| (kind, namespace.clone())))
            .map(|(kind, namespace)| Watch::new(client, kind, namespace.as_deref(), environments, ledger, metrics))
            .collect();
        Self { watches }
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
