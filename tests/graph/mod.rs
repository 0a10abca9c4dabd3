//! The graph held to its semantics.

mod brute_force;
