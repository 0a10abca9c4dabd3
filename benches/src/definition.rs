//! What is allowed, by the definition: a role of the member, or of a group that the member is in, on the resource or
//! above it has the permission. Written with maps of strings as somebody would who has an afternoon: it is both the
//! yardstick of the rivals and the judge of worlds that change.

use std::collections::{HashMap, HashSet};

use bailiwick::graph::facts::{Fact, Name};

/// Facts, by name.
#[derive(Debug, Default)]
pub struct Definition {
    parents: HashMap<String, String>,
    /// Each member and its groups, nested ones included.
    subjects: HashMap<String, Vec<Subject>>,
    permissions: HashMap<String, HashSet<String>>,
    /// The roles by resource and subject.
    grants: HashMap<String, HashMap<Subject, Vec<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Member(String),
    Group(String),
}

impl Definition {
    pub fn new<'a>(facts: impl IntoIterator<Item = (&'a Name, &'a Fact)>) -> Self {
        let mut definition = Self::default();
        let mut nesting = Nesting::default();
        for (name, fact) in facts {
            match fact {
                Fact::Resource(resource) => {
                    if let Some(parent) = &resource.parent {
                        definition.parents.insert(name.to_string(), parent.to_string());
                    }
                }
                Fact::Role(role) => {
                    let permissions = role.permissions.iter().map(Name::to_string).collect();
                    definition.permissions.insert(name.to_string(), permissions);
                }
                Fact::Group(_) => nesting.add(name, fact),
                Fact::MembershipRoleAssignment(assignment) => {
                    let member = assignment.membership.to_string();
                    let subject = Subject::Member(member.clone());
                    definition.subjects.entry(member).or_insert_with(|| vec![subject.clone()]);
                    definition.grant(subject, &assignment.role, assignment.resource.as_ref());
                }
                Fact::GroupRoleAssignment(assignment) => {
                    let subject = Subject::Group(assignment.group.to_string());
                    definition.grant(subject, &assignment.role, assignment.resource.as_ref());
                }
                _ => {}
            }
        }
        for (member, groups) in nesting.groups_of_members() {
            let subject = Subject::Member(member.clone());
            let subjects = definition.subjects.entry(member).or_insert_with(|| vec![subject]);
            subjects.extend(groups.into_iter().map(Subject::Group));
        }
        definition
    }

    fn grant(&mut self, subject: Subject, role: &Name, resource: Option<&Name>) {
        let resource = resource.expect("the workloads name every resource").to_string();
        self.grants.entry(resource).or_default().entry(subject).or_default().push(role.to_string());
    }

    pub fn allows(&self, member: &str, permission: &str, resource: &str) -> bool {
        let Some(subjects) = self.subjects.get(member) else { return false };
        let mut next = Some(resource);
        while let Some(resource) = next {
            if let Some(grants) = self.grants.get(resource) {
                let roles = subjects.iter().filter_map(|subject| grants.get(subject)).flatten();
                if roles.into_iter().any(|role| self.permissions[role].contains(permission)) {
                    return true;
                }
            }
            next = self.parents.get(resource).map(String::as_str);
        }
        false
    }
}

/// Which groups list whom.
#[derive(Debug, Default)]
pub struct Nesting {
    of_member: HashMap<String, Vec<String>>,
    above: HashMap<String, Vec<String>>,
}

impl Nesting {
    /// Heeds a fact if it is of a group.
    pub fn add(&mut self, name: &Name, fact: &Fact) {
        let Fact::Group(group) = fact else { return };
        for member in &group.members {
            self.of_member.entry(member.to_string()).or_default().push(name.to_string());
        }
        for below in &group.subgroups {
            self.above.entry(below.to_string()).or_default().push(name.to_string());
        }
    }

    /// The groups of each member: those that list it, and those that list one of these, and so on.
    pub fn groups_of_members(self) -> HashMap<String, Vec<String>> {
        let Self { of_member, above } = self;
        let closed = |groups: Vec<String>| {
            let mut seen: HashSet<String> = groups.iter().cloned().collect();
            let mut all = groups;
            let mut next = 0;
            while let Some(group) = all.get(next).cloned() {
                next += 1;
                let new = above.get(&group).into_iter().flatten().filter(|&group| seen.insert(group.clone()));
                all.extend(new.cloned().collect::<Vec<_>>());
            }
            all
        };
        of_member.into_iter().map(|(member, groups)| (member, closed(groups))).collect()
    }
}
