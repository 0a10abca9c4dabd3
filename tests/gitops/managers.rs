//! Who owns which field of an object.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::Environment;
use crate::support::{
    manifests::{self, ACME},
    wait,
};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/acme");

impl Environment {
    /// Applies a manifest by server-side apply.
    fn apply_as(&self, manager: &str, manifest: &Value) {
        let manager = format!("--field-manager={manager}");
        let arguments = ["apply", "--server-side", &manager, "--namespace", self.namespace, "--filename", "-"];
        self.plane.kubectl_with(&arguments, &manifest.to_string()).ok();
    }

    /// The members of a group, sorted.
    fn members(&self, group: &str) -> Vec<String> {
        let group = self.get("azgrp", group);
        let members = group["spec"]["members"].as_array().into_iter().flatten();
        let mut members: Vec<_> = members.map(|member| member.as_str().expect("a name").to_owned()).collect();
        members.sort();
        members
    }
}

/// The Groups of the page about GitOps: that of the platform team, and the payments team's part.
fn documented_groups() -> [Value; 2] {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gitops.md")).expect("the page");
    // Between two fences is a block, then comes text, then a block.
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("yaml\n"));
    let mut groups = blocks.filter(|block| block.contains("kind: Group\n")).map(|block| {
        let mut group: Value = serde_saphyr::from_str(block).expect("YAML");
        group["metadata"].as_object_mut().expect("metadata").remove("namespace");
        group
    });
    let [Some(platform), Some(payments), None] = [groups.next(), groups.next(), groups.next()] else {
        panic!("there are not two groups on the page")
    };
    [platform, payments]
}

#[test]
fn several_managers_each_have_their_part_of_one_group() {
    let environment = Environment::start("gitops-managers");
    environment.plane.apply(environment.namespace, ACME);
    let [platform, payments] = documented_groups();
    environment.apply_as("platform", &platform);
    environment.apply_as("payments", &payments);
    assert_eq!(environment.members("on-call"), ["alice", "bob"]);

    // Both want bob: he stays until neither does.
    let with = |group: &Value, members: &[&str]| {
        let mut group = group.clone();
        group["spec"]["members"] = json!(members);
        group
    };
    environment.apply_as("platform", &with(&platform, &["alice", "bob"]));
    environment.apply_as("payments", &with(&payments, &[]));
    assert_eq!(environment.members("on-call"), ["alice", "bob"]);
    environment.apply_as("platform", &with(&platform, &["alice"]));
    assert_eq!(environment.members("on-call"), ["alice"]);
    assert_eq!(environment.get("azgrp", "on-call")["spec"]["displayName"], "On call");

    environment
        .plane
        .kubectl(&[
            "wait",
            "--for=condition=Ready",
            "--timeout=60s",
            "azgrp/on-call",
            "--namespace",
            environment.namespace,
        ])
        .ok();
    // Neither manager meets the operator: a conflict would fail without --force-conflicts.
    environment.apply_as("payments", &payments);
    assert_eq!(environment.members("on-call"), ["alice", "bob"]);
}

#[test]
fn the_operator_owns_no_field_of_a_spec() {
    let environment = Environment::start("gitops-fields");
    let documents: Vec<Value> = manifests::files(EXAMPLE).iter().flat_map(|file| manifests::documents(file)).collect();
    for document in &documents {
        environment.apply_as("gitops", document);
    }
    let specs = |live: &[Value]| -> Vec<Value> { live.iter().map(|object| object["spec"].clone()).collect() };
    let before = environment.list();
    wait::until("every object has its status and its finalizer", || {
        let live = environment.list();
        let unfinished = live.iter().find(|object| {
            let cascades = ["Resource", "Role", "Group", "OrganizationMembership"]
                .contains(&object["kind"].as_str().expect("a kind"));
            object["status"].is_null() || cascades == object["metadata"]["finalizers"].is_null()
        });
        unfinished.map_or(Ok(()), |object| Err(object.to_string()))
    });
    assert_eq!(specs(&environment.list()), specs(&before), "a spec was written");

    // The one thing that it takes out of a spec, which it does not own either.
    let listing: Vec<String> = before
        .iter()
        .filter(|object| object["spec"]["members"].as_array().is_some_and(|members| members.contains(&json!("dave"))))
        .map(|object| object["metadata"]["name"].as_str().expect("a name").to_owned())
        .collect();
    assert!(!listing.is_empty(), "dave is in no group of the example");
    environment.delete("azom", "dave");
    for group in &listing {
        assert!(!environment.members(group).contains(&"dave".to_owned()), "{group}");
    }

    let mut written = 0;
    for object in environment.list() {
        for entry in object["metadata"]["managedFields"].as_array().expect("managed fields") {
            if entry["manager"].as_str().expect("a manager").starts_with("bailiwick") {
                let fields = entry["fieldsV1"].as_object().expect("fields");
                assert!(!fields.contains_key("f:spec"), "{entry} of {}", object["metadata"]["name"]);
                written += 1;
            }
        }
    }
    assert!(written > documents.len(), "the operator wrote next to nothing: {written}");
}
