//! Turns objects into changes of the graph.
//!
//! - [`Cluster`]: objects of a Kubernetes cluster.
//! - [`Directory`]: objects declared in a folder of YAML and JSON files.
//! - [`Metrics`]: what the sources count.
//!
//! Whatever cannot be read grants nothing; see [`Fact::Invalid`](crate::graph::facts::Fact::Invalid).

pub mod cluster;
mod convert;
pub mod directory;
mod error;
mod metrics;

pub use cluster::Cluster;
pub use directory::Directory;
pub use error::Error;
pub use metrics::Metrics;
