//! What the operator writes to a real Kubernetes API server.

mod lease;
mod reasons;
mod world;
