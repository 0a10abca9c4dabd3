//! What the webhook would refuse, without the webhook: a status tells, and every replica tells the same.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::world::{World, faults, led};
use crate::support::{manifests, wait};

/// See the README.md there.
const CONTRADICTIONS: &str = "tests/manifests/contradictions";

/// What the head of a file says.
fn head(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).expect("a text file");
    let lines = text.lines().map_while(|line| line.strip_prefix("# ")?.split_once(": "));
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Whether an object stalls.
fn stalls(world: &World<'_>, object: &str) -> Result<bool, String> {
    let Some(found) = world.get(object) else { return Ok(false) };
    Ok(faults(&found)?.contains_key("Stalled"))
}

#[test]
fn what_contradicts_reaches_a_clear_status_that_goes_with_the_contradiction() {
    let led = led();
    let files = manifests::files(CONTRADICTIONS);
    assert!(files.len() >= 10, "{files:?}");
    let mut worlds = Vec::new();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let world = World::new(&led.plane, &format!("against-{name}"));
        world.apply_each(&manifests::documents(&file));
        worlds.push((world, head(&file)));
    }
    for (world, head) in &worlds {
        let (object, reason) = head["status"].split_once(' ').expect("an object and a reason");
        wait::until("a status tells of it", || {
            let found = world.get(object).ok_or("it is gone")?;
            let faults = faults(&found)?;
            let told = ["Ready", "Accepted", "Stalled"].map(|it| faults.get(it).map(String::as_str));
            if told == [Some(reason); 3] { Ok(()) } else { Err(format!("{}: {object}: {faults:?}", world.namespace)) }
        });
    }

    // One that gets everything in one list, in the order of names, finds what those found that saw it grow.
    let newcomer = led.plane.start_operator(&[]);
    newcomer.wait_until_ready();
    for (world, _) in &worlds {
        let told = [&led.leader, &led.other, &newcomer].map(|operator| operator.objects(&world.namespace));
        assert!(!told[0].is_empty() && told[0] == told[1] && told[0] == told[2], "{told:?}");
    }

    for (world, head) in &worlds {
        let remedy: Vec<&str> = head["remedy"].split(' ').collect();
        world.kubectl(&remedy).ok();
    }
    for (world, head) in &worlds {
        let (object, _) = head["status"].split_once(' ').expect("an object and a reason");
        wait::until("it stalls no more", || {
            if stalls(world, object)? { Err(format!("{}: {object} stalls", world.namespace)) } else { Ok(()) }
        });
    }
}

/// Creates an object in a later second than another: creation times are whole seconds.
fn create_after(world: &World<'_>, older: &str, manifest: &Value) {
    let object = format!("{}/{}", manifest["kind"].as_str().unwrap(), manifest["metadata"]["name"].as_str().unwrap());
    let created = |object: &str| world.get(object).expect("it exists").metadata.creation_timestamp;
    wait::until("a second is over", || {
        world.apply_each(std::slice::from_ref(manifest));
        if created(&object) > created(older) {
            return Ok(());
        }
        world.delete(&object);
        world.wait_until_gone(&object);
        Err("both are of the same second".to_owned())
    });
}

#[test]
fn of_two_rivals_the_older_wins_whatever_their_names() {
    let led = led();
    let world = World::new(&led.plane, "rivals");
    let project = |name: &str| {
        json!({"kind": "Resource", "metadata": {"name": name},
               "spec": {"type": "project", "parentRef": {"name": "acme"}, "externalId": "one"}})
    };
    let assignment = |name: &str| {
        let names = |name: &str| json!({"name": name});
        json!({"kind": "MembershipRoleAssignment", "metadata": {"name": name},
               "spec": {"membershipRef": names("alice"), "roleRef": names("editor"), "resourceRef": names("acme")}})
    };
    world.apply_each(&[
        json!({"kind": "Resource", "metadata": {"name": "acme"}, "spec": {"type": "organization"}}),
        json!({"kind": "Role", "metadata": {"name": "editor"}, "spec": {"permissions": ["organization:edit"]}}),
        project("zebra"),
        assignment("zebra"),
    ]);
    create_after(&world, "Resource/zebra", &project("aardvark"));
    create_after(&world, "MembershipRoleAssignment/zebra", &assignment("aardvark"));
    for (kind, reason) in [("Resource", "DuplicateExternalId"), ("MembershipRoleAssignment", "DuplicateAssignment")] {
        let faults = ["Accepted", "Ready", "Stalled"].map(|condition| (condition, reason));
        world.wait_until_shows(&format!("{kind}/aardvark"), &faults);
        world.wait_until_ready(&format!("{kind}/zebra"));
    }
    let newcomer = led.plane.start_operator(&[]);
    newcomer.wait_until_ready();
    let told = [&led.leader, &led.other, &newcomer].map(|operator| operator.objects(&world.namespace));
    assert!(told[0] == told[1] && told[0] == told[2], "{told:?}");
}
