//! What the operator writes to a real Kubernetes API server.

mod contradictions;
mod deletion;
mod events;
mod expiry;
mod lease;
mod reasons;
mod statuses;
pub mod world;
