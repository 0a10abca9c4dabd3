//! How a subcommand comes by a Kubernetes API server.

use std::path::PathBuf;

use clap::Args;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use super::Error;

#[derive(Args, Debug)]
pub(super) struct ClientOptions {
    /// The kubeconfig to use.
    #[arg(long, value_name = "FILE", env = "BAILIWICK_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use.
    #[arg(long, value_name = "NAME", env = "BAILIWICK_CONTEXT")]
    context: Option<String>,
}

impl ClientOptions {
    /// The API server that the options name; where they name none, the one that kubectl would use, or in a pod its own.
    pub async fn connect(self) -> Result<Client, Error> {
        let Self { kubeconfig, context } = self;
        let config = if kubeconfig.is_none() && context.is_none() {
            Config::infer().await.map_err(kubeconfig_error)?
        } else {
            let kubeconfig =
                kubeconfig.map_or_else(Kubeconfig::read, Kubeconfig::read_from).map_err(kubeconfig_error)?;
            let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(kubeconfig_error)?
        };
        Client::try_from(config).map_err(kubeconfig_error)
    }
}

fn kubeconfig_error(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Kubeconfig(Box::new(error))
}
