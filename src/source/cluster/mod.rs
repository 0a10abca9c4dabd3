//! Objects of a Kubernetes cluster, watched.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `events` | what the API server says, and how far that goes |
//! | `history` | which history of the API server it is |
//! | `object` | what is read of an object |
//! | [`publish`] | how it becomes visible |
//! | `request` | what everybody who writes asks in the same way |
//! | `tracker` | from events to changes, without I/O |
//! | `trouble` | why the API server refuses, in words |
//! | `watch` | the watch itself |

mod events;
mod history;
mod object;
pub mod publish;
mod request;
mod tracker;
mod trouble;
mod watch;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::join;
use kube::{Api, Client, api::ListParams};
use tokio::{
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use self::{history::HistoryKeeper, publish::Publisher, watch::Watch};
pub use self::{object::WatchedObject, watch::resource};
pub(crate) use self::{
    request::{add_finalizer, api, is_failed_test},
    trouble::{describe_error, describe_missing_definition},
};
use super::{Ledger, Metrics, ledger::identity::revision};
use crate::graph::{Environments, facts::Kind};

/// The objects of a cluster that the graph is kept up to date with: one watch for each kind, or for each kind in each
/// namespace.
///
/// # Guarantees
/// - No answers are given before the first list of every kind is in the graph; until then the gate of that kind says
///   what is missing.
/// - A list that has to be taken anew changes the graph in one step. Nothing older than what the graph has is ever
///   taken for new: lists are quorum reads, and one that is older all the same is refused.
/// - How far the graph has come is told by the [progress](Ledger::progress), in resource versions.
/// - An object that cannot be used loses what it granted.
/// - Where the API server lastingly does not serve a kind, every object of it is invalid until it does again.
/// - Errors end nothing: every watch goes on by itself once it can.
#[derive(Debug)]
pub struct Cluster {
    /// What is asked how far the API server is: any kind that may be listed will do.
    asked: Api<WatchedObject>,
    watches: Vec<Watch>,
    publisher: Arc<Publisher>,
    history: Option<HistoryKeeper>,
}

/// How often is looked whether a watch is silent.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long it is left alone after it said where it is.
const ANSWER_PAUSE: Duration = Duration::from_millis(100);

/// How long the API server may take to say where it is.
const ANSWER_TIME: Duration = Duration::from_secs(5);

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
        let asked = resource(Kind::Environment);
        let asked = match namespaces.first() {
            None => Api::all_with(client.clone(), &asked),
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &asked),
        };
        ledger.progress().count_in_resource_versions();
        let scopes: Vec<_> =
            if namespaces.is_empty() { vec![None] } else { namespaces.into_iter().map(Some).collect() };
        let publisher = Arc::new(Publisher::new(environments, ledger));
        let watches = scopes
            .iter()
            .flat_map(|namespace| Kind::ALL.map(|kind| (kind, namespace.clone())))
            .map(|(kind, namespace)| Watch::new(client, kind, namespace.as_deref(), &publisher, metrics))
            .collect();
        Self { asked, watches, publisher, history: None }
    }

    /// With the history of the API server told by a Lease, which the replicas share: see `docs/consistency.md`. Without it, nobody
    /// else understands how far this process has come. Closes a gate until the Lease was asked for.
    #[must_use]
    pub fn with_history(mut self, client: &Client, lease_namespace: &str, lease_name: &str) -> Self {
        self.history = Some(HistoryKeeper::new(client, lease_namespace, lease_name, &self.publisher));
        self
    }

    /// With watches that may be silent for so long before the graph is taken to be stale.
    #[must_use]
    pub fn with_max_staleness(mut self, max_staleness: Duration) -> Self {
        self.publisher.ledger().progress().limit_staleness(max_staleness);
        for watch in &mut self.watches {
            watch.set_max_silence(max_staleness);
        }
        self
    }

    /// Through what it becomes visible what the watches bring.
    #[must_use]
    pub const fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Keeps the graph up to date until the runtime ends, or this is dropped.
    pub async fn run(self) {
        let Self { asked, watches, publisher, history } = self;
        let mut watches: JoinSet<()> = watches.into_iter().map(Watch::follow).collect();
        let progress = publisher.ledger().progress();
        let look = async {
            let mut interval = interval(LOOK_INTERVAL);
            loop {
                interval.tick().await;
                progress.look();
            }
        };
        progress.promise_answers();
        let answer = async {
            loop {
                let by = progress.asked().await;
                progress.answer(by, newest(&asked).await);
                sleep(ANSWER_PAUSE).await;
            }
        };
        let keep = async {
            if let Some(history) = history {
                return history.keep().await;
            }
            loop {
                progress.restored().await;
                history::begin_own(&publisher).await;
            }
        };
        let beside = join(join(look, answer), keep);
        tokio::select! {
            () = follow(&mut watches) => {}
            _ = beside => {}
        }
    }
}

/// Follows all watches until they end.
async fn follow(watches: &mut JoinSet<()>) {
    while let Some(ended) = watches.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

/// The resource version that the API server has come to: a list without one is a quorum read, whatever is in it.
async fn newest(api: &Api<WatchedObject>) -> Option<u64> {
    let list = timeout(ANSWER_TIME, api.list(&ListParams::default().limit(1))).await.ok()?.ok()?;
    Some(revision(&list.metadata.resource_version?))
}
