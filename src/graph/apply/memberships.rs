//! Declared memberships.

use smallvec::SmallVec;

use super::super::{
    Graph,
    facts::{Fact, Name, Object},
    grants::SubjectId,
    records::{Declared, Membership, MembershipDetails, Role, Standing, State, Tier},
    settings::Settings,
    table::Id,
};

impl Graph {
    /// What declares a membership, usable or not.
    pub(in super::super) fn declared(&self, membership: Id<Membership>) -> Option<&Declared> {
        self.membership_details[membership.index()].declared.as_deref()
    }

    pub(super) fn acquire_membership(&mut self, name: &Name) -> Id<Membership> {
        let id = self.memberships.acquire(name);
        if self.membership_details.len() < self.memberships.capacity() {
            self.membership_details.resize_with(self.memberships.capacity(), MembershipDetails::default);
        }
        id
    }

    pub(super) fn insert_organization_membership(&mut self, object: &Object, state: State) {
        let id = self.acquire_membership(&object.name);
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
        let record = &mut self.memberships[id];
        record.organization = declared.organization;
        record.standing = declared.standing();
        record.has_own_roles = !declared.own_roles.is_empty();
        self.membership_details[id.index()].declared = Some(Box::new(declared));
        self.note_own_roles(id);
        self.place_implicit_assignments(SubjectId::Membership(id));
    }

    pub(super) fn remove_organization_membership(&mut self, name: &Name) -> bool {
        let Some(id) = self.memberships.id(name) else {
            return false;
        };
        self.withdraw_implicit_assignments(SubjectId::Membership(id));
        self.forget_own_roles(id);
        let Some(declared) = self.membership_details[id.index()].declared.take() else {
            return false;
        };
        let record = &mut self.memberships[id];
        record.organization = None;
        record.standing = Standing::Undeclared;
        record.has_own_roles = false;
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
        for membership in self.declared_anywhere().collect::<Vec<_>>() {
            let Some(declared) = self.declared(membership) else {
                continue;
            };
            let own_roles = own_roles(&self.settings, declared);
            if own_roles == declared.own_roles {
                continue;
            }
            self.forget_own_roles(membership);
            self.memberships[membership].has_own_roles = !own_roles.is_empty();
            if let Some(declared) = &mut self.membership_details[membership.index()].declared {
                declared.own_roles = own_roles;
            }
            self.note_own_roles(membership);
        }
    }
}

fn own_roles(settings: &Settings, declared: &Declared) -> SmallVec<[(Tier, Id<Role>); 2]> {
    let mapped = settings.mapped_roles(declared).map(|(source, _, role)| (source.into(), role));
    mapped.chain(declared.roles.iter().map(|&role| (Tier::Assigned, role))).collect()
}
