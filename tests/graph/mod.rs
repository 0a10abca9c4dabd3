//! The graph held to its semantics.

mod agreement;
mod allocations;
mod brute_force;
mod cascade;
mod cascade_of;
mod coverage;
mod examples;
mod listing;
mod properties;
mod review;
mod searches;
mod strategies;
pub mod universe;
