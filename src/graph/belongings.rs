//! What belongs to each organization, so that lists of it need not look at the whole environment.

use std::sync::Arc;

use super::{
    Graph,
    map::SharedMap,
    records::{Group, Membership, Resource, Role},
    table::Id,
};

/// What belongs to one organization, be that there or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Belongings {
    /// The groups that are there and name it.
    groups: SharedMap<Id<Group>, ()>,
    /// The memberships that have a role there by themselves: listed, or mapped from the identity provider.
    having: SharedMap<Id<Role>, SharedMap<Id<Membership>, ()>>,
}

impl Graph {
    /// The groups of an organization that are there, whatever their effect.
    pub(super) fn groups_of(&self, organization: Id<Resource>) -> impl Iterator<Item = Id<Group>> + '_ {
        self.belongings.get(&organization).into_iter().flat_map(|it| it.groups.iter()).map(|(&group, ())| group)
    }

    /// The roles that memberships of an organization have there by themselves, each with these memberships.
    pub(super) fn own_roles_in(
        &self,
        organization: Id<Resource>,
    ) -> impl Iterator<Item = (Id<Role>, impl Iterator<Item = Id<Membership>> + '_)> + '_ {
        let having = self.belongings.get(&organization).into_iter().flat_map(|it| it.having.iter());
        having.map(|(&role, memberships)| (role, memberships.iter().map(|(&membership, ())| membership)))
    }

    pub(super) fn note_group(&mut self, organization: Id<Resource>, group: Id<Group>) {
        self.change_belongings(organization, |it| it.groups.insert(group, ()));
    }

    pub(super) fn forget_group(&mut self, organization: Id<Resource>, group: Id<Group>) {
        self.change_belongings(organization, |it| {
            it.groups.remove(&group);
        });
    }

    /// Notes the roles that a membership has by itself.
    pub(super) fn note_own_roles(&mut self, membership: Id<Membership>) {
        let Some((organization, roles)) = self.roles_by_itself(membership) else {
            return;
        };
        self.change_belongings(organization, |it| {
            for role in roles {
                if it.having.get(&role).is_none() {
                    it.having.insert(role, SharedMap::default());
                }
                if let Some(memberships) = it.having.get_mut(&role) {
                    memberships.insert(membership, ());
                }
            }
        });
    }

    /// Takes that back, before the membership has other roles.
    pub(super) fn forget_own_roles(&mut self, membership: Id<Membership>) {
        let Some((organization, roles)) = self.roles_by_itself(membership) else {
            return;
        };
        self.change_belongings(organization, |it| {
            for role in roles {
                if let Some(memberships) = it.having.get_mut(&role) {
                    memberships.remove(&membership);
                    if memberships.iter().next().is_none() {
                        it.having.remove(&role);
                    }
                }
            }
        });
    }

    fn roles_by_itself(&self, membership: Id<Membership>) -> Option<(Id<Resource>, Vec<Id<Role>>)> {
        let declared = self.declared(membership)?;
        let own_roles = &declared.claims().own_roles;
        let roles = (!own_roles.is_empty()).then(|| own_roles.iter().map(|&(_, role)| role).collect());
        declared.organization.zip(roles)
    }

    fn change_belongings(&mut self, organization: Id<Resource>, change: impl FnOnce(&mut Belongings)) {
        if self.belongings.get(&organization).is_none() {
            self.belongings.insert(organization, Arc::default());
        }
        if let Some(belongings) = self.belongings.get_mut(&organization) {
            let belongings = Arc::make_mut(belongings);
            change(belongings);
            if belongings.groups.iter().next().is_none() && belongings.having.iter().next().is_none() {
                self.belongings.remove(&organization);
            }
        }
    }
}
