//! What an object says, whatever its kind.

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;
use serde_json::Value;

pub use crate::api::{
    DOMAINS_ANNOTATION, EnvironmentSpec, GroupRoleAssignmentSpec, GroupSpec, MEMBERS_MAX, METADATA_ANNOTATION,
    MembershipRef, MembershipRoleAssignmentSpec, NameRef, OrganizationMembershipSpec, PERMISSION_TIMES_ANNOTATION,
    Permission, ResourceSpec, ResourceTypeSpec, RoleSpec, Undeclared, UndeclaredPolicy, User,
};
use crate::graph::facts::Kind;

macro_rules! specs {
    ($($kind:ident($spec:ident)),+ $(,)?) => {
        /// What an object says.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Spec {
            $(#[doc = concat!("Of a [`Kind::", stringify!($kind), "`].")] $kind($spec),)+
        }

        impl Spec {
            /// The kind of the object that says this.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)+ }
            }

            /// Reads what an object of a kind says.
            ///
            /// # Errors
            /// Where that is no such spec.
            pub fn read(kind: Kind, spec: &Value) -> Result<Self, serde_json::Error> {
                use serde::Deserialize as _;
                match kind { $(Kind::$kind => $spec::deserialize(spec).map(Self::$kind),)+ }
            }
        }

        $(impl From<$spec> for Spec {
            fn from(spec: $spec) -> Self {
                Self::$kind(spec)
            }
        }

        impl<'a> TryFrom<&'a mut Spec> for &'a mut $spec {
            type Error = OtherKind;

            fn try_from(spec: &'a mut Spec) -> Result<Self, OtherKind> {
                match spec {
                    Spec::$kind(spec) => Ok(spec),
                    _ => Err(OtherKind),
                }
            }
        })+
    };
}

specs! {
    Resource(ResourceSpec),
    Role(RoleSpec),
    Group(GroupSpec),
    GroupRoleAssignment(GroupRoleAssignmentSpec),
    MembershipRoleAssignment(MembershipRoleAssignmentSpec),
    OrganizationMembership(OrganizationMembershipSpec),
    ResourceType(ResourceTypeSpec),
    Environment(EnvironmentSpec),
}

/// It is the spec of another kind.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it is the spec of another kind")]
pub struct OtherKind;

impl Spec {
    /// As it is written into a manifest.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "unreachable, see the invariant")]
    pub fn to_value(&self) -> Value {
        // INVARIANT: every spec is a struct of strings, lists and maps with keys that are strings.
        serde_json::to_value(self).expect("a spec is JSON")
    }
}
