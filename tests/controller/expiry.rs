//! Assignments that expire, and the numbers of an environment.

use std::time::Duration;

use k8s_openapi::jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::{
    events,
    world::{World, led},
};
use crate::support::{
    control_plane::REPLICAS,
    manifests::{ACME, may_edit},
    wait,
};

fn until(membership: &str, expires_at: &str) -> Value {
    let name = |name: &str| json!({"name": name});
    json!({
        "kind": "MembershipRoleAssignment",
        "metadata": {"name": membership},
        "spec": {
            "membershipRef": name(membership), "roleRef": name("editor"), "resourceRef": name("acme"),
            "expiresAt": expires_at,
        },
    })
}

#[test]
fn what_expires_grants_nothing_from_that_instant_on_and_is_deleted_later_unless_it_is_extended() {
    let world = World::restricted("expiry");
    let keep = ["--keep-expired", "4s"];
    let replicas = [world.start_operator(&keep), world.start_replica(REPLICAS[1], &keep)];
    world.apply(ACME);
    world.wait_until_all_ready();

    let expires = (Timestamp::now() + Duration::from_secs(4)).round(Unit::Second).expect("a time of our days");
    world.apply_each(&[until("alice", &expires.to_string()), until("bob", &expires.to_string())]);
    for membership in ["alice", "bob"] {
        for replica in &replicas {
            replica.wait_until_allows(true, may_edit(&world.namespace, membership));
        }
    }
    world.wait_until_ready("MembershipRoleAssignment/alice");
    assert!(Timestamp::now() < expires, "this machine is too slow for the test");
    for replica in &replicas {
        // By the clock alone: an answer that was under way at that instant may be either.
        wait::until("it has expired", || {
            let asked = Timestamp::now();
            let allows = replica.allows(may_edit(&world.namespace, "alice"));
            let answered = Timestamp::now();
            assert!(allows || answered >= expires, "denied at {answered}, before {expires}");
            assert!(!allows || asked < expires, "allowed at {asked}, after {expires}");
            if allows { Err("not yet".to_owned()) } else { Ok(()) }
        });
    }
    for membership in ["alice", "bob"] {
        world.wait_until_shows(&format!("MembershipRoleAssignment/{membership}"), &[("Ready", "Expired")]);
    }
    world.merge("MembershipRoleAssignment/bob", &json!({"spec": {"expiresAt": "2999-01-01T00:00:00Z"}}));
    world.wait_until_gone("MembershipRoleAssignment/alice");
    assert!(Timestamp::now() >= expires + Duration::from_secs(4), "deleted before its time");
    world.wait_until_ready("MembershipRoleAssignment/bob");
    for replica in &replicas {
        replica.wait_until_allows(true, may_edit(&world.namespace, "bob"));
    }
    assert_eq!(
        events::of(&world, "alice"),
        [("Granted", 1), ("Revoked", 1), ("ExpiredDeleted", 1)]
            .map(|(reason, count)| (reason.to_owned(), count))
            .into()
    );
}

#[test]
fn an_environment_counts_its_objects_and_why_assignments_grant_nothing() {
    let world = World::new(&led().plane, "counted");
    let missing = |name: &str| {
        let mut assignment = until(name, "2999-01-01T00:00:00Z");
        assignment["spec"]["roleRef"]["name"] = json!("missing");
        assignment
    };
    world.apply(ACME);
    world.apply_each(&[
        json!({"kind": "Environment", "metadata": {"name": "default"}, "spec": {}}),
        json!({"kind": "Resource", "metadata": {"name": "astray"}, "spec": {"type": "project", "parentRef": {"name": "lost"}}}),
        until("alice", "2999-01-01T00:00:00Z"),
        until("bob", "2999-01-01T00:00:00Z"),
        until("carol", "2020-01-01T00:00:00Z"),
        missing("dave"),
        missing("eve"),
    ]);
    let counted = |expected: Value| {
        wait::until("everything is counted", || {
            let status = world.get("Environment/default").expect("it exists").data["status"].clone();
            if status["assignments"] == expected { Ok(status) } else { Err(status.to_string()) }
        })
    };
    let by_reason =
        |missing: usize| json!([{"reason": "Expired", "count": 1}, {"reason": "RoleNotFound", "count": missing}]);
    let before = counted(json!({"effective": 2, "inert": 3, "inertByReason": by_reason(2)}));
    let of_kind = |status: &Value, kind: &str| {
        let objects = status["objects"].as_array().expect("a list");
        let count = objects.iter().find(|count| count["kind"] == kind).expect("every kind is counted");
        (count["total"].clone(), count["ready"].clone())
    };
    assert_eq!(before["objects"].as_array().map(Vec::len), Some(8));
    for (kind, total, ready) in [
        ("Resource", 2, 1),
        ("Role", 1, 1),
        ("MembershipRoleAssignment", 5, 2),
        ("GroupRoleAssignment", 0, 0),
        ("Environment", 1, 1),
    ] {
        assert_eq!(of_kind(&before, kind), (json!(total), json!(ready)), "{kind}");
    }
    world.delete("MembershipRoleAssignment/eve");
    let after = counted(json!({"effective": 2, "inert": 2, "inertByReason": by_reason(1)}));
    let revision =
        |status: &Value| status["revision"].as_str().and_then(|it| it.parse::<u64>().ok()).expect("a number");
    assert!(revision(&after) > revision(&before));
}
