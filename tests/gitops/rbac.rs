//! examples/operator: who may do what. That the operator may do what it does is shown by every test that runs one.

use std::path::Path;

use bailiwick::{api::GROUP, graph::facts::Kind};
use serde_json::json;

use crate::support::{
    control_plane::{ControlPlane, REPLICAS},
    manifests, wait,
};

const OPERATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operator/rbac.yaml");
const USERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/operator/rbac-users.yaml");

/// Whether a user may do something.
fn may(plane: &ControlPlane, user: &str, verb: &str, resource: &str) -> bool {
    let answer = plane.kubectl(&["auth", "can-i", verb, resource, "--namespace", "default", "--as", user]);
    match answer.stdout.trim() {
        "yes" => true,
        "no" => false,
        _ => panic!("{answer:?}"),
    }
}

#[test]
fn the_roles_know_every_kind() {
    let mut plurals: Vec<_> = Kind::ALL.iter().map(|kind| format!("{}s", kind.as_str().to_lowercase())).collect();
    plurals.sort();
    let statuses: Vec<_> = plurals.iter().map(|plural| format!("{plural}/status")).collect();
    for (file, role, verb, expected) in [
        (OPERATOR, "bailiwick", "watch", &plurals),
        (OPERATOR, "bailiwick", "patch", &statuses),
        (OPERATOR, "bailiwick-api", "create", &plurals),
        (OPERATOR, "bailiwick-api", "delete", &plurals),
        (OPERATOR, "bailiwick-api", "patch", &plurals),
        (USERS, "bailiwick-viewer", "watch", &plurals),
        (USERS, "bailiwick-editor", "create", &plurals),
    ] {
        let documents = manifests::documents(Path::new(file));
        let role =
            documents.iter().find(|document| document["kind"] == "ClusterRole" && document["metadata"]["name"] == role);
        let rules = role.expect("the role")["rules"].as_array().expect("rules").iter();
        let mut rules = rules.filter(|rule| rule["verbs"].as_array().is_some_and(|verbs| verbs.contains(&json!(verb))));
        assert!(
            rules.any(|rule| rule["apiGroups"] == json!([GROUP]) && rule["resources"] == json!(expected)),
            "{file}: {verb}"
        );
    }
}

#[test]
fn the_operator_may_write_what_its_api_is_asked_for_and_nothing_else() {
    let plane = ControlPlane::shared();
    plane.permit_operator();
    let may = |verb: &str, resource: &str| may(plane, REPLICAS[0], verb, resource);
    wait::until("the operator is permitted what the last of its roles permits", || {
        if may("create", "environments.authz.bailiwick.dev") && may("update", "leases.coordination.k8s.io/bailiwick") {
            Ok(())
        } else {
            Err("it is not".to_owned())
        }
    });
    for kind in Kind::ALL {
        let resource = format!("{}s.{GROUP}", kind.as_str().to_lowercase());
        for (verb, expected) in [("create", true), ("patch", true), ("delete", true), ("update", false)] {
            assert_eq!(may(verb, &resource), expected, "{verb} {resource}");
        }
    }
    for (verb, resource) in
        [("update", "leases.coordination.k8s.io/another"), ("get", "secrets"), ("create", "namespaces")]
    {
        assert!(!may(verb, resource), "{verb} {resource}");
    }
}

#[test]
fn without_the_role_of_its_api_the_operator_may_not_grant() {
    let plane = ControlPlane::shared();
    plane.permit_operator();
    let bind = ["create", "clusterrolebinding", "gitops-no-api", "--clusterrole=bailiwick", "--user=gitops-no-api"];
    plane.kubectl(&bind).ok();
    let may = |verb: &str, resource: &str| may(plane, "gitops-no-api", verb, resource);
    wait::until("the operator is permitted anything", || {
        if may("list", "groups.authz.bailiwick.dev") { Ok(()) } else { Err("it is not".to_owned()) }
    });
    for (verb, resource) in [
        ("create", "membershiproleassignments.authz.bailiwick.dev"),
        ("patch", "membershiproleassignments.authz.bailiwick.dev"),
        ("patch", "grouproleassignments.authz.bailiwick.dev"),
        ("update", "roles.authz.bailiwick.dev"),
        ("delete", "environments.authz.bailiwick.dev"),
    ] {
        assert!(!may(verb, resource), "{verb} {resource}");
    }
}

#[test]
fn who_may_administer_a_namespace_may_grant_and_who_may_edit_it_may_not() {
    let plane = ControlPlane::shared();
    plane.kubectl(&["apply", "--filename", USERS]).ok();
    for role in ["view", "edit", "admin"] {
        let (binding, user) = (format!("gitops-{role}"), format!("--user=gitops-{role}"));
        let role = format!("--clusterrole={role}");
        plane.kubectl(&["create", "rolebinding", &binding, "--namespace", "default", &role, &user]).ok();
    }
    let assignments = "membershiproleassignments.authz.bailiwick.dev";
    for (user, verb) in [("gitops-view", "get"), ("gitops-edit", "list"), ("gitops-admin", "create")] {
        wait::until(&format!("an aggregated role lets {user} {verb} {assignments}"), || {
            if may(plane, user, verb, assignments) { Ok(()) } else { Err("it does not".to_owned()) }
        });
    }
    for user in ["gitops-view", "gitops-edit"] {
        assert!(!may(plane, user, "create", assignments), "{user}");
    }
}
