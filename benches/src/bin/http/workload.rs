//! The world as files, and the questions as JSON.

use std::{fmt::Write as _, fs, path::Path};

use bailiwick::graph::facts::Fact;
use bailiwick_benches::org_tree::{Mix, Popularity, Question, World};
use serde_json::{Value, json};

/// How many objects a file has.
const OBJECTS_PER_FILE: usize = 10_000;

/// Writes the world as manifests.
pub fn write_manifests(world: &World, folder: &Path) {
    let (mut text, mut count) = (String::new(), 0_usize);
    let write = |text: &mut String, count: usize| {
        fs::write(folder.join(format!("{count:09}.yaml")), text.as_bytes()).expect("a file");
        text.clear();
    };
    world.facts(|name, fact| {
        let (kind, spec) = manifest(fact);
        let api_version = "authz.bailiwick.dev/v1alpha1";
        let object =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name.as_str()}, "spec": spec});
        // Writing to a string cannot fail.
        let _ = writeln!(text, "---\n{object}");
        count += 1;
        if count % OBJECTS_PER_FILE == 0 {
            write(&mut text, count);
        }
    });
    write(&mut text, count);
}

fn manifest(fact: Fact) -> (&'static str, Value) {
    let by_name = |name: &str| json!({"name": name});
    match fact {
        Fact::Environment(environment) => ("Environment", json!({"multipleRoles": environment.multiple_roles})),
        Fact::Resource(resource) => {
            let parent = resource.parent.as_deref().map(by_name);
            let resource_type = &*resource.resource_type;
            match parent {
                Some(parent) => ("Resource", json!({"type": resource_type, "parentRef": parent})),
                None => ("Resource", json!({"type": resource_type})),
            }
        }
        Fact::Role(role) => {
            let permissions: Vec<&str> = role.permissions.iter().map(|permission| &**permission).collect();
            ("Role", json!({"resourceType": &*role.resource_type, "permissions": permissions}))
        }
        Fact::OrganizationMembership(membership) => (
            "OrganizationMembership",
            json!({"organizationRef": by_name(&membership.organization), "user": {"id": &*membership.user}}),
        ),
        Fact::Group(group) => {
            let members: Vec<&str> = group.members.iter().map(|member| &**member).collect();
            ("Group", json!({"organizationRef": by_name(&group.organization), "members": members}))
        }
        Fact::MembershipRoleAssignment(assignment) => (
            "MembershipRoleAssignment",
            json!({
                "membershipRef": by_name(&assignment.membership),
                "roleRef": by_name(&assignment.role),
                "resourceRef": assignment.resource.as_deref().map(by_name),
            }),
        ),
        Fact::GroupRoleAssignment(assignment) => (
            "GroupRoleAssignment",
            json!({
                "groupRef": by_name(&assignment.group),
                "roleRef": by_name(&assignment.role),
                "resourceRef": assignment.resource.as_deref().map(by_name),
            }),
        ),
        other => unreachable!("{other:?} is not in this world"),
    }
}

/// Questions of every kind, half of them answered with yes, with the answer by the definition.
pub fn questions(world: &World, count: usize) -> Vec<(Question, bool)> {
    let hits = [Mix::DirectHit, Mix::InheritedHit, Mix::GroupHit];
    let misses = [Mix::NearMiss, Mix::FarMiss];
    let of = |mixes: &[Mix]| {
        let each = count / 2 / mixes.len();
        let kinds: Vec<_> = mixes.iter().map(|&mix| world.questions(mix, Popularity::Zipf, each)).collect();
        (0..each).flat_map(|nth| kinds.iter().map(move |kind| kind[nth]).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let mixed = of(&hits).into_iter().zip(of(&misses)).flat_map(|(hit, miss)| [hit, miss]);
    mixed.map(|question| (question, world.allows(question))).collect()
}

/// The question in the words of the native API.
pub fn check(world: &World, question: Question) -> Value {
    json!({
        "membership": World::member_name(question.member).as_str(),
        "permission": World::permission_name(question.permission).as_str(),
        "resource": {"type": world.type_name(question.resource), "id": World::resource_name(question.resource).as_str()},
    })
}

/// The question in AuthZEN's words.
pub fn evaluation(world: &World, question: Question) -> Value {
    json!({
        "subject": {"type": "membership", "id": World::member_name(question.member).as_str()},
        "action": {"name": World::permission_name(question.permission).as_str()},
        "resource": {"type": world.type_name(question.resource), "id": World::resource_name(question.resource).as_str()},
    })
}
