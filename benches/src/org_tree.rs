//! The "org-tree" workload: organizations, workspaces, projects and apps, groups of very different sizes, and
//! assignments on every level. Seeded: the same size gives the same world and the same questions.

mod definition;
mod questions;
mod size;

use std::collections::{HashMap, HashSet};

use bailiwick::graph::{
    Graph,
    facts::{
        Change, ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, MembershipRoleAssignment, Name,
        ORGANIZATION, Object, OrganizationMembership, Resource, Role,
    },
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};
use rand_distr::{Distribution as _, LogNormal};

pub use self::{
    questions::{Mix, Popularity, Question, Traffic},
    size::{SERIES, SIZES, STANDARD, Size},
};

const TYPES: [&str; 4] = [ORGANIZATION, "workspace", "project", "app"];
const ROLES_PER_TYPE: usize = 4;
const PERMISSIONS_PER_TYPE: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Member(usize),
    Group(usize),
}

/// A world, as numbers, with what a naive evaluation of it needs.
#[derive(Debug)]
pub struct World {
    size: Size,
    /// Each resource's level (0: organization), parent and organization.
    resources: Vec<(usize, usize, usize)>,
    children: Vec<Vec<usize>>,
    member_organization: Vec<usize>,
    member_groups: Vec<Vec<usize>>,
    group_members: Vec<Vec<usize>>,
    group_organization: Vec<usize>,
    role_permissions: Vec<HashSet<usize>>,
    /// Subject, role, resource.
    assignments: Vec<(Subject, usize, usize)>,
    roles_on: HashMap<(Subject, usize), Vec<usize>>,
    resources_of_organization: Vec<Vec<usize>>,
}

impl World {
    pub fn new(size: Size) -> Self {
        let mut rng = SmallRng::seed_from_u64(20_260_101);
        let (resources, children) = tree(size);
        let mut resources_of_organization = vec![Vec::new(); size.organizations];
        for (id, &(_, _, organization)) in resources.iter().enumerate() {
            resources_of_organization[organization].push(id);
        }

        // The first organization has a tenth of the members, all in one group.
        let member_organization: Vec<usize> = (0..size.members)
            .map(|member| if member % 10 == 0 { 0 } else { rng.random_range(1..size.organizations) })
            .collect();
        let mut members_of_organization = vec![Vec::new(); size.organizations];
        for (member, &organization) in member_organization.iter().enumerate() {
            members_of_organization[organization].push(member);
        }
        let group_organization: Vec<usize> = (0..size.groups).map(|group| group % size.organizations).collect();
        let mut member_groups = vec![Vec::new(); size.members];
        let mut group_members = vec![Vec::new(); size.groups];
        let sizes = LogNormal::new(20_f64.ln(), 1.0).expect("a distribution");
        for group in 0..size.groups {
            let candidates = &members_of_organization[group_organization[group]];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
            let wanted = if group == 0 { candidates.len() } else { sizes.sample(&mut rng) as usize + 1 };
            for &member in candidates.choose_multiple(&mut rng, wanted) {
                if member_groups[member].len() < size.groups_per_member {
                    member_groups[member].push(group);
                    group_members[group].push(member);
                }
            }
        }

        // A role of a type has permissions of that type and of those below.
        let role_permissions: Vec<HashSet<usize>> = (0..TYPES.len() * ROLES_PER_TYPE)
            .map(|role| {
                let first = role / ROLES_PER_TYPE * PERMISSIONS_PER_TYPE;
                let all: Vec<usize> = (first..TYPES.len() * PERMISSIONS_PER_TYPE).collect();
                let count = rng.random_range(5..=20);
                all.choose_multiple(&mut rng, count).copied().collect()
            })
            .collect();

        let by_level: Vec<Vec<usize>> = (0..TYPES.len())
            .map(|level| (0..resources.len()).filter(|&id| resources[id].0 == level).collect())
            .collect();
        let mut assignments = Vec::with_capacity(size.assignments);
        let mut roles_on = HashMap::<_, Vec<usize>>::new();
        while assignments.len() < size.assignments {
            let level = match rng.random_range(0..100) {
                0..10 => 0,
                10..40 => 1,
                40..80 => 2,
                _ => 3,
            };
            let resource = by_level[level][rng.random_range(0..by_level[level].len())];
            let organization = resources[resource].2;
            let groups = (size.groups - organization).div_ceil(size.organizations);
            let subject = if rng.random_range(0..10) < 3 {
                let members = &members_of_organization[organization];
                Subject::Member(members[rng.random_range(0..members.len())])
            } else {
                Subject::Group(organization + rng.random_range(0..groups) * size.organizations)
            };
            let role = level * ROLES_PER_TYPE + rng.random_range(0..ROLES_PER_TYPE);
            assignments.push((subject, role, resource));
            roles_on.entry((subject, resource)).or_default().push(role);
        }
        Self {
            size,
            resources,
            children,
            member_organization,
            member_groups,
            group_members,
            group_organization,
            role_permissions,
            assignments,
            roles_on,
            resources_of_organization,
        }
    }

    /// The world as a graph.
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        let mut changes = Vec::new();
        self.facts(|name, fact| {
            changes.push(Change::Apply(Object { name, created: None, deleting: false, fact }));
            if changes.len() == 10_000 {
                graph.apply(&changes);
                changes.clear();
            }
        });
        graph.apply(&changes);
        graph
    }

    /// Tells every fact of the world.
    pub fn facts(&self, mut apply: impl FnMut(Name, Fact)) {
        let environment = Environment { multiple_roles: true, ..Environment::default() };
        apply(ENVIRONMENT_NAME.into(), Fact::Environment(environment));
        for (id, &(level, parent, _)) in self.resources.iter().enumerate() {
            let name = Self::resource_name(id);
            apply(
                name.clone(),
                Fact::Resource(Resource {
                    resource_type: TYPES[level].into(),
                    parent: (level > 0).then(|| Self::resource_name(parent)),
                    external_id: name,
                }),
            );
        }
        for (role, permissions) in self.role_permissions.iter().enumerate() {
            apply(
                format!("role-{role}").into(),
                Fact::Role(Role {
                    slug: format!("role-{role}").into(),
                    resource_type: TYPES[role / ROLES_PER_TYPE].into(),
                    permissions: permissions.iter().map(|&permission| Self::permission_name(permission)).collect(),
                    organization: None,
                }),
            );
        }
        for (member, &organization) in self.member_organization.iter().enumerate() {
            apply(
                Self::member_name(member),
                Fact::OrganizationMembership(OrganizationMembership {
                    organization: Self::resource_name(organization),
                    user: format!("user-{member}").into(),
                    roles: Vec::new(),
                    suspended: false,
                    directory_groups: Vec::new(),
                    sso_groups: Vec::new(),
                }),
            );
        }
        for (group, members) in self.group_members.iter().enumerate() {
            apply(
                format!("group-{group}").into(),
                Fact::Group(Group {
                    organization: Self::resource_name(self.group_organization[group]),
                    members: members.iter().map(|&member| Self::member_name(member)).collect(),
                    subgroups: Vec::new(),
                }),
            );
        }
        for (number, &(subject, role, resource)) in self.assignments.iter().enumerate() {
            let name = format!("assignment-{number}").into();
            let role = format!("role-{role}").into();
            let resource = Some(Self::resource_name(resource));
            apply(
                name,
                match subject {
                    Subject::Member(member) => Fact::MembershipRoleAssignment(MembershipRoleAssignment {
                        membership: Self::member_name(member),
                        role,
                        resource,
                        expires_at: None,
                        condition: None,
                    }),
                    Subject::Group(group) => Fact::GroupRoleAssignment(GroupRoleAssignment {
                        group: format!("group-{group}").into(),
                        role,
                        resource,
                        expires_at: None,
                        condition: None,
                    }),
                },
            );
        }
    }

    /// The permissions of each role.
    pub fn role_permissions(&self) -> &[HashSet<usize>] {
        &self.role_permissions
    }

    pub fn resource_name(resource: usize) -> Name {
        format!("resource-{resource}").into()
    }

    pub fn member_name(member: usize) -> Name {
        format!("om-{member}").into()
    }

    pub fn permission_name(permission: usize) -> Name {
        format!("{}:action-{}", TYPES[permission / PERMISSIONS_PER_TYPE], permission % PERMISSIONS_PER_TYPE).into()
    }

    pub fn type_name(&self, resource: usize) -> &'static str {
        TYPES[self.resources[resource].0]
    }
}

type Tree = (Vec<(usize, usize, usize)>, Vec<Vec<usize>>);

fn tree(size: Size) -> Tree {
    let mut resources: Vec<(usize, usize, usize)> = (0..size.organizations).map(|id| (0, id, id)).collect();
    for level in [1, 2] {
        let parents: Vec<usize> = (0..resources.len()).filter(|&id| resources[id].0 == level - 1).collect();
        let each = if level == 1 { size.workspaces_per_organization } else { size.projects_per_workspace };
        for parent in parents {
            resources.extend((0..each).map(|_| (level, parent, resources[parent].2)).collect::<Vec<_>>());
        }
    }
    let projects: Vec<usize> = (0..resources.len()).filter(|&id| resources[id].0 == 2).collect();
    let apps = size.resources.saturating_sub(resources.len());
    for app in 0..apps {
        let parent = projects[app % projects.len()];
        resources.push((3, parent, resources[parent].2));
    }
    let mut children = vec![Vec::new(); resources.len()];
    for (id, &(level, parent, _)) in resources.iter().enumerate() {
        if level > 0 {
            children[parent].push(id);
        }
    }
    (resources, children)
}
