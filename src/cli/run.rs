//! `bailiwick run`: the operator.

use std::{future::pending, path::PathBuf, sync::Arc};

use clap::Args;
use futures::future::BoxFuture;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    Error, admission, host,
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
    /// The kubeconfig to use.
    #[arg(long, value_name = "FILE", env = "BAILIWICK_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long, value_name = "NAME", env = "BAILIWICK_CONTEXT")]
    context: Option<String>,
    #[command(flatten)]
    answering: Answering,
    #[command(flatten)]
    admission: admission::Options,
}

pub(super) async fn execute(options: Options) -> Result<(), Error> {
    let Options { namespaces, kubeconfig, context, answering, admission } = options;
    answering.validate()?;
    let client = client(kubeconfig, context).await?;
    let served = if namespaces.is_empty() { None } else { Some(namespaces.iter().cloned().collect()) };

    let environments = Arc::new(Environments::default());
    let mut registry = Registry::with_prefix(host::METRICS_PREFIX);
    let metrics = Metrics::register(&mut registry);
    let cluster = Cluster::new(&client, namespaces, &environments, &metrics);
    let mut bound = host::bind(&answering).await?;
    let mut certificate: BoxFuture<'static, ()> = Box::pin(pending());
    if let Some(admission) = admission.bind(&client, &mut registry, || true).await? {
        info!(admission = %admission.address, "reviewing on https://{}/admission/validate", admission.address);
        bound = bound.with_admission(admission.listener);
        certificate = admission.certificate;
    }
    info!(api = %bound.api, probes = %bound.probes, "answering on http://{} as soon as every kind is known", bound.api);
    let work = async {
        tokio::select! {
            () = cluster.run(CancellationToken::new()) => (),
            () = certificate => (),
        }
    };
    host::answer(bound, answering.server(served), environments, registry, work).await
}

async fn client(kubeconfig: Option<PathBuf>, context: Option<String>) -> Result<Client, Error> {
    let config = if kubeconfig.is_none() && context.is_none() {
        Config::infer().await.map_err(kubeconfig_error)?
    } else {
        let kubeconfig = kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from).map_err(kubeconfig_error)?;
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(kubeconfig_error)?
    };
    Client::try_from(config).map_err(kubeconfig_error)
}

fn kubeconfig_error(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Kubeconfig(Box::new(error))
}
