//! Declared memberships.

use std::sync::Arc;

use super::super::{
    Graph,
    facts::{Fact, Name, Object},
    grants::SubjectId,
    links,
    records::{Claims, Declared, Membership, NO_CLAIMS, Resource, Role, Standing, State, Tier, User},
    settings::Settings,
    table::Id,
};

impl Graph {
    pub(super) fn acquire_membership(&mut self, name: &Name) -> Id<Membership> {
        let id = self.memberships.acquire(name);
        self.membership_details.reserve(self.memberships.capacity());
        id
    }

    pub(super) fn insert_organization_membership(&mut self, object: &Object, state: State) {
        let id = self.acquire_membership(&object.name);
        let mut declared = Declared { state, organization: None, user: None, suspended: false, claims: None };
        // Also of one under deletion it is kept whose membership it declares: nobody else's.
        if let Fact::OrganizationMembership(spec) = &object.fact {
            let organization = self.acquire_resource(&spec.organization);
            let user = self.users.acquire(&spec.user);
            self.list_declared(id, organization, user);
            declared.organization = Some(organization);
            declared.user = Some(user);
            declared.suspended = spec.suspended;
            let mut claims = Claims {
                roles: spec.roles.iter().map(|role| self.roles.acquire(role)).collect(),
                directory_groups: spec.directory_groups.clone(),
                sso_groups: spec.sso_groups.clone(),
                own_roles: Vec::new(),
            };
            claims.own_roles = own_roles(&self.settings, &claims, declared.organization);
            declared.claims = (claims != *NO_CLAIMS).then(|| Arc::new(claims));
        }
        let record = &mut self.memberships[id];
        record.organization = declared.organization;
        record.standing = declared.standing();
        record.has_own_roles = !declared.claims().own_roles.is_empty();
        self.membership_details[id].declared = Some(declared);
        self.note_own_roles(id);
        self.place_implicit_assignments(SubjectId::Membership(id));
    }

    pub(super) fn remove_organization_membership(&mut self, name: &Name) -> bool {
        let Some(id) = self.memberships.id(name).filter(|&id| self.declared(id).is_some()) else {
            return false;
        };
        self.withdraw_implicit_assignments(SubjectId::Membership(id));
        self.forget_own_roles(id);
        let Some(declared) = self.membership_details[id].declared.take() else {
            return false;
        };
        let record = &mut self.memberships[id];
        record.organization = None;
        record.standing = Standing::Undeclared;
        record.has_own_roles = false;
        if let Some((organization, user)) = declared.organization.zip(declared.user) {
            self.unlist_declared(id, organization, user);
            self.resources.release(organization);
            self.users.release(user);
        }
        for &role in &declared.claims().roles {
            self.roles.release(role);
        }
        self.memberships.release(id);
        true
    }

    /// Lists a membership among those of its organization and of its user.
    fn list_declared(&mut self, id: Id<Membership>, organization: Id<Resource>, user: Id<User>) {
        let details = &mut self.membership_details;
        let first = self.memberships_of_organization.get(&organization).copied();
        links::link(details, |record| &mut record.in_organization, first, id);
        self.memberships_of_organization.insert(organization, id);
        links::link(details, |record| &mut record.of_user, self.users[user].first_membership, id);
        self.users[user].first_membership = Some(id);
    }

    fn unlist_declared(&mut self, id: Id<Membership>, organization: Id<Resource>, user: Id<User>) {
        let details = &mut self.membership_details;
        let first = self.memberships_of_organization.get(&organization).copied();
        match links::unlink(details, |record| &mut record.in_organization, first, id) {
            None => {
                self.memberships_of_organization.remove(&organization);
            }
            Some(left) if Some(left) != first => self.memberships_of_organization.insert(organization, left),
            Some(_) => {}
        }
        let first = self.users[user].first_membership;
        let left = links::unlink(details, |record| &mut record.of_user, first, id);
        if left != first {
            self.users[user].first_membership = left;
        }
    }

    pub(super) fn refresh_own_roles(&mut self) {
        for membership in self.declared_anywhere().collect::<Vec<_>>() {
            let Some(declared) = self.declared(membership) else {
                continue;
            };
            let claims = declared.claims();
            let own_roles = own_roles(&self.settings, claims, declared.organization);
            if own_roles == claims.own_roles {
                continue; // Most stay as they are, and shared.
            }
            let claims = Claims { own_roles, ..claims.clone() };
            self.forget_own_roles(membership);
            self.memberships[membership].has_own_roles = !claims.own_roles.is_empty();
            if let Some(declared) = &mut self.membership_details[membership].declared {
                declared.claims = Some(Arc::new(claims));
            }
            self.note_own_roles(membership);
        }
    }
}

fn own_roles(settings: &Settings, claims: &Claims, organization: Option<Id<Resource>>) -> Vec<(Tier, Id<Role>)> {
    let mapped = settings.mapped_roles(claims, organization).map(|(source, _, role)| (source.into(), role));
    mapped.chain(claims.roles.iter().map(|&role| (Tier::Assigned, role))).collect()
}
