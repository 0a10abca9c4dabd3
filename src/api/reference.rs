//! How one object names another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Problem, limits};

/// Names an object of the same namespace; the field that holds it says of which kind.
///
/// The object need not exist yet: the reference takes effect the moment it does.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct NameRef {
    /// Name of the object, in the same namespace. It need not exist yet.
    #[schemars(transform = &limits::OBJECT_NAME)]
    pub name: String,
}

/// Names a membership, which need not be an object.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct MembershipRef {
    /// Name of an OrganizationMembership, or, where nothing declares one, any id by which the membership is known,
    /// for example that of a user at the identity provider.
    #[schemars(transform = &limits::MEMBERSHIP)]
    pub name: String,
}

impl NameRef {
    /// Whether the reference, which stands at `field`, can name an object.
    pub(super) fn check(&self, field: &str) -> Result<(), Problem> {
        limits::OBJECT_NAME.check(format_args!("{field}.name"), &self.name)
    }

    /// As [`check`](Self::check), where there may be no reference.
    pub(super) fn check_optional(field: &str, reference: Option<&Self>) -> Result<(), Problem> {
        reference.map_or(Ok(()), |reference| reference.check(field))
    }
}
