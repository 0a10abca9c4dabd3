//! Which grants a membership has, which of them count, and which of those are in effect: section "Grants".

use std::{collections::BTreeSet, sync::Arc};

use bailiwick::graph::{
    facts::{Condition, Fact, IdentitySource, Kind, Name, Object, Timestamp},
    query::GrantSource,
};

use super::{
    super::strategies::{BEFORE_10, MFA, NO_MFA},
    World,
};
use crate::support::facts::at;

/// A role that a membership has on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub source: Source,
    pub role: Name,
    pub resource: Name,
    pub expires_at: Option<Timestamp>,
    pub condition: Option<String>,
}

/// Where a grant comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    MembershipRoleAssignment(Name),
    GroupRoleAssignment(Name),
    OrganizationMembership(Name),
    IdentityProvider(IdentitySource, Name),
    DefaultRole,
}

impl From<&GrantSource> for Source {
    fn from(source: &GrantSource) -> Self {
        match source {
            GrantSource::MembershipRoleAssignment(name) => Self::MembershipRoleAssignment(name.clone()),
            GrantSource::GroupRoleAssignment { assignment, .. } => Self::GroupRoleAssignment(assignment.clone()),
            GrantSource::OrganizationMembership(name) => Self::OrganizationMembership(name.clone()),
            GrantSource::IdentityProvider { source, group } => Self::IdentityProvider(*source, group.clone()),
            GrantSource::DefaultRole => Self::DefaultRole,
        }
    }
}

impl World {
    /// The possible grants of a membership on whatever resource, but for the default role.
    fn possible_grants(&self, membership: &str) -> BTreeSet<Grant> {
        let mut grants = BTreeSet::new();
        let declaration = self.declaration(membership);

        for object in self.all(Kind::MembershipRoleAssignment) {
            let Some(assignment) = self.membership_assignment(&object.name) else { continue };
            let resource = assignment.resource.clone().or_else(|| Some(declaration?.organization.clone()));
            if let Some(resource) = resource
                && &*assignment.membership == membership
            {
                grants.insert(Grant {
                    source: Source::MembershipRoleAssignment(object.name.clone()),
                    role: assignment.role.clone(),
                    resource,
                    expires_at: assignment.expires_at,
                    condition: text_of(assignment.condition.as_ref()),
                });
            }
        }

        for object in self.all(Kind::GroupRoleAssignment) {
            let Some(assignment) = self.group_assignment(&object.name) else { continue };
            let Some(resource) = self.resource_of_group_assignment(&object.name) else { continue };
            if self.belongs(membership, &assignment.group) {
                grants.insert(Grant {
                    source: Source::GroupRoleAssignment(object.name.clone()),
                    role: assignment.role.clone(),
                    resource,
                    expires_at: assignment.expires_at,
                    condition: text_of(assignment.condition.as_ref()),
                });
            }
        }

        let Some(declaration) = declaration else { return grants };
        let on_organization = |source, role: &Name| Grant {
            source,
            role: role.clone(),
            resource: declaration.organization.clone(),
            expires_at: None,
            condition: None,
        };
        for role in &declaration.roles {
            grants.insert(on_organization(Source::OrganizationMembership(membership.into()), role));
        }
        for mapping in self.environment().role_mappings {
            let listed = match mapping.source {
                IdentitySource::Directory => &declaration.directory_groups,
                IdentitySource::Sso => &declaration.sso_groups,
            };
            let concerned = mapping.organization.is_none_or(|organization| organization == declaration.organization);
            if concerned && listed.contains(&mapping.group) {
                grants.insert(on_organization(
                    Source::IdentityProvider(mapping.source, mapping.group.clone()),
                    &mapping.role,
                ));
            }
        }
        grants
    }

    /// The resource that a group's assignment is on, if the group can be used and is of the same organization.
    pub fn resource_of_group_assignment(&self, name: &str) -> Option<Name> {
        let assignment = self.group_assignment(name)?;
        let group = self.usable_group(&assignment.group)?;
        let resource = assignment.resource.as_ref().unwrap_or(&group.organization);
        (self.organization_of(resource)? == group.organization).then(|| resource.clone())
    }

    /// The oldest of the assignments that run and say the same as this one, if that is older.
    pub fn older_duplicate(&self, object: &Object, now: Timestamp) -> Option<Name> {
        let own = self.said_now(object, now)?;
        let same = |other: &&Object| self.said_now(other, now).as_ref() == Some(&own);
        let oldest = self.all(object.fact.kind()).filter(same).min_by_key(|other| Self::age(other))?;
        (oldest.name != object.name).then(|| oldest.name.clone())
    }

    /// To whom an assignment that runs gives which role on which resource, on what condition.
    fn said_now(&self, object: &Object, now: Timestamp) -> Option<(Name, Name, Name, Option<String>)> {
        let (subject, role, resource, organization, expires_at, condition) =
            match self.there(object.fact.kind(), &object.name)? {
                Fact::MembershipRoleAssignment(it) => {
                    let organization = self.declaration(&it.membership).map(|it| &it.organization);
                    (&it.membership, &it.role, &it.resource, organization, it.expires_at, &it.condition)
                }
                Fact::GroupRoleAssignment(it) => {
                    let organization = self.group(&it.group).map(|it| &it.organization);
                    (&it.group, &it.role, &it.resource, organization, it.expires_at, &it.condition)
                }
                _ => return None,
            };
        let runs = expires_at.is_none_or(|end| now < end);
        let resource = resource.as_ref().or(organization).filter(|_| runs)?;
        Some((subject.clone(), role.clone(), resource.clone(), text_of(condition.as_ref())))
    }

    /// Whether a role fits a resource and both can be used, at a time when the assignment still runs.
    pub fn applies(&self, role: &str, resource: &str, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
        let (Some(role), Some(organization)) = (self.usable_role(role), self.organization_of(resource)) else {
            return false;
        };
        self.resource(resource).is_some_and(|resource| resource.resource_type == role.resource_type)
            && role.organization.as_ref().is_none_or(|of_role| *of_role == organization)
            && expires_at.is_none_or(|end| now < end)
    }

    fn counts(&self, membership: &str, grant: &Grant, now: Timestamp) -> bool {
        self.holds(grant.condition.as_deref(), now) && self.would_count(membership, grant, now)
    }

    /// Whether a grant counts where its condition holds.
    fn would_count(&self, membership: &str, grant: &Grant, now: Timestamp) -> bool {
        self.applies(&grant.role, &grant.resource, grant.expires_at, now)
            && self.organization_of(&grant.resource).is_some_and(|organization| self.is_able(membership, &organization))
    }

    /// Whether the condition of an assignment holds.
    pub fn holds(&self, condition: Option<&str>, now: Timestamp) -> bool {
        match condition {
            None | Some("true") => true,
            Some(BEFORE_10) => now < at(10),
            Some(MFA) => self.tells_of_mfa,
            Some(NO_MFA) => !self.tells_of_mfa,
            Some(_) => false,
        }
    }

    /// Whether an assignment of a membership that depends on a condition that does not hold would have effect.
    pub fn would_be_effective(&self, membership: &str, source: &Source, now: Timestamp) -> bool {
        self.possible_grants(membership).into_iter().any(|grant| {
            grant.source == *source
                && !self.holds(grant.condition.as_deref(), now)
                && self.would_count(membership, &grant, now)
        })
    }

    /// The grants of a membership that are in effect.
    pub fn effective_grants(&self, membership: &str, now: Timestamp) -> BTreeSet<Grant> {
        let environment = self.environment();
        let mut counting: BTreeSet<Grant> =
            self.possible_grants(membership).into_iter().filter(|grant| self.counts(membership, grant, now)).collect();

        if let (Some(declaration), Some(role)) = (self.declaration(membership), environment.default_role.clone()) {
            let default = Grant {
                source: Source::DefaultRole,
                role,
                resource: declaration.organization.clone(),
                expires_at: None,
                condition: None,
            };
            let alone = counting.iter().all(|grant| grant.resource != declaration.organization);
            if alone && self.counts(membership, &default, now) {
                counting.insert(default);
            }
        }

        if environment.multiple_roles {
            return counting;
        }
        counting
            .iter()
            .filter(|grant| {
                let rivals = counting.iter().filter(|rival| rival.resource == grant.resource);
                let winner = rivals.min_by_key(|rival| (tier(&rival.source), self.rank(&environment, &rival.role)));
                !self.is_organization(&grant.resource)
                    || winner
                        .is_some_and(|winner| tier(&winner.source) == tier(&grant.source) && winner.role == grant.role)
            })
            .cloned()
            .collect()
    }

    /// The effective grants of a membership on a resource and those above it.
    pub fn grants_on(&self, membership: &str, resource: &str, now: Timestamp) -> BTreeSet<Grant> {
        if self.organization_of(resource).is_none() {
            return BTreeSet::new();
        }
        let chain = self.chain(resource).unwrap_or_default();
        self.effective_grants(membership, now).into_iter().filter(|grant| chain.contains(&grant.resource)).collect()
    }

    pub fn allows(&self, grant: &Grant, permissions: &[Name]) -> bool {
        permissions.iter().any(|permission| self.role_has(&grant.role, permission))
    }

    pub fn role_has(&self, role: &str, permission: &str) -> bool {
        self.role(role).is_some_and(|role| self.has(role, permission))
    }
}

pub fn text_of(condition: Option<&Arc<Condition>>) -> Option<String> {
    condition.map(|condition| condition.text().to_owned())
}

/// Which grants at the organization level take precedence.
fn tier(source: &Source) -> u8 {
    match source {
        Source::IdentityProvider(IdentitySource::Directory, _) => 1,
        Source::IdentityProvider(IdentitySource::Sso, _) => 2,
        Source::MembershipRoleAssignment(_) | Source::GroupRoleAssignment(_) | Source::OrganizationMembership(_) => 3,
        Source::DefaultRole => 4,
    }
}
