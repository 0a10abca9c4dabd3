//! Everything that is tested from outside the library, in one binary.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod api;
mod cli;
mod cluster;
mod controller;
mod examples;
mod gitops;
mod graph;
mod server;
mod soak;
mod store;
mod suites;
mod support;
mod workos;
