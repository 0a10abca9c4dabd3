//! Assignments that depend on a condition, of which WorkOS knows nothing.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{
    acme,
    requests::{check, column},
};

const ALICE: &str = "/authorization/organization_memberships/alice/role_assignments";
const DEVS: &str = "/authorization/groups/devs/role_assignments";

#[tokio::test]
async fn what_depends_on_a_condition_is_neither_shown_nor_changed() {
    for (path, kind, subject) in [
        (ALICE, "MembershipRoleAssignment", "membershipRef: {name: alice}"),
        (DEVS, "GroupRoleAssignment", "groupRef: {name: devs}"),
    ] {
        let world = acme::world();
        let before = world.get(path).await.ok();
        let manifest = format!(
            "{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: {kind}, metadata: {{name: on-condition}}, spec: {{{subject}, \
             roleRef: {{name: project-viewer}}, resourceRef: {{name: website}}, condition: context.mfa}}}}"
        );
        world.write("on-condition.yaml", &manifest);
        assert_eq!(world.get(path).await.ok()["data"], before["data"], "{kind}");

        let terms = json!({"role_slug": "project-viewer", "resource_id": "website"});
        let assigned = world.post(path, &terms).await;
        assert_eq!(assigned.status, StatusCode::CREATED, "{kind}: {assigned:?}");
        let list = world.get(path).await.ok();
        assert_eq!(list["data"].as_array().unwrap().len(), before["data"].as_array().unwrap().len() + 1, "{kind}");
        assert!(column(&list, "/role/slug").contains(&"project-viewer".to_owned()), "{kind}");

        let taken = world.send(Method::DELETE, path, Some(&terms)).await;
        assert_eq!(taken.status, StatusCode::NO_CONTENT, "{kind}: {taken:?}");
        assert_eq!(world.read("on-condition.yaml"), manifest, "{kind}");
        assert_eq!(world.get(path).await.ok()["data"], before["data"], "{kind}");
    }
}

#[tokio::test]
async fn a_grant_without_a_condition_is_a_grant_of_its_own() {
    let world = acme::world();
    let on_condition = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, \
                        metadata: {name: on-condition}, spec: {membershipRef: {name: alice}, \
                        roleRef: {name: project-viewer}, resourceRef: {name: website}, condition: context.mfa}}";
    world.write("on-condition.yaml", on_condition);
    assert!(!check(&world, "alice", "project:view", "website").await);
    let terms = json!({"role_slug": "project-viewer", "resource_id": "website"});
    assert_eq!(world.post(ALICE, &terms).await.status, StatusCode::CREATED);
    assert!(check(&world, "alice", "project:view", "website").await, "what is there already would not have sufficed");
}
