//! What the graph keeps of an object, as the fact that it was told.

use super::{
    Graph,
    facts::{
        ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, Kind, MembershipRoleAssignment, Name, Object,
        ObjectRef, OrganizationMembership, Resource, ResourceType, Role,
    },
    grants::SubjectId,
    qualification::Qualification,
    records::{Assignment, Created, State},
    table::{Id, Table},
};

impl Graph {
    /// An object as far as the graph keeps it; none: there is no such object.
    ///
    /// # Guarantees
    /// Told again in the place of the object, it changes nothing. What is without effect is not kept: the order of
    /// a group's members and subgroups, what an `Environment` of another name than `default` says, the creation time
    /// of an object that never is anybody's rival, and fractions of a microsecond.
    #[must_use]
    pub fn object(&self, object: &ObjectRef) -> Option<Object> {
        let Kept { state, created, fact } = self.kept(object)?;
        let fact = match state {
            State::Absent => return None,
            State::There => fact?,
            State::Deleting => Fact::clone(self.terminating.get(object)?),
            State::Invalid => Fact::Invalid { kind: object.kind, problem: self.problems.get(object)?.clone() },
        };
        Some(Object { name: object.name.clone(), created: created.time(), deleting: state == State::Deleting, fact })
    }

    fn kept(&self, object: &ObjectRef) -> Option<Kept> {
        let name = &object.name;
        let kept = match object.kind {
            Kind::Resource => {
                let id = self.resources.id(name)?;
                let record = &self.resources[id];
                let resource_type = record.kind.resource_type();
                let fact = resource_type.zip(self.external_id(id).cloned()).map(|(resource_type, external_id)| {
                    Fact::Resource(Resource {
                        resource_type: self.resource_types.name(resource_type).clone(),
                        parent: name_in(&self.resources, record.parent),
                        external_id,
                    })
                });
                Kept { state: self.resource_state(id), created: self.created(id), fact }
            }
            Kind::Role => {
                let record = &self.roles[self.roles.id(name)?];
                let fact = record.scope.map(|scope| {
                    Fact::Role(Role {
                        slug: record.slug.clone(),
                        resource_type: self.resource_types.name(scope).clone(),
                        permissions: names_in(&self.permissions, record.listed.iter().copied()),
                        organization: name_in(&self.resources, record.organization),
                    })
                });
                Kept { state: record.state, created: record.created, fact }
            }
            Kind::Group => {
                let record = &self.groups[self.groups.id(name)?];
                let fact = record.organization.map(|organization| {
                    Fact::Group(Group {
                        organization: self.resources.name(organization).clone(),
                        members: names_in(&self.memberships, record.members.iter().copied()),
                        subgroups: names_in(&self.groups, record.subgroups.iter().copied()),
                    })
                });
                Kept { state: record.state, created: Created::default(), fact }
            }
            Kind::GroupRoleAssignment => self.kept_assignment(&self.group_assignments, name)?,
            Kind::MembershipRoleAssignment => self.kept_assignment(&self.membership_assignments, name)?,
            Kind::OrganizationMembership => {
                let declared = self.declared(self.memberships.id(name)?)?;
                let claims = declared.claims();
                let fact = declared.organization.zip(declared.user).map(|(organization, user)| {
                    Fact::OrganizationMembership(OrganizationMembership {
                        organization: self.resources.name(organization).clone(),
                        user: self.users.name(user).clone(),
                        roles: names_in(&self.roles, claims.roles.iter().copied()),
                        suspended: declared.suspended,
                        directory_groups: claims.directory_groups.clone(),
                        sso_groups: claims.sso_groups.clone(),
                    })
                });
                Kept { state: declared.state, created: Created::default(), fact }
            }
            Kind::ResourceType => {
                let record = &self.resource_types[self.resource_types.id(name)?];
                let fact = Fact::ResourceType(ResourceType {
                    parents: names_in(&self.resource_types, record.parents.iter().copied()),
                    permissions: names_in(&self.permissions, record.permissions.iter().copied()),
                });
                Kept { state: record.state, created: Created::default(), fact: Some(fact) }
            }
            Kind::Environment => {
                let state = *self.environment_objects.get(name)?;
                let is_heeded = &**name == ENVIRONMENT_NAME;
                let spec = if is_heeded { self.settings.as_told(self) } else { Environment::default() };
                Kept { state, created: Created::default(), fact: Some(Fact::Environment(spec)) }
            }
        };
        Some(kept)
    }

    fn kept_assignment(&self, table: &Table<Assignment>, name: &Name) -> Option<Kept> {
        let id = table.id(name)?;
        let record = &table[id];
        let fact = record.terms().map(|terms| {
            let role = self.roles.name(terms.role).clone();
            let resource = name_in(&self.resources, terms.resource);
            let Qualification { expires_at, condition } = self.qualification(terms.subject, id);
            match terms.subject {
                SubjectId::Membership(membership) => {
                    let membership = self.memberships.name(membership).clone();
                    Fact::MembershipRoleAssignment(MembershipRoleAssignment {
                        membership,
                        role,
                        resource,
                        expires_at,
                        condition,
                    })
                }
                SubjectId::Group(group) => {
                    let group = self.groups.name(group).clone();
                    Fact::GroupRoleAssignment(GroupRoleAssignment { group, role, resource, expires_at, condition })
                }
            }
        });
        Some(Kept { state: record.state(), created: record.created, fact })
    }
}

struct Kept {
    state: State,
    created: Created,
    /// Known while it is there.
    fact: Option<Fact>,
}

pub(super) fn name_in<R>(table: &Table<R>, id: Option<Id<R>>) -> Option<Name> {
    id.map(|id| table.name(id).clone())
}

pub(super) fn names_in<R>(table: &Table<R>, ids: impl IntoIterator<Item = Id<R>>) -> Vec<Name> {
    ids.into_iter().map(|id| table.name(id).clone()).collect()
}
