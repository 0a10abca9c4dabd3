//! `bailiwick run`: the operator.

use std::sync::Arc;

use clap::Args;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    Error,
    client::ClientOptions,
    host,
    options::{Answering, environment},
};
use crate::{
    graph::Environments,
    source::{Cluster, Metrics},
};

const EXAMPLE: &str = "Example:
  bailiwick crds | kubectl apply --server-side -f -
  bailiwick run";

/// Follow a Kubernetes API server and answer permission checks.
///
/// Watches the kinds of authz.bailiwick.dev. Each namespace is an environment of its own. Nothing is answered before
/// all of them are known; /readyz says what is missing. Needs the permission to list and watch the kinds, nothing
/// else. In a pod it uses the pod's service account, elsewhere the kubeconfig that kubectl would use.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// Watch this namespace only; can be repeated (in the variable: separated by commas). Without it, all are watched.
    #[arg(long = "namespace", value_name = "NAMESPACE", value_delimiter = ',', value_parser = environment, env = "BAILIWICK_NAMESPACE")]
    namespaces: Vec<String>,
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    answering: Answering,
}

pub(super) async fn execute(options: Options) -> Result<(), Error> {
    let Options { namespaces, client, answering } = options;
    answering.validate()?;
    let client = client.connect().await?;
    let served = if namespaces.is_empty() { None } else { Some(namespaces.iter().cloned().collect()) };

    let environments = Arc::new(Environments::default());
    let mut registry = Registry::with_prefix(host::METRICS_PREFIX);
    let metrics = Metrics::register(&mut registry);
    let cluster = Cluster::new(&client, namespaces, &environments, &metrics);
    let bound = host::bind(&answering).await?;
    info!(api = %bound.api, probes = %bound.probes, "answering on http://{} as soon as every kind is known", bound.api);
    host::answer(bound, answering.server(served), environments, registry, cluster.run(CancellationToken::new())).await
}
