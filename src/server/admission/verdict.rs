//! From what the graph says to the words of the answer.

use super::{
    Asked,
    review::{Status, StatusCause, StatusDetails},
};
use crate::graph::{Proposal, Review, facts::Kind, query::Reason};

/// How many reasons of a refusal are told.
const MAX_CAUSES: usize = 10;

/// How many warnings are told.
const MAX_WARNINGS: usize = 10;

/// How long a warning may be, in characters: longer ones may be cut on the way to whoever is warned.
const MAX_WARNING: usize = 120;

/// Where a warning or a name was cut.
const ELLIPSIS: &str = "...";

/// Whether a request is allowed.
#[derive(Debug)]
pub struct Verdict {
    /// Why not; none: it is.
    pub refusal: Option<Status>,
    /// What whoever asked should know.
    pub warnings: Vec<String>,
}

impl Verdict {
    /// Yes, and nothing more to say.
    pub const fn allowed() -> Self {
        Self { refusal: None, warnings: Vec::new() }
    }

    /// What follows from a review.
    pub fn new(group: &'static str, asked: &Asked, review: &Review) -> Self {
        Self { refusal: refusal(group, asked, &review.refusals), warnings: warnings(&review.warnings) }
    }

    pub const fn is_allowed(&self) -> bool {
        self.refusal.is_none()
    }

    /// The codes of the reasons against it.
    pub fn reasons(&self) -> String {
        let causes = self.refusal.iter().flat_map(|status| &status.details.causes);
        causes.map(|cause| cause.reason).collect::<Vec<_>>().join(",")
    }
}

fn refusal(group: &'static str, asked: &Asked, reasons: &[Reason]) -> Option<Status> {
    if reasons.is_empty() {
        return None;
    }
    let Asked { object, proposal, .. } = asked;
    let causes: Vec<StatusCause> = reasons
        .iter()
        .take(MAX_CAUSES)
        .map(|reason| StatusCause {
            reason: reason.code(),
            message: reason.to_string(),
            field: field(object.kind, reason),
        })
        .collect();
    let more = reasons.len().checked_sub(MAX_CAUSES).filter(|&more| more > 0).map(|more| format!("and {more} more"));
    let sentences: Vec<&str> = causes.iter().map(|cause| cause.message.as_str()).chain(more.as_deref()).collect();
    let message = sentences.join("; ");
    let (code, reason) = match **proposal {
        Proposal::Write(_) => (422, "Invalid"),
        Proposal::Delete { .. } => (403, "Forbidden"),
    };
    let details = StatusDetails { name: object.name.to_string(), group, kind: object.kind.as_str(), causes };
    Some(Status { code, reason, message, details })
}

fn warnings(reasons: &[Reason]) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for warning in reasons.iter().map(|reason| shortened(&reason.to_string())) {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        // The last place is for the sentence that says so.
        warnings.truncate(MAX_WARNINGS - 1);
        warnings.push(format!("and {} more of the kind", more + 1));
    }
    warnings
}

fn shortened(warning: &str) -> String {
    if warning.chars().count() <= MAX_WARNING {
        return warning.to_owned();
    }
    let kept: String = warning.chars().take(MAX_WARNING - ELLIPSIS.len()).collect();
    kept + ELLIPSIS
}

/// The field of an object of a kind that a reason is about.
const fn field(kind: Kind, reason: &Reason) -> &'static str {
    match reason {
        Reason::DuplicateExternalId { .. } => "spec.externalId",
        Reason::TooDeep { .. } | Reason::ParentTypeNotAllowed { .. } => "spec.parentRef.name",
        Reason::CycleDetected { .. } => match kind {
            Kind::Group => "spec.subgroups",
            _ => "spec.parentRef.name",
        },
        Reason::UnknownPermission { .. } | Reason::PermissionOutOfScope { .. } => "spec.permissions",
        Reason::RoleTypeMismatch { .. } => role_field(kind),
        Reason::OrganizationMismatch { object, .. } => match (kind, object.kind) {
            (_, Kind::Role) => role_field(kind),
            (Kind::Group, Kind::Group) => "spec.subgroups",
            (Kind::Group, Kind::OrganizationMembership) => "spec.members",
            (_, Kind::Group) => "spec.groupRef.name",
            (_, Kind::OrganizationMembership) => "spec.membershipRef.name",
            _ => "spec",
        },
        Reason::NotAnOrganization { .. } => "spec.organizationRef.name",
        Reason::InUse { because, .. } => match **because {
            Reason::UnknownPermission { .. } | Reason::PermissionOutOfScope { .. } => "spec.permissions",
            Reason::ParentTypeNotAllowed { .. } => "spec.parents",
            _ => "spec",
        },
        Reason::HasDependents { .. } => "metadata.annotations",
        Reason::NotTheDefaultEnvironment => "metadata.name",
        Reason::InvalidSpec { .. }
        | Reason::Terminating { .. }
        | Reason::NotFound { .. }
        | Reason::Inert { .. }
        | Reason::Expired { .. }
        | Reason::ConditionUnmet { .. }
        | Reason::OrganizationUnknown { .. }
        | Reason::Suspended { .. }
        | Reason::UndeclaredMembership { .. }
        | Reason::UndeclaredResourceType { .. }
        | Reason::Superseded { .. }
        | Reason::DuplicateAssignment { .. } => "spec",
    }
}

const fn role_field(kind: Kind) -> &'static str {
    match kind {
        Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment => "spec.roleRef.name",
        Kind::OrganizationMembership => "spec.roleRefs",
        _ => "spec",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::facts::{Name, ObjectRef};

    fn missing(name: &str) -> Reason {
        Reason::NotFound { object: ObjectRef { kind: Kind::Role, name: Name::from(name) } }
    }

    #[test]
    fn warnings_are_few_short_and_each_told_once() {
        let told = warnings(&[missing("editor"), missing("editor"), missing(&"é".repeat(200))]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0], missing("editor").to_string());
        assert_eq!(told[1].chars().count(), MAX_WARNING);
        assert!(told[1].starts_with("Role `é") && told[1].ends_with("..."), "{told:?}");

        let many: Vec<Reason> = (0..25).map(|i| missing(&format!("role-{i}"))).collect();
        let told = warnings(&many);
        assert_eq!(told.len(), MAX_WARNINGS);
        assert_eq!(told[MAX_WARNINGS - 1], "and 16 more of the kind");
    }
}
