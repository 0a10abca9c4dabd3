//! The workloads of the Cedar paper (OOPSLA 2024, arXiv 2403.04651), made anew after its description: three
//! applications, hierarchies of N entities of each type, of which each possible edge is there with probability 0.05,
//! and questions with uniformly random principal, action and resource.
//!
//! How a hierarchy becomes facts of ours is told in `docs/benchmarks/README.md`. What is allowed is decided here, on
//! the hierarchy as it was made, by searching it.

use std::collections::BTreeSet;

use bailiwick::graph::facts::{
    ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, MembershipRoleAssignment, Name, ORGANIZATION,
    OrganizationMembership, Resource, Role,
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::workload::{Question, Workload};

/// How many entities of each type there are.
pub const SIZES: [usize; 7] = [5, 10, 15, 20, 30, 40, 50];
/// How many hierarchies of each size the paper takes, and how many questions of each hierarchy.
pub const HIERARCHIES: u32 = 200;
pub const QUESTIONS: usize = 500;

const EDGE: f64 = 0.05;
const ROOT: &str = "org";

/// An application of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    GitHub,
    GoogleDrive,
    TinyTodo,
}

impl Application {
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GoogleDrive, Self::TinyTodo];

    pub const fn label(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GoogleDrive => "gdrive",
            Self::TinyTodo => "tinytodo",
        }
    }

    /// Roles and what they permit.
    const fn roles(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::GitHub => &[
                ("reader", &["pull"]),
                ("triager", &["pull", "triage"]),
                ("writer", &["pull", "triage", "push"]),
                ("maintainer", &["pull", "triage", "push", "maintain"]),
                ("admin", &["pull", "triage", "push", "maintain", "administer"]),
            ],
            Self::GoogleDrive => &[
                ("viewer", &["read"]),
                ("folder-owner", &["read", "write", "share", "create"]),
                ("owner", &["read", "write", "share", "change-owner"]),
            ],
            Self::TinyTodo => &[
                ("reader", &["get-list"]),
                ("editor", &["get-list", "update-list", "create-task", "update-task", "delete-task"]),
                (
                    "owner",
                    &[
                        "get-list",
                        "update-list",
                        "create-task",
                        "update-task",
                        "delete-task",
                        "edit-shares",
                        "delete-list",
                    ],
                ),
            ],
        }
    }

    fn role(self, name: &str) -> usize {
        self.roles().iter().position(|&(role, _)| role == name).expect("a role of the application")
    }

    /// What can be asked of resources of a type.
    const fn actions(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::GitHub => &[
                ("repository", "pull"),
                ("repository", "triage"),
                ("repository", "push"),
                ("repository", "maintain"),
                ("repository", "administer"),
            ],
            Self::GoogleDrive => &[
                ("document", "read"),
                ("document", "write"),
                ("document", "share"),
                ("document", "change-owner"),
                ("folder", "create"),
            ],
            Self::TinyTodo => &[
                ("list", "get-list"),
                ("list", "update-list"),
                ("list", "create-task"),
                ("list", "update-task"),
                ("list", "delete-task"),
                ("list", "edit-shares"),
                ("list", "delete-list"),
            ],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    User(usize),
    Group(usize),
}

struct Node {
    resource_type: &'static str,
    /// Nodes of smaller numbers.
    parents: Vec<usize>,
}

/// A hierarchy, by numbers.
struct Hierarchy {
    application: Application,
    size: usize,
    /// The groups of each user.
    groups: Vec<Vec<usize>>,
    /// The groups, of smaller numbers, that each group belongs to.
    above: Vec<Vec<usize>>,
    nodes: Vec<Node>,
    /// Subject, role, node.
    grants: Vec<(Subject, usize, usize)>,
}

/// One hierarchy of an application with its questions.
pub fn workload(application: Application, size: usize, seed: u64) -> Workload {
    let mut rng = SmallRng::seed_from_u64(seed * 1_000 + size as u64 * 10 + application as u64);
    let hierarchy = Hierarchy::new(application, size, &mut rng);
    let questions = (0..QUESTIONS).map(|_| hierarchy.question(&mut rng)).collect();
    Workload { facts: hierarchy.facts(), questions }
}

impl Hierarchy {
    fn new(application: Application, size: usize, rng: &mut SmallRng) -> Self {
        let edges = |rng: &mut SmallRng, among: usize| (0..among).filter(|_| rng.random_bool(EDGE)).collect::<Vec<_>>();
        let groups = (0..size).map(|_| edges(rng, size)).collect();
        let is_nested = application != Application::GoogleDrive;
        let above = (0..size).map(|group| if is_nested { edges(rng, group) } else { Vec::new() }).collect();
        let node = |resource_type, parents| Node { resource_type, parents };
        let nodes: Vec<Node> = match application {
            Application::GitHub => (0..size)
                .map(|_| node("owner", Vec::new()))
                .chain((0..size).map(|_| node("repository", vec![rng.random_range(0..size)])))
                .collect(),
            Application::GoogleDrive => (0..2 * size)
                .map(|number| {
                    let resource_type = if number < size { "folder" } else { "document" };
                    node(resource_type, edges(rng, number.min(size)))
                })
                .collect(),
            Application::TinyTodo => (0..size).map(|_| node("list", Vec::new())).collect(),
        };
        let mut hierarchy = Self { application, size, groups, above, nodes, grants: Vec::new() };
        hierarchy.grant(rng);
        hierarchy
    }

    fn grant(&mut self, rng: &mut SmallRng) {
        let application = self.application;
        let mut grants = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if node.resource_type == "list" {
                grants.push((Subject::User(rng.random_range(0..self.size)), application.role("owner"), number));
            }
            for subject in 0..self.size {
                for subject in [Subject::User(subject), Subject::Group(subject)] {
                    let is_user = matches!(subject, Subject::User(_));
                    let roles: &[&str] = match (application, node.resource_type) {
                        (Application::GitHub, "repository") => &["reader", "triager", "writer", "maintainer", "admin"],
                        // Of an owner of repositories, users have base roles on all that it owns.
                        (Application::GitHub, _) if is_user => &["reader", "writer", "admin"],
                        (Application::GitHub, _) => &[],
                        (Application::GoogleDrive, _) => &["viewer"],
                        (Application::TinyTodo, _) => &["reader", "editor"],
                    };
                    if !roles.is_empty() && rng.random_bool(EDGE) {
                        grants.push((subject, application.role(roles[rng.random_range(0..roles.len())]), number));
                    }
                    if application == Application::GoogleDrive && is_user && rng.random_bool(EDGE) {
                        let role = if node.resource_type == "folder" { "folder-owner" } else { "owner" };
                        grants.push((subject, application.role(role), number));
                    }
                }
            }
        }
        self.grants = grants;
    }

    fn question(&self, rng: &mut SmallRng) -> Question {
        let user = rng.random_range(0..self.size);
        let actions = self.application.actions();
        let (resource_type, action) = actions[rng.random_range(0..actions.len())];
        let first = self.nodes.iter().position(|node| node.resource_type == resource_type).expect("there are such");
        let node = first + rng.random_range(0..self.size);
        Question {
            member: user_name(user),
            permission: action.into(),
            resource_type: resource_type.into(),
            resource: node_name(node),
            allowed: self.allows(user, action, node),
        }
    }

    /// The answer by searching the hierarchy.
    fn allows(&self, user: usize, action: &str, node: usize) -> bool {
        let groups = reachable(&self.groups[user], &self.above);
        let parents: Vec<Vec<usize>> = self.nodes.iter().map(|node| node.parents.clone()).collect();
        let nodes = reachable(&[node], &parents);
        self.grants.iter().any(|&(subject, role, node)| {
            let is_theirs = match subject {
                Subject::User(other) => other == user,
                Subject::Group(group) => groups.contains(&group),
            };
            is_theirs && nodes.contains(&node) && self.application.roles()[role].1.contains(&action)
        })
    }

    fn facts(&self) -> Vec<(Name, Fact)> {
        let environment = Environment { multiple_roles: true, ..Environment::default() };
        let root = Resource { resource_type: ORGANIZATION.into(), parent: None, external_id: ROOT.into() };
        let mut facts: Vec<(Name, Fact)> =
            vec![(ENVIRONMENT_NAME.into(), Fact::Environment(environment)), (ROOT.into(), Fact::Resource(root))];
        facts.extend((0..self.size).map(|user| (user_name(user), membership(user))));
        facts.extend((0..self.size).map(|group| (group_name(group), self.group(group))));
        for (number, node) in self.nodes.iter().enumerate() {
            let resource = Resource {
                resource_type: node.resource_type.into(),
                parent: Some(node.parents.first().map_or_else(|| ROOT.into(), |&parent| node_name(parent))),
                external_id: node_name(number),
            };
            facts.push((node_name(number), Fact::Resource(resource)));
        }
        // A role belongs to one type, so each is there once for each type.
        let types: BTreeSet<&str> = self.nodes.iter().map(|node| node.resource_type).collect();
        for resource_type in types {
            for &(role, permissions) in self.application.roles() {
                let name: Name = format!("{resource_type}-{role}").into();
                let role = Role {
                    slug: name.clone(),
                    resource_type: resource_type.into(),
                    permissions: permissions.iter().map(|&permission| permission.into()).collect(),
                    organization: None,
                };
                facts.push((name, Fact::Role(role)));
            }
        }
        facts.extend(self.assignments());
        facts
    }

    fn group(&self, group: usize) -> Fact {
        let members = (0..self.size).filter(|&user| self.groups[user].contains(&group)).map(user_name);
        let subgroups = (0..self.size).filter(|&below| self.above[below].contains(&group)).map(group_name);
        Fact::Group(Group { organization: ROOT.into(), members: members.collect(), subgroups: subgroups.collect() })
    }

    /// The first parent of a node is its parent with us too; what comes down from the others is assigned on the node.
    fn assignments(&self) -> impl Iterator<Item = (Name, Fact)> {
        let mut effective: Vec<BTreeSet<(Subject, usize)>> = Vec::new();
        let mut assignments = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let own = self.grants.iter().filter(|&&(_, _, node)| node == number);
            let mut assigned: BTreeSet<(Subject, usize)> = own.map(|&(subject, role, _)| (subject, role)).collect();
            if let Some((&first, others)) = node.parents.split_first() {
                let others = others.iter().flat_map(|&other| &effective[other]);
                assigned.extend(others.filter(|&grant| !effective[first].contains(grant)));
            }
            let inherited = node.parents.first().into_iter().flat_map(|&first| &effective[first]);
            let all = assigned.iter().chain(inherited).copied().collect();
            effective.push(all);
            assignments.extend(assigned.into_iter().map(|(subject, role)| (subject, role, number)));
        }
        assignments.into_iter().enumerate().map(|(count, (subject, role, number))| {
            let role_name = self.application.roles()[role].0;
            let role = format!("{}-{role_name}", self.nodes[number].resource_type).into();
            let (resource, expires_at) = (Some(node_name(number)), None);
            let fact = match subject {
                Subject::User(user) => Fact::MembershipRoleAssignment(MembershipRoleAssignment {
                    membership: user_name(user),
                    role,
                    resource,
                    expires_at,
                    condition: None,
                }),
                Subject::Group(group) => Fact::GroupRoleAssignment(GroupRoleAssignment {
                    group: group_name(group),
                    role,
                    resource,
                    expires_at,
                    condition: None,
                }),
            };
            (format!("assignment-{count}").into(), fact)
        })
    }
}

/// All that can be reached from some, they themselves included.
fn reachable(from: &[usize], edges: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut open = from.to_vec();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(&edges[next]);
        }
    }
    found
}

fn membership(user: usize) -> Fact {
    Fact::OrganizationMembership(OrganizationMembership {
        organization: ROOT.into(),
        user: format!("person-{user}").into(),
        roles: Vec::new(),
        suspended: false,
        directory_groups: Vec::new(),
        sso_groups: Vec::new(),
    })
}

fn user_name(user: usize) -> Name {
    format!("user-{user}").into()
}

fn group_name(group: usize) -> Name {
    format!("group-{group}").into()
}

fn node_name(node: usize) -> Name {
    format!("node-{node}").into()
}
