//! What several tests need.

pub mod facts;
