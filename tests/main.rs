//! Everything that is tested from outside the library, in one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cli;
mod cluster;
mod suites;
mod support;
