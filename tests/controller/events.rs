//! Events tell of what happened to an object, once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    reasons::documented,
    world::{World, led},
};
use crate::support::{
    manifests::{ACME, editor},
    wait,
};

/// Every event, and whether it warns.
const EVENTS: [(&str, bool); 8] = [
    ("Granted", false),
    ("Revoked", false),
    ("BecameReady", false),
    ("LostEffect", true),
    ("BecameInvalid", true),
    ("CascadeStarted", false),
    ("CascadeCompleted", false),
    ("ExpiredDeleted", false),
];

/// The events of all objects of that name: their reasons, each with how often it was told.
pub fn of(world: &World<'_>, name: &str) -> BTreeMap<String, u64> {
    all(world).into_iter().filter(|event| event["regarding"]["name"] == name).fold(
        BTreeMap::new(),
        |mut counts, event| {
            let reason = event["reason"].as_str().expect("a reason").to_owned();
            *counts.entry(reason).or_default() += event["series"]["count"].as_u64().unwrap_or(1);
            counts
        },
    )
}

fn all(world: &World<'_>) -> Vec<Value> {
    let text = world.kubectl(&["get", "events.events.k8s.io", "--output=json"]).ok();
    let list: Value = serde_json::from_str(&text).expect("JSON");
    list["items"].as_array().expect("a list").clone()
}

/// Waits until an object has had these events, each once.
#[track_caller]
fn wait_until_told(world: &World<'_>, name: &str, expected: &[&str]) {
    let expected: BTreeMap<String, u64> = expected.iter().map(|&reason| (reason.to_owned(), 1)).collect();
    wait::until(&format!("{name}: {expected:?}"), || {
        let told = of(world, name);
        if told == expected { Ok(()) } else { Err(format!("{told:?}")) }
    });
}

#[test]
fn each_transition_is_told_once() {
    let world = World::new(&led().plane, "events");
    let resource = |name: &str, parent: &str| json!({"kind": "Resource", "metadata": {"name": name}, "spec": {"type": "project", "parentRef": {"name": parent}}});
    world.apply(&[ACME, &editor("alice")].join("---"));
    world.apply_each(&[
        resource("website", "acme"),
        resource("front-page", "website"),
        resource("shop", "acme"),
        resource("till", "shop"),
        json!({"kind": "Role", "metadata": {"name": "custom"}, "spec": {"resourceType": "project", "permissions": ["project:edit"]}}),
        json!({"kind": "ResourceType", "metadata": {"name": "project"},
               "spec": {"parents": ["organization", "project"], "permissions": [{"slug": "project:edit"}]}}),
    ]);
    world.wait_until_all_ready();
    wait_until_told(&world, "alice", &["Granted"]);

    // An assignment loses its effect and what it grants, though nothing in it has changed.
    let environment = |memberships: &str| json!({"kind": "Environment", "metadata": {"name": "default"}, "spec": {"undeclared": {"memberships": memberships}}});
    world.apply_each(&[environment("Deny")]);
    wait_until_told(&world, "alice", &["Granted", "Revoked"]);

    // A role becomes what only a person can mend, and is mended.
    world.merge("Role/custom", &json!({"spec": {"permissions": ["project:edti"]}}));
    wait_until_told(&world, "custom", &["BecameInvalid"]);
    world.merge("Role/custom", &json!({"spec": {"permissions": ["project:edit"]}}));
    wait_until_told(&world, "custom", &["BecameInvalid", "BecameReady"]);

    // A resource loses its parent, and gets another.
    world.merge("Resource/front-page", &json!({"spec": {"parentRef": {"name": "lost"}}}));
    wait_until_told(&world, "front-page", &["LostEffect"]);
    world.merge("Resource/front-page", &json!({"spec": {"parentRef": {"name": "website"}}}));
    wait_until_told(&world, "front-page", &["LostEffect", "BecameReady"]);

    // A deletion that has to wait.
    let hold = |object: &str, finalizers: Value| world.merge(object, &json!({"metadata": {"finalizers": finalizers}}));
    hold("Resource/front-page", json!(["authz.bailiwick.dev/cascade", "example.com/held"]));
    world.delete("Resource/website");
    wait_until_told(&world, "website", &["CascadeStarted"]);
    hold("Resource/front-page", json!([]));
    world.wait_until_gone("Resource/website");
    wait_until_told(&world, "website", &["CascadeStarted", "CascadeCompleted"]);

    // One that waits for a person, who then lets it go on.
    let annotate = |value: Value| {
        world.merge("Resource/shop", &json!({"metadata": {"annotations": {"authz.bailiwick.dev/deletion": value}}}));
    };
    annotate(json!("Restrict"));
    world.delete("Resource/shop");
    wait_until_told(&world, "shop", &["BecameInvalid"]);
    hold("Resource/till", json!(["authz.bailiwick.dev/cascade", "example.com/held"]));
    annotate(Value::Null);
    wait_until_told(&world, "shop", &["BecameInvalid", "CascadeStarted"]);
    hold("Resource/till", json!([]));
    wait_until_told(&world, "shop", &["BecameInvalid", "CascadeStarted", "CascadeCompleted"]);

    // What was ready from its beginning, and what was said before, is not told.
    let told = all(&world);
    assert_eq!(told.len(), 11, "{told:#?}");
    for event in &told {
        let (_, warns) = EVENTS.into_iter().find(|(reason, _)| event["reason"] == *reason).expect("a known reason");
        assert_eq!(event["type"], if warns { "Warning" } else { "Normal" }, "{event}");
        assert_eq!(event["reportingController"], "authz.bailiwick.dev/operator", "{event}");
        assert!(!event["note"].as_str().unwrap_or_default().is_empty(), "{event}");
    }
    let log = world.plane.audit_log();
    let writes =
        log.iter().filter(|entry| entry.object.resource == "events" && *entry.object.namespace == *world.namespace);
    let writes: Vec<_> = writes.filter(|entry| entry.user.starts_with("operator")).collect();
    assert_eq!(writes.len(), told.len(), "written once each: {writes:#?}");
}

#[test]
fn every_event_is_documented() {
    let told: BTreeMap<String, String> = documented("Event")
        .into_iter()
        .map(|row| (row[0].first().expect("a name").clone(), row[1].first().expect("a type").clone()))
        .collect();
    let expected =
        EVENTS.map(|(reason, warns)| (reason.to_owned(), if warns { "Warning" } else { "Normal" }.to_owned()));
    assert_eq!(told, expected.into());
}
