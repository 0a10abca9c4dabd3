//! What several tests need.

pub mod answer;
pub mod audit;
pub mod bailiwick;
pub mod callers;
pub mod control_plane;
pub mod facts;
pub mod http;
pub mod http2;
pub mod manifests;
pub mod objects;
pub mod process;
pub mod proxy;
pub mod router;
pub mod runtime;
pub mod scripted;
pub mod serving;
pub mod unfinished;
pub mod wait;
pub mod webhook;
pub mod workos;
