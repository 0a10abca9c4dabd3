//! Everything that is tested from outside the library, in one binary.

mod crds;
mod support;
mod validation;
