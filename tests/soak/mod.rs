//! Under load, with leaders killed, and over many changes: two replicas on a real API server, or a folder of manifests.
//!
//! Each scenario is written once, with a size. The small ones are tests like any other. The full ones are ignored:
//! `make soak` runs them and keeps what they report in docs/soak.md.

mod cascade;
mod changes;
mod churn;
mod cluster;
mod compare;
mod flood;
mod freshness;
mod manifests;
mod poller;
mod report;
mod revocation;
mod sdk_clients;
mod takeover;
