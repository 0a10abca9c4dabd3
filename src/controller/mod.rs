//! Reconciles what the API server has with what the graph says: statuses, finalizers, cascades and expiry.
//!
//! Every replica answers checks; only the one that holds the [lease] writes. Nothing that is written here is
//! ever read back to decide anything: what is to be done follows from the objects alone, so whoever leads next goes on
//! where the last one stopped.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`lease`] | who leads |
//! | [`certificates`] | the certificate of the admission webhook |
//! | `reconciler` | what is to be done in one environment, and in which order |
//! | `conditions`, `status`, `summary` | what a status says |
//! | `writer` | every write, under the claim of leadership |
//! | `events` | what is told of an object's past |
//! | `rate` | how often something may be done |
//! | `metrics` | what is counted |

pub mod certificates;
mod conditions;
mod events;
pub mod lease;
mod metrics;
mod rate;
mod reconciler;
mod status;
mod summary;
mod writer;

use std::{collections::HashSet, fmt, pin::pin, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use kube::Client;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use metrics::Metrics;

use self::{events::Events, lease::Leadership, rate::RateLimit, reconciler::Reconciler, writer::Writer};
use crate::{
    graph::{Environments, facts::Name},
    source::Ledger,
};

/// How long what is under way may take to end, beyond one write, when this replica is to lead no longer.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// How often to look whether everything is known, before this replica leads for the first time.
const SYNC_POLL: Duration = Duration::from_millis(50);

/// How the controller behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How this replica is called in events.
    pub identity: String,
    /// How long a write may take: no longer than others wait after the claim to lead has expired, so that none is under way
    /// when another replica leads.
    pub write_timeout: Duration,
    /// How many statuses are written a second at the most.
    pub status_rate: u32,
    /// How long an expired assignment is kept before it is deleted; none: for ever.
    pub keep_expired: Option<Duration>,
}

/// What all reconcilers share.
#[derive(Debug)]
struct Context {
    environments: Arc<Environments>,
    writer: Writer,
    events: Events,
    status_rate: RateLimit,
    keep_expired: Option<Duration>,
    write_timeout: Duration,
    metrics: Metrics,
}

/// Reconciles all environments while this replica leads.
pub struct Controller {
    context: Arc<Context>,
    ledger: Arc<Ledger>,
    leadership: Leadership,
    write_events: BoxFuture<'static, ()>,
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("context", &self.context).finish_non_exhaustive()
    }
}

impl Controller {
    /// Prepares to reconcile what the ledger knows with what the graphs say.
    #[must_use]
    pub fn new(
        client: Client,
        environments: Arc<Environments>,
        ledger: Arc<Ledger>,
        leadership: Leadership,
        options: &Options,
        metrics: Metrics,
    ) -> Self {
        let (events, write_events) =
            Events::new(client.clone(), &options.identity, leadership.clone(), metrics.clone());
        let context = Context {
            environments,
            writer: Writer::new(client, leadership.clone(), options.write_timeout, metrics.clone()),
            events,
            status_rate: RateLimit::new(options.status_rate, options.status_rate),
            keep_expired: options.keep_expired,
            write_timeout: options.write_timeout,
            metrics,
        };
        Self { context: Arc::new(context), ledger, leadership, write_events: Box::pin(write_events) }
    }

    /// Reconciles whenever this replica leads, until the token is cancelled and what is under way then has ended.
    pub async fn run(self, stop: CancellationToken) {
        let Self { context, ledger, mut leadership, write_events } = self;
        let lead = async {
            while stop.run_until_cancelled(ready_to_lead(&mut leadership, &context.environments)).await.is_some() {
                info!("leading: statuses, cascades and expiry are taken care of");
                let term = stop.child_token();
                let mut reconcile = pin!(reconcile(&context, &ledger, &term));
                tokio::select! {
                    () = &mut reconcile => return,
                    () = leadership.lost() => warn!("not leading any more"),
                }
                term.cancel();
                reconcile.await;
            }
        };
        tokio::select! {
            () = lead => {}
            () = write_events => {}
        }
    }
}

/// Waits until this replica leads and knows all there is: of what is not known yet, nothing can be said.
async fn ready_to_lead(leadership: &mut Leadership, environments: &Environments) {
    while !environments.is_synced() {
        sleep(SYNC_POLL).await;
    }
    leadership.acquired().await;
}

/// Reconciles every environment, also those that appear, until the token is cancelled.
async fn reconcile(context: &Arc<Context>, ledger: &Arc<Ledger>, stop: &CancellationToken) {
    let mut appeared = ledger.appeared();
    let mut running = JoinSet::new();
    let mut known = HashSet::<Name>::new();
    loop {
        appeared.mark_unchanged();
        for environment in ledger.environments() {
            if known.insert(environment.clone())
                && let Some(of_environment) = ledger.get(&environment)
            {
                let reconciler = Reconciler::new(environment, of_environment, Arc::clone(context));
                running.spawn(reconciler.run(stop.clone()));
            }
        }
        tokio::select! {
            _ = appeared.changed() => {}
            () = stop.cancelled() => break,
            Some(ended) = running.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
        }
    }
    let all_ended = async { while running.join_next().await.is_some() {} };
    if timeout(context.write_timeout + STOP_TIMEOUT, all_ended).await.is_err() {
        warn!("writes were still under way when the time to end them was over");
    }
}
