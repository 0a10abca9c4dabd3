//! Corners in which one thing is large, each a world of its own. Half of the questions of a corner are hits by its
//! construction, the other half misses, and nothing else about them differs.

use bailiwick::graph::facts::{
    ENVIRONMENT_NAME, Environment, Fact, Group, GroupRoleAssignment, MembershipRoleAssignment, Name, ORGANIZATION,
    Resource, Role,
};

use crate::workload::{Question, Workload};

/// The corners, by what is large.
pub fn corners() -> [(&'static str, Workload); 6] {
    [
        ("chain of 32", chain(32)),
        ("member in 1,000 groups", member_of_groups(1_000)),
        ("group of 20,000", large_group(20_000)),
        ("resource with 10,000 assignments", assigned_resource(10_000)),
        ("1,000 roles on one member", many_roles(1_000)),
        ("2,000 children", children(2_000)),
    ]
}

/// Two resources, each the parent of the other, with an assignment on both: nobody may do anything there.
pub fn cycle() -> Workload {
    let mut world = World::new();
    world.resource("a", "b");
    world.resource("b", "a");
    for resource in ["a", "b"] {
        world.assign("m", "folder-role", resource);
        world.ask("m", resource, false);
    }
    world.0
}

fn chain(depth: usize) -> Workload {
    let mut world = World::new();
    // The organization is the first of the chain.
    for level in 1..depth {
        let parent = if level == 1 { "org".to_owned() } else { format!("f{}", level - 1) };
        world.resource(&format!("f{level}"), &parent);
    }
    let deepest = format!("f{}", depth - 1);
    for member in 0..1_000 {
        if member % 2 == 0 {
            world.assign(&format!("m{member}"), "organization-role", "org");
        } else {
            world.assign(&format!("m{member}"), "other-role", "org");
        }
        world.ask(&format!("m{member}"), &deepest, member % 2 == 0);
    }
    world.0
}

fn member_of_groups(groups: usize) -> Workload {
    let mut world = World::new();
    world.resource("granted", "org");
    world.resource("not", "org");
    for group in 0..groups {
        world.group(&format!("g{group}"), ["m".into()].into());
    }
    world.group("none", Vec::new());
    world.assign_group(&format!("g{}", groups - 1), "folder-role", "granted");
    world.assign_group("none", "folder-role", "not");
    for number in 0..100 {
        world.ask("m", if number % 2 == 0 { "granted" } else { "not" }, number % 2 == 0);
    }
    world.0
}

fn large_group(members: usize) -> Workload {
    let mut world = World::new();
    world.resource("granted", "org");
    world.group("all", (0..members).map(|member| format!("m{member}").into()).collect());
    world.assign_group("all", "folder-role", "granted");
    world.group("others", (0..members).map(|member| format!("n{member}").into()).collect());
    for member in 0..members / 2 {
        world.ask(&format!("m{}", member * 2), "granted", true);
        world.ask(&format!("n{}", member * 2), "granted", false);
    }
    world.0
}

fn assigned_resource(assignments: usize) -> Workload {
    let mut world = World::new();
    world.resource("granted", "org");
    for member in 0..assignments {
        let role = if member % 2 == 0 { "folder-role" } else { "other-folder-role" };
        world.assign(&format!("m{member}"), role, "granted");
        world.ask(&format!("m{member}"), "granted", member % 2 == 0);
    }
    world.0
}

fn many_roles(roles: usize) -> Workload {
    let mut world = World::new();
    world.resource("granted", "org");
    for role in 0..roles {
        let name = format!("role-{role}");
        world.role(&name, "folder", &format!("folder:action-{role}"));
        world.assign("m", &name, "granted");
        world.assign("n", &name, "granted");
    }
    world.role("last", "folder", "folder:act");
    world.assign("m", "last", "granted");
    for number in 0..100 {
        world.ask(if number % 2 == 0 { "m" } else { "n" }, "granted", number % 2 == 0);
    }
    world.0
}

fn children(children: usize) -> Workload {
    let mut world = World::new();
    world.resource("parent", "org");
    world.assign("m", "folder-role", "parent");
    world.assign("n", "other-folder-role", "parent");
    for child in 0..children {
        let name = format!("c{child}");
        world.resource(&name, "parent");
        world.ask("m", &name, true);
        world.ask("n", &name, false);
    }
    world.0
}

/// An organization, folders below it, and for both types a role that has `folder:act` and one that does not.
struct World(Workload);

impl World {
    fn new() -> Self {
        let mut world = Self(Workload { facts: Vec::new(), questions: Vec::new() });
        let environment = Environment { multiple_roles: true, ..Environment::default() };
        world.say(ENVIRONMENT_NAME, Fact::Environment(environment));
        let organization = Resource { resource_type: ORGANIZATION.into(), parent: None, external_id: "org".into() };
        world.say("org", Fact::Resource(organization));
        world.role("organization-role", ORGANIZATION, "folder:act");
        world.role("other-role", ORGANIZATION, "folder:other");
        world.role("folder-role", "folder", "folder:act");
        world.role("other-folder-role", "folder", "folder:other");
        world
    }

    fn say(&mut self, name: &str, fact: Fact) {
        self.0.facts.push((name.into(), fact));
    }

    fn role(&mut self, name: &str, resource_type: &str, permission: &str) {
        let role = Role {
            slug: name.into(),
            resource_type: resource_type.into(),
            permissions: vec![permission.into()],
            organization: None,
        };
        self.say(name, Fact::Role(role));
    }

    fn resource(&mut self, name: &str, parent: &str) {
        let resource =
            Resource { resource_type: "folder".into(), parent: Some(parent.into()), external_id: name.into() };
        self.say(name, Fact::Resource(resource));
    }

    fn group(&mut self, name: &str, members: Vec<Name>) {
        self.say(name, Fact::Group(Group { organization: "org".into(), members, subgroups: Vec::new() }));
    }

    fn assign(&mut self, member: &str, role: &str, resource: &str) {
        let assignment = MembershipRoleAssignment {
            membership: member.into(),
            role: role.into(),
            resource: Some(resource.into()),
            expires_at: None,
            condition: None,
        };
        self.say(&format!("{member}-{role}-{resource}"), Fact::MembershipRoleAssignment(assignment));
    }

    fn assign_group(&mut self, group: &str, role: &str, resource: &str) {
        let assignment = GroupRoleAssignment {
            group: group.into(),
            role: role.into(),
            resource: Some(resource.into()),
            expires_at: None,
            condition: None,
        };
        self.say(&format!("{group}-{role}-{resource}"), Fact::GroupRoleAssignment(assignment));
    }

    fn ask(&mut self, member: &str, resource: &str, allowed: bool) {
        self.0.questions.push(Question {
            member: member.into(),
            permission: "folder:act".into(),
            resource_type: "folder".into(),
            resource: resource.into(),
            allowed,
        });
    }
}
