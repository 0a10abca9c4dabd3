//! What belongs to each organization, so that lists of it need not look at the whole environment.

use super::{
    Graph, Map, Set,
    records::{Group, Membership, Resource, Role},
    table::Id,
};

/// What belongs to one organization, be that there or not.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    /// The groups that are there and name it.
    groups: Set<Id<Group>>,
    /// The memberships that have a role there by themselves: listed, or mapped from the identity provider.
    having: Map<Id<Role>, Set<Id<Membership>>>,
}

impl Graph {
    /// The groups of an organization that are there, whatever their effect.
    pub(super) fn groups_of(&self, organization: Id<Resource>) -> impl Iterator<Item = Id<Group>> + '_ {
        self.belongings.get(&organization).into_iter().flat_map(|it| &it.groups).copied()
    }

    /// The roles that memberships of an organization have there by themselves, each with these memberships.
    pub(super) fn own_roles_in(
        &self,
        organization: Id<Resource>,
    ) -> impl Iterator<Item = (Id<Role>, impl Iterator<Item = Id<Membership>> + '_)> + '_ {
        let having = self.belongings.get(&organization).into_iter().flat_map(|it| &it.having);
        having.map(|(&role, memberships)| (role, memberships.iter().copied()))
    }

    pub(super) fn note_group(&mut self, organization: Id<Resource>, group: Id<Group>) {
        self.belongings.entry(organization).or_default().groups.insert(group);
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
        for role in roles {
            self.belongings.entry(organization).or_default().having.entry(role).or_default().insert(membership);
        }
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
                    if memberships.is_empty() {
                        it.having.remove(&role);
                    }
                }
            }
        });
    }

    fn roles_by_itself(&self, membership: Id<Membership>) -> Option<(Id<Resource>, Vec<Id<Role>>)> {
        let declared = self.declared(membership).filter(|declared| !declared.own_roles.is_empty())?;
        Some((declared.organization?, declared.own_roles.iter().map(|&(_, role)| role).collect()))
    }

    fn change_belongings(&mut self, organization: Id<Resource>, change: impl FnOnce(&mut Belongings)) {
        if let Some(belongings) = self.belongings.get_mut(&organization) {
            change(belongings);
            if belongings.groups.is_empty() && belongings.having.is_empty() {
                self.belongings.remove(&organization);
            }
        }
    }
}
