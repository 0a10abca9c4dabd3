//! Deletion: what goes with an object, what stays, what holds it up, and that it never hangs.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use bailiwick::api::ConditionType;
use serde_json::{Value, json};

use super::world::{World, condition, faults, led};
use crate::support::{
    bailiwick::{Bailiwick, Question},
    control_plane::REPLICAS,
    manifests::{ACME, editor, may_edit},
    wait,
};

/// Two organizations, so that one can be seen to stay as it is when something of the other goes.
const COMPANIES: &str = include_str!("../manifests/companies.yaml");

/// Every object of the world but those that go, with these specs instead of the ones before.
fn without(before: &BTreeMap<String, Value>, gone: &[&str], changed: &[(&str, Value)]) -> BTreeMap<String, Value> {
    let mut left = before.clone();
    for object in gone {
        assert!(left.remove(*object).is_some(), "no {object} in {:?}", before.keys());
    }
    for (object, patch) in changed {
        let spec = left.get_mut(*object).expect("it stays");
        for (field, value) in patch.as_object().expect("fields") {
            spec[field] = value.clone();
        }
    }
    left
}

/// Deletes an object, and compares what is left with what should be.
#[track_caller]
fn takes_with_it(world: &World<'_>, object: &str, others: &[&str], changed: &[(&str, Value)]) {
    let before = world.specs();
    world.delete(object);
    world.wait_until_gone(object);
    let after = world.specs();
    let expected = without(&before, &[&[object], others].concat(), changed);
    let names = |specs: &BTreeMap<String, Value>| specs.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&after), names(&expected), "{object}");
    assert_eq!(after, expected, "{object}");
}

fn companies(namespace: &str) -> World<'static> {
    let world = World::new(&led().plane, namespace);
    world.apply(COMPANIES);
    world.wait_until_all_ready();
    world
}

fn wait_until_allows(operators: &[&Bailiwick], expected: bool, question: Question<'_>) {
    for operator in operators {
        operator.wait_until_allows(expected, question);
    }
}

fn everywhere() -> [&'static Bailiwick; 2] {
    [&led().leader, &led().other]
}

#[test]
fn a_membership_takes_its_assignments_and_its_name_in_groups_with_it() {
    let world = companies("deletes-membership");
    let alice = [
        "MembershipRoleAssignment/alice-acme",
        "MembershipRoleAssignment/alice-shop",
        "MembershipRoleAssignment/alice-website",
    ];
    let groups = [("Group/designers", json!({"members": ["opaque"]})), ("Group/staff", json!({"members": ["bob"]}))];
    takes_with_it(&world, "OrganizationMembership/alice", &alice, &groups);

    // Somebody else of that name gets nothing of it.
    world.apply(COMPANIES_ALICE);
    world.wait_until_ready("OrganizationMembership/alice");
    let may = |action, resource| Question {
        environment: "deletes-membership",
        user: "alice-id",
        action,
        resource_type: "project",
        resource,
    };
    wait_until_allows(&everywhere(), false, may("edit", "website"));
    wait_until_allows(&everywhere(), false, may("edit", "shop"));
}

const COMPANIES_ALICE: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: alice}
spec: {organizationRef: {name: acme}, user: {id: alice-id}}
";

#[test]
fn a_group_takes_its_assignments_and_its_name_in_other_groups_with_it() {
    let world = companies("deletes-group");
    let staff = [("Group/staff", json!({"subgroups": []}))];
    takes_with_it(&world, "Group/designers", &["GroupRoleAssignment/designers-pages"], &staff);
}

#[test]
fn a_role_takes_its_assignments_with_it() {
    let world = companies("deletes-role");
    let assignments = [
        "GroupRoleAssignment/designers-pages",
        "MembershipRoleAssignment/bob-front-page",
        "MembershipRoleAssignment/opaque-front-page",
    ];
    takes_with_it(&world, "Role/page-editor", &assignments, &[]);
    // It is named in other places too, which say now that it is missing.
    takes_with_it(&world, "Role/viewer", &[], &[]);
    let unresolved = ["ResolvedRefs", "Ready"].map(|condition| (condition, "RoleNotFound"));
    world.wait_until_shows("OrganizationMembership/bob", &unresolved);
    world.wait_until_shows("Environment/default", &unresolved);
}

const OF_WEBSITE: [&str; 5] = [
    "GroupRoleAssignment/designers-pages",
    "MembershipRoleAssignment/alice-website",
    "MembershipRoleAssignment/bob-front-page",
    "MembershipRoleAssignment/opaque-front-page",
    "Resource/front-page",
];

#[test]
fn a_resource_takes_what_is_below_it_and_all_assignments_on_it_with_it() {
    let world = companies("deletes-resource");
    let may_edit_website = Question {
        environment: "deletes-resource",
        user: "alice-id",
        action: "edit",
        resource_type: "project",
        resource: "website",
    };
    wait_until_allows(&everywhere(), true, may_edit_website);
    takes_with_it(&world, "Resource/website", &OF_WEBSITE, &[]);

    // Another of that name has nothing of it.
    world.apply(
        "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: website}
spec: {type: project, parentRef: {name: acme}}
",
    );
    world.wait_until_ready("Resource/website");
    wait_until_allows(&everywhere(), false, may_edit_website);
    assert!(world.all().contains_key("MembershipRoleAssignment/alice-shop"));
}

#[test]
fn an_organization_takes_everything_of_it_with_it() {
    let world = companies("deletes-organization");
    let of_acme = [
        "Group/designers",
        "Group/staff",
        "GroupRoleAssignment/staff-edit",
        "MembershipRoleAssignment/alice-acme",
        "MembershipRoleAssignment/alice-shop",
        "OrganizationMembership/alice",
        "OrganizationMembership/bob",
        "Resource/shop",
        "Resource/website",
        "Role/acme-auditor",
    ];
    takes_with_it(&world, "Resource/acme", &[&of_acme[..], &OF_WEBSITE].concat(), &[]);
    world.wait_until_all_ready();
}

#[test]
fn access_goes_at_once_and_the_object_when_nothing_holds_what_depends_on_it() {
    let world = companies("held");
    let hold = |finalizers: Value| world.merge("Resource/front-page", &json!({"metadata": {"finalizers": finalizers}}));
    hold(json!(["authz.bailiwick.dev/cascade", "example.com/held"]));
    let may_edit_page =
        Question { environment: "held", user: "bob-id", action: "edit", resource_type: "page", resource: "front-page" };
    wait_until_allows(&everywhere(), true, may_edit_page);
    world.delete("Resource/acme");
    wait_until_allows(&everywhere(), false, may_edit_page);

    // The leaves go first, so that what is between the two waits too, and tells so.
    wait::until("it tells what it waits for", || {
        let acme = world.shows("Resource/acme", &[("Ready".into(), "DependentsRemaining".into())].into())?;
        let message = condition(&acme, ConditionType::Ready).message;
        if message.contains(" 2 dependents remain") { Ok(()) } else { Err(message) }
    });
    let goes = ["ResolvedRefs", "Ready"].map(|condition| (condition, "Terminating"));
    let website = world.wait_until_shows("Resource/website", &goes);
    assert!(website.metadata.deletion_timestamp.is_none(), "deleted before what is below it");
    world.wait_until_shows("Resource/front-page", &[("Ready", "Terminating")]);
    let left: BTreeSet<String> = world.all().into_keys().filter(|object| object.starts_with("Resource/")).collect();
    assert_eq!(
        left,
        ["acme", "front-page", "globex", "tools", "website"].map(|name| format!("Resource/{name}")).into()
    );

    hold(json!([]));
    world.wait_until_gone("Resource/acme");
    world.wait_until_all_ready();
}

#[test]
fn what_was_assigned_just_before_a_deletion_goes_with_it() {
    let world = World::new(&led().plane, "assigned-last");
    let numbers: Vec<usize> = (0..32).collect();
    let name = |number: usize| json!({"name": format!("p{number}")});
    let role = json!({"kind": "Role", "metadata": {"name": "editor"}, "spec": {"permissions": ["project:edit"], "resourceType": "project"}});
    world.apply_each(&[
        json!({"kind": "Resource", "metadata": {"name": "acme"}, "spec": {"type": "organization"}}),
        role,
    ]);
    world.create_all(numbers.iter().map(|&number| {
        json!({"kind": "Resource", "metadata": name(number), "spec": {"type": "project", "parentRef": {"name": "acme"}}})
    }));
    world.wait_until_all_ready();
    thread::scope(|scope| {
        for numbers in numbers.chunks(8) {
            let world = &world;
            scope.spawn(move || {
                for &number in numbers {
                    world.create_all((0..10).map(|index| json!({
                        "kind": "MembershipRoleAssignment", "metadata": {"name": format!("a{number}-{index}")},
                        "spec": {"membershipRef": {"name": format!("m{index}")}, "roleRef": {"name": "editor"}, "resourceRef": name(number)},
                    })));
                    world.delete(&format!("Resource/p{number}"));
                }
            });
        }
    });
    for &number in &numbers {
        world.wait_until_gone(&format!("Resource/p{number}"));
    }
    let left: Vec<String> =
        world.all().into_keys().filter(|object| object.starts_with("MembershipRoleAssignment")).collect();
    assert!(left.is_empty(), "{} {left:?}", left.len());
}

/// Lets nobody put a finalizer on a resource in a namespace.
const NO_FINALIZERS: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-finalizers}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: no-finalizers}}
    resourceRules: [{apiGroups: [authz.bailiwick.dev], apiVersions: ['*'], operations: [UPDATE], resources: [resources]}]
  validations: [{expression: '!has(object.metadata.finalizers)', message: no finalizers here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-finalizers}
spec: {policyName: no-finalizers, validationActions: [Deny]}
";

#[test]
fn a_finalizer_that_is_refused_is_put_once_it_is_not() {
    let world = World::restricted("no-finalizers");
    world.apply(NO_FINALIZERS);
    world.apply_each(&[json!({"kind": "Resource", "metadata": {"name": "acme"}, "spec": {"type": "organization"}})]);
    let finalizer = r#"{"metadata": {"finalizers": ["example.com/any"]}}"#;
    let patch = ["patch", "azres", "acme", "--dry-run=server", "--type=merge", "--patch", finalizer];
    wait::until("the policy is in force", || match world.kubectl(&patch) {
        refused if refused.stderr.contains("no finalizers here") => Ok(()),
        other => Err(other.stderr),
    });

    let _operator = world.start_operator(&[]);
    let ready = world.wait_until_ready("Resource/acme");
    assert_eq!(ready.metadata.finalizers, None);
    let uid = ready.metadata.uid;
    world.plane.kubectl(&["delete", "validatingadmissionpolicybinding", "no-finalizers"]).ok();
    wait::until("the finalizer is there", || {
        let resource = world.get("Resource/acme").ok_or("it is gone")?;
        assert_eq!(resource.metadata.uid, uid);
        resource.metadata.finalizers.map(drop).ok_or_else(|| "none".to_owned())
    });
}

#[test]
fn what_is_restricted_goes_when_the_annotation_is_taken_away() {
    let world = companies("unrestricted");
    let annotate = |value: Value| {
        world.merge("Resource/website", &json!({"metadata": {"annotations": {"authz.bailiwick.dev/deletion": value}}}));
    };
    annotate(json!("Restrict"));
    let before = world.specs();
    world.delete("Resource/website");
    let stalled = ["Ready", "Stalled"].map(|condition| (condition, "DependentsRemaining"));
    world.wait_until_shows("Resource/website", &stalled);
    assert_eq!(world.specs(), before, "nothing is cascaded");
    annotate(Value::Null);
    world.wait_until_gone("Resource/website");
    assert_eq!(world.specs(), without(&before, &[&["Resource/website"], &OF_WEBSITE[..]].concat(), &[]));
}

#[test]
fn parents_in_a_circle_can_be_deleted() {
    let world = World::new(&led().plane, "circle");
    let team = |name: &str, parent: &str| json!({"kind": "Resource", "metadata": {"name": name}, "spec": {"type": "team", "parentRef": {"name": parent}}});
    world.apply_each(&[team("one", "two"), team("two", "three"), team("three", "one"), team("below", "one")]);
    let cycle = ["Accepted", "Ready", "Stalled"].map(|condition| (condition, "CycleDetected"));
    for object in ["Resource/one", "Resource/two", "Resource/three"] {
        world.wait_until_shows(object, &cycle);
    }
    world.wait_until_shows(
        "Resource/below",
        &["ResolvedRefs", "Ready"].map(|condition| (condition, "ResourceDetached")),
    );
    world.delete("Resource/two");
    for object in ["Resource/one", "Resource/two", "Resource/three", "Resource/below"] {
        world.wait_until_gone(object);
    }
}

#[test]
fn a_namespace_goes_with_everything_in_it() {
    let world = companies("namespace-goes");
    world.plane.kubectl(&["delete", "namespace", &world.namespace, "--timeout=60s"]).ok();
    assert!(world.all().is_empty());
}

#[test]
fn what_is_deleted_while_no_operator_runs_goes_when_one_starts() {
    let world = World::restricted("nobody-leads");
    world.apply(&[ACME, &editor("alice")].join("---"));
    let mut operator = world.start_operator(&[]);
    world.wait_until_all_ready();
    operator.process.kill();
    world.delete("Resource/acme");
    world.delete("Role/editor");
    let held = world.all();
    assert_eq!(held.len(), 3, "{:?}", held.keys());
    assert!(held["Resource/acme"].metadata.deletion_timestamp.is_some());

    let follower = world.start_replica(REPLICAS[1], &[]);
    assert!(!follower.allows(may_edit(&world.namespace, "alice")));
    wait::until("everything is gone", || match world.all() {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{:?}", left.values().map(faults).collect::<Vec<_>>())),
    });
}
