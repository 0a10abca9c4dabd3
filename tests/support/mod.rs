//! What several tests need.

pub mod facts;
pub mod router;
