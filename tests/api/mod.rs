//! The custom resources: their definitions, and what is accepted.

mod crds;
mod validation;
