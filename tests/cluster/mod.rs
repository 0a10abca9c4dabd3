//! The operator and its kinds on a real Kubernetes API server.

mod apply;
mod kubectl;
mod namespaces;
mod recovery;
mod refused;
mod startup;
mod unparsable;
