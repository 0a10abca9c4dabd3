//! Statuses follow their causes, and nothing else.

use bailiwick::api::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::world::{World, condition, faults, led};
use crate::support::{
    control_plane::{ControlPlane, REPLICAS},
    manifests::{ACME, editor},
    wait,
};

const ASSIGNMENTS: usize = 200;

fn assignment(number: usize) -> Value {
    let name = |name: &str| json!({"name": name});
    json!({
        "kind": "MembershipRoleAssignment",
        "metadata": {"name": format!("a{number}")},
        "spec": {"membershipRef": name(&format!("m{number}")), "roleRef": name("editor"), "resourceRef": name("acme")},
    })
}

/// Waits until all assignments show that reason of `Ready`.
fn wait_until_assignments_are(world: &World<'_>, reason: &str) -> Vec<DynamicObject> {
    wait::until(&format!("all assignments are {reason}"), || {
        let all = world.all();
        let assignments = all.into_values().filter(|object| object.types.as_ref().is_some_and(is_assignment));
        let (are, are_not): (Vec<_>, Vec<_>) = assignments.partition(|object| {
            faults(object).is_ok_and(|faults| faults.get("Ready").map_or("Indexed", String::as_str) == reason)
        });
        if are.len() == ASSIGNMENTS { Ok(are) } else { Err(format!("{} are not, {} are", are_not.len(), are.len())) }
    })
}

fn is_assignment(types: &kube::api::TypeMeta) -> bool {
    types.kind == "MembershipRoleAssignment"
}

fn since(object: &DynamicObject, of: ConditionType) -> Time {
    condition(object, of).last_transition_time
}

fn environment(memberships: &str) -> Value {
    json!({"kind": "Environment", "metadata": {"name": "default"}, "spec": {"undeclared": {"memberships": memberships}}})
}

#[test]
fn what_waits_for_something_elsewhere_turns_with_it() {
    let world = World::new(&led().plane, "follows");
    world.apply_each(&[json!({"kind": "Resource", "metadata": {"name": "acme"}, "spec": {"type": "organization"}})]);
    world.create_all((0..ASSIGNMENTS).map(assignment));
    let first = wait_until_assignments_are(&world, "RoleNotFound");
    world.apply_each(&[
        json!({"kind": "Role", "metadata": {"name": "editor"}, "spec": {"permissions": ["organization:edit"]}}),
    ]);
    wait_until_assignments_are(&world, "Indexed");
    world.apply_each(&[environment("Deny")]);
    wait_until_assignments_are(&world, "UndeclaredMembership");
    world.apply_each(&[environment("Allow")]);
    let last = wait_until_assignments_are(&world, "Indexed");
    for (before, after) in first.iter().zip(&last) {
        assert_eq!(before.metadata.name, after.metadata.name);
        let accepted = ConditionType::Accepted;
        assert_eq!(since(before, accepted), since(after, accepted), "it was accepted all the time");
        assert!(since(before, ConditionType::Ready) <= since(after, ConditionType::Ready));
    }
}

#[test]
fn a_status_is_of_the_newest_generation_and_says_since_when_it_holds() {
    let world = World::new(&led().plane, "generations");
    world.apply(ACME);
    let first = world.wait_until_ready("Role/editor");
    for (number, permissions) in
        [json!(["organization:view"]), json!(["organization:view", "x"])].into_iter().enumerate()
    {
        // The times of conditions are whole seconds, so that one must be over.
        let began = k8s_openapi::jiff::Timestamp::now().as_second();
        wait::until("a second is over", || {
            let now = k8s_openapi::jiff::Timestamp::now().as_second();
            if now > began { Ok(()) } else { Err("not yet".to_owned()) }
        });
        world.merge("Role/editor", &json!({"spec": {"permissions": permissions}}));
        let after = world.wait_until_ready("Role/editor");
        assert_eq!(after.metadata.generation, Some(i64::try_from(number).unwrap() + 2));
        for of in [ConditionType::Accepted, ConditionType::ResolvedRefs, ConditionType::Ready] {
            assert_eq!(since(&after, of), since(&first, of), "{of:?} has held all the time");
        }
    }
    world.merge("Role/editor", &json!({"spec": {"organizationRef": {"name": "missing"}}}));
    let unresolved = ["ResolvedRefs", "Ready"].map(|condition| (condition, "ResourceNotFound"));
    let after = world.wait_until_shows("Role/editor", &unresolved);
    assert_eq!(since(&after, ConditionType::Accepted), since(&first, ConditionType::Accepted));
    assert!(since(&after, ConditionType::Ready) > since(&first, ConditionType::Ready));
}

#[test]
fn whoever_meddles_with_a_status_is_put_right_and_a_condition_of_another_is_left_alone() {
    let world = World::new(&led().plane, "meddled");
    world.apply(ACME);
    let before = world.wait_until_ready("Role/editor");
    let lie = json!([{
        "type": "Ready", "status": "False", "reason": "Lie", "message": "it is not so", "observedGeneration": 1,
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    }]);
    for meddled in
        [json!({"conditions": lie}), json!({"observedGeneration": 77}), json!({"conditions": null}), Value::Null]
    {
        world.merge_status("Role/editor", &meddled);
        wait::until("the status is what it was", || {
            let now = world.get("Role/editor").expect("it exists");
            let same = |of| {
                let told = |object| {
                    let told = condition(object, of);
                    (told.status, told.reason, told.message, told.observed_generation)
                };
                told(&now) == told(&before)
            };
            let right = faults(&now).is_ok_and(|faults| faults.is_empty()) && same(ConditionType::Ready);
            if right { Ok(()) } else { Err(now.data["status"].to_string()) }
        });
    }

    let theirs = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: editor}
status:
  conditions:
  - {type: example.com/Reviewed, status: 'True', reason: Seen, message: by somebody, lastTransitionTime: '2026-01-01T00:00:00Z'}
";
    let arguments = ["apply", "--server-side", "--subresource=status", "--field-manager=reviewer", "--filename=-"];
    world.plane.kubectl_with(&[&["--namespace", &world.namespace], &arguments[..]].concat(), theirs).ok();
    world.merge("Role/editor", &json!({"spec": {"organizationRef": {"name": "missing"}}}));
    let unresolved = ["ResolvedRefs", "Ready"].map(|condition| (condition, "ResourceNotFound"));
    let after = world.wait_until_shows("Role/editor", &unresolved);
    let conditions = after.data["status"]["conditions"].as_array().unwrap();
    let reviewed = conditions.iter().find(|condition| condition["type"] == "example.com/Reviewed");
    assert_eq!(reviewed.map(|it| it["reason"].clone()), Some(json!("Seen")), "{conditions:?}");
}

#[test]
fn nothing_is_written_where_nothing_has_changed() {
    let led = led();
    let world = World::new(&led.plane, "quiet");
    world.apply(&[ACME, &editor("alice"), &editor("bob")].join("---"));
    world.apply_each(&[environment("Allow")]);
    world.wait_until_all_ready();
    // The numbers of the environment come last; with them, all is said.
    wait::until("everything is counted", || {
        let status = world.get("Environment/default").expect("it exists").data["status"].clone();
        let mut counts = status["objects"].as_array().into_iter().flatten();
        let counted = counts.all(|count| count["ready"] == count["total"]) && status["assignments"]["effective"] == 2;
        if counted { Ok(()) } else { Err(status.to_string()) }
    });
    let writes = world.writes();

    // Whoever does this, and sweeps over this environment because of it, finds nothing else to do.
    let elsewhere = World::new(&led.plane, "quiet-elsewhere");
    elsewhere.apply(ACME);
    elsewhere.wait_until_all_ready();
    // The numbers may be said once more, as those of a newer revision, if something came in while they were counted.
    let further = &world.writes()[writes.len()..];
    assert!(further.len() <= 1 && further.iter().all(|entry| entry.object.resource == "environments"), "{further:#?}");
    world.apply_each(&[
        json!({"kind": "Role", "metadata": {"name": "marker"}, "spec": {"permissions": ["organization:mark"]}}),
    ]);
    wait::until("the marker is counted", || {
        let status = world.get("Environment/default").expect("it exists").data["status"].clone();
        let roles = status["objects"].as_array().into_iter().flatten().find(|count| count["kind"] == "Role");
        if roles.is_some_and(|roles| roles["ready"] == 2) { Ok(()) } else { Err(status.to_string()) }
    });
    let after = world.writes();
    let objects: Vec<_> =
        after[writes.len()..].iter().map(|entry| (&*entry.object.resource, &*entry.object.name)).collect();
    assert!(
        objects.iter().all(|object| [("roles", "marker"), ("environments", "default")].contains(object)),
        "{objects:?}"
    );
    assert!(after.iter().all(|entry| entry.user == REPLICAS[0]), "only the leader writes");
}

#[test]
fn statuses_converge_after_the_api_server_was_gone() {
    let plane = ControlPlane::start();
    plane.permit_operator();
    plane.install_crds();
    let world = World::existing(&plane, "default");
    world.apply(&[ACME, &editor("alice")].join("---"));
    let operator = plane.start_operator(&[]);
    world.wait_until_all_ready();
    plane.kill_api_server();
    plane.start_api_server();
    world.apply_each(&[environment("Deny")]);
    let undeclared = ["ResolvedRefs", "Ready"].map(|condition| (condition, "UndeclaredMembership"));
    world.wait_until_shows("MembershipRoleAssignment/alice", &undeclared);
    drop(operator);
}

#[test]
fn statuses_converge_after_the_leader_was_killed_in_the_middle() {
    let world = World::restricted("killed");
    world.apply(ACME);
    let mut operator = world.start_operator(&[]);
    world.create_all((0..ASSIGNMENTS).map(assignment));
    wait::until("some statuses are written", || match world.writes().len() {
        0..20 => Err("none is".to_owned()),
        _ => Ok(()),
    });
    operator.process.kill();
    let written = world.writes().len();
    assert!(written < ASSIGNMENTS, "killed too late: {written}");
    let _follower = world.start_replica(REPLICAS[1], &[]);
    world.wait_until_all_ready();
}
