//! What would go with objects, were they deleted: examples, and random environments against the rounds of the cascade.

use std::collections::BTreeSet;

use bailiwick::graph::{
    Graph, PublishedGraph, Removal,
    facts::{Change, Environment, Fact, Kind, Object, ObjectRef},
};
use proptest::{prop_assert_eq, proptest};

use super::{
    brute_force::{Dependencies, World},
    properties::{config, seed},
    strategies::story,
    universe::Chance,
};
use crate::support::facts::{
    self, custom_role, deleting, environment, grant, graph, group, group_grant, invalid, membership, nested_group,
    organization, organization_group_grant, resource, resource_type, role,
};

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef { kind, name: name.into() }
}

fn resource_ref(name: &str) -> ObjectRef {
    object(Kind::Resource, name)
}

fn reference(object: &Object) -> ObjectRef {
    ObjectRef { kind: object.fact.kind(), name: object.name.clone() }
}

fn published(objects: impl IntoIterator<Item = Object>) -> PublishedGraph {
    let published = PublishedGraph::default();
    published.apply(&facts::applied(objects));
    published
}

/// What would go, in words.
fn told(removals: &[Removal]) -> Vec<String> {
    let told = removals.iter().map(|removal| match removal {
        Removal::Object(object) => object.name.to_string(),
        Removal::Member { group, member } => format!("{member} in {group}"),
        Removal::Subgroup { group, subgroup } => format!("{subgroup} in {group}"),
    });
    told.collect()
}

#[test]
fn all_below_an_organization_goes_before_it() {
    let published = published([
        organization("acme"),
        organization("globex"),
        resource("ws", "workspace", "acme"),
        resource("web", "project", "ws"),
        resource("lab", "workspace", "globex"),
        membership("bob-acme", "acme", "bob"),
        group("eng", "acme", &["bob-acme"]),
        nested_group("globals", "globex", &["bob-acme"], &["eng"]),
        custom_role("org-custom", "project", &[], "acme"),
        role("editor", "project", &[]),
        grant("opaque", "editor", "web"),
        grant("carol", "org-custom", "lab"),
        organization_group_grant("eng", "admin"),
        grant("carol", "editor", "lab"),
    ]);
    let removals = told(&published.cascade_of(&[resource_ref("acme")]));
    let goes = [
        "bob-acme in globals",
        "eng in globals",
        "eng-admin",
        "carol-org-custom-lab",
        "opaque-editor-web",
        "org-custom",
        "eng",
        "bob-acme",
        "web",
        "ws",
        "acme",
    ];
    assert_eq!(removals, goes);
}

#[test]
fn objects_within_each_other_go_leaves_first_in_whatever_order_they_are_named() {
    let published = published([
        organization("acme"),
        resource("ws", "workspace", "acme"),
        resource("web", "project", "ws"),
        resource("app", "app", "web"),
        resource("button", "part", "app"),
    ]);
    for named in [["ws", "app"], ["app", "ws"]] {
        let removals = told(&published.cascade_of(&named.map(resource_ref)));
        assert_eq!(removals, ["button", "app", "web", "ws"]);
    }
}

#[test]
fn what_is_under_deletion_already_is_told_where_it_depends_and_only_there() {
    let published = published([
        deleting(organization("globex")),
        resource("lab", "workspace", "globex"),
        organization("acme"),
        resource("ws", "workspace", "acme"),
        deleting(resource("web", "project", "ws")),
        resource("app", "app", "web"),
        deleting(grant("bob", "editor", "ws")),
        deleting(role("viewer", "project", &[])),
        grant("bob", "viewer", "app"),
        grant("bob", "viewer", "lab"),
    ]);
    let removals = told(&published.cascade_of(&[resource_ref("ws")]));
    assert_eq!(removals, ["bob-viewer-app", "app", "web", "ws"]);
    let removals = told(&published.cascade_of(&[resource_ref("web")]));
    assert_eq!(removals, ["bob-viewer-app", "app", "web"], "it is under deletion itself");
}

#[test]
fn a_circle_ends_with_the_object() {
    let published = published([
        resource("a", "project", "c"),
        resource("b", "project", "a"),
        resource("c", "project", "b"),
        resource("leaf", "project", "c"),
        resource("own", "project", "own"),
    ]);
    assert_eq!(told(&published.cascade_of(&[resource_ref("a")])), ["leaf", "c", "b", "a"]);
    assert_eq!(told(&published.cascade_of(&[resource_ref("own")])), ["own"]);
}

#[test]
fn objects_that_nothing_depends_on_go_alone_and_what_does_not_exist_not_at_all() {
    let published = published([
        resource_type("project", &["organization"], &[]),
        environment(Environment::default()),
        resource("web", "project", "acme"),
        role("editor", "project", &[]),
        grant("bob", "editor", "web"),
        deleting(group_grant("eng", "editor", "web")),
        invalid(Kind::Role, "odd"),
    ]);
    let kinds = [
        object(Kind::ResourceType, "project"),
        object(Kind::Environment, "default"),
        object(Kind::MembershipRoleAssignment, "bob-editor-web"),
        object(Kind::GroupRoleAssignment, "eng-editor-web"),
        object(Kind::Role, "odd"),
    ];
    for object in kinds {
        assert_eq!(published.cascade_of(std::slice::from_ref(&object)), [Removal::Object(object.clone())]);
    }
    assert_eq!(published.cascade_of(&[resource_ref("no-such"), object(Kind::Group, "web")]), []);
    let twice = [resource_ref("web"), resource_ref("web"), object(Kind::MembershipRoleAssignment, "bob-editor-web")];
    assert_eq!(told(&published.cascade_of(&twice)), ["bob-editor-web", "web"]);
}

#[test]
fn depth_is_no_matter() {
    const MANY: usize = 50_000;
    let name = |number: usize| format!("r{number}");
    let published = published((1..MANY).map(|number| resource(&name(number), "folder", &name(number - 1))));
    let removals = told(&published.cascade_of(&[resource_ref("r1")]));
    assert_eq!(removals, (1..MANY).rev().map(name).collect::<Vec<_>>());
}

/// Some objects of a world, and one that is not there.
fn some_objects(world: &World, chance: &mut Chance) -> Vec<ObjectRef> {
    let often = [30, 8, 3][chance.below(3)];
    let mut objects: Vec<ObjectRef> = world.objects().map(reference).filter(|_| chance.below(often) == 0).collect();
    objects.push(resource_ref("nowhere"));
    chance.shuffle(&mut objects);
    objects
}

/// The world after those objects were told to go.
fn with_deleted(world: &World, objects: &[ObjectRef]) -> World {
    let mut world = world.clone();
    for object in objects.iter().filter(|object| object.kind.cascades()) {
        if let Some(existing) = world.object(object).cloned() {
            world.apply(&Change::Apply(deleting(existing)));
        }
    }
    world
}

/// What a removal changes.
fn change(world: &World, removal: &Removal) -> Change {
    if let Removal::Object(object) = removal {
        return Change::Delete(object.clone());
    }
    let mut group = world.object(&removal.target()).expect("the group").clone();
    if let Fact::Group(spec) = &mut group.fact {
        match removal {
            Removal::Member { member, .. } => spec.members.retain(|name| name != member),
            Removal::Subgroup { subgroup, .. } => spec.subgroups.retain(|name| name != subgroup),
            Removal::Object(_) => {}
        }
    }
    Change::Apply(group)
}

proptest! {
    #![proptest_config(config(600))]

    /// All that depends on the objects goes, nothing before what depends on it, and meanwhile nothing changes.
    #[test]
    fn what_would_go_is_what_depends_on_the_objects(story in story(40), seed in seed()) {
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        story.0.iter().for_each(|change| world.apply(change));
        let published = published(world.objects().cloned());
        let objects = some_objects(&world, &mut chance);
        let removals = published.cascade_of(&objects);
        for _copy in 0..2 {
            for existing in world.objects() {
                let reference = reference(existing);
                let untouched = graph([existing.clone()]).object(&reference);
                prop_assert_eq!(published.read().object(&reference), untouched);
            }
            prop_assert_eq!(&published.cascade_of(&objects), &removals);
            // A batch of nothing makes the other copy the active one.
            published.apply(&[]);
        }

        let mut world = with_deleted(&world, &objects);
        let is_other = |object: &&Object| object.deleting && !objects.contains(&reference(object));
        let others: BTreeSet<ObjectRef> = world.objects().filter(is_other).map(reference).collect();
        let dependencies = Dependencies::of(&world, &others);
        let mut expected: BTreeSet<Removal> = dependencies.gone().iter().cloned().map(Removal::Object).collect();
        for object in dependencies.gone() {
            expected.extend(dependencies.listing(object).into_iter().map(|group| match object.kind {
                Kind::Group => Removal::Subgroup { group: group.name, subgroup: object.name.clone() },
                _ => Removal::Member { group: group.name, member: object.name.clone() },
            }));
        }
        let existing = objects.iter().filter(|object| world.object(object).is_some());
        expected.extend(existing.cloned().map(Removal::Object));
        let once: BTreeSet<Removal> = removals.iter().cloned().collect();
        prop_assert_eq!(once.len(), removals.len(), "something goes twice: {:?}", removals);
        prop_assert_eq!(once, expected);

        for removal in &removals {
            if let Removal::Object(object) = removal {
                let holding_up = Dependencies::of(&world, &others).holding_up(object);
                prop_assert_eq!(holding_up, [], "{} goes too early: {:?}", object, removals);
            }
            world.apply(&change(&world, removal));
        }
    }

    /// Where nothing else is under deletion, it is what the rounds of the cascade remove.
    #[test]
    fn what_would_go_is_what_the_rounds_remove(story in story(40), seed in seed()) {
        let mut chance = Chance::from_seed(seed);
        let mut world = World::default();
        story.0.iter().for_each(|change| world.apply(change));
        let all: Vec<Object> = world.objects().cloned().collect();
        for object in all {
            world.apply(&Change::Apply(Object { deleting: false, ..object }));
        }
        let mut objects = some_objects(&world, &mut chance);
        objects.retain(|object| object.kind.cascades());
        let removals: BTreeSet<Removal> = published(world.objects().cloned()).cascade_of(&objects).into_iter().collect();

        let mut world = with_deleted(&world, &objects);
        let mut graph: Graph = graph(world.objects().cloned());
        let mut removed = BTreeSet::new();
        loop {
            let plan = graph.cascade(usize::MAX, |_| false, |_| false);
            let free = plan.deletions.into_iter().filter(|deletion| deletion.remaining == 0);
            let round: Vec<Removal> =
                plan.removals.into_iter().chain(free.map(|deletion| Removal::Object(deletion.object))).collect();
            if round.is_empty() {
                break;
            }
            for removal in round {
                let change = change(&world, &removal);
                world.apply(&change);
                graph.apply(&[change]);
                removed.insert(removal);
            }
        }
        prop_assert_eq!(removals, removed);
    }
}
