//! The "org-tree" workload: organizations, workspaces, projects and apps, groups of very different sizes, and
//! assignments on every level. Seeded: the same size gives the same world and the same questions.

use std::collections::{BTreeSet, HashMap, HashSet};

use bailiwick::graph::{
    Graph,
    facts::{
        Change, ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, MembershipRoleAssignment, Name,
        ORGANIZATION, Object, OrganizationMembership, Resource, Role,
    },
};
use rand::{
    Rng as _, SeedableRng as _,
    rngs::SmallRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use rand_distr::{Distribution as _, LogNormal, Zipf};

use crate::workload::{self, Workload};

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub label: &'static str,
    organizations: usize,
    members: usize,
    workspaces_per_organization: usize,
    projects_per_workspace: usize,
    resources: usize,
    groups: usize,
    groups_per_member: usize,
    pub assignments: usize,
}

impl Size {
    /// The same, with nobody assigned anything.
    #[must_use]
    pub const fn without_assignments(self) -> Self {
        Self { assignments: 0, ..self }
    }
}

const fn size(
    label: &'static str,
    [organizations, members, workspaces, projects]: [usize; 4],
    rest: [usize; 4],
) -> Size {
    let [resources, groups, groups_per_member, assignments] = rest;
    Size {
        label,
        organizations,
        members,
        workspaces_per_organization: workspaces,
        projects_per_workspace: projects,
        resources,
        groups,
        groups_per_member,
        assignments,
    }
}

/// The three sizes of the workload.
pub const STANDARD: [Size; 3] = [
    size("S", [5, 200, 4, 5], [1_000, 40, 5, 400]),
    size("M", [20, 5_000, 10, 10], [10_000, 400, 8, 6_000]),
    size("L", [100, 25_000, 20, 10], [100_000, 2_000, 10, 60_000]),
];

/// Worlds that grow tenfold in assignments, each with as many resources.
pub const SERIES: [Size; 4] = [
    size("1k", [5, 200, 4, 5], [1_000, 40, 5, 1_000]),
    size("10k", [20, 5_000, 10, 10], [10_000, 400, 8, 10_000]),
    size("100k", [100, 25_000, 20, 10], [100_000, 2_000, 10, 100_000]),
    size("1M", [100, 100_000, 50, 20], [1_000_000, 10_000, 20, 1_000_000]),
];

/// A small, a large and a very large one of the series.
pub const SIZES: [Size; 3] = [SERIES[0], SERIES[2], SERIES[3]];

const TYPES: [&str; 4] = [ORGANIZATION, "workspace", "project", "app"];
const ROLES_PER_TYPE: usize = 4;
const PERMISSIONS_PER_TYPE: usize = 20;

/// A question by the numbers of its member, permission and resource.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub member: usize,
    pub permission: usize,
    pub resource: usize,
}

/// The kinds of question that cost differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    DirectHit,
    InheritedHit,
    GroupHit,
    NearMiss,
    FarMiss,
    ParentHit,
}

impl Mix {
    pub const ALL: [Self; 5] = [Self::DirectHit, Self::InheritedHit, Self::GroupHit, Self::NearMiss, Self::FarMiss];

    pub const fn label(self) -> &'static str {
        match self {
            Self::DirectHit => "direct hit",
            Self::InheritedHit => "inherited hit",
            Self::GroupHit => "hit through a group",
            Self::NearMiss => "near miss",
            Self::FarMiss => "far miss",
            Self::ParentHit => "hit one level up",
        }
    }
}

/// The shares in which the kinds of question come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// As many hits as misses.
    Even,
    /// Four hits for each miss.
    MostlyHits,
    /// Misses only.
    Misses,
}

impl Traffic {
    pub const ALL: [Self; 3] = [Self::Even, Self::MostlyHits, Self::Misses];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Even => "50 % hits",
            Self::MostlyHits => "80 % hits",
            Self::Misses => "misses",
        }
    }

    /// How many hits there are in a hundred.
    const fn hits(self) -> usize {
        match self {
            Self::Even => 50,
            Self::MostlyHits => 80,
            Self::Misses => 0,
        }
    }
}

/// How popular members and resources are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popularity {
    /// The k-th most popular is asked about 1/k as often as the first.
    Zipf,
    /// All alike: the worst case for caches.
    Uniform,
}

impl Popularity {
    pub const ALL: [Self; 2] = [Self::Zipf, Self::Uniform];
}

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

    /// The roles that the member of a question has on its resource or above, which an engine without a graph must be told.
    pub fn roles(&self, question: Question) -> BTreeSet<usize> {
        let subjects = self.subjects(question.member);
        let resources = self.chain(question.resource);
        let roles = resources
            .flat_map(|resource| subjects.iter().filter_map(move |&subject| self.roles_on.get(&(subject, resource))));
        roles.flatten().copied().collect()
    }

    /// The permissions of each role.
    pub fn role_permissions(&self) -> &[HashSet<usize>] {
        &self.role_permissions
    }

    fn subjects(&self, member: usize) -> Vec<Subject> {
        let groups = self.member_groups[member].iter().map(|&group| Subject::Group(group));
        groups.chain([Subject::Member(member)]).collect()
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

    /// The answer by the definition: some role of the member or its groups on the resource or above has it.
    pub fn allows(&self, question: Question) -> bool {
        let Question { member, permission, resource } = question;
        let subjects = self.subjects(member);
        self.chain(resource).any(|resource| {
            subjects.iter().any(|&subject| {
                let roles = self.roles_on.get(&(subject, resource)).map_or(&[][..], |roles| roles);
                roles.iter().any(|&role| self.role_permissions[role].contains(&permission))
            })
        })
    }

    fn chain(&self, resource: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(resource), |&id| (self.resources[id].0 > 0).then(|| self.resources[id].1))
    }

    /// Questions of one kind.
    pub fn questions(&self, mix: Mix, popularity: Popularity, count: usize) -> Vec<Question> {
        let mut rng = SmallRng::seed_from_u64(mix as u64 + 7);
        let mut questions = Vec::with_capacity(count);
        let pick = |rng: &mut SmallRng, len: usize| match popularity {
            Popularity::Uniform => rng.random_range(0..len),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a rank between 1 and a length"
            )]
            Popularity::Zipf => {
                let rank = Zipf::new(len as f64, 1.0).expect("a distribution").sample(rng) as usize - 1;
                // Which is popular has nothing to do with the order of creation.
                rank.wrapping_mul(0x9e37_79b9) % len
            }
        };
        while questions.len() < count {
            let question = match mix {
                Mix::DirectHit | Mix::ParentHit | Mix::InheritedHit | Mix::GroupHit => {
                    let (subject, role, resource) = self.assignments[pick(&mut rng, self.assignments.len())];
                    let member = match (subject, mix) {
                        (Subject::Group(group), Mix::GroupHit) if !self.group_members[group].is_empty() => {
                            let members = &self.group_members[group];
                            members[pick(&mut rng, members.len())]
                        }
                        (Subject::Member(member), Mix::DirectHit | Mix::ParentHit | Mix::InheritedHit) => member,
                        _ => continue,
                    };
                    let resource = match mix {
                        Mix::DirectHit => resource,
                        Mix::ParentHit => match self.children[resource].choose(&mut rng) {
                            Some(&child) => child,
                            None => continue,
                        },
                        _ => self.below(resource, &mut rng),
                    };
                    let permissions = &self.role_permissions[role];
                    let nth = rng.random_range(0..permissions.len());
                    let permission = *permissions.iter().nth(nth).expect("a role has permissions");
                    Question { member, permission, resource }
                }
                Mix::NearMiss | Mix::FarMiss => {
                    let member = pick(&mut rng, self.size.members);
                    let own = self.member_organization[member];
                    let organization = if mix == Mix::NearMiss { own } else { (own + 1) % self.size.organizations };
                    let resources = &self.resources_of_organization[organization];
                    let resource = resources[pick(&mut rng, resources.len())];
                    let permission = rng.random_range(0..TYPES.len() * PERMISSIONS_PER_TYPE);
                    Question { member, permission, resource }
                }
            };
            let wanted = !matches!(mix, Mix::NearMiss | Mix::FarMiss);
            if self.allows(question) == wanted {
                questions.push(question);
            }
        }
        questions
    }

    /// Questions of all kinds, in no order: of the hits a quarter each on the resource of the assignment, one level and
    /// more levels below it, and through a group; half of the misses within the member's organization.
    pub fn traffic(&self, traffic: Traffic, popularity: Popularity, count: usize) -> Vec<Question> {
        let hits = count * traffic.hits() / 100;
        let kinds = [
            (Mix::DirectHit, hits / 4),
            (Mix::ParentHit, hits / 4),
            (Mix::InheritedHit, hits / 4),
            (Mix::GroupHit, hits - hits / 4 * 3),
            (Mix::NearMiss, (count - hits) / 2),
            (Mix::FarMiss, (count - hits).div_ceil(2)),
        ];
        let questions = kinds.into_iter().flat_map(|(mix, count)| self.questions(mix, popularity, count));
        let mut questions: Vec<Question> = questions.collect();
        questions.shuffle(&mut SmallRng::seed_from_u64(11));
        questions
    }

    /// A question by names, with its answer by the definition.
    pub fn named(&self, question: Question) -> workload::Question {
        workload::Question {
            member: Self::member_name(question.member),
            permission: Self::permission_name(question.permission),
            resource_type: self.type_name(question.resource).into(),
            resource: Self::resource_name(question.resource),
            allowed: self.allows(question),
        }
    }

    /// The world and that many questions.
    pub fn workload(&self, traffic: Traffic, popularity: Popularity, count: usize) -> Workload {
        let mut facts = Vec::new();
        self.facts(|name, fact| facts.push((name, fact)));
        let questions = self.traffic(traffic, popularity, count);
        Workload { facts, questions: questions.into_iter().map(|question| self.named(question)).collect() }
    }

    fn below(&self, resource: usize, rng: &mut SmallRng) -> usize {
        let mut current = resource;
        while let Some(&child) = self.children[current].choose(rng) {
            current = child;
        }
        current
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

// What lists are compared with.
impl World {
    /// How many permissions there are, in all types together.
    pub const PERMISSIONS: usize = TYPES.len() * PERMISSIONS_PER_TYPE;

    pub const fn members(&self) -> usize {
        self.member_organization.len()
    }

    pub const fn resources(&self) -> usize {
        self.resources.len()
    }

    pub fn children(&self, resource: usize) -> &[usize] {
        &self.children[resource]
    }

    /// The resource above one; an organization is its own.
    pub fn parent(&self, resource: usize) -> usize {
        self.resources[resource].1
    }

    pub fn organization_of(&self, resource: usize) -> usize {
        self.resources[resource].2
    }

    pub fn organization_of_member(&self, member: usize) -> usize {
        self.member_organization[member]
    }

    /// Whether the member or a group of the member's has a role with the permission on that very resource.
    pub fn allows_directly(&self, Question { member, permission, resource }: Question) -> bool {
        self.subjects(member).into_iter().any(|subject| {
            let roles = self.roles_on.get(&(subject, resource));
            roles.is_some_and(|roles| roles.iter().any(|&role| self.role_permissions[role].contains(&permission)))
        })
    }

    /// The numbers of the assignments that the member has, by itself and through groups.
    pub fn assignments_of(&self, member: usize) -> Vec<usize> {
        let subjects: HashSet<Subject> = self.subjects(member).into_iter().collect();
        (0..self.assignments.len()).filter(|&number| subjects.contains(&self.assignments[number].0)).collect()
    }

    /// The numbers of the assignments on that very resource.
    pub fn assignments_on(&self, resource: usize) -> Vec<usize> {
        (0..self.assignments.len()).filter(|&number| self.assignments[number].2 == resource).collect()
    }
}
