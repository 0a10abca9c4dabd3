//! The graph held to its semantics.

mod agreement;
mod allocations;
mod brute_force;
mod cascade;
mod coverage;
mod examples;
mod properties;
mod review;
mod strategies;
mod universe;
