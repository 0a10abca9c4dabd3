//! What is wrong with an object.

use thiserror::Error;

/// Something in an object that makes it unusable, with the remedy.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{field}: {message}")]
pub struct Problem {
    /// Path of the field, such as `spec.permissions[3]`.
    pub field: String,
    /// What is wrong with it and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem of the field at a path.
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// What a spec can say about itself.
pub trait Validate {
    /// Whether the object called `name` with this spec would be accepted: all that the schema and the rules of its
    /// custom resource definition demand, but for those that compare with an earlier state.
    ///
    /// # Errors
    /// The first thing found that would be refused.
    fn validate(&self, name: &str) -> Result<(), Problem>;
}
