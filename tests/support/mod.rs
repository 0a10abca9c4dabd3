//! What several tests need.

pub mod bailiwick;
pub mod control_plane;
pub mod facts;
pub mod http;
pub mod process;
pub mod router;
pub mod wait;
