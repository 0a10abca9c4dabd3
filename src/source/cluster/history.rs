//! Which history of the API server it is whose resource versions are told.
//!
//! A resource version is a place in the history of etcd. Of another cluster, and after a restore from a backup, the same number is
//! another place. What tells histories from each other must be the same for all replicas and outlive all of them, so it is kept in
//! the Lease by which they elect their leader: its uid, which no other cluster has, and an annotation, which whoever finds that the
//! API server went back replaces.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, sleep, timeout};
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

/// The pause between tries that must not take long.
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
        let found = timeout(REQUEST_TIME, self.api.get_opt(&self.name)).await;
        found.map_err(|_elapsed| "no answer in time".to_owned())?.map_err(|error| describe_error(&error, "`get`"))
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
        self.publisher.environments().close_gate(GATE);
        progress.begin_history(history).await;
    }

    /// Gives the API server, which went back, another history, unless somebody else has done so.
    async fn replace(&mut self) {
        if self.known.is_none() {
            // What is not read cannot be written: it is another one for this process alone.
            let history = History::of_this_process();
            return self.publisher.ledger().progress().begin_history(history).await;
        }
        loop {
            match self.read().await {
                Ok(Some(mut lease)) if Some(history(&lease)) == self.known => {
                    lease
                        .metadata
                        .annotations
                        .get_or_insert_default()
                        .insert(HISTORY_ANNOTATION.to_owned(), Uuid::from_u128(rand::random()).to_string());
                    let written =
                        timeout(REQUEST_TIME, self.api.replace(&self.name, &PostParams::default(), &lease)).await;
                    if let Ok(Ok(lease)) = written {
                        info!(
                            "the API server was restored to an earlier state: its history has another name from now on"
                        );
                        return self.adopt(&lease).await;
                    }
                }
                Ok(Some(lease)) => return self.adopt(&lease).await,
                // Whoever wants to lead makes it, and it is another one then.
                Ok(None) | Err(_) => {}
            }
            sleep(RETRY_INTERVAL).await;
        }
    }
}

fn history(lease: &Lease) -> History {
    let uid = lease.metadata.uid.as_deref().unwrap_or_default();
    let annotations = lease.metadata.annotations.as_ref();
    let name = annotations.and_then(|annotations| annotations.get(HISTORY_ANNOTATION)).map_or("", String::as_str);
    History::named(&[uid, name])
}
