//! What is written back to the cluster, by one replica at a time.

pub mod certificates;
pub mod lease;
