//! What the graph can be asked, and the shape of its answers.

mod reason;

use std::{fmt, sync::Arc};

pub use reason::Reason;

use super::facts::{Condition, Kind, Name, ObjectRef, Timestamp};

pub use crate::condition::{Given, Properties};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The membership of this name, declared or opaque.
    Membership(&'a str),
    /// The membership of the user of this id in the organization of the resource: the declared one, or, where none
    /// is declared for the user there, the undeclared one whose name is the id.
    User(&'a str),
}

/// What sort of subject is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// [`Subject::Membership`].
    Membership,
    /// [`Subject::User`].
    User,
}

impl SubjectKind {
    /// The subject of this kind and name or id.
    #[must_use]
    pub const fn subject(self, id: &str) -> Subject<'_> {
        match self {
            Self::Membership => Subject::Membership(id),
            Self::User => Subject::User(id),
        }
    }
}

/// On what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// The resource object of this name.
    Name(&'a str),
    /// The resource that the application knows by type and id: its external id or, where no external id fits, its
    /// object's name.
    Id {
        /// The resource's type.
        resource_type: &'a str,
        /// Its external id or its object's name.
        id: &'a str,
        /// Its organization (object's name or external id), needed where several have such a resource.
        organization: Option<&'a str>,
    },
}

/// To do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// The permission of this slug.
    Permission(&'a str),
    /// A permission's slug, or what follows the resource type and a colon in one: `edit` on a `project` is
    /// allowed by `edit` and by `project:edit`.
    Name(&'a str),
}

/// May this subject do this on that resource?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRequest<'a> {
    /// Who asks.
    pub subject: Subject<'a>,
    /// To do what.
    pub action: Action<'a>,
    /// On what.
    pub resource: Target<'a>,
}

/// When a question is asked, and what it tells of itself: what the conditions of assignments are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// When.
    pub now: Timestamp,
    /// What it tells; none: nothing.
    pub given: Option<&'a Given<'a>>,
}

impl From<Timestamp> for Asked<'_> {
    /// A question that tells nothing of itself.
    fn from(now: Timestamp) -> Self {
        Self { now, given: None }
    }
}

/// The answer to a [`CheckRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No, and why.
    Denied(Denial),
}

impl Decision {
    /// Whether the answer is yes.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Why the answer is no, or why there is no list; the nearest to a yes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denial {
    /// Everything named exists; no effective grant has the permission.
    NoGrant,
    /// No object says anything of this membership or user.
    UnknownSubject,
    /// The user has no membership in the resource's organization.
    NotAMember,
    /// The membership belongs to another organization than the resource.
    OtherOrganization,
    /// The membership is suspended.
    SuspendedMembership,
    /// The membership's object is being deleted, is invalid, or names an organization that is not there.
    UnusableMembership,
    /// Nothing declares the membership, and the environment wants every membership declared.
    UndeclaredMembership,
    /// There is no such resource, or none that is attached in the organization that the question is about.
    UnknownResource,
    /// The organization that the question names is not there.
    UnknownOrganization,
    /// Several organizations have such a resource.
    AmbiguousResource,
    /// The resource does not hang together up to an organization.
    DetachedResource,
}

impl Denial {
    /// A word for metrics and for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoGrant => "no_grant",
            Self::UnknownSubject => "unknown_subject",
            Self::NotAMember => "not_a_member",
            Self::OtherOrganization => "other_organization",
            Self::SuspendedMembership => "suspended_membership",
            Self::UnusableMembership => "unusable_membership",
            Self::UndeclaredMembership => "undeclared_membership",
            Self::UnknownResource => "unknown_resource",
            Self::UnknownOrganization => "unknown_organization",
            Self::AmbiguousResource => "ambiguous_resource",
            Self::DetachedResource => "detached_resource",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoGrant => "no effective grant of the membership on the resource or above it has the permission",
            Self::UnknownSubject => "nothing is known of this membership or user",
            Self::NotAMember => "the user has no membership in the organization of the resource",
            Self::OtherOrganization => "the membership belongs to another organization than the resource",
            Self::SuspendedMembership => "the membership is suspended",
            Self::UnusableMembership => {
                "the membership is declared but not usable: it is being deleted, its spec is invalid or its organization is missing"
            }
            Self::UndeclaredMembership => {
                "no OrganizationMembership declares this membership, and the environment denies undeclared ones"
            }
            Self::UnknownResource => "there is no such resource in the organization",
            Self::UnknownOrganization => "there is no organization of that name or external id",
            Self::AmbiguousResource => "several organizations have such a resource: name the organization",
            Self::DetachedResource => {
                "the resource is detached: it or something above it is missing, being deleted, invalid, in a cycle or not allowed there"
            }
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for Denial {}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// How many items at the most; at least 1.
    pub limit: usize,
    /// Only what comes after this key (the [`Page::next`] of the page before).
    pub after: Option<&'a str>,
}

/// A part of a list, in the order of the items' keys, which no change elsewhere moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key to go on after; none: this was the last page.
    pub next: Option<String>,
}

/// Which resources of a membership are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceFilter<'a> {
    /// Only of this type.
    pub resource_type: Option<&'a str>,
    /// Only direct children of this resource (rule 19).
    pub parent: Option<Target<'a>>,
}

/// Which memberships of a resource are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those with a grant on that very resource (rule 23).
    Direct,
    /// All that a check would allow (rule 24).
    All,
}

/// A resource in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceItem {
    /// The object's name.
    pub name: Name,
    /// The type.
    pub resource_type: Name,
    /// The external id.
    pub external_id: Name,
    /// The name of the organization at the root of its tree.
    pub organization: Name,
    /// The name of the resource above it.
    pub parent: Option<Name>,
}

/// A resource in the words of a [`Target::Id`] that leads the subject to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResource {
    /// The type.
    pub resource_type: Name,
    /// The external id.
    pub id: Name,
    /// The organization, where the question would mean another resource, or none, without it.
    pub organization: Option<Name>,
}

/// A membership in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipItem {
    /// The name of the membership.
    pub name: Name,
    /// The id of its user, where an OrganizationMembership declares it.
    pub user: Option<Name>,
    /// The name of its organization, where an OrganizationMembership declares it.
    pub organization: Option<Name>,
}

/// Where a grant comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantSource {
    /// The MembershipRoleAssignment of this name.
    MembershipRoleAssignment(Name),
    /// A GroupRoleAssignment.
    GroupRoleAssignment {
        /// Its name.
        assignment: Name,
        /// From the group that it names down to the group that lists the membership; one group unless groups are
        /// nested. Only the first where the grant is listed without a membership.
        groups: Vec<Name>,
    },
    /// A role of the OrganizationMembership itself.
    OrganizationMembership(Name),
    /// A role mapping of the identity provider's group.
    IdentityProvider {
        /// Who says that the user is in the group.
        source: super::facts::IdentitySource,
        /// The group's name there.
        group: Name,
    },
    /// The default role of the environment.
    DefaultRole,
}

/// A role on a resource, as one membership or group has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentItem {
    /// Where it comes from.
    pub source: GrantSource,
    /// The membership that has it; none in a resource's list where a group has it.
    pub membership: Option<Name>,
    /// The name of the role.
    pub role: Name,
    /// The name of the resource; none where it is the organization of a subject that has none.
    pub resource: Option<Name>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Without which it grants nothing.
    pub condition: Option<Arc<Condition>>,
    /// Why it grants nothing; empty: it is effective.
    pub inert: Vec<Reason>,
}

/// How much that is there uses a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleUses {
    /// The `MembershipRoleAssignment`s that give it, in effect or not.
    pub membership_assignments: usize,
    /// The `GroupRoleAssignment`s that give it, in effect or not.
    pub group_assignments: usize,
    /// The declared memberships whose `roleRefs` list it, suspended or not.
    pub memberships: usize,
    /// The mappings of groups of the identity provider to it.
    pub role_mappings: usize,
    /// It is the default role.
    pub is_default: bool,
}

/// One way in which a check is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantPath {
    /// Where the grant comes from.
    pub source: GrantSource,
    /// The name of the role.
    pub role: Name,
    /// The permission of it that allows.
    pub permission: Name,
    /// From the resource asked about up to the resource that the role is granted on, both included: names.
    pub resources: Vec<Name>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Without which it grants nothing.
    pub condition: Option<Arc<Condition>>,
}

/// Something that nearly allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// A sentence that names what is there and what is lacking.
    pub message: String,
    /// The role in question.
    pub role: Option<Name>,
    /// The resource that the role is granted on.
    pub resource: Option<Name>,
    /// Why the grant is inert; empty where it is effective but lacks the permission or lies elsewhere.
    pub inert: Vec<Reason>,
}

/// Why a check is answered as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The answer, the same as that of a check.
    pub decision: Decision,
    /// One sentence.
    pub summary: String,
    /// The membership that was found for the subject.
    pub membership: Option<Name>,
    /// The resource that was found.
    pub resource: Option<Name>,
    /// Every way in which it is allowed for that membership, nearest first; empty: denied.
    pub paths: Vec<GrantPath>,
    /// Where denied: what comes nearest, nearest first.
    pub near_misses: Vec<NearMiss>,
}

/// An object and whether it has effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectItem {
    /// Which object.
    pub object: ObjectRef,
    /// What is wrong with it; see [`Diagnosis`].
    pub diagnosis: Diagnosis,
}

/// Whether an object has effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why it has no effect at all; empty: it has.
    pub inert: Vec<Reason>,
    /// Parts of it that have no effect, such as an unknown permission of a role or a missing subgroup; the first few.
    pub warnings: Vec<Reason>,
}

impl Diagnosis {
    /// Whether the object has effect.
    #[must_use]
    pub fn is_effective(&self) -> bool {
        self.inert.is_empty()
    }
}

/// Which objects are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ObjectFilter {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those that have something inert or warned about.
    pub only_problems: bool,
}
