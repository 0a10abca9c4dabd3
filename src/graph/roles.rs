//! The roles of an environment: by slug, in order of priority, and who uses them.
//!
//! A role is *there* if it exists, is not under deletion and its spec can be used.

use std::ops::ControlFlow;

use super::{
    Graph,
    access::with_scratch,
    facts::{Name, Timestamp},
    object::names_in,
    query::RoleUses,
    records::{Assignment, Membership, Resource, Role, State},
    table::{Id, Table},
};

impl Graph {
    /// The role that a slug means within an organization: its own custom role, or else the environment's (rule 28).
    /// Without an organization: the environment's. Of several that are there the oldest is meant, then the one of the
    /// lesser name.
    #[must_use]
    pub fn find_role(&self, slug: &str, organization: Option<&str>) -> Option<Name> {
        let organization = organization.and_then(|name| self.resources.id(name));
        let called = self.roles_by_slug.get(&Name::from(slug)).into_iter().flatten().map(|&id| (id, &self.roles[id]));
        let usable = called.filter(|(_, role)| role.organization.is_none_or(|only| Some(only) == organization));
        let names = usable.map(|(id, role)| (role.organization.is_none(), role.created, self.roles.name(id)));
        names.min().map(|(_, _, name)| name.clone())
    }

    /// The roles that are there and may be used in an organization (none: the environment's alone), the one of the
    /// highest priority first (rule 66).
    #[must_use]
    pub fn roles_in_priority_order(&self, organization: Option<&str>) -> Vec<Name> {
        let organization = organization.and_then(|name| self.resources.id(name));
        let is_usable =
            |role: &Role| role.state == State::There && role.organization.is_none_or(|only| Some(only) == organization);
        let usable = self.roles.records().filter(|(_, role)| is_usable(role));
        let mut roles: Vec<_> = usable.map(|(id, _)| id).collect();
        roles.sort_unstable_by_key(|&role| self.roles[role].rank);
        names_in(&self.roles, roles)
    }

    /// The effective roles of a membership on its organization, the one of the highest priority first, as if it were
    /// not suspended. None where nothing that is there declares it, or where its organization is not attached.
    #[must_use]
    pub fn organization_roles_of(&self, membership: &str, now: Timestamp) -> Vec<Name> {
        let Some((membership, organization)) = self.place_of(membership) else {
            return Vec::new();
        };
        with_scratch(|scratch| {
            let subjects = &mut scratch.subjects;
            subjects.gather(self, membership, organization);
            let mut roles = Vec::new();
            let here = [organization];
            let visited =
                self.try_for_each_effective_role(membership, subjects, &here, organization, now.into(), |_, role| {
                    roles.push(role);
                    ControlFlow::Continue(())
                });
            debug_assert!(visited.is_continue());
            roles.sort_unstable_by_key(|&role| self.roles[role].rank);
            roles.dedup();
            names_in(&self.roles, roles)
        })
    }

    /// A declared membership that is there, and its organization if that is attached.
    fn place_of(&self, membership: &str) -> Option<(Id<Membership>, Id<Resource>)> {
        let membership = self.memberships.id(membership)?;
        let organization = self.declared_there(membership)?.organization?;
        self.is_attached_organization(organization).then_some((membership, organization))
    }

    /// How much uses a role, whether it is there or not. Where nothing does, that costs nothing; else all assignments and
    /// declared memberships of the environment are looked at until every use is found.
    #[must_use]
    pub fn uses_of_role(&self, role: &str) -> RoleUses {
        let Some(role) = self.roles.id(role) else {
            return RoleUses::default();
        };
        // Of what is not there no terms are known.
        let gives = |assignment: &Assignment| assignment.terms().is_some_and(|terms| terms.role == role);
        let lists = |&membership: &Id<Membership>| {
            self.declared_there(membership).is_some_and(|declared| declared.claims().roles.contains(&role))
        };
        // Whatever uses it holds a reference to it, at least one: there are no more uses than that.
        let own = usize::from(self.roles[role].state != State::Absent);
        let mut left = self.roles.references(role).saturating_sub(own + self.settings.references_to(role));
        let mut count = |table: &Table<Assignment>| {
            let found = table.records().filter(|(_, assignment)| gives(assignment)).take(left).count();
            left -= found;
            found
        };
        let (membership_assignments, group_assignments) =
            (count(&self.membership_assignments), count(&self.group_assignments));
        RoleUses {
            membership_assignments,
            group_assignments,
            memberships: self.declared_anywhere().filter(lists).take(left).count(),
            role_mappings: self.settings.mappings_to(role),
            is_default: self.settings.default_role == Some(role),
        }
    }
}

// Settings.
impl Graph {
    /// Whether a membership may have several organization-level roles at a time.
    #[must_use]
    pub fn allows_multiple_roles(&self) -> bool {
        self.settings.multiple_roles
    }

    /// Whether types that nothing declares are powerless.
    #[must_use]
    pub fn denies_undeclared_types(&self) -> bool {
        self.settings.denies_undeclared_types
    }

    /// The role that the `Environment` names as the default, if it is there.
    #[must_use]
    pub fn default_role(&self) -> Option<Name> {
        let role = self.settings.default_role.filter(|&role| self.roles[role].state == State::There)?;
        Some(self.roles.name(role).clone())
    }

    /// Whether the `Environment` names a default role, there or not. One whose spec cannot be used names none.
    #[must_use]
    pub fn default_role_is_set(&self) -> bool {
        self.settings.default_role.is_some()
    }
}
