//! Why something has no effect.

use crate::{
    condition::Unmet,
    graph::facts::{Kind, Name, ObjectRef, Timestamp},
};

/// Why an object, or a part of it, has no effect. The display says it in words that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// The spec cannot be used.
    #[error("{problem}")]
    InvalidSpec {
        /// What is wrong, naming the field.
        problem: Name,
    },
    /// It is being deleted.
    #[error("{object} is being deleted")]
    Terminating {
        /// The object under deletion: this one or one that it needs.
        object: ObjectRef,
    },
    /// It refers to an object that does not exist.
    #[error("{object} does not exist; create it or correct the reference")]
    NotFound {
        /// What is missing.
        object: ObjectRef,
    },
    /// It refers to an object that exists but has no effect itself.
    #[error("{object} has no effect itself: {because}")]
    Inert {
        /// The object that it needs.
        object: ObjectRef,
        /// What is wrong there.
        because: Box<Reason>,
    },
    /// Its time is over.
    #[error("it expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Its condition does not hold for the question.
    #[error("its condition `{condition}` {because}")]
    ConditionUnmet {
        /// The condition.
        condition: Name,
        /// Why not.
        because: Unmet,
    },
    /// A role of one type is assigned on a resource of another (rule 27).
    #[error(
        "role `{role}` is for resources of type `{role_type}`, but resource `{resource}` is of type `{resource_type}`; name another role or resource"
    )]
    RoleTypeMismatch {
        /// The role.
        role: Name,
        /// The type that the role is for.
        role_type: Name,
        /// The resource.
        resource: Name,
        /// The type of the resource.
        resource_type: Name,
    },
    /// Something of one organization is used in another.
    #[error(
        "{object} belongs to organization `{organization}`, but this concerns organization `{other}`; use one of the same organization"
    )]
    OrganizationMismatch {
        /// What is used.
        object: ObjectRef,
        /// The organization that it belongs to.
        organization: Name,
        /// The organization that it is used in.
        other: Name,
    },
    /// Something refers to a resource as an organization that is none.
    #[error("resource `{resource}` is of type `{resource_type}`, not an organization; name the organization")]
    NotAnOrganization {
        /// The resource.
        resource: Name,
        /// Its type.
        resource_type: Name,
    },
    /// An assignment without a resource, to a membership whose organization nothing says.
    #[error(
        "membership `{membership}` is not declared, so its organization is unknown; set spec.resourceRef or create an OrganizationMembership of that name"
    )]
    OrganizationUnknown {
        /// The membership.
        membership: Name,
    },
    /// The membership is suspended (rule 13).
    #[error("membership `{membership}` is suspended")]
    Suspended {
        /// The membership.
        membership: Name,
    },
    /// No OrganizationMembership declares the membership, and the environment denies undeclared ones.
    #[error(
        "membership `{membership}` is not declared, which the environment denies; create an OrganizationMembership of that name"
    )]
    UndeclaredMembership {
        /// The membership.
        membership: Name,
    },
    /// No ResourceType declares the type, and the environment denies undeclared ones.
    #[error(
        "resource type `{resource_type}` is not declared, which the environment denies; create a ResourceType of that name"
    )]
    UndeclaredResourceType {
        /// The type.
        resource_type: Name,
    },
    /// Another role wins at the organization level, where a membership has but one (rules 36, 46).
    #[error(
        "role `{winner}` takes precedence: on an organization a membership has one role, unless multipleRoles is set"
    )]
    Superseded {
        /// The role that wins.
        winner: Name,
    },
    /// The parents, or the subgroups, run in a circle.
    #[error("{object} is part of a cycle: {}; change one of these references", .cycle.join(" -> "))]
    CycleDetected {
        /// An object in the circle.
        object: ObjectRef,
        /// Names along the circle, the first one again at the end.
        cycle: Vec<Name>,
    },
    /// The chain of parents is longer than is followed.
    #[error("its organization is more than {limit} steps above it; move it further up")]
    TooDeep {
        /// How many are followed.
        limit: usize,
    },
    /// Another resource has the same type and external id in the organization, and is older; of a proposed change
    /// also: would be the younger.
    #[error(
        "resource `{winner}` has the same type and external id in the organization, where only the older of two has effect; give this one another external id"
    )]
    DuplicateExternalId {
        /// The other resource.
        winner: Name,
    },
    /// The declared type does not allow the type of the parent.
    #[error("type `{resource_type}` may not lie below type `{parent_type}`; its ResourceType allows {}; move it, or add the type there", quoted(.allowed))]
    ParentTypeNotAllowed {
        /// The type of the resource.
        resource_type: Name,
        /// The type of its parent.
        parent_type: Name,
        /// What is allowed.
        allowed: Vec<Name>,
    },
    /// A permission that its declared type does not know.
    #[error(
        "permission `{permission}` is not declared by any ResourceType; add it to spec.permissions of `{resource_type}` or take it out of the role"
    )]
    UnknownPermission {
        /// The permission.
        permission: Name,
        /// The type that should know it.
        resource_type: Name,
    },
    /// A permission of a type that is neither the role's nor below it.
    #[error(
        "permission `{permission}` belongs to type `{resource_type}`, which is not `{role_type}` nor below it; take it out, or use a role of that type"
    )]
    PermissionOutOfScope {
        /// The permission.
        permission: Name,
        /// The type that declares it.
        resource_type: Name,
        /// The role's type.
        role_type: Name,
    },
    /// Another assignment, which is older, grants the same role on the same resource to the same subject; of a
    /// proposed change also: would be the younger. Both have effect.
    #[error("{object} grants the same role on the same resource to the same subject; delete one of the two")]
    DuplicateAssignment {
        /// The other assignment.
        object: ObjectRef,
    },
    /// Another object would no longer be right (sections 1.2 and 1.4 of the reference's rules).
    #[error("{object} depends on it and would have a problem: {because}")]
    InUse {
        /// The other object.
        object: ObjectRef,
        /// What would be wrong there.
        because: Box<Reason>,
    },
    /// Its annotation wants it deleted only when nothing depends on it any more.
    #[error(
        "{count} objects or names in groups depend on {object}, whose deletion is restricted; delete them first, or take the annotation away to have them deleted with it"
    )]
    HasDependents {
        /// The object.
        object: ObjectRef,
        /// How many depend on it.
        count: usize,
    },
    /// An Environment of another name than `default`.
    #[error("only the Environment named `default` is heeded; put the settings there, and delete this one")]
    NotTheDefaultEnvironment,
}

impl Reason {
    /// Every [`code`](Self::code) that there is.
    pub const CODES: [&'static str; 32] = [
        "InvalidSpec",
        "Terminating",
        "ResourceNotFound",
        "RoleNotFound",
        "GroupNotFound",
        "ResourceTypeNotFound",
        "NotFound",
        "ResourceDetached",
        "RoleInert",
        "GroupInert",
        "MembershipInert",
        "Inert",
        "Expired",
        "ConditionUnmet",
        "RoleTypeMismatch",
        "OrganizationMismatch",
        "NotAnOrganization",
        "OrganizationUnknown",
        "Suspended",
        "UndeclaredMembership",
        "UndeclaredResourceType",
        "Superseded",
        "CycleDetected",
        "TooDeep",
        "DuplicateExternalId",
        "ParentTypeNotAllowed",
        "UnknownPermission",
        "PermissionOutOfScope",
        "DuplicateAssignment",
        "InUse",
        "HasDependents",
        "NotTheDefaultEnvironment",
    ];

    /// The reason as a condition's reason in a status would spell it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidSpec { .. } => "InvalidSpec",
            Self::Terminating { .. } => "Terminating",
            Self::NotFound { object } => match object.kind {
                Kind::Resource => "ResourceNotFound",
                Kind::Role => "RoleNotFound",
                Kind::Group => "GroupNotFound",
                Kind::ResourceType => "ResourceTypeNotFound",
                // A missing membership is told of as undeclared, and to the other kinds nothing refers.
                _ => "NotFound",
            },
            Self::Inert { object, .. } => match object.kind {
                Kind::Resource => "ResourceDetached",
                Kind::Role => "RoleInert",
                Kind::Group => "GroupInert",
                Kind::OrganizationMembership => "MembershipInert",
                // To the other kinds nothing refers.
                _ => "Inert",
            },
            Self::Expired { .. } => "Expired",
            Self::ConditionUnmet { .. } => "ConditionUnmet",
            Self::RoleTypeMismatch { .. } => "RoleTypeMismatch",
            Self::OrganizationMismatch { .. } => "OrganizationMismatch",
            Self::NotAnOrganization { .. } => "NotAnOrganization",
            Self::OrganizationUnknown { .. } => "OrganizationUnknown",
            Self::Suspended { .. } => "Suspended",
            Self::UndeclaredMembership { .. } => "UndeclaredMembership",
            Self::UndeclaredResourceType { .. } => "UndeclaredResourceType",
            Self::Superseded { .. } => "Superseded",
            Self::CycleDetected { .. } => "CycleDetected",
            Self::TooDeep { .. } => "TooDeep",
            Self::DuplicateExternalId { .. } => "DuplicateExternalId",
            Self::ParentTypeNotAllowed { .. } => "ParentTypeNotAllowed",
            Self::UnknownPermission { .. } => "UnknownPermission",
            Self::PermissionOutOfScope { .. } => "PermissionOutOfScope",
            Self::DuplicateAssignment { .. } => "DuplicateAssignment",
            Self::InUse { .. } => "InUse",
            Self::HasDependents { .. } => "HasDependents",
            Self::NotTheDefaultEnvironment => "NotTheDefaultEnvironment",
        }
    }

    /// Whether it says that a reference leads to what is not there (yet), has no effect (yet) or will be gone, or that
    /// references cannot even be read.
    #[must_use]
    pub const fn is_unresolved(&self) -> bool {
        match self {
            Self::InvalidSpec { .. }
            | Self::Terminating { .. }
            | Self::NotFound { .. }
            | Self::Inert { .. }
            | Self::OrganizationUnknown { .. }
            | Self::UndeclaredMembership { .. }
            | Self::UndeclaredResourceType { .. } => true,
            Self::Expired { .. }
            | Self::ConditionUnmet { .. }
            | Self::RoleTypeMismatch { .. }
            | Self::OrganizationMismatch { .. }
            | Self::NotAnOrganization { .. }
            | Self::Suspended { .. }
            | Self::Superseded { .. }
            | Self::CycleDetected { .. }
            | Self::TooDeep { .. }
            | Self::DuplicateExternalId { .. }
            | Self::ParentTypeNotAllowed { .. }
            | Self::UnknownPermission { .. }
            | Self::PermissionOutOfScope { .. }
            | Self::DuplicateAssignment { .. }
            | Self::InUse { .. }
            | Self::HasDependents { .. }
            | Self::NotTheDefaultEnvironment => false,
        }
    }

    /// Whether only a person can mend it, in this object or in the one that it contradicts: waiting never does.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        match self {
            Self::InvalidSpec { .. }
            | Self::RoleTypeMismatch { .. }
            | Self::OrganizationMismatch { .. }
            | Self::NotAnOrganization { .. }
            | Self::CycleDetected { .. }
            | Self::TooDeep { .. }
            | Self::DuplicateExternalId { .. }
            | Self::ParentTypeNotAllowed { .. }
            | Self::UnknownPermission { .. }
            | Self::PermissionOutOfScope { .. }
            | Self::DuplicateAssignment { .. }
            | Self::InUse { .. }
            | Self::HasDependents { .. }
            | Self::NotTheDefaultEnvironment => true,
            Self::Terminating { .. }
            | Self::NotFound { .. }
            | Self::Inert { .. }
            | Self::Expired { .. }
            | Self::ConditionUnmet { .. }
            | Self::OrganizationUnknown { .. }
            | Self::Suspended { .. }
            | Self::UndeclaredMembership { .. }
            | Self::UndeclaredResourceType { .. }
            | Self::Superseded { .. } => false,
        }
    }
}

/// Names in backticks with commas between them.
fn quoted(names: &[Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// One more reason after another, without a wildcard, so that a new one must be thought of here.
    fn next(reason: &Reason) -> Option<Reason> {
        let name = Name::default;
        let object = || ObjectRef { kind: Kind::Resource, name: name() };
        let because = || Box::new(Reason::NotTheDefaultEnvironment);
        Some(match reason {
            Reason::InvalidSpec { .. } => Reason::Terminating { object: object() },
            Reason::Terminating { .. } => Reason::NotFound { object: object() },
            Reason::NotFound { .. } => Reason::Inert { object: object(), because: because() },
            Reason::Inert { .. } => Reason::Expired { at: Timestamp::UNIX_EPOCH },
            Reason::Expired { .. } => Reason::ConditionUnmet { condition: name(), because: Unmet::False },
            Reason::ConditionUnmet { .. } => {
                Reason::RoleTypeMismatch { role: name(), role_type: name(), resource: name(), resource_type: name() }
            }
            Reason::RoleTypeMismatch { .. } => {
                Reason::OrganizationMismatch { object: object(), organization: name(), other: name() }
            }
            Reason::OrganizationMismatch { .. } => {
                Reason::NotAnOrganization { resource: name(), resource_type: name() }
            }
            Reason::NotAnOrganization { .. } => Reason::OrganizationUnknown { membership: name() },
            Reason::OrganizationUnknown { .. } => Reason::Suspended { membership: name() },
            Reason::Suspended { .. } => Reason::UndeclaredMembership { membership: name() },
            Reason::UndeclaredMembership { .. } => Reason::UndeclaredResourceType { resource_type: name() },
            Reason::UndeclaredResourceType { .. } => Reason::Superseded { winner: name() },
            Reason::Superseded { .. } => Reason::CycleDetected { object: object(), cycle: Vec::new() },
            Reason::CycleDetected { .. } => Reason::TooDeep { limit: 0 },
            Reason::TooDeep { .. } => Reason::DuplicateExternalId { winner: name() },
            Reason::DuplicateExternalId { .. } => {
                Reason::ParentTypeNotAllowed { resource_type: name(), parent_type: name(), allowed: Vec::new() }
            }
            Reason::ParentTypeNotAllowed { .. } => {
                Reason::UnknownPermission { permission: name(), resource_type: name() }
            }
            Reason::UnknownPermission { .. } => {
                Reason::PermissionOutOfScope { permission: name(), resource_type: name(), role_type: name() }
            }
            Reason::PermissionOutOfScope { .. } => Reason::DuplicateAssignment { object: object() },
            Reason::DuplicateAssignment { .. } => Reason::InUse { object: object(), because: because() },
            Reason::InUse { .. } => Reason::HasDependents { object: object(), count: 0 },
            Reason::HasDependents { .. } => Reason::NotTheDefaultEnvironment,
            Reason::NotTheDefaultEnvironment => return None,
        })
    }

    fn of_every_kind(reason: Reason) -> Vec<Reason> {
        let of_kinds = |reason: fn(ObjectRef) -> Reason| {
            Kind::ALL.map(|kind| reason(ObjectRef { kind, name: Name::default() })).into()
        };
        match reason {
            Reason::NotFound { .. } => of_kinds(|object| Reason::NotFound { object }),
            Reason::Inert { .. } => {
                of_kinds(|object| Reason::Inert { object, because: Box::new(Reason::NotTheDefaultEnvironment) })
            }
            other => vec![other],
        }
    }

    #[test]
    fn every_code_is_listed() {
        let first = Reason::InvalidSpec { problem: Name::default() };
        let reasons = std::iter::successors(Some(first), next).flat_map(of_every_kind);
        let codes: BTreeSet<&str> = reasons.map(|reason| reason.code()).collect();
        assert_eq!(codes, Reason::CODES.into());
    }
}
