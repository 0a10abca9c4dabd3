//! Which history of the API server it is whose resource versions are told.
//!
//! A resource version is a place in the history of etcd. Of another cluster, and after a restore from a backup, the same number is
//! another place. What tells histories from each other must be the same for all replicas and outlive all of them, so it is kept in
//! the Lease by which they elect their leader: its uid, which no other cluster has, and an annotation, which whoever finds that the
//! API server went back replaces.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, error::Elapsed, sleep, timeout};
use tracing::{info, warn};
use uuid::Uuid;

use super::publish::Publisher;
use crate::{
    api::HISTORY_ANNOTATION,
    source::{describe_error, progress::History},
};

/// What answers wait for until it is known which history they are of.
const GATE: &str = "history";

/// How often is looked whether somebody has found that the history is another.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Why answers wait where the history becomes another.
const RESTORED: &str = "the API server was restored to an earlier state";

/// The first pause between tries that must not take long.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// How long to wait at the start for a Lease that nobody has made yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// Keeps the history of the progress what the Lease says.
#[derive(Debug)]
pub struct HistoryKeeper {
    api: Api<Lease>,
    name: String,
    publisher: Arc<Publisher>,
    /// The one that is known; none: the Lease was not read yet.
    known: Option<History>,
}

impl HistoryKeeper {
    /// Prepares to read this Lease, and closes a gate.
    pub fn new(client: &Client, namespace: &str, name: &str, publisher: &Arc<Publisher>) -> Self {
        publisher.environments().close_gate(GATE);
        publisher.environments().explain_gate(GATE, format!("the Lease {namespace}/{name} was not read yet"));
        Self {
            api: Api::namespaced(client.clone(), namespace),
            name: name.to_owned(),
            publisher: Arc::clone(publisher),
            known: None,
        }
    }

    /// Follows the Lease without end.
    pub async fn keep(mut self) {
        let publisher = Arc::clone(&self.publisher);
        let deadline = Instant::now() + PATIENCE;
        let mut is_told = false;
        loop {
            let pause = match self.read().await {
                Ok(Some(lease)) => {
                    self.adopt(&lease).await;
                    LOOK_INTERVAL
                }
                // It is made by the first that wants to lead.
                Ok(None) if Instant::now() < deadline => RETRY_INTERVAL,
                Ok(None) => LOOK_INTERVAL,
                Err(words) => {
                    if !std::mem::replace(&mut is_told, true) {
                        warn!(
                            lease = self.name,
                            "the Lease cannot be read: what this replica tells of its freshness, only it understands: {words}"
                        );
                    }
                    LOOK_INTERVAL
                }
            };
            if pause == LOOK_INTERVAL {
                publisher.environments().open_gate(GATE);
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = publisher.ledger().progress().restored() => self.replace().await,
            }
        }
    }

    async fn read(&self) -> Result<Option<Lease>, String> {
        in_time(timeout(REQUEST_TIME, self.api.get_opt(&self.name)).await, "`get`")
    }

    /// The history is that of the Lease. Where it was another before, everything is listed anew.
    async fn adopt(&mut self, lease: &Lease) {
        let history = history(lease);
        let before = self.known.replace(history);
        if before == Some(history) {
            return;
        }
        let progress = self.publisher.ledger().progress();
        if before.is_none() {
            progress.name_history(history);
            return;
        }
        warn!(
            "the history of the API server is another than before: everything is listed anew, and no earlier revision is honoured"
        );
        close_gate(&self.publisher);
        progress.begin_history(history).await;
    }

    /// Gives the API server, which went back, another history, unless somebody else has done so. Until then there are no answers:
    /// they would tell of the one before.
    async fn replace(&mut self) {
        close_gate(&self.publisher);
        if self.known.is_none() {
            // What is not read cannot be written: it is another one for this process alone.
            return self.publisher.ledger().progress().begin_history(History::of_this_process()).await;
        }
        let (mut pause, mut is_told) = (RETRY_INTERVAL, false);
        let lease = loop {
            match self.rename().await {
                Ok(lease) => break lease,
                Err(words) => {
                    let words = format!("{RESTORED}, and its history cannot be given another name: {words}");
                    if !std::mem::replace(&mut is_told, true) {
                        warn!(lease = self.name, "{words}");
                    }
                    self.publisher.environments().explain_gate(GATE, words);
                }
            }
            sleep(pause).await;
            pause = (2 * pause).min(LOOK_INTERVAL);
        };
        self.adopt(&lease).await;
    }

    /// The Lease with another history than the one that is known: what somebody else has given it, or else a new one.
    async fn rename(&self) -> Result<Lease, String> {
        // Whoever wants to lead makes it, and it is another one then.
        let mut lease = self.read().await?.ok_or("the Lease is gone")?;
        if Some(history(&lease)) != self.known {
            return Ok(lease);
        }
        let name = Uuid::from_u128(rand::random()).to_string();
        lease.metadata.annotations.get_or_insert_default().insert(HISTORY_ANNOTATION.to_owned(), name);
        let written = timeout(REQUEST_TIME, self.api.replace(&self.name, &PostParams::default(), &lease)).await;
        let lease = in_time(written, "`update`")?;
        info!("{RESTORED}: its history has another name from now on");
        Ok(lease)
    }
}

/// Begins a history that only this process knows. No answers are given until every watch has forgotten what was told in the one before.
pub async fn begin_own(publisher: &Publisher) {
    close_gate(publisher);
    publisher.ledger().progress().begin_history(History::of_this_process()).await;
    publisher.environments().open_gate(GATE);
}

fn close_gate(publisher: &Publisher) {
    publisher.environments().close_gate(GATE);
    publisher.environments().explain_gate(GATE, RESTORED);
}

fn in_time<T>(answer: Result<kube::Result<T>, Elapsed>, verbs: &str) -> Result<T, String> {
    answer.map_err(|_elapsed| "no answer in time".to_owned())?.map_err(|error| describe_error(&error, verbs))
}

fn history(lease: &Lease) -> History {
    let uid = lease.metadata.uid.as_deref().unwrap_or_default();
    let annotations = lease.metadata.annotations.as_ref();
    let name = annotations.and_then(|annotations| annotations.get(HISTORY_ANNOTATION)).map_or("", String::as_str);
    History::named(&[uid, name])
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::{graph::facts::Kind, source::lag::Lag};

    #[tokio::test]
    async fn no_answers_are_given_while_watches_know_the_history_before() {
        let publisher = Publisher::new(&Arc::default(), &Arc::default());
        let progress = publisher.ledger().progress();
        let position = progress.add(Kind::Role, None, Lag::default());
        let before = progress.history();
        let mut beginning = std::pin::pin!(begin_own(&publisher));
        assert!((&mut beginning).now_or_never().is_none());
        assert_ne!(progress.history(), before);
        assert_eq!(publisher.environments().closed_gates(), [(GATE.to_owned(), Some(RESTORED.to_owned()))]);
        progress.begin_anew(&position, 1);
        beginning.await;
        assert!(publisher.environments().is_synced());
    }
}
