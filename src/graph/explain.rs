//! Why a check is answered as it is, in words that a person can act on.

use super::{
    Graph,
    access::with_scratch,
    facts::{IdentitySource, Kind, Name},
    holdings::{Holder, Holding},
    page::page_of,
    query::{
        Action, Asked, CheckRequest, Decision, Denial, Explanation, GrantPath, GrantSource, NearMiss, PageRequest,
        Reason, Subject, Target,
    },
    records::{Resource, Role},
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
    pub fn explain<'a>(&self, request: &CheckRequest<'_>, asked: impl Into<Asked<'a>>) -> Explanation {
        let asked = asked.into();
        let resolved = with_scratch(|scratch| {
            let question = self.resolve(request.subject, request.resource, scratch)?;
            let resource_type = self.resources[question.resource].kind.resource_type();
            let permissions = self.permissions_for(request.action, resource_type, &mut scratch.text);
            let decision = self.decide(&question, permissions, scratch, asked);
            Ok((question, permissions, decision, scratch.path.clone()))
        });
        match resolved {
            Ok((question, permissions, decision, path)) => {
                self.explain_resolved(request, &question, permissions, decision, &path, asked)
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
        asked: Asked<'_>,
    ) -> Explanation {
        let mut memberships: Vec<_> = self.memberships_of(question.asker, question.organization).collect();
        memberships.sort_unstable_by_key(|&membership| self.memberships.name(membership));
        let Some(&first) = memberships.first() else {
            return self.explain_unresolved(request, Denial::NotAMember);
        };
        let allowing = memberships.into_iter().find_map(|membership| {
            let holder = Holder::new(self, membership, asked);
            let paths = self.grant_paths(&holder, question.organization, permissions, path);
            (!paths.is_empty()).then_some((membership, paths))
        });
        let (membership, paths) = allowing.unwrap_or((first, Vec::new()));
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
                near_misses = self.near_misses(&wanted, &Holder::new(self, membership, asked), permissions, path);
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

    fn grant_paths(
        &self,
        holder: &Holder<'_>,
        organization: Id<Resource>,
        permissions: Permissions,
        path: &[Id<Resource>],
    ) -> Vec<GrantPath> {
        let mut paths = Vec::new();
        for (at, holding) in self.effective_holdings(holder, organization, permissions, path) {
            let qualification = holder.qualification(&holding);
            let set = &self.roles[holding.role].permissions;
            for permission in permissions.into_iter().flatten().filter(|&permission| set.contains(permission)) {
                paths.push(GrantPath {
                    source: holder.source(&holding),
                    role: self.roles.name(holding.role).clone(),
                    permission: self.permissions.name(permission).clone(),
                    resources: path[..=at].iter().map(|&id| self.resources.name(id).clone()).collect(),
                    expires_at: qualification.expires_at,
                    condition: qualification.condition.clone(),
                });
            }
        }
        paths
    }

    /// The holdings that have one of the permissions on a resource of the path and are effective, with their place on
    /// it, nearest first.
    fn effective_holdings<'g>(
        &'g self,
        holder: &Holder<'g>,
        organization: Id<Resource>,
        permissions: Permissions,
        path: &[Id<Resource>],
    ) -> Vec<(usize, Holding<'g>)> {
        with_scratch(|scratch| {
            let subjects = &mut scratch.subjects;
            if self.able(holder.membership(), organization).is_err() {
                return Vec::new();
            }
            subjects.gather(self, holder.membership(), organization);
            let has = |role| self.role_has(role, permissions);
            let mut holdings = Vec::new();
            for &resource in path {
                holder.assigned_on(resource, subjects, has, &mut holdings);
            }
            holdings.extend(holder.by_itself(subjects).into_iter().filter(|holding| has(holding.role)));
            holder.sort(&mut holdings);
            let placed = holdings.into_iter().filter_map(|holding| Some((place(&holding, path)?, holding)));
            let mut effective: Vec<_> =
                placed.filter(|(_, holding)| holder.faults(holding, subjects).is_empty()).collect();
            effective.sort_by_key(|(at, _)| *at);
            effective
        })
    }

    /// What comes nearest to allowing: grants on the way that are inert, then those that lack the permission, then
    /// grants elsewhere that have it.
    fn near_misses(
        &self,
        wanted: &Wanted<'_>,
        holder: &Holder<'_>,
        permissions: Permissions,
        path: &[Id<Resource>],
    ) -> Vec<NearMiss> {
        with_scratch(|scratch| {
            let subjects = &mut scratch.subjects;
            let is_on_path = |resource: Option<Id<Resource>>| resource.is_some_and(|it| path.contains(&it));
            let holdings = holder
                .assigned(|role, resource| is_on_path(resource) || self.lists_any(role, permissions))
                .into_iter()
                .chain(holder.by_itself(subjects));
            let (mut near, elsewhere): (Vec<_>, Vec<_>) =
                holdings.partition(|holding| holding.resource.is_none() || is_on_path(holding.resource));
            holder.sort(&mut near);
            let mut misses: Vec<(usize, NearMiss)> = near
                .iter()
                .filter_map(|holding| {
                    let faults = holder.faults(holding, subjects);
                    self.near_miss(wanted, holder, holding, faults, permissions, path)
                })
                .collect();
            // Of what is effective elsewhere, only as much is looked for as is told.
            let limit = MAX_NEAR_MISSES.saturating_sub(misses.len());
            if limit > 0 {
                let keyed = elsewhere.into_iter().map(|holding| (holder.key(&holding), holding));
                let found = page_of(keyed, PageRequest { limit, after: None }, |holding| {
                    let faults = holder.faults(&holding, subjects);
                    self.near_miss(wanted, holder, &holding, faults, permissions, path)
                });
                misses.extend(found.items);
            }
            misses.sort_by_key(|(order, _)| *order);
            misses.into_iter().map(|(_, miss)| miss).take(MAX_NEAR_MISSES).collect()
        })
    }

    /// How near a holding comes to allowing, the nearest least, and in words; none: it does not.
    fn near_miss<'g>(
        &'g self,
        wanted: &Wanted<'_>,
        holder: &Holder<'g>,
        holding: &Holding<'g>,
        faults: Vec<Reason>,
        permissions: Permissions,
        path: &[Id<Resource>],
    ) -> Option<(usize, NearMiss)> {
        let role = self.roles.name(holding.role);
        let on = holding.resource.map(|resource| self.resources.name(resource));
        let lists = self.lists_any(holding.role, permissions);
        let (who, action) = (wanted.who, wanted.action);
        let (order, message) = match (place(holding, path), on, faults.first()) {
            (Some(at), Some(on), Some(fault)) if lists => {
                let source = described(&holder.source(holding));
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
                let source = described(&holder.source(holding));
                (2 * path.len(), format!("{who} would have {role}, {source}, but it has no effect: {fault}"))
            }
            _ => return None,
        };
        Some((order, NearMiss { message, role: Some(role.clone()), resource: on.cloned(), inert: faults }))
    }

    /// Whether the role lists one of the permissions, refused or not.
    fn lists_any(&self, role: Id<Role>, permissions: Permissions) -> bool {
        let listed = &self.roles[role].listed;
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

/// Where on the path a holding is.
fn place(holding: &Holding<'_>, path: &[Id<Resource>]) -> Option<usize> {
    path.iter().position(|&resource| holding.resource == Some(resource))
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
