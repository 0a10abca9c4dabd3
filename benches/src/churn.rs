//! Writes in the proportions of the "org-tree" workload: assignments 70 %, memberships of groups 20 %, moves of a
//! subtree 5 %, edits of roles 5 %. And the burst: a role that 10,000 assignments hold, to be deleted.

use std::collections::{BTreeMap, HashMap};

use bailiwick::graph::facts::{Change, Fact, Kind, MembershipRoleAssignment, Name, ObjectRef, Role};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};

use crate::workload::written;

/// A world that changes.
#[derive(Debug)]
pub struct Churn {
    facts: BTreeMap<(Kind, Name), Fact>,
    assignments: Vec<(Kind, Name)>,
    /// Taken away, to be given again.
    withdrawn: Vec<((Kind, Name), Fact)>,
    groups: Vec<Name>,
    roles: Vec<Name>,
    /// By organization.
    members: HashMap<Name, Vec<Name>>,
    /// The subtrees that move, each with the resources below which it can be.
    moves: Vec<(Name, Vec<Name>)>,
    permissions: Vec<Name>,
    rng: SmallRng,
}

impl Churn {
    /// Of the facts of an "org-tree" world.
    pub fn new(facts: &[(Name, Fact)]) -> Self {
        let facts: BTreeMap<_, _> =
            facts.iter().map(|(name, fact)| ((fact.kind(), name.clone()), fact.clone())).collect();
        let names = |kind| facts.keys().filter(move |key| key.0 == kind).map(|key| key.1.clone()).collect();
        let mut members = HashMap::<Name, Vec<Name>>::new();
        let mut workspaces = HashMap::<Name, Vec<Name>>::new();
        let mut permissions = Vec::new();
        for ((_, name), fact) in &facts {
            match fact {
                Fact::OrganizationMembership(membership) => {
                    members.entry(membership.organization.clone()).or_default().push(name.clone());
                }
                Fact::Resource(resource) if resource.resource_type == "workspace" => {
                    let organization = resource.parent.clone().expect("a workspace has a parent");
                    workspaces.entry(organization).or_default().push(name.clone());
                }
                Fact::Role(role) => permissions.extend(role.permissions.iter().cloned()),
                _ => {}
            }
        }
        let siblings: HashMap<&Name, &Vec<Name>> =
            workspaces.values().flat_map(|all| all.iter().map(move |one| (one, all))).collect();
        let moves = facts.iter().filter_map(|((_, name), fact)| match fact {
            Fact::Resource(resource) if resource.resource_type == "project" => {
                Some((name.clone(), siblings[resource.parent.as_ref()?].clone()))
            }
            _ => None,
        });
        Self {
            assignments: facts.keys().filter(|key| key.0.is_assignment()).cloned().collect(),
            withdrawn: Vec::new(),
            groups: names(Kind::Group),
            roles: names(Kind::Role),
            members,
            moves: moves.collect(),
            permissions,
            rng: SmallRng::seed_from_u64(13),
            facts,
        }
    }

    /// What is said now.
    pub fn facts(&self) -> impl Iterator<Item = (&Name, &Fact)> {
        self.facts.iter().map(|((_, name), fact)| (name, fact))
    }

    /// Changes one object.
    pub fn write(&mut self) -> Change {
        match self.rng.random_range(0..100) {
            0..70 => self.change_assignment(),
            70..90 => self.change_group(),
            90..95 => self.move_subtree(),
            _ => self.edit_role(),
        }
    }

    fn change_assignment(&mut self) -> Change {
        if self.withdrawn.is_empty() || self.rng.random_bool(0.5) {
            let number = self.rng.random_range(0..self.assignments.len());
            let key = self.assignments.swap_remove(number);
            let fact = self.facts.remove(&key).expect("it was there");
            let (kind, name) = key.clone();
            self.withdrawn.push((key, fact));
            return Change::Delete(ObjectRef { kind, name });
        }
        let number = self.rng.random_range(0..self.withdrawn.len());
        let (key, fact) = self.withdrawn.swap_remove(number);
        self.assignments.push(key.clone());
        self.write_fact(key, fact)
    }

    fn change_group(&mut self) -> Change {
        let name = self.groups.choose(&mut self.rng).expect("there are groups").clone();
        let Some(Fact::Group(mut group)) = self.facts.get(&(Kind::Group, name.clone())).cloned() else {
            unreachable!("a group is a group")
        };
        let members = self.members.get(&group.organization).map_or(&[][..], Vec::as_slice);
        if let Some(member) = members.choose(&mut self.rng) {
            match group.members.iter().position(|other| other == member) {
                Some(position) => drop(group.members.swap_remove(position)),
                None => group.members.push(member.clone()),
            }
        }
        self.write_fact((Kind::Group, name), Fact::Group(group))
    }

    fn move_subtree(&mut self) -> Change {
        let (name, parents) = self.moves.choose(&mut self.rng).expect("there are projects").clone();
        let Some(Fact::Resource(mut resource)) = self.facts.get(&(Kind::Resource, name.clone())).cloned() else {
            unreachable!("a resource is a resource")
        };
        resource.parent = parents.choose(&mut self.rng).cloned();
        self.write_fact((Kind::Resource, name), Fact::Resource(resource))
    }

    fn edit_role(&mut self) -> Change {
        let name = self.roles.choose(&mut self.rng).expect("there are roles").clone();
        let Some(Fact::Role(mut role)) = self.facts.get(&(Kind::Role, name.clone())).cloned() else {
            unreachable!("a role is a role")
        };
        let permission = self.permissions.choose(&mut self.rng).expect("there are permissions");
        match role.permissions.iter().position(|other| other == permission) {
            Some(position) => drop(role.permissions.swap_remove(position)),
            None => role.permissions.push(permission.clone()),
        }
        self.write_fact((Kind::Role, name), Fact::Role(role))
    }

    fn write_fact(&mut self, key: (Kind, Name), fact: Fact) -> Change {
        let name = key.1.clone();
        self.facts.insert(key, fact.clone());
        written(name, fact)
    }
}

/// The name of the role of the burst.
pub const BURST_ROLE: &str = "burst";

/// A role with a permission that nobody asks about, and that many assignments of it on apps of the world.
pub fn burst(facts: &[(Name, Fact)], assignments: usize) -> Vec<(Name, Fact)> {
    let apps: Vec<&Name> = facts
        .iter()
        .filter(|(_, fact)| matches!(fact, Fact::Resource(resource) if resource.resource_type == "app"))
        .map(|(name, _)| name)
        .collect();
    let role = Role {
        slug: BURST_ROLE.into(),
        resource_type: "app".into(),
        permissions: vec!["app:burst".into()],
        organization: None,
    };
    let mut burst = vec![(BURST_ROLE.into(), Fact::Role(role))];
    burst.extend((0..assignments).map(|number| {
        let assignment = MembershipRoleAssignment {
            membership: format!("holder-{number}").into(),
            role: BURST_ROLE.into(),
            resource: Some(apps[number % apps.len()].clone()),
            expires_at: None,
            condition: None,
        };
        (format!("burst-{number}").into(), Fact::MembershipRoleAssignment(assignment))
    }));
    burst
}
