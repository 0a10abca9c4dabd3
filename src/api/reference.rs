//! How one object names another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names an object of the same namespace; the field that holds it says of which kind.
///
/// The object need not exist yet: the reference takes effect the moment it does.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct NameRef {
    /// Name of the object, in the same namespace. It need not exist yet.
    pub name: String,
}

/// Names a membership, which need not be an object.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct MembershipRef {
    /// Name of an OrganizationMembership, or, where nothing declares one, any id by which the membership is known,
    /// for example that of a user at the identity provider.
    pub name: String,
}
