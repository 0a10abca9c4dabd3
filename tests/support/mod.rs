//! What several tests need.

pub mod control_plane;
pub mod facts;
pub mod process;
pub mod wait;
