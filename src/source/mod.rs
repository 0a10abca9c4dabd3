//! Turns objects into changes of the graph.
//!
//! - [`Cluster`]: objects of a Kubernetes cluster.
//! - [`Directory`]: objects declared in a folder of YAML and JSON files.
//! - [`Metrics`]: what the sources count.
//!
//! Whatever cannot be read grants nothing; see [`Fact::Invalid`](crate::graph::facts::Fact::Invalid).

pub mod cluster;
pub(crate) mod convert;
pub mod directory;
mod error;
mod lag;
pub mod ledger;
mod metrics;
pub mod progress;

pub use cluster::Cluster;
pub(crate) use cluster::describe_error;
pub use directory::{Directory, DirectoryHandle};
pub use error::Error;
pub(crate) use error::with_causes;
pub use ledger::Ledger;
pub use metrics::Metrics;
pub use progress::Progress;

/// Does work that takes long where it holds nobody up. None: the runtime is being shut down.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
