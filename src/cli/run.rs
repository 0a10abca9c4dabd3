//! `bailiwick run`: the operator.

use std::{sync::Arc, time::Duration};

use clap::{ArgGroup, Args};
use futures::future::{self, BoxFuture};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    Error,
    admission::{self, KeptCertificate},
    authentication::ServiceAccounts,
    authorization,
    client::ClientOptions,
    host,
    leading::Leading,
    options::{Answering, duration, environment},
};
use crate::{
    controller::{self, Controller, lease::Election},
    graph::Environments,
    source::{Cluster, Ledger, Metrics},
    store::ClusterStore,
};

const EXAMPLE: &str = "Example:
  bailiwick crds | kubectl apply --server-side -f -
  bailiwick run";

/// Follow a Kubernetes API server and answer permission checks.
///
/// Watches the kinds of authz.bailiwick.dev. Each namespace is an environment of its own. Nothing is answered before
/// all of them are known; /readyz says what is missing. Any number of replicas answer; one of them at a time, elected
/// by a Lease, writes statuses, cascades deletions and deletes what expired. examples/operator/rbac.yaml has the permissions
/// that it needs. In a pod it uses the pod's service account, elsewhere the kubeconfig that kubectl would use.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
#[command(group(ArgGroup::new("webhook").multiple(true).args(["admission_listen", "authorization_listen"])))]
pub(super) struct Options {
    /// Watch this namespace only; can be repeated (in the variable: separated by commas). Without it, all are watched.
    #[arg(long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = environment, env = "BAILIWICK_NAMESPACE")]
    namespaces: Vec<String>,
    /// For how long a watch may be silent before this replica is not ready, and its answers say that they may be stale. At least 10s.
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = staleness, env = "BAILIWICK_MAX_STALENESS")]
    max_staleness: Duration,
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    leading: Leading,
    #[command(flatten)]
    answering: Answering,
    #[command(flatten)]
    service_accounts: ServiceAccounts,
    #[command(flatten)]
    admission: admission::Options,
    #[command(flatten)]
    authorization: authorization::Options,
}

pub(super) async fn execute(options: Options) -> Result<(), Error> {
    let Options {
        namespaces,
        max_staleness,
        client,
        leading,
        mut answering,
        service_accounts,
        admission,
        authorization,
    } = options;
    answering.takes_tokens = service_accounts.is_on();
    answering.validate()?;
    admission.validate()?;
    let mut registry = Registry::with_prefix(host::METRICS_PREFIX);
    let authorization = authorization.open(answering.allow_unauthenticated, &mut registry)?;
    let client = client.connect().await?;
    let served = if namespaces.is_empty() { None } else { Some(namespaces.iter().cloned().collect()) };

    let environments = Arc::new(Environments::default());
    let metrics = Metrics::register(&mut registry);
    let ledger = Arc::new(Ledger::default());
    let lease = leading.lease(client.default_namespace());
    let cluster = Cluster::new(&client, namespaces, &environments, &ledger, &metrics)
        .with_history(&client, &lease.namespace, &lease.name)
        .with_max_staleness(max_staleness);
    let identity = lease.identity.clone();
    let (election, leadership) =
        Election::new(client.clone(), lease, &mut registry).map_err(|error| Error::Usage(error.to_string()))?;
    let metrics = controller::Metrics::register(&mut registry);
    let options = leading.controller(identity);
    let webhook_leadership = leadership.clone();
    let store =
        answering.store(ClusterStore::new(client.clone(), Arc::clone(cluster.publisher())), &environments, &ledger);
    let controller = Controller::new(client.clone(), Arc::clone(&environments), ledger, leadership, &options, metrics);
    let mut bound = host::bind(&answering, service_accounts.reviewer(&client), &mut registry).await?;
    let mut certificate: BoxFuture<'static, ()> = Box::pin(future::pending());
    if let Some(KeptCertificate { shown, kept }) = admission.certificate(&client, &mut registry, webhook_leadership) {
        certificate = kept;
        if let Some((listener, address)) = admission.bind(&shown).await? {
            info!(admission = %address, "reviewing on https://{address}/admission/validate");
            bound = bound.with_admission(listener);
        }
        if let Some(authorization) = authorization {
            let (listener, address, following) = authorization.bind(shown).await?;
            info!(authorization = %address, "reviewing access on https://{address}/subject-access-review");
            bound = bound.with_access_reviews(listener, following);
        }
    }
    info!(api = %bound.api, probes = %bound.probes, "answering on {} as soon as every kind is known", bound.api_url());
    let background = async |stop: CancellationToken| {
        let nothing_is_written = CancellationToken::new();
        let write = async {
            controller.run(stop).await;
            nothing_is_written.cancel();
        };
        let lead = future::join(write, election.run(nothing_is_written.clone()));
        // What is written last is known by the watches.
        tokio::select! {
            () = cluster.run() => {}
            () = certificate => {}
            _ = lead => {}
        }
    };
    Box::pin(host::answer(bound, &answering, served, environments, store, registry, background)).await
}

/// A watch is asked for a word twice in that time, and the API server needs some for it.
const MIN_STALENESS: Duration = Duration::from_secs(10);

fn staleness(text: &str) -> Result<Duration, String> {
    let staleness = duration(text)?;
    if staleness < MIN_STALENESS {
        return Err(format!("must be at least {} s", MIN_STALENESS.as_secs()));
    }
    Ok(staleness)
}
