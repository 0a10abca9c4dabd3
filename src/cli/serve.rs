//! `bailiwick serve`: answers from a folder of manifests.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::Args;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Error, host, options::Answering};
use crate::{
    graph::Environments,
    source::{Directory, Ledger, Metrics},
    store::DirectoryStore,
};

const EXAMPLE: &str = r#"Example:
  bailiwick serve --manifests examples/acme
  curl http://127.0.0.1:8080/access/v1/evaluation --json '{
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "edit"},
    "resource": {"type": "project", "id": "engineering"}
  }'"#;

/// Answer permission checks from a folder of manifests, without a cluster.
///
/// Reads every YAML and JSON file in the folder and below, and follows them: a file that is edited, added, renamed or
/// removed takes effect within a second. For laptops, CI and tests.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// The folder of manifests. Objects without a namespace belong to the default environment.
    #[arg(long, value_name = "DIR", env = "BAILIWICK_MANIFESTS")]
    manifests: PathBuf,
    #[command(flatten)]
    answering: Answering,
}

pub(super) async fn execute(options: Options) -> Result<(), Error> {
    let Options { manifests, answering } = options;
    answering.validate()?;
    let environments = Arc::new(Environments::default());
    let mut registry = Registry::with_prefix(host::METRICS_PREFIX);
    let metrics = Metrics::register(&mut registry);
    let ledger = Arc::new(Ledger::default());
    let directory = Directory::open(
        &manifests,
        &answering.default_environment,
        Arc::clone(&environments),
        Arc::clone(&ledger),
        metrics,
    )
    .map_err(Error::Source)?;
    let store = answering.store(DirectoryStore::new(directory.handle()), &environments, &ledger);
    let bound = host::bind(&answering, None, &mut registry).await?;
    let loaded = directory.loaded();
    let objects: usize = loaded.environments.values().map(BTreeMap::len).sum();
    info!(
        api = %bound.api,
        probes = %bound.probes,
        manifests = %manifests.display(),
        objects,
        problems = loaded.problems.len(),
        "answering on {}",
        bound.api_url()
    );
    let background = async |stop: CancellationToken| {
        stop.run_until_cancelled(directory.run()).await;
    };
    host::answer(bound, &answering, None, environments, store, registry, background).await
}
