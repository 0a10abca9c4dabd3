//! Cascades: examples of each rule, and a simulated controller over random environments.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Deletion, Graph, Removal,
    facts::{Change, Fact, Group, Kind, Name, Object, ObjectRef},
};
use proptest::{prop_assert, prop_assert_eq, proptest, test_runner::TestCaseError};

use super::{
    brute_force::{Dependencies, World},
    properties::{config, seed},
    strategies::story,
    universe::Chance,
};
use crate::support::facts::{
    self, at, created, custom_role, deleting, expiring, grant, graph, group, group_grant, invalid, membership,
    nested_group, organization, organization_grant, organization_group_grant, resource, role,
};

const ALL: usize = usize::MAX;

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

fn resource_ref(name: &str) -> ObjectRef {
    object(Kind::Resource, name)
}

fn no_restriction(_: &ObjectRef) -> bool {
    false
}

fn nothing_held(_: &ObjectRef) -> bool {
    false
}

/// The removals of a plan, sorted.
fn removals(graph: &Graph) -> Vec<Removal> {
    let mut removals = graph.cascade(ALL, no_restriction, nothing_held).removals;
    removals.sort_unstable();
    removals
}

fn removed(kind: Kind, objects: &[&str]) -> Vec<Removal> {
    objects.iter().map(|name| Removal::Object(object(kind, name))).collect()
}

fn remaining(graph: &Graph, of: &ObjectRef) -> usize {
    deletion(graph, of, no_restriction).remaining
}

fn deletion(graph: &Graph, of: &ObjectRef, is_restricted: impl Fn(&ObjectRef) -> bool) -> Deletion {
    let deletions = graph.cascade(ALL, is_restricted, nothing_held).deletions;
    deletions.into_iter().find(|deletion| deletion.object == *of).expect("it is under deletion")
}

#[test]
fn a_group_that_takes_no_writes_leaves_room_for_other_removals() {
    let names: Vec<String> = (0..10).map(|index| format!("m{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut objects = vec![organization("acme"), group("staff", "acme", &names), group("guests", "acme", &["m9"])];
    objects.extend(names.iter().map(|name| deleting(membership(name, "acme", name))));
    let graph = graph(objects);
    assert_eq!(graph.cascade(1, no_restriction, nothing_held).removals.len(), 1);

    let staff = object(Kind::Group, "staff");
    let removals = graph.cascade(1, no_restriction, |object| *object == staff).removals;
    let (held, others): (Vec<_>, Vec<_>) = removals.into_iter().partition(|removal| removal.target() == staff);
    assert_eq!(held.len(), 10);
    assert_eq!(others, [Removal::Member { group: "guests".into(), member: "m9".into() }]);
}

#[test]
fn nothing_under_deletion_is_nothing_to_do() {
    let graph = graph([organization("acme"), resource("ws", "workspace", "acme"), grant("bob", "editor", "ws")]);
    assert_eq!(graph.cascade(ALL, no_restriction, nothing_held), bailiwick::graph::Cascade::default());
}

#[test]
fn a_subtree_goes_leaves_first() {
    let mut graph = graph([
        organization("acme"),
        deleting(resource("ws", "workspace", "acme")),
        resource("web", "project", "ws"),
        resource("api", "project", "ws"),
        resource("app", "app", "web"),
        grant("bob", "user", "app"),
        group_grant("eng", "editor", "web"),
        grant("bob", "admin", "acme"),
    ]);
    let ws = resource_ref("ws");
    let mut first = removed(Kind::Resource, &["api"]);
    first.extend(removed(Kind::GroupRoleAssignment, &["eng-editor-web"]));
    first.extend(removed(Kind::MembershipRoleAssignment, &["bob-user-app"]));
    assert_eq!(removals(&graph), first);
    assert_eq!(remaining(&graph, &ws), 5);
    graph.apply(&[
        facts::deleted(Kind::MembershipRoleAssignment, "bob-user-app"),
        facts::deleted(Kind::GroupRoleAssignment, "eng-editor-web"),
        facts::deleted(Kind::Resource, "api"),
    ]);
    assert_eq!(removals(&graph), removed(Kind::Resource, &["app"]));
    graph.apply(&[Change::Apply(deleting(resource("app", "app", "web")))]);
    assert_eq!(removals(&graph), [], "one that depends on it still exists, be it under deletion");
    assert_eq!(remaining(&graph, &resource_ref("app")), 0);
    assert_eq!(remaining(&graph, &ws), 2);
    graph.apply(&[facts::deleted(Kind::Resource, "app")]);
    assert_eq!(removals(&graph), removed(Kind::Resource, &["web"]));
    graph.apply(&[facts::deleted(Kind::Resource, "web")]);
    assert_eq!((removals(&graph), remaining(&graph, &ws)), (vec![], 0));
}

#[test]
fn an_organization_takes_its_memberships_groups_and_custom_roles_along() {
    let graph = graph([
        deleting(organization("acme")),
        organization("globex"),
        membership("bob-acme", "acme", "bob"),
        organization_grant("bob-acme", "admin"),
        group("eng", "acme", &["bob-acme", "opaque"]),
        organization_group_grant("eng", "auditor"),
        custom_role("org-custom", "project", &["edit"], "acme"),
        grant("carol", "org-custom", "elsewhere"),
        role("admin", "organization", &["edit"]),
        group("globals", "globex", &["bob-acme", "bob"]),
        membership("bob-globex", "globex", "bob"),
        custom_role("other-custom", "project", &["edit"], "globex"),
        invalid(Kind::Group, "unreadable"),
    ]);
    let plan = graph.cascade(ALL, no_restriction, nothing_held);
    let doomed = [
        (Kind::Role, "org-custom"),
        (Kind::Group, "eng"),
        (Kind::GroupRoleAssignment, "eng-auditor"),
        (Kind::MembershipRoleAssignment, "bob-acme-admin"),
        (Kind::MembershipRoleAssignment, "carol-org-custom-elsewhere"),
        (Kind::OrganizationMembership, "bob-acme"),
    ];
    assert_eq!(plan.doomed, doomed.map(|(kind, name)| object(kind, name)));
    let mut expected = removed(Kind::GroupRoleAssignment, &["eng-auditor"]);
    expected.extend(removed(Kind::MembershipRoleAssignment, &["bob-acme-admin", "carol-org-custom-elsewhere"]));
    expected.push(Removal::Member { group: "globals".into(), member: "bob-acme".into() });
    assert_eq!(removals(&graph), expected, "not from `eng`, which goes as well");
    assert_eq!(remaining(&graph, &resource_ref("acme")), 7);
}

#[test]
fn a_resource_of_another_type_takes_no_memberships_along() {
    let graph = graph([
        organization("acme"),
        deleting(resource("ws", "workspace", "acme")),
        membership("bob-ws", "ws", "bob"),
        group("eng", "ws", &[]),
        custom_role("custom", "project", &[], "ws"),
    ]);
    assert_eq!(graph.cascade(ALL, no_restriction, nothing_held).doomed, []);
    assert_eq!(remaining(&graph, &resource_ref("ws")), 0);
}

#[test]
fn an_invalid_resource_has_children_but_is_no_known_organization() {
    let graph = graph([
        deleting(invalid(Kind::Resource, "acme")),
        resource("ws", "workspace", "acme"),
        membership("bob-acme", "acme", "bob"),
        group("eng", "acme", &[]),
        custom_role("custom", "project", &[], "acme"),
    ]);
    assert_eq!(graph.cascade(ALL, no_restriction, nothing_held).doomed, [resource_ref("ws")]);
}

#[test]
fn a_membership_takes_its_assignments_and_its_name_in_groups_along() {
    let undeclared = [grant("bob-acme", "editor", "web"), organization_grant("bob-acme", "admin")];
    let mut graph = graph(undeclared);
    graph.apply(&facts::applied([
        organization("acme"),
        deleting(membership("bob-acme", "acme", "bob")),
        group("eng", "acme", &["bob-acme"]),
        deleting(group("ops", "acme", &["bob-acme"])),
        grant("bob", "editor", "web"),
    ]));
    let mut expected = removed(Kind::MembershipRoleAssignment, &["bob-acme-admin", "bob-acme-editor-web"]);
    expected.push(Removal::Member { group: "eng".into(), member: "bob-acme".into() });
    assert_eq!(removals(&graph), expected, "also what was written while nothing declared it");
    assert_eq!(remaining(&graph, &object(Kind::OrganizationMembership, "bob-acme")), 3);
}

#[test]
fn a_group_takes_its_assignments_and_its_name_in_other_groups_along() {
    let graph = graph([
        deleting(group("eng", "acme", &["bob"])),
        nested_group("all", "acme", &[], &["eng", "ops"]),
        deleting(nested_group("former", "acme", &[], &["eng"])),
        group_grant("eng", "editor", "web"),
        group_grant("ops", "editor", "web"),
    ]);
    let mut expected = removed(Kind::GroupRoleAssignment, &["eng-editor-web"]);
    expected.push(Removal::Subgroup { group: "all".into(), subgroup: "eng".into() });
    assert_eq!(removals(&graph), expected);
    assert_eq!(remaining(&graph, &object(Kind::Group, "former")), 0);
}

#[test]
fn a_role_takes_its_assignments_along_and_no_more() {
    let graph = graph([
        deleting(role("editor", "project", &["edit"])),
        grant("bob", "editor", "web"),
        group_grant("eng", "editor", "web"),
        deleting(group_grant("ops", "editor", "web")),
        invalid(Kind::MembershipRoleAssignment, "unreadable"),
        facts::having_roles(&["editor"], membership("bob-acme", "acme", "bob")),
    ]);
    let mut expected = removed(Kind::GroupRoleAssignment, &["eng-editor-web"]);
    expected.extend(removed(Kind::MembershipRoleAssignment, &["bob-editor-web"]));
    assert_eq!(removals(&graph), expected);
    assert_eq!(remaining(&graph, &object(Kind::Role, "editor")), 2);
}

#[test]
fn nothing_waits_for_itself_in_a_circle() {
    let two = graph([
        deleting(resource("web", "project", "api")),
        deleting(resource("api", "project", "web")),
        deleting(nested_group("eng", "acme", &[], &["ops"])),
        deleting(nested_group("ops", "acme", &[], &["eng"])),
        deleting(resource("own", "project", "own")),
    ]);
    assert!(two.cascade(ALL, no_restriction, nothing_held).deletions.iter().all(|deletion| deletion.remaining == 0));
    // Of a circle of which one is under deletion, the rest goes: it is below that one.
    let one = graph([
        deleting(resource("a", "project", "c")),
        resource("b", "project", "a"),
        resource("c", "project", "b"),
        resource("leaf", "project", "c"),
    ]);
    let plan = one.cascade(ALL, no_restriction, nothing_held);
    assert_eq!(plan.doomed, ["b", "c", "leaf"].map(resource_ref));
    assert_eq!(plan.removals, removed(Kind::Resource, &["leaf"]));
}

#[test]
fn a_restricted_resource_is_left_to_others() {
    let objects = [
        organization("acme"),
        deleting(resource("ws", "workspace", "acme")),
        resource("web", "project", "ws"),
        grant("bob", "editor", "web"),
    ];
    let is_restricted = |object: &ObjectRef| &*object.name == "ws";
    let mut graph = graph(objects);
    let plan = graph.cascade(ALL, is_restricted, nothing_held);
    assert_eq!((plan.removals, plan.doomed), (vec![], vec![]));
    let ws = resource_ref("ws");
    assert_eq!(plan.deletions, [Deletion { object: ws.clone(), remaining: 2, restricted: true }]);
    // Below one that is cascaded it is cascaded like any.
    graph.apply(&[Change::Apply(deleting(organization("acme")))]);
    assert_eq!(deletion(&graph, &ws, is_restricted), Deletion { object: ws, remaining: 2, restricted: false });
    assert_eq!(graph.cascade(ALL, is_restricted, nothing_held).doomed.len(), 2);
}

#[test]
fn depth_and_breadth_are_no_matter() {
    const MANY: usize = 100_000;
    let name = |number: usize| format!("r{number}");
    let chain = (1..MANY).map(|number| resource(&name(number), "folder", &name(number - 1)));
    let deep = graph(chain.clone().chain([deleting(resource("r0", "folder", "acme"))]));
    let plan = deep.cascade(ALL, no_restriction, nothing_held);
    assert_eq!((plan.doomed.len(), plan.deletions[0].remaining), (MANY - 1, MANY - 1));
    assert_eq!(plan.removals, removed(Kind::Resource, &[&name(MANY - 1)]));

    let all = graph(chain.map(deleting).chain([deleting(resource("r0", "folder", &name(MANY - 1)))]));
    let plan = all.cascade(ALL, no_restriction, nothing_held);
    assert!(plan.deletions.iter().all(|deletion| deletion.remaining == 0), "they are a circle");
}

#[test]
fn the_next_expiry_is_that_of_an_assignment_that_is_there() {
    let graph = graph([
        expiring(10, organization_grant("opaque", "admin")),
        expiring(20, group_grant("eng", "editor", "web")),
        deleting(expiring(5, grant("bob", "editor", "web"))),
        created(1, grant("carol", "editor", "web")),
    ]);
    let next = |now| graph.next_expiry(at(now));
    assert_eq!([next(0), next(9), next(10), next(20)], [Some(at(10)), Some(at(10)), Some(at(20)), None]);
}

/// What became of an environment in which a controller carried out the plans.
struct Simulation {
    world: World,
    graph: Graph,
    restricted: BTreeSet<ObjectRef>,
    /// Assignments that the controller removed and that a finalizer of somebody else's still holds.
    held: Vec<ObjectRef>,
}

impl Simulation {
    fn let_go(&mut self) {
        for object in std::mem::take(&mut self.held) {
            self.apply(Change::Delete(object));
        }
    }

    fn apply(&mut self, change: Change) {
        self.world.apply(&change);
        self.graph.apply(&[change]);
    }

    /// Plans and does part of it, in any order. False: there is nothing left to do.
    fn round(&mut self, chance: &mut Chance) -> Result<bool, TestCaseError> {
        let is_restricted = |object: &ObjectRef| self.restricted.contains(object);
        let mut plan = self.graph.cascade(ALL, is_restricted, nothing_held);
        let limit = chance.below(5);
        let limited = self.graph.cascade(limit, is_restricted, nothing_held);
        prop_assert_eq!(limited.removals.len(), plan.removals.len().min(limit));
        prop_assert!(limited.removals.iter().all(|removal| plan.removals.contains(removal)));
        prop_assert_eq!((&limited.deletions, &limited.doomed), (&plan.deletions, &plan.doomed));

        let expected = Dependencies::of(&self.world, &self.restricted);
        prop_assert_eq!(&plan.doomed, &expected.doomed().into_iter().collect::<Vec<_>>());
        let deletions: Vec<_> = plan
            .deletions
            .iter()
            .map(|Deletion { object, remaining, restricted }| (object.clone(), *remaining, *restricted))
            .collect();
        prop_assert_eq!(deletions, expected.deletions());
        for removal in &plan.removals {
            if let Removal::Object(object) = removal {
                prop_assert_eq!(expected.holding_up(object), [], "{} is removed too early", object);
            }
        }

        plan.deletions.retain(|deletion| deletion.remaining == 0);
        if plan.removals.is_empty() && plan.deletions.is_empty() {
            return Ok(false);
        }
        chance.shuffle(&mut plan.removals);
        chance.shuffle(&mut plan.deletions);
        let crash_after = chance.below(plan.removals.len() + 1);
        for removal in plan.removals.into_iter().take(crash_after) {
            self.remove(removal, chance);
        }
        let crash_after = chance.below(plan.deletions.len() + 1);
        for deletion in plan.deletions.into_iter().take(crash_after) {
            self.apply(Change::Delete(deletion.object));
        }
        Ok(true)
    }

    fn remove(&mut self, removal: Removal, chance: &mut Chance) {
        match removal {
            Removal::Object(object) => {
                let told = match self.world.object(&object).filter(|_| chance.toss()) {
                    Some(existing) => Change::Apply(deleting(existing.clone())),
                    None => Change::Delete(object.clone()),
                };
                if let (Change::Apply(_), Kind::GroupRoleAssignment | Kind::MembershipRoleAssignment) =
                    (&told, object.kind)
                {
                    self.held.push(object);
                }
                self.apply(told);
            }
            Removal::Member { group, member } => {
                self.rewrite(&group, |group| group.members.retain(|name| *name != member));
            }
            Removal::Subgroup { group, subgroup } => {
                self.rewrite(&group, |group| group.subgroups.retain(|name| *name != subgroup));
            }
        }
    }

    fn rewrite(&mut self, name: &Name, change: impl FnOnce(&mut Group)) {
        let mut object = self.world.object(&object(Kind::Group, name)).expect("the group").clone();
        if let Fact::Group(group) = &mut object.fact {
            change(group);
        }
        self.apply(Change::Apply(object));
    }
}

proptest! {
    #![proptest_config(config(1500))]

    /// However a controller carries out the plans, crashing and planning anew, it comes to an end, where nothing is
    /// left of what depended on a deleted object, and nothing else was touched.
    #[test]
    fn every_deletion_completes_and_takes_along_what_depends_on_it(story in story(40), seed in seed()) {
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        story.0.iter().for_each(|change| world.apply(change));
        let objects: Vec<Object> = world.objects().cloned().collect();
        let often = [12, 4, 2][chance.below(3)];
        let mut restricted = BTreeSet::new();
        for object in objects {
            if chance.below(8) == 0 {
                restricted.insert(ObjectRef { kind: object.fact.kind(), name: object.name.clone() });
            }
            if chance.below(often) == 0 {
                world.apply(&Change::Apply(deleting(object)));
            }
        }
        // What becomes of a restricted one in a circle depends on which of the others goes first.
        let dependencies = Dependencies::of(&world, &restricted);
        let circles: Vec<_> = restricted.iter().filter(|it| dependencies.is_above_itself(&it.name)).cloned().collect();
        restricted.retain(|object| object.kind == Kind::Resource && !circles.contains(object));
        let expected = Dependencies::of(&world, &restricted).outcome();
        let graph = facts::graph(world.objects().cloned());
        let mut simulation = Simulation { world, graph, restricted, held: Vec::new() };
        let mut rounds = 0;
        while simulation.round(&mut chance)? {
            rounds += 1;
            prop_assert!(rounds < 2_000, "no end");
        }
        simulation.let_go();
        let outcome: Vec<Object> = simulation.world.objects().cloned().collect();
        prop_assert_eq!(outcome, expected);
    }
}
