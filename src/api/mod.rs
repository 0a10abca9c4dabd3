//! The custom resources: eight kinds, one file each, and what they share.
//!
//! These types are the wire format. They tolerate unknown fields, so that objects written by a newer version can
//! still be read; whoever wants strictness reports what was ignored. [`Validate`] holds an object to everything that
//! the API server would hold it to.

#![allow(clippy::duplicated_attributes, reason = "the columns and rules of a kind have a type or remedy in common")]

mod crds;
mod environment;
mod group;
mod group_role_assignment;
mod instant;
mod limits;
mod membership_role_assignment;
mod organization_membership;
mod problem;
mod reference;
mod resource;
mod resource_type;
mod role;
mod rules;
mod status;

pub use crds::{CrdFile, crd_files, crds};
pub use environment::{
    AssignmentCounts, Environment, EnvironmentSpec, EnvironmentStatus, IdentityProvider, IdentitySource, InertCount,
    ObjectCount, RoleMapping, Undeclared, UndeclaredPolicy,
};
pub use group::{Group, GroupSpec};
pub use group_role_assignment::{GroupRoleAssignment, GroupRoleAssignmentSpec};
pub use limits::MEMBERS_MAX;
pub use membership_role_assignment::{MembershipRoleAssignment, MembershipRoleAssignmentSpec};
pub use organization_membership::{OrganizationMembership, OrganizationMembershipSpec, User};
pub use problem::{Problem, Validate};
pub use reference::{MembershipRef, NameRef};
pub use resource::{DELETION_ANNOTATION, RESTRICT, Resource, ResourceSpec};
pub use resource_type::{Permission, ResourceType, ResourceTypeSpec};
pub use role::{Role, RoleSpec};
pub use status::{ConditionType, DEPENDENTS_REMAINING, Status};

/// The API group of all kinds.
pub const GROUP: &str = "authz.bailiwick.dev";

/// The version of all kinds.
pub const VERSION: &str = "v1alpha1";

/// Group and version, as the `apiVersion` of an object has them.
pub const API_VERSION: &str = "authz.bailiwick.dev/v1alpha1";

/// The built-in type of the root of every tree of resources.
pub const ORGANIZATION: &str = "organization";

/// The one name that an [`Environment`] may have.
pub const ENVIRONMENT_NAME: &str = "default";

/// The annotation with the instant at which an object was created, to the millisecond: `creationTimestamp` has but seconds, and
/// lists are in the order of creation. It is heeded only within that second.
pub const CREATED_AT_ANNOTATION: &str = "authz.bailiwick.dev/created-at";

/// The annotation of the Lease that names the history of the API server: it is replaced when that goes back, as after a restore of
/// etcd, so that no revision of before is taken for one of after.
pub const HISTORY_ANNOTATION: &str = "authz.bailiwick.dev/history";

/// The annotation of an organization with what the application notes with it: a JSON object of strings.
pub const METADATA_ANNOTATION: &str = "authz.bailiwick.dev/metadata";

/// The annotation of an organization with its domains: a JSON array of objects with `domain` and `state`.
pub const DOMAINS_ANNOTATION: &str = "authz.bailiwick.dev/domains";

/// The annotation of a ResourceType with when its permissions were declared and changed through the API: a JSON object of objects with
/// `createdAt` and `updatedAt`, by slug. What it does not mention is as old as the type.
pub const PERMISSION_TIMES_ANNOTATION: &str = "authz.bailiwick.dev/permission-times";

/// The finalizer that keeps an object until nothing depends on it any more.
pub const CASCADE_FINALIZER: &str = "authz.bailiwick.dev/cascade";
