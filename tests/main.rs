//! Everything that is tested from outside the library, in one binary.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cli;
mod cluster;
mod crds;
mod graph;
mod server;
mod suites;
mod support;
mod validation;
