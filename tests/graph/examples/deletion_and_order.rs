//! Deletion, time, cycles, depth, and that order does not matter.

use bailiwick::graph::{
    facts::{Change, Kind, Object},
    query::{Decision, Denial, Subject, Target},
};

use super::{Scene, acme, acme_with, assert_says};
use crate::support::facts::{
    applied, at, deleted, deleting, expiring, grant, group, group_grant, having_roles, invalid, membership,
    nested_group, organization, resource, role, suspended,
};

/// Rule 39: a membership under deletion has nothing left, neither its own nor through groups.
#[test]
fn rule_39_a_membership_under_deletion_has_nothing() {
    let bob = having_roles(&["org-admin"], membership("bob", "acme", "u-bob"));
    let mut scene = acme_with([
        bob.clone(),
        grant("bob", "project-editor", "web"),
        group("eng", "acme", &["bob"]),
        group_grant("eng", "app-user", "shop"),
    ]);
    assert!(scene.may("bob", "app:use", "shop"));
    scene.add(deleting(bob));
    for permission in ["org:manage", "project:edit", "app:use"] {
        assert!(!scene.may("bob", permission, "shop"), "{permission}");
    }
    assert_says(&scene.inert(Kind::OrganizationMembership, "bob"), "Terminating", &["bob"]);
}

/// Rule 39: an organization under deletion takes everything with it.
#[test]
fn rule_39_an_organization_under_deletion_has_nothing() {
    let mut scene = acme_with([grant("bob", "project-editor", "web")]);
    scene.add(deleting(organization("acme")));
    let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("web"));
    assert_eq!(answer, Decision::Denied(Denial::DetachedResource));
    let why = scene.inert(Kind::MembershipRoleAssignment, "bob-project-editor-web");
    assert_says(&why, "ResourceDetached", &["web", "acme"]);
}

/// Whatever a grant rests on: under deletion, unusable or gone, the grant is gone; when it is back, so is the grant.
#[test]
fn a_grant_rests_on_everything_that_it_names() {
    let rested_on = [
        role("project-editor", "project", &["project:edit", "project:view"]),
        group("eng", "acme", &["bob"]),
        group_grant("eng", "project-editor", "web"),
        resource("web", "project", "engineering"),
        resource("engineering", "workspace", "acme"),
        organization("acme"),
    ];
    let mut scene = acme_with(rested_on.clone());
    for object in rested_on {
        let kind = object.fact.kind();
        for loss in [
            Change::Apply(deleting(object.clone())),
            Change::Apply(invalid(kind, &object.name)),
            deleted(kind, &object.name),
        ] {
            scene.tell(std::slice::from_ref(&loss));
            assert!(!scene.may("bob", "project:edit", "shop"), "after {loss:?}");
            scene.add(object.clone());
            assert!(scene.may("bob", "project:edit", "shop"), "{kind} `{}` is back", object.name);
        }
    }
}

/// An assignment holds until just before its end.
#[test]
fn an_assignment_ends_at_its_instant() {
    let scene = acme_with([
        expiring(10, grant("bob", "project-editor", "web")),
        group("eng", "acme", &["eve"]),
        expiring(10, group_grant("eng", "project-editor", "web")),
    ]);
    for name in ["bob", "eve"] {
        assert!(scene.may_at(9, name, "project:edit", "shop"));
        assert!(!scene.may_at(10, name, "project:edit", "shop"));
        assert!(!scene.may_at(11, name, "project:edit", "shop"));
    }
}

/// Members of a cycle of parents, and all below, are detached; breaking the cycle attaches them.
#[test]
fn cycles_of_parents_are_detached() {
    let cycles: [&[(&str, &str)]; 3] =
        [&[("a", "a")], &[("a", "b"), ("b", "a")], &[("a", "b"), ("b", "c"), ("c", "a")]];
    for cycle in cycles {
        let links = cycle.iter().map(|(name, parent)| resource(name, "folder", parent));
        let below = [resource("leaf", "folder", "a"), role("reader", "folder", &["read"])];
        let mut scene =
            acme_with(links.chain(below).chain([grant("bob", "reader", "a"), grant("eve", "reader", "leaf")]));
        for (membership, name) in [("bob", "a"), ("bob", "leaf"), ("eve", "leaf")] {
            let answer = scene.ask(Subject::Membership(membership), "read", Target::Name(name));
            assert_eq!(answer, Decision::Denied(Denial::DetachedResource), "{cycle:?}: {name}");
        }
        for (name, _) in cycle {
            assert_says(&scene.inert(Kind::Resource, name), "CycleDetected", &[" -> ", name]);
        }
        scene.add(resource("a", "folder", "engineering"));
        assert!(scene.may("bob", "read", "leaf"), "{cycle:?} is broken");
    }
}

/// Groups of a cycle are inert as a whole and pass no members on; a group above the cycle keeps its own members.
#[test]
fn cycles_of_groups_are_inert() {
    let cycles: [&[(&str, &str)]; 3] =
        [&[("a", "a")], &[("a", "b"), ("b", "a")], &[("a", "b"), ("b", "c"), ("c", "a")]];
    for cycle in cycles {
        let links = cycle.iter().map(|(name, subgroup)| nested_group(name, "acme", &["bob"], &[subgroup]));
        let others = [
            nested_group("above", "acme", &["eve"], &["a"]),
            group_grant("a", "project-editor", "web"),
            group_grant("above", "project-viewer", "web"),
        ];
        let mut scene = acme_with(links.chain(others));
        assert!(!scene.may("bob", "project:edit", "web"), "{cycle:?}");
        assert!(!scene.may("bob", "project:view", "web"), "{cycle:?}: passed on");
        assert!(scene.may("eve", "project:view", "web"), "{cycle:?}: above it");
        for (name, _) in cycle {
            assert_says(&scene.inert(Kind::Group, name), "CycleDetected", &[" -> ", name]);
        }
        scene.add(group("a", "acme", &["bob"]));
        assert!(scene.may("bob", "project:edit", "web"), "{cycle:?} is broken");
        assert!(scene.may("bob", "project:view", "web"), "{cycle:?} is broken");
    }
}

/// A chain of 1,024 steps is followed, one of 1,025 is not, and neither is told in the order that suits best.
#[test]
fn chains_are_followed_for_1024_steps() {
    let deep = (1..=1025).rev().map(|depth| match depth {
        1 => resource("level-1", "folder", "acme"),
        _ => resource(&format!("level-{depth}"), "folder", &format!("level-{}", depth - 1)),
    });
    let scene =
        acme_with(deep.chain([
            role("root", "organization", &["read"]),
            having_roles(&["root"], membership("bob", "acme", "u-bob")),
        ]));
    let ask = |name| {
        let request = bailiwick::graph::query::CheckRequest {
            subject: Subject::Membership("bob"),
            action: bailiwick::graph::query::Action::Permission("read"),
            resource: Target::Name(name),
        };
        assert_eq!(
            scene.graph.check(&request, at(0)).is_allowed(),
            !scene.world.check(&request, at(0)).is_empty(),
            "{name}"
        );
        scene.graph.check(&request, at(0))
    };
    assert_eq!(ask("level-1024"), Decision::Allowed);
    assert_eq!(ask("level-1025"), Decision::Denied(Denial::DetachedResource));
    assert_says(&scene.inert(Kind::Resource, "level-1025"), "TooDeep", &["1024"]);
}

/// Whatever the order in which objects arrive, the answers are the same in the end.
#[test]
fn every_order_of_a_story_ends_in_the_same_answers() {
    let late = [
        resource("engineering", "workspace", "acme"),
        role("workspace-admin", "workspace", &["workspace:edit", "project:edit"]),
        group("platform", "acme", &["bob"]),
        nested_group("eng", "acme", &[], &["platform"]),
        group_grant("eng", "workspace-admin", "engineering"),
        membership("bob", "acme", "u-bob"),
    ];
    let early: Vec<Object> =
        acme().into_iter().filter(|object| !["engineering", "workspace-admin"].contains(&&*object.name)).collect();
    let orders = permutations(&late);
    assert_eq!(orders.len(), 720);
    for order in orders {
        let mut graph = crate::support::facts::graph(early.clone());
        graph.apply(&applied(order.clone()));
        let request = bailiwick::graph::query::CheckRequest {
            subject: Subject::User("u-bob"),
            action: bailiwick::graph::query::Action::Name("edit"),
            resource: Target::Name("web"),
        };
        assert_eq!(graph.check(&request, at(0)), Decision::Allowed, "{order:?}");
    }
}

/// An object that is replaced by one of another meaning leaves nothing of the first behind.
#[test]
fn a_name_may_come_back_as_something_else() {
    let mut scene = acme_with([grant("bob", "project-editor", "web")]);
    scene.tell(&[deleted(Kind::Resource, "web")]);
    scene.add(resource("web", "workspace", "acme"));
    assert!(!scene.may("bob", "project:edit", "web"), "the role is for projects");
    scene.tell(&[deleted(Kind::Resource, "web")]);
    scene.add(resource("web", "project", "engineering"));
    assert!(scene.may("bob", "project:edit", "shop"));
}

/// What is not there can be deleted.
#[test]
fn deleting_what_is_not_there_changes_nothing() {
    let mut scene: Scene = acme_with([grant("bob", "project-editor", "web")]);
    for kind in Kind::ALL {
        scene.tell(&[deleted(kind, "no-such-object")]);
    }
    assert!(scene.may("bob", "project:edit", "web"));
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![Vec::new()] };
    permutations(rest)
        .into_iter()
        .flat_map(|shorter| {
            (0..=shorter.len()).map(move |position| {
                let mut longer = shorter.clone();
                longer.insert(position, first.clone());
                longer
            })
        })
        .collect()
}

/// Of more problems than are told, always the same are told, whatever names the graph came to know first.
#[test]
fn of_too_many_warnings_the_same_are_told() {
    let names: Vec<String> = (0..100).map(|number| format!("m{number}")).collect();
    let mut members: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut told = Vec::new();
    for _order in 0..2 {
        let suspended = members.iter().map(|member| suspended(membership(member, "acme", member)));
        let objects = suspended.chain([group("eng", "acme", &members)]);
        told.push(acme_with(objects.collect::<Vec<_>>()).warnings(Kind::Group, "eng"));
        members.reverse();
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].len() < members.len() && told[0].iter().all(|(code, _)| *code == "Suspended"), "{told:?}");
}
