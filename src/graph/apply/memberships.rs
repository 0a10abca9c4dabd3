//! Declared memberships.

use smallvec::SmallVec;

use super::super::{
    Graph,
    facts::{Fact, Name, Object},
    grants::SubjectId,
    records::{Declared, Role, State, Tier},
    settings::Settings,
    table::Id,
};

impl Graph {
    pub(super) fn insert_organization_membership(&mut self, object: &Object, state: State) {
        let id = self.memberships.acquire(&object.name);
        let mut declared = Declared {
            state,
            organization: None,
            user: None,
            suspended: false,
            roles: Vec::new(),
            directory_groups: Vec::new(),
            sso_groups: Vec::new(),
            own_roles: SmallVec::new(),
        };
        // Also of one under deletion it is kept whose membership it declares: nobody else's.
        if let Fact::OrganizationMembership(spec) = &object.fact {
            let organization = self.acquire_resource(&spec.organization);
            let user = self.users.acquire(&spec.user);
            self.memberships_of_organization.entry(organization).or_default().insert(id);
            self.users[user].memberships.push(id);
            declared.organization = Some(organization);
            declared.user = Some(user);
            declared.suspended = spec.suspended;
            declared.roles = spec.roles.iter().map(|role| self.roles.acquire(role)).collect();
            declared.directory_groups.clone_from(&spec.directory_groups);
            declared.sso_groups.clone_from(&spec.sso_groups);
            declared.own_roles = own_roles(&self.settings, &declared);
        }
        self.memberships[id].declared = Some(Box::new(declared));
        self.place_implicit_assignments(SubjectId::Membership(id));
    }

    pub(super) fn remove_organization_membership(&mut self, name: &Name) -> bool {
        let Some(id) = self.memberships.id(name) else {
            return false;
        };
        self.withdraw_implicit_assignments(SubjectId::Membership(id));
        let Some(declared) = self.memberships[id].declared.take() else {
            return false;
        };
        if let Some(organization) = declared.organization {
            if let Some(memberships) = self.memberships_of_organization.get_mut(&organization) {
                memberships.remove(&id);
                if memberships.is_empty() {
                    self.memberships_of_organization.remove(&organization);
                }
            }
            self.resources.release(organization);
        }
        if let Some(user) = declared.user {
            self.users[user].memberships.retain(|other| *other != id);
            self.users.release(user);
        }
        for role in declared.roles {
            self.roles.release(role);
        }
        self.memberships.release(id);
        true
    }

    pub(super) fn refresh_own_roles(&mut self) {
        for &membership in self.memberships_of_organization.values().flatten() {
            if let Some(declared) = &mut self.memberships[membership].declared {
                declared.own_roles = own_roles(&self.settings, declared);
            }
        }
    }
}

fn own_roles(settings: &Settings, declared: &Declared) -> SmallVec<[(Tier, Id<Role>); 2]> {
    let mapped = settings.mapped_roles(declared).map(|(source, _, role)| (source.into(), role));
    mapped.chain(declared.roles.iter().map(|&role| (Tier::Assigned, role))).collect()
}
