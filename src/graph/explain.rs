//! Why a check is answered as it is, in words that a person can act on.

use super::{
    Graph,
    access::with_scratch,
    facts::{IdentitySource, Kind, Name, Timestamp},
    holdings::Holding,
    query::{
        Action, CheckRequest, Decision, Denial, Explanation, GrantPath, GrantSource, NearMiss, Reason, Subject, Target,
    },
    records::{Membership, Resource},
    resolve::{Permissions, Question},
    table::Id,
};

/// So many near misses are told at the most.
const MAX_NEAR_MISSES: usize = 10;

impl Graph {
    /// Why a check is answered as it is.
    ///
    /// # Guarantees
    /// The decision is that of [`Graph::check`]; it is allowed iff there is a path.
    #[must_use]
    pub fn explain(&self, request: &CheckRequest<'_>, now: Timestamp) -> Explanation {
        let resolved = with_scratch(|scratch| {
            let question = self.resolve(request.subject, request.resource, scratch)?;
            let resource_type = self.resources[question.resource].kind.resource_type();
            let permissions = self.permissions_for(request.action, resource_type, &mut scratch.text);
            let decision = self.decide(&question, permissions, scratch, now);
            Ok((question, permissions, decision, scratch.path.clone()))
        });
        match resolved {
            Ok((question, permissions, decision, path)) => {
                self.explain_resolved(request, &question, permissions, decision, &path, now)
            }
            Err(denial) => self.explain_unresolved(request, denial),
        }
    }

    fn explain_resolved(
        &self,
        request: &CheckRequest<'_>,
        question: &Question,
        permissions: Permissions,
        decision: Decision,
        path: &[Id<Resource>],
        now: Timestamp,
    ) -> Explanation {
        let mut memberships: Vec<_> = self.memberships_of(question.asker, question.organization).collect();
        memberships.sort_unstable_by_key(|&membership| self.memberships.name(membership));
        let mut best: Option<(Id<Membership>, Vec<Holding>, Vec<GrantPath>)> = None;
        for membership in memberships {
            let holdings = self.holdings(membership, now);
            let paths = self.grant_paths(&holdings, permissions, path);
            if best.is_none() || !paths.is_empty() {
                let done = !paths.is_empty();
                best = Some((membership, holdings, paths));
                if done {
                    break;
                }
            }
        }
        let Some((membership, holdings, paths)) = best else {
            return self.explain_unresolved(request, Denial::NotAMember);
        };
        let who = self.memberships.name(membership).clone();
        let resource = self.resources.name(question.resource).clone();
        let wanted = Wanted { who: &who, action: action_name(request.action), resource: &resource };
        let mut near_misses = Vec::new();
        let summary = match (paths.first(), decision) {
            (Some(first), _) => summary_of_path(&wanted, first),
            (None, Decision::Denied(denial)) if denial != Denial::NoGrant => {
                let fault = self.membership_fault(membership, Some(question.organization));
                let because = fault.map_or_else(|| denial.to_string(), |fault| fault.to_string());
                format!("{wanted} is denied: {because}")
            }
            (None, _) => {
                near_misses = self.near_misses(&wanted, &holdings, permissions, path);
                let because = near_misses.first().map(|miss| miss.message.clone());
                let because = because.unwrap_or_else(|| self.nothing_near(&wanted, permissions, path));
                format!("{wanted} is denied: {because}")
            }
        };
        Explanation {
            decision,
            summary,
            membership: Some(who.clone()),
            resource: Some(resource.clone()),
            paths,
            near_misses,
        }
    }

    fn grant_paths(&self, holdings: &[Holding], permissions: Permissions, path: &[Id<Resource>]) -> Vec<GrantPath> {
        let mut paths = Vec::new();
        for holding in holdings.iter().filter(|holding| holding.faults.is_empty()) {
            let Some(at) = path.iter().position(|&resource| holding.resource == Some(resource)) else {
                continue;
            };
            let set = &self.roles[holding.role].permissions;
            for permission in permissions.into_iter().flatten().filter(|&permission| set.contains(permission)) {
                paths.push((
                    at,
                    GrantPath {
                        source: holding.source.clone(),
                        role: self.roles.name(holding.role).clone(),
                        permission: self.permissions.name(permission).clone(),
                        resources: path[..=at].iter().map(|&id| self.resources.name(id).clone()).collect(),
                        expires_at: holding.expires_at,
                    },
                ));
            }
        }
        paths.sort_by_key(|(at, _)| *at); // The nearest grant first.
        paths.into_iter().map(|(_, path)| path).collect()
    }

    /// What comes nearest to allowing: grants on the way that are inert, then those that lack the permission, then
    /// grants elsewhere that have it.
    fn near_misses(
        &self,
        wanted: &Wanted<'_>,
        holdings: &[Holding],
        permissions: Permissions,
        path: &[Id<Resource>],
    ) -> Vec<NearMiss> {
        let mut misses = Vec::new();
        for holding in holdings {
            let role = self.roles.name(holding.role);
            let on = holding.resource.map(|resource| self.resources.name(resource));
            let place = path.iter().position(|&resource| holding.resource == Some(resource));
            let lists = self.lists_any(holding, permissions);
            let (who, action) = (wanted.who, wanted.action);
            let (order, message) = match (place, on, holding.faults.first()) {
                (Some(at), Some(on), Some(fault)) if lists => {
                    let source = described(&holding.source);
                    (at, format!("{who} would have {role} on {on}, {source}, but it has no effect: {fault}"))
                }
                (Some(at), Some(on), None) => {
                    let why = if lists { "lists but may not have" } else { "lacks" };
                    (path.len() + at, format!("{who} has {role} on {on}, which {why} {action}"))
                }
                (None, Some(on), None) if lists => {
                    let message = format!(
                        "{who} has {role} on {on}, which has {action}, but {on} is neither {} nor above it",
                        wanted.resource
                    );
                    (3 * path.len(), message)
                }
                (None, None, Some(fault)) if lists => {
                    let source = described(&holding.source);
                    (2 * path.len(), format!("{who} would have {role}, {source}, but it has no effect: {fault}"))
                }
                _ => continue,
            };
            let (role, resource) = (Some(role.clone()), on.cloned());
            misses.push((order, NearMiss { message, role, resource, inert: holding.faults.clone() }));
        }
        misses.sort_by_key(|(order, _)| *order);
        misses.into_iter().map(|(_, miss)| miss).take(MAX_NEAR_MISSES).collect()
    }

    /// Whether the role lists one of the permissions, refused or not.
    fn lists_any(&self, holding: &Holding, permissions: Permissions) -> bool {
        let listed = &self.roles[holding.role].listed;
        permissions.into_iter().flatten().any(|permission| listed.contains(&permission))
    }

    /// A sentence for a membership that has nothing that comes near.
    fn nothing_near(&self, wanted: &Wanted<'_>, permissions: Permissions, path: &[Id<Resource>]) -> String {
        let known = permissions.into_iter().flatten().next().is_some();
        if !known {
            return format!("no role has a permission {}", wanted.action);
        }
        let above: Vec<&str> = path.iter().skip(1).map(|&id| &**self.resources.name(id)).collect();
        if above.is_empty() {
            format!("{} has no role on {}", wanted.who, wanted.resource)
        } else {
            format!("{} has no role on {} nor above it ({})", wanted.who, wanted.resource, above.join(", "))
        }
    }

    fn explain_unresolved(&self, request: &CheckRequest<'_>, denial: Denial) -> Explanation {
        let who = match request.subject {
            Subject::Membership(name) | Subject::User(name) => name,
        };
        let resource = match request.resource {
            Target::Name(name) => name,
            Target::Id { id, .. } => id,
        };
        let wanted = Wanted { who, action: action_name(request.action), resource };
        let missing = matches!(denial, Denial::DetachedResource | Denial::UnknownResource);
        let reason = missing.then(|| self.detachment_of(request.resource)).flatten();
        let because = reason.as_ref().map_or_else(|| denial.to_string(), |(_, reason)| reason.to_string());
        let near_misses = reason.into_iter().map(|(resource, reason)| NearMiss {
            message: format!("{resource} is detached: {reason}"),
            role: None,
            resource: Some(resource),
            inert: vec![reason],
        });
        Explanation {
            decision: Decision::Denied(denial),
            summary: format!("{wanted} is denied: {because}"),
            membership: None,
            resource: None,
            paths: Vec::new(),
            near_misses: near_misses.collect(),
        }
    }

    /// A resource that the question may mean but that is detached, and why.
    fn detachment_of(&self, target: Target<'_>) -> Option<(Name, Reason)> {
        let candidates: Vec<Id<Resource>> = match target {
            Target::Name(name) => self.resources.id(name).into_iter().collect(),
            Target::Id { resource_type, id, .. } => {
                let listed = self.resource_types.id(resource_type).into_iter().flat_map(|t| self.candidates(t, id));
                listed.chain(self.resources.id(id)).collect()
            }
        };
        let detached = candidates.into_iter().filter_map(|id| Some((self.resources.name(id), self.detachment(id)?)));
        detached.min_by_key(|(name, _)| *name).map(|(name, reason)| (name.clone(), reason))
    }
}

/// What a question asks for, in words.
struct Wanted<'a> {
    who: &'a str,
    action: &'a str,
    resource: &'a str,
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} by {} on {}", self.action, self.who, self.resource)
    }
}

/// A sentence for what is allowed.
fn summary_of_path(wanted: &Wanted<'_>, path: &GrantPath) -> String {
    let on = path.resources.last().map_or("", |name| name);
    let above = if path.resources.len() > 1 { format!(", which is above {}", wanted.resource) } else { String::new() };
    format!("{wanted} is allowed: {} has {} on {on}{above}, {}", wanted.who, path.role, described(&path.source))
}

fn action_name(action: Action<'_>) -> &str {
    match action {
        Action::Permission(name) | Action::Name(name) => name,
    }
}

/// Where a grant comes from, after "has the role …".
fn described(source: &GrantSource) -> String {
    match source {
        GrantSource::MembershipRoleAssignment(name) => format!("by {} {name}", Kind::MembershipRoleAssignment),
        GrantSource::GroupRoleAssignment { assignment, groups } => {
            format!("by {} {assignment} to group {}", Kind::GroupRoleAssignment, groups.join(", through its subgroup "))
        }
        GrantSource::OrganizationMembership(name) => format!("by {} {name}", Kind::OrganizationMembership),
        GrantSource::IdentityProvider { source, group } => {
            let source = match source {
                IdentitySource::Directory => "directory",
                IdentitySource::Sso => "single sign-on",
            };
            format!("mapped from the {source} group {group}")
        }
        GrantSource::DefaultRole => "as the default role".to_owned(),
    }
}
