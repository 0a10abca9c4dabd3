//! Manifests in any order end in the same answers.

use std::collections::BTreeSet;

use rand::{SeedableRng as _, rngs::SmallRng, seq::SliceRandom as _};
use serde_json::{Value, json};

use crate::support::{
    control_plane::{CRDS, ControlPlane},
    manifests, wait,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");

/// The documents of the example, in the order of the files.
fn documents() -> Vec<Value> {
    manifests::files(EXAMPLE).iter().flat_map(|file| manifests::documents(file)).collect()
}

/// Every question that the words of the documents allow: each membership or user, each permission, each resource.
fn questions(documents: &[Value]) -> Vec<Value> {
    let mut subjects = BTreeSet::new();
    let mut permissions = BTreeSet::new();
    let mut resources = BTreeSet::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for document in documents {
        let (name, spec) = (&document["metadata"]["name"], &document["spec"]);
        let strings =
            |field: &str| -> Vec<String> { spec[field].as_array().into_iter().flatten().filter_map(text).collect() };
        match document["kind"].as_str().expect("a kind") {
            "Resource" => resources.extend(text(name)),
            "Role" => permissions.extend(strings("permissions")),
            "Group" => subjects.extend(strings("members").into_iter().map(|name| ("membership", name))),
            "MembershipRoleAssignment" => {
                subjects.extend(text(&spec["membershipRef"]["name"]).map(|name| ("membership", name)));
            }
            "OrganizationMembership" => {
                subjects.extend(text(name).map(|name| ("membership", name)));
                subjects.extend(text(&spec["user"]["id"]).map(|id| ("user", id)));
            }
            _ => (),
        }
    }
    let mut questions = Vec::new();
    for (kind, subject) in &subjects {
        for permission in &permissions {
            for resource in &resources {
                questions.push(json!({*kind: subject, "permission": permission, "resource": {"name": resource}}));
            }
        }
    }
    questions
}

/// Another order for each seed.
fn shuffled(documents: &[Value], seed: u64) -> Vec<Value> {
    let mut documents = documents.to_vec();
    documents.shuffle(&mut SmallRng::seed_from_u64(seed));
    documents
}

#[test]
fn the_order_of_the_manifests_does_not_matter() {
    let plane = ControlPlane::shared();
    let documents = documents();
    let questions = questions(&documents);
    let reversed: Vec<Value> = documents.iter().rev().cloned().collect();
    let orders = [
        ("in-order", documents.clone()),
        ("reversed", reversed),
        ("shuffled-1", shuffled(&documents, 1)),
        ("shuffled-2", shuffled(&documents, 2)),
    ];
    for (namespace, _) in &orders {
        plane.create_namespace(namespace);
    }
    let mut arguments = vec!["--lease-namespace", orders[0].0];
    arguments.extend(orders.iter().flat_map(|(namespace, _)| ["--namespace", namespace]));
    let operator = plane.start_replica("admin", &arguments);
    operator.wait_until_ready();

    let mut expected = None;
    for (namespace, documents) in &orders {
        for document in documents {
            // One request each, so that the order is that of the server too.
            let mut document = document.clone();
            document["metadata"]["namespace"] = json!(namespace);
            plane.kubectl_with(&["create", "--filename", "-"], &document.to_string()).ok();
        }
        wait::until("the operator knows every object", || {
            let known = operator.objects(namespace).len();
            if known == documents.len() { Ok(()) } else { Err(format!("it knows {known} of {}", documents.len())) }
        });
        let state = (operator.answers(namespace, &questions), operator.objects(namespace));
        let allowed = state.0.iter().filter(|answer| answer["allowed"] == true).count();
        assert!(allowed > 0 && allowed < questions.len(), "{allowed} of {} are allowed", questions.len());
        match &expected {
            None => expected = Some(state),
            Some(expected) => {
                for ((question, first), now) in questions.iter().zip(&expected.0).zip(&state.0) {
                    assert_eq!(first, now, "{namespace}: {question}");
                }
                assert_eq!(expected.1, state.1, "{namespace}: the diagnoses differ");
            }
        }
    }
}

#[test]
fn one_command_installs_the_kinds_and_the_example() {
    let plane = ControlPlane::start();
    plane.permit_operator();
    let operator = plane.start_operator(&[]);
    let mut attempts = 0;
    wait::until("the command succeeds", || {
        attempts += 1;
        let applied = plane.kubectl(&["apply", "--filename", CRDS, "--filename", EXAMPLE]);
        // kubectl looks all kinds up before it applies anything, so the first time it can but install them.
        let lines = applied.stderr.lines().filter(|line| !line.trim().is_empty());
        let other: Vec<&str> = lines
            .filter(|line| !line.contains("no matches for kind") && !line.contains("ensure CRDs are installed first"))
            .collect();
        assert!(applied.success || other.is_empty(), "{other:?}");
        if applied.success { Ok(()) } else { Err(applied.stderr) }
    });
    assert!(attempts > 1, "kubectl has learnt to do it at the first attempt: simplify the documentation");
    let expected = documents().len();
    operator.wait_until_ready();
    wait::until("the operator knows every object", || {
        let known = operator.objects("default").len();
        if known == expected { Ok(()) } else { Err(format!("it knows {known} of {expected}")) }
    });
}
