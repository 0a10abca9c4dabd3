//! An extension: why a check is answered as it is.

use axum::Json;
use serde::Serialize;

use super::{
    Error,
    body::{Body, Path},
    checks::{OfMembership, Question, Understood},
    context::{self, Context},
    id::{Id, Prefix},
    shapes::{GroupReference, Instant, ResourceReference, Slug},
};
use crate::{
    graph::{
        facts::{self, IdentitySource, Name, Timestamp},
        query::{self, Action, CheckRequest, Decision, Subject},
    },
    server::answer::Reason,
    store::View,
};

/// Why a check is answered as it is.
#[derive(Debug, Serialize)]
pub struct Explanation {
    object: &'static str,
    /// The answer, the same as that of a check.
    authorized: bool,
    /// Why not.
    reason: Option<Reason>,
    /// One sentence.
    summary: String,
    /// Every way in which it is allowed, nearest first.
    paths: Vec<GrantPath>,
    /// Where it is not: what comes nearest, nearest first.
    near_misses: Vec<NearMiss>,
}

#[derive(Debug, Serialize)]
struct GrantPath {
    source: Source,
    role: Slug,
    permission_slug: Name,
    /// From the resource asked about up to the one that the role is granted on.
    resources: Vec<ResourceReference>,
    expires_at: Option<Instant>,
}

/// Where a grant comes from.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Source {
    /// A role assignment of the membership.
    Direct { role_assignment_id: Option<Id> },
    /// A role assignment of a group.
    Group {
        group_role_assignment_id: Option<Id>,
        /// From the group that it is of down to the one that the membership is in.
        groups: Vec<GroupReference>,
    },
    /// A role of the membership itself.
    OrganizationMembership,
    /// A mapping of a group of the identity provider.
    IdentityProvider { provider: &'static str, group: Name },
    /// The default role of the environment.
    DefaultRole,
}

#[derive(Debug, Serialize)]
struct NearMiss {
    /// A sentence that names what is there and what is lacking.
    message: String,
    role: Option<Slug>,
    resource: Option<ResourceReference>,
    /// Why the grant has no effect; empty where it has, but lacks the permission or lies elsewhere.
    inert: Vec<Reason>,
}

pub async fn explain(
    context: Context,
    Path(path): Path<OfMembership>,
    Body(question): Body<Question>,
) -> Result<Json<Explanation>, Error> {
    let Understood { permission, resource } = question.understood()?;
    let snapshot = context.snapshot();
    let view = snapshot.view();
    let membership = context::membership(&view, &path.organization_membership_id)?;
    let resource = resource.find(&view, &membership.fact.organization)?;
    let request = CheckRequest {
        subject: Subject::Membership(&membership.name),
        action: Action::Permission(permission),
        resource: query::Target::Name(&resource.item.name),
    };
    let explanation = view.graph().explain(&request, Timestamp::now());
    Ok(Json(Explanation::of(&view, explanation)))
}

impl Explanation {
    fn of(view: &View<'_>, explanation: query::Explanation) -> Self {
        let query::Explanation { decision, summary, paths, near_misses, membership: _, resource: _ } = explanation;
        Self {
            object: "explanation",
            authorized: decision.is_allowed(),
            reason: match decision {
                Decision::Allowed => None,
                Decision::Denied(denial) => Some(denial.into()),
            },
            summary,
            paths: paths.into_iter().map(|path| GrantPath::of(view, path)).collect(),
            near_misses: near_misses.into_iter().map(|miss| NearMiss::of(view, miss)).collect(),
        }
    }
}

impl GrantPath {
    fn of(view: &View<'_>, path: query::GrantPath) -> Self {
        let query::GrantPath { source, role, permission, resources, expires_at, condition: _ } = path;
        Self {
            source: Source::of(view, source),
            role: slug(view, role),
            permission_slug: permission,
            resources: resources.iter().filter_map(|name| reference(view, name)).collect(),
            expires_at: expires_at.map(Instant),
        }
    }
}

impl Source {
    fn of(view: &View<'_>, source: query::GrantSource) -> Self {
        match source {
            query::GrantSource::MembershipRoleAssignment(name) => {
                let assignment = view.get::<facts::MembershipRoleAssignment>(&name);
                Self::Direct { role_assignment_id: assignment.map(|item| Prefix::RoleAssignment.id(item.id)) }
            }
            query::GrantSource::GroupRoleAssignment { assignment, groups } => {
                let assignment = view.get::<facts::GroupRoleAssignment>(&assignment);
                let groups = groups.iter().filter_map(|name| view.get::<facts::Group>(name));
                Self::Group {
                    group_role_assignment_id: assignment.map(|item| Prefix::GroupRoleAssignment.id(item.id)),
                    groups: groups.map(|group| (&group).into()).collect(),
                }
            }
            query::GrantSource::OrganizationMembership(_) => Self::OrganizationMembership,
            query::GrantSource::IdentityProvider { source, group } => {
                let provider = match source {
                    IdentitySource::Directory => "directory",
                    IdentitySource::Sso => "sso",
                };
                Self::IdentityProvider { provider, group }
            }
            query::GrantSource::DefaultRole => Self::DefaultRole,
        }
    }
}

impl NearMiss {
    fn of(view: &View<'_>, miss: query::NearMiss) -> Self {
        let query::NearMiss { message, role, resource, inert } = miss;
        Self {
            message,
            role: role.map(|role| slug(view, role)),
            resource: resource.and_then(|name| reference(view, &name)),
            inert: inert.iter().map(Reason::from).collect(),
        }
    }
}

/// The slug of a role; its name where it is not there.
fn slug(view: &View<'_>, name: Name) -> Slug {
    Slug { slug: view.get::<facts::Role>(&name).map_or(name, |role| role.fact.slug) }
}

fn reference(view: &View<'_>, name: &str) -> Option<ResourceReference> {
    view.get::<facts::Resource>(name).map(|item| (&item).into())
}
