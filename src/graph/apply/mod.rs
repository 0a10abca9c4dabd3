//! Changes: linking an object into the graph, and unlinking what it said before.
//!
//! One file for each kind or pair of kinds. Each links what an object says once its name has an id, and unlinks it
//! again, giving back every reference that it took. What follows from several objects at a time is only marked
//! [`Stale`] and made anew when all changes of a batch are in.

mod assignments;
mod groups;
mod memberships;
mod resources;
mod roles;

use std::sync::Arc;

use super::{
    Count, Graph,
    facts::{Change, ENVIRONMENT_NAME, Environment, Fact, Kind, Name, Object, ObjectRef},
    records::State,
    settings::Settings,
};

/// What has to be made anew because something that it follows from has changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stale {
    /// Which groups are on a cycle.
    group_cycles: bool,
    /// Which permissions each role has.
    role_permissions: bool,
    /// Which role goes before which.
    role_ranks: bool,
}

impl Graph {
    /// Applies changes in order.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Apply(object) if self.move_resource(object) => {}
                Change::Apply(object) => {
                    self.remove(object.fact.kind(), &object.name);
                    self.insert(object);
                }
                Change::Delete(ObjectRef { kind, name }) => self.remove(*kind, name),
            }
        }
        self.refresh();
        if self.objects.iter().all(|count| count.total == 0) {
            // Namespaces come and go: of one that went, not even the room is kept.
            *self = Self::default();
        }
    }

    fn insert(&mut self, object: &Object) {
        let kind = object.fact.kind();
        let state = match &object.fact {
            _ if object.deleting => State::Deleting,
            Fact::Invalid { .. } => State::Invalid,
            _ => State::There,
        };
        let Count { total, invalid } = &mut self.objects[kind as usize];
        *total += 1;
        let reference = || ObjectRef { kind, name: object.name.clone() };
        if let Fact::Invalid { problem, .. } = &object.fact {
            *invalid += 1;
            self.problems.insert(reference(), problem.clone());
        }
        if object.deleting {
            self.terminating.insert(reference(), Arc::new(object.fact.clone()));
        }
        let name = &object.name;
        match kind {
            Kind::Resource => self.insert_resource(object, state),
            Kind::Role => self.insert_role(object, state),
            Kind::Group => self.insert_group(object, state),
            Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment => self.insert_assignment(object, state),
            Kind::OrganizationMembership => self.insert_organization_membership(object, state),
            Kind::ResourceType => self.insert_resource_type(object, state),
            Kind::Environment => {
                self.environment_objects.insert(name.clone(), state);
                if &**name == ENVIRONMENT_NAME {
                    match &object.fact {
                        _ if object.deleting => {}
                        Fact::Environment(spec) => self.set_environment(spec),
                        _ => self.replace_settings(Settings::most_restrictive()),
                    }
                }
            }
        }
    }

    fn remove(&mut self, kind: Kind, name: &Name) {
        let existed = match kind {
            Kind::Resource => self.remove_resource(name),
            Kind::Role => self.remove_role(name),
            Kind::Group => self.remove_group(name),
            Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment => self.remove_assignment(kind, name),
            Kind::OrganizationMembership => self.remove_organization_membership(name),
            Kind::ResourceType => self.remove_resource_type(name),
            Kind::Environment => {
                let state = self.environment_objects.remove(name);
                if state.is_some_and(|state| state != State::Deleting) && &**name == ENVIRONMENT_NAME {
                    self.replace_settings(Settings::default());
                }
                state.is_some()
            }
        };
        if existed {
            let Count { total, invalid } = &mut self.objects[kind as usize];
            *total -= 1;
            let reference = ObjectRef { kind, name: name.clone() };
            if self.problems.remove(&reference).is_some() {
                *invalid -= 1;
            }
            self.terminating.remove(&reference);
        }
    }

    fn set_environment(&mut self, spec: &Environment) {
        let settings = Settings::acquire(spec, self);
        self.replace_settings(settings);
    }

    fn replace_settings(&mut self, settings: Settings) {
        let old = std::mem::replace(&mut self.settings, Arc::new(settings));
        // Before the old references go, for what was made of them may still be in use.
        self.refresh_own_roles();
        old.release(&mut self.roles, |resource| self.resources.release(resource));
        self.stale.role_permissions = true;
        self.stale.role_ranks = true;
    }

    fn refresh(&mut self) {
        let Stale { group_cycles, role_permissions, role_ranks } = std::mem::take(&mut self.stale);
        if group_cycles {
            self.refresh_group_cycles();
        }
        if role_permissions {
            self.refresh_all_role_permissions();
        }
        if role_ranks {
            self.refresh_role_ranks();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::facts::Resource;

    #[test]
    fn of_an_environment_that_went_no_room_is_kept() {
        let names: Vec<Name> = (0..100).map(|number| Name::from(format!("r{number}"))).collect();
        let fact = |name: &Name| Resource {
            resource_type: "project".into(),
            parent: Some(names[0].clone()),
            external_id: name.clone(),
        };
        let create = |name: &Name| Object {
            name: name.clone(),
            created: None,
            deleting: false,
            fact: Fact::Resource(fact(name)),
        };
        let mut graph = Graph::default();
        graph.apply(&names.iter().map(|name| Change::Apply(create(name))).collect::<Vec<_>>());
        let delete = |name: &Name| Change::Delete(ObjectRef { kind: Kind::Resource, name: name.clone() });
        graph.apply(&names[1..].iter().map(delete).collect::<Vec<_>>());
        assert!(graph.resources.capacity() >= 100 && graph.count(Kind::Resource) == 1);
        graph.apply(&[delete(&names[0])]);
        assert_eq!((graph.resources.capacity(), graph.details.bound()), (0, 0));
    }
}
