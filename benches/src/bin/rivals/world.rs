//! The facts of a workload as engines that do not know them need them: without the types of Bailiwick, and with what
//! can be derived once derived.

use std::collections::HashMap;

use bailiwick::graph::facts::Fact;
use bailiwick_benches::{definition::Nesting, workload::Workload};

/// Names borrowed from the workload.
pub struct World<'a> {
    /// Each resource with its parent.
    pub resources: Vec<(&'a str, Option<&'a str>)>,
    pub members: Vec<&'a str>,
    /// Each group with its members and its subgroups.
    pub groups: Vec<(&'a str, Vec<&'a str>, Vec<&'a str>)>,
    /// Each role with its permissions.
    pub roles: Vec<(&'a str, Vec<&'a str>)>,
    pub grants: Vec<Grant<'a>>,
    parents: HashMap<&'a str, &'a str>,
}

/// A role assignment.
#[derive(Clone, Copy)]
pub struct Grant<'a> {
    pub subject: Subject<'a>,
    pub role: &'a str,
    pub resource: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject<'a> {
    Member(&'a str),
    Group(&'a str),
}

impl<'a> World<'a> {
    pub fn new(workload: &'a Workload) -> Self {
        let mut world = Self {
            resources: Vec::new(),
            members: Vec::new(),
            groups: Vec::new(),
            roles: Vec::new(),
            grants: Vec::new(),
            parents: HashMap::new(),
        };
        for (name, fact) in &workload.facts {
            let name = name.as_str();
            match fact {
                Fact::Resource(resource) => {
                    let parent = resource.parent.as_deref();
                    world.resources.push((name, parent));
                    world.parents.extend(parent.map(|parent| (name, parent)));
                }
                Fact::OrganizationMembership(_) => world.members.push(name),
                Fact::Group(group) => {
                    let members = group.members.iter().map(AsRef::as_ref).collect();
                    world.groups.push((name, members, group.subgroups.iter().map(AsRef::as_ref).collect()));
                }
                Fact::Role(role) => {
                    world.roles.push((name, role.permissions.iter().map(AsRef::as_ref).collect()));
                }
                Fact::MembershipRoleAssignment(assignment) => {
                    let resource = assignment.resource.as_deref().expect("the workloads name every resource");
                    let subject = Subject::Member(&assignment.membership);
                    world.grants.push(Grant { subject, role: &assignment.role, resource });
                }
                Fact::GroupRoleAssignment(assignment) => {
                    let resource = assignment.resource.as_deref().expect("the workloads name every resource");
                    let subject = Subject::Group(&assignment.group);
                    world.grants.push(Grant { subject, role: &assignment.role, resource });
                }
                Fact::ResourceType(_) | Fact::Environment(_) | Fact::Invalid { .. } => {}
            }
        }
        // The stress corners do not declare whom they assign roles to.
        let mut known: std::collections::HashSet<&str> = world.members.iter().copied().collect();
        let assigned = world.grants.iter().filter_map(|grant| match grant.subject {
            Subject::Member(member) => Some(member),
            Subject::Group(_) => None,
        });
        let grouped = world.groups.iter().flat_map(|(_, members, _)| members).copied();
        let undeclared: Vec<&str> = assigned.chain(grouped).filter(|&member| known.insert(member)).collect();
        world.members.extend(undeclared);
        world
    }

    /// A resource and all above it, the nearest first.
    pub fn path<'b>(&'b self, resource: &'b str) -> impl Iterator<Item = &'b str> {
        std::iter::successors(Some(resource), |&resource| self.parents.get(resource).copied())
    }
}

/// Each member and all groups that it is in, itself or through others.
pub fn groups_of_members(workload: &Workload) -> HashMap<String, Vec<String>> {
    let mut nesting = Nesting::default();
    for (name, fact) in &workload.facts {
        nesting.add(name, fact);
    }
    nesting.groups_of_members()
}
