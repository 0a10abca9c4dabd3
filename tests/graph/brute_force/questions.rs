//! Who and what a question means, and its answers: sections "Who is meant" and "Lists".

use std::collections::BTreeSet;

use bailiwick::graph::{
    facts::{ENVIRONMENT_NAME, Fact, Kind, Name, Object, Timestamp},
    query::{Action, CheckRequest, Reach, Subject, Target},
};

use super::{Grant, Source, World};

/// Who and what a question means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// These memberships (any of them suffices) and this attached resource.
    Found { memberships: Vec<Name>, resource: Name },
    /// Several organizations have such a resource.
    Ambiguous,
    /// Nothing that could be allowed.
    Nothing,
}

// Who is meant.
impl World {
    /// The memberships of a user in an organization.
    fn memberships_of_user(&self, user: &str, organization: &str) -> Vec<Name> {
        let declared: Vec<Name> = self
            .all(Kind::OrganizationMembership)
            .filter(|object| {
                self.declaration(&object.name)
                    .is_some_and(|declaration| &*declaration.user == user && &*declaration.organization == organization)
            })
            .map(|object| object.name.clone())
            .collect();
        match declared.is_empty() {
            true if self.is_declared(user) => Vec::new(),
            true => vec![user.into()],
            false => declared,
        }
    }

    fn organizations_of_user(&self, user: &str) -> BTreeSet<Name> {
        self.all(Kind::OrganizationMembership)
            .filter_map(|object| self.declaration(&object.name))
            .filter(|declaration| &*declaration.user == user)
            .map(|declaration| declaration.organization.clone())
            .collect()
    }

    fn organizations(&self) -> BTreeSet<Name> {
        self.all(Kind::Resource).map(|object| object.name.clone()).filter(|name| self.is_organization(name)).collect()
    }

    /// The organization that a question names.
    fn organization_called(&self, id: &str) -> Option<Name> {
        let organizations = self.organizations();
        let by_external_id = organizations
            .iter()
            .find(|name| self.resource(name).is_some_and(|organization| &*organization.external_id == id));
        by_external_id.or_else(|| organizations.get(id)).cloned()
    }

    /// The attached resource of that type and id in an organization.
    fn resource_called(&self, resource_type: &str, id: &str, organization: &str) -> Option<Name> {
        let candidates: Vec<&Object> = self
            .all(Kind::Resource)
            .filter(|object| self.organization_of(&object.name).is_some_and(|of| &*of == organization))
            .filter(|object| self.resource(&object.name).is_some_and(|it| &*it.resource_type == resource_type))
            .collect();
        let by_external_id = candidates
            .iter()
            .find(|object| self.resource(&object.name).is_some_and(|resource| &*resource.external_id == id));
        let by_name = candidates.iter().find(|object| &*object.name == id);
        by_external_id.or(by_name).map(|object| object.name.clone())
    }

    /// The one resource of that type and id in any of the organizations.
    fn the_resource_called(&self, resource_type: &str, id: &str, organizations: &BTreeSet<Name>) -> Found {
        let mut found = organizations.iter().filter_map(|name| self.resource_called(resource_type, id, name));
        match (found.next(), found.next()) {
            (None, _) => Found::None,
            (Some(resource), None) => Found::One(resource),
            (Some(_), Some(_)) => Found::Several,
        }
    }

    /// The resource that a question without a subject means.
    fn find(&self, target: &Target<'_>) -> Found {
        match *target {
            Target::Name(name) if self.organization_of(name).is_some() => Found::One(name.into()),
            Target::Name(_) => Found::None,
            Target::Id { resource_type, id, organization: None } => {
                self.the_resource_called(resource_type, id, &self.organizations())
            }
            Target::Id { resource_type, id, organization: Some(organization) } => {
                let organization = self.organization_called(organization).into_iter().collect();
                self.the_resource_called(resource_type, id, &organization)
            }
        }
    }

    /// The resource that a question of a subject means.
    fn find_for(&self, subject: Subject<'_>, target: &Target<'_>) -> Found {
        let Target::Id { resource_type, id, organization: None } = *target else { return self.find(target) };
        match subject {
            Subject::Membership(name) if self.is_declared(name) => {
                let own = self.declaration(name).map(|declaration| declaration.organization.clone());
                self.the_resource_called(resource_type, id, &own.into_iter().collect())
            }
            Subject::Membership(_) => self.find(target),
            Subject::User(user) => {
                match self.the_resource_called(resource_type, id, &self.organizations_of_user(user)) {
                    Found::None => self.find(target),
                    found => found,
                }
            }
        }
    }

    pub fn meaning(&self, subject: Subject<'_>, target: &Target<'_>) -> Meaning {
        let resource = match self.find_for(subject, target) {
            Found::None => return Meaning::Nothing,
            Found::Several => return Meaning::Ambiguous,
            Found::One(resource) => resource,
        };
        let Some(organization) = self.organization_of(&resource) else { return Meaning::Nothing };
        let memberships = match subject {
            Subject::Membership(name) => vec![name.into()],
            Subject::User(user) => self.memberships_of_user(user, &organization),
        };
        Meaning::Found { memberships, resource }
    }

    /// The permissions any of which an action on a resource needs.
    pub fn permissions_meant(&self, action: Action<'_>, resource: &str) -> Vec<Name> {
        match action {
            Action::Permission(permission) => vec![permission.into()],
            Action::Name(name) => {
                let resource_type = self.resource(resource).map(|resource| &*resource.resource_type);
                vec![name.into(), format!("{}:{name}", resource_type.unwrap_or_default()).into()]
            }
        }
    }
}

/// What is called by a type and an id.
enum Found {
    None,
    One(Name),
    Several,
}

// Questions.
impl World {
    /// The grants by which a check is allowed, each with the membership that has it; none: it is denied.
    pub fn check(&self, request: &CheckRequest<'_>, now: Timestamp) -> BTreeSet<(Name, Grant)> {
        let [grants] = self.checks(request.subject, [request.action], request.resource, now);
        grants
    }

    /// The same for several actions.
    pub fn checks<const N: usize>(
        &self,
        subject: Subject<'_>,
        actions: [Action<'_>; N],
        resource: Target<'_>,
        now: Timestamp,
    ) -> [BTreeSet<(Name, Grant)>; N] {
        let Meaning::Found { memberships, resource } = self.meaning(subject, &resource) else {
            return [const { BTreeSet::new() }; N];
        };
        let grants: BTreeSet<(Name, Grant)> = memberships
            .iter()
            .flat_map(|membership| {
                let grants = self.grants_on(membership, &resource, now);
                grants.into_iter().map(|grant| (membership.clone(), grant))
            })
            .collect();
        actions.map(|action| {
            let permissions = self.permissions_meant(action, &resource);
            grants.iter().filter(|(_, grant)| self.allows(grant, &permissions)).cloned().collect()
        })
    }

    /// Every permission that any role lists.
    fn permissions_of_roles(&self) -> BTreeSet<Name> {
        self.all(Kind::Role)
            .filter_map(|object| self.role(&object.name))
            .flat_map(|role| role.permissions.clone())
            .collect()
    }

    pub fn permissions(&self, subject: Subject<'_>, resource: Target<'_>, now: Timestamp) -> BTreeSet<Name> {
        self.permissions_of_roles()
            .into_iter()
            .filter(|permission| {
                let action = Action::Permission(permission);
                !self.check(&CheckRequest { subject, action, resource }, now).is_empty()
            })
            .collect()
    }

    pub fn resources(
        &self,
        subject: Subject<'_>,
        action: Action<'_>,
        resource_type: Option<&str>,
        parent: Option<Target<'_>>,
        now: Timestamp,
    ) -> BTreeSet<Name> {
        let parent = match parent.map(|parent| self.find_for(subject, &parent)) {
            None => None,
            Some(Found::One(parent)) => Some(parent),
            Some(_) => return BTreeSet::new(),
        };
        self.all(Kind::Resource)
            .filter(|object| {
                self.resource(&object.name).is_some_and(|resource| {
                    resource_type.is_none_or(|wanted| &*resource.resource_type == wanted)
                        && (parent.is_none() || resource.parent == parent)
                })
            })
            .map(|object| object.name.clone())
            .filter(|name| {
                let request = CheckRequest { subject, action, resource: Target::Name(name) };
                !self.check(&request, now).is_empty()
            })
            .collect()
    }

    pub fn memberships(
        &self,
        resource: Target<'_>,
        action: Action<'_>,
        reach: Reach,
        now: Timestamp,
    ) -> BTreeSet<Name> {
        let Found::One(resource) = self.find(&resource) else { return BTreeSet::new() };
        let permissions = self.permissions_meant(action, &resource);
        self.membership_names()
            .into_iter()
            .filter(|membership| {
                self.grants_on(membership, &resource, now)
                    .iter()
                    .filter(|grant| self.allows(grant, &permissions))
                    .any(|grant| reach == Reach::All || grant.resource == resource)
            })
            .collect()
    }

    /// The memberships that some object names.
    pub fn membership_names(&self) -> BTreeSet<Name> {
        self.objects()
            .flat_map(|object| match &object.fact {
                Fact::MembershipRoleAssignment(assignment) => vec![assignment.membership.clone()],
                Fact::Group(group) => group.members.clone(),
                fact if fact.kind() == Kind::OrganizationMembership => vec![object.name.clone()],
                _ => Vec::new(),
            })
            .collect()
    }

    /// Whether an object has effect.
    pub fn is_effective(&self, kind: Kind, name: &str, now: Timestamp) -> bool {
        match kind {
            Kind::Resource => self.organization_of(name).is_some(),
            Kind::Role => self.usable_role(name).is_some(),
            Kind::Group => self.usable_group(name).is_some(),
            Kind::OrganizationMembership => {
                self.declaration(name).is_some_and(|declaration| self.is_able(name, &declaration.organization))
            }
            Kind::MembershipRoleAssignment => self.membership_assignment(name).is_some_and(|assignment| {
                let source = Source::MembershipRoleAssignment(name.into());
                // Whether its condition holds is a matter of each question, and so is then what wins.
                self.effective_grants(&assignment.membership, now).iter().any(|grant| grant.source == source)
                    || self.would_be_effective(&assignment.membership, &source, now)
            }),
            // For a membership that lacks nothing itself: which role wins is a matter of each.
            Kind::GroupRoleAssignment => self.group_assignment(name).is_some_and(|assignment| {
                self.resource_of_group_assignment(name)
                    .is_some_and(|resource| self.applies(&assignment.role, &resource, assignment.expires_at, now))
            }),
            Kind::ResourceType => self.there(kind, name).is_some(),
            Kind::Environment => name == ENVIRONMENT_NAME && self.there(kind, name).is_some(),
        }
    }
}
