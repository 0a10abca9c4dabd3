//! What the SDK makes are ordinary custom resources, and what kubectl makes is the SDK's as well.

use serde_json::{Value, json};
use workos::{
    authorization as authz,
    groups::{
        CreateGroupOrganizationMembershipParams, ListGroupOrganizationMembershipsParams, ListOrganizationGroupsParams,
    },
    organization_membership::ListOrganizationMembershipsParams,
};

use super::{
    sdk_rust::client::{World, assert_id, by_id, ids, parsed, value},
    sdk_targets::Target,
};
use crate::support::{control_plane::ControlPlane, runtime::block_on, wait};

/// One of each kind that the API makes, by the resources' names in URLs.
const KINDS: [(&str, usize); 8] = [
    ("resources", 3),
    ("roles", 3),
    ("groups", 1),
    ("organizationmemberships", 1),
    ("membershiproleassignments", 1),
    ("grouproleassignments", 1),
    ("resourcetypes", 5),
    ("environments", 1),
];

/// An organization with one of everything, as a person writes it.
const APPLIED: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: ResourceType
metadata: {name: project}
spec:
  parents: [workspace]
  permissions: [{slug: 'project:edit', displayName: Edit projects, description: All of them}]
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization, externalId: acme-1, displayName: Acme Corporation}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: hq}
spec: {type: workspace, parentRef: {name: acme}, externalId: 'head/office', displayName: Headquarters, description: Here}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: workspace-admin}
spec: {resourceType: workspace, permissions: ['project:edit'], displayName: Workspace Admin}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: OrganizationMembership
metadata: {name: alice-at-acme}
spec: {organizationRef: {name: acme}, user: {id: alice, email: alice@example.com, firstName: Alice, lastName: Liddell}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Group
metadata: {name: designers}
spec: {organizationRef: {name: acme}, members: [alice-at-acme], displayName: Designers}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: MembershipRoleAssignment
metadata: {name: alice-runs-hq}
spec: {membershipRef: {name: alice-at-acme}, roleRef: {name: workspace-admin}, resourceRef: {name: hq}}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: GroupRoleAssignment
metadata: {name: designers-run-hq}
spec: {groupRef: {name: designers}, roleRef: {name: workspace-admin}, resourceRef: {name: hq}}
";

#[test]
fn what_the_sdk_makes_is_ready_for_kubectl() {
    let target = Target::operator("sdk-objects");
    let world = World::new(&target.url());
    block_on(async {
        let acme = world.organization("Acme Corporation").await.id;
        let edit = world.permission("project:edit", "project").await;
        let admin = world.role("workspace-admin", "workspace", &[&edit]).await;
        let editor = world.role("project-editor", "project", &[&edit]).await;
        let hq = world.resource(&acme, "workspace", "hq", None).await.id;
        let website = world.resource(&acme, "project", "website", Some(&hq)).await.id;
        let alice = world.member(&acme, "alice").await.id;
        let group = world.group(&acme, "Designers", &[&alice]).await.id;
        world.assign(&alice, &admin, by_id(&hq)).await.unwrap();
        world.assign_group(&group, &editor, Some(&website)).await.unwrap();
        assert!(world.may(&alice, &edit, &website).await);
    });

    for (kind, number) in KINDS {
        let items = wait::until(&format!("all {kind} are ready"), || {
            let items = objects(&target.environment, kind);
            let unready: Vec<_> = items.iter().filter(|item| !is_ready(item)).collect();
            if items.len() == number && unready.is_empty() { Ok(items) } else { Err(format!("{items:#?}")) }
        });
        let table = ControlPlane::shared().kubectl(&["get", kind, "--namespace", &target.environment]).ok();
        for item in &items {
            let row = table.lines().find(|row| row.starts_with(name(item))).expect("a row of the object");
            assert!(row.contains("True"), "not ready in the table: {row}");
        }
        let prefix = match kind {
            "resources" => "acme-corporation",
            "groups" => "designers",
            "roles" => "workspace-admin",
            _ => continue,
        };
        assert!(items.iter().any(|item| name(item).starts_with(prefix)), "{kind}: no readable name in {table}");
    }
}

#[test]
fn what_kubectl_applies_is_in_the_lists_of_the_sdk() {
    let target = Target::operator("sdk-applied");
    ControlPlane::shared().apply(&target.environment, APPLIED);

    let world = World::new(&target.url());
    let (organizations, api) = (world.client.organizations(), world.client.authorization());
    let (groups, memberships) = (world.client.groups(), world.client.organization_membership());
    // Of all that was applied, the assignments need the most.
    wait::until("what was applied is known", || {
        let listed =
            block_on(api.list_group_role_assignments("designers", authz::ListGroupRoleAssignmentsParams::default()));
        match listed {
            Ok(listed) if !listed.data.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    block_on(async {
        let acme = organizations.get_organization_by_external_id("acme-1").await.unwrap();
        assert_id(&acme.id, "org");
        assert_eq!(acme.name, "Acme Corporation");
        assert_eq!(
            parsed(&organizations.get_organization("acme").await.unwrap()),
            parsed(&acme),
            "by the object's name"
        );

        let hq = api.get_resource_by_external_id(&acme.id, "workspace", "head/office").await.unwrap();
        assert_eq!((hq.name.as_str(), hq.description.as_deref()), ("Headquarters", Some("Here")));
        assert_eq!(parsed(&api.get_resource("hq").await.unwrap()), parsed(&hq), "by the object's name");
        let params = authz::ListResourcesParams {
            organization_id: Some(acme.id.clone()),
            resource_type_slug: Some("workspace".to_owned()),
            ..Default::default()
        };
        assert_eq!(ids(&parsed(&api.list_resources(params).await.unwrap())), [hq.id.as_str()]);

        let role = api.get_environment_role("workspace-admin").await.unwrap();
        assert_eq!((role.name.as_str(), role.permissions), ("Workspace Admin", vec!["project:edit".to_owned()]));
        let permission = api.get_permission("project:edit").await.unwrap();
        assert_eq!(
            (permission.name.as_str(), permission.description.as_deref(), permission.resource_type_slug.as_str()),
            ("Edit projects", Some("All of them"), "project")
        );

        let params = ListOrganizationMembershipsParams { user_id: Some("alice".to_owned()), ..Default::default() };
        let alice = memberships.list_organization_memberships(params).await.unwrap().data.remove(0);
        assert_id(&alice.id, "om");
        assert_eq!(
            (alice.user.email.as_str(), alice.user.first_name.as_deref(), alice.user.last_name.as_deref()),
            ("alice@example.com", Some("Alice"), Some("Liddell"))
        );
        let group = groups.list_organization_groups(&acme.id, ListOrganizationGroupsParams::default()).await.unwrap();
        let group = &group.data[0];
        assert_eq!(group.name, "Designers");
        let params = ListGroupOrganizationMembershipsParams::default();
        let members = groups.list_group_organization_memberships(&acme.id, &group.id, params).await.unwrap();
        assert_eq!(ids(&parsed(&members)), [alice.id.as_str()]);

        let params = authz::ListRoleAssignmentsForResourceParams::default();
        let listed = api.list_role_assignments_for_resource(&hq.id, params).await.unwrap();
        let mut sources: Vec<_> = listed.data.iter().map(|assignment| assignment.source.type_.as_str()).collect();
        sources.sort_unstable();
        assert_eq!(sources, ["direct", "group"], "both assignments are listed");
        assert!(world.may(&alice.id, "project:edit", &hq.id).await);

        // What kubectl made can be taken away by the SDK.
        let direct = listed.data.iter().find(|assignment| assignment.source.type_.as_str() == "direct").unwrap();
        api.remove_role_assignment(&alice.id, &direct.id).await.unwrap();
        groups.delete_group_organization_membership(&acme.id, &group.id, &alice.id).await.unwrap();
        assert!(!world.may(&alice.id, "project:edit", &hq.id).await);
    });
    assert!(objects(&target.environment, "membershiproleassignments").is_empty(), "the assignment's object is gone");
    assert_eq!(
        objects(&target.environment, "groups")[0]["spec"]["members"],
        Value::Null,
        "and the group has no members"
    );
}

#[test]
fn an_update_leaves_what_others_apply_alone() {
    let target = Target::operator("sdk-managers");
    let world = World::new(&target.url());
    let (acme, alice, bob) = block_on(async {
        let acme = world.organization("Acme").await.id;
        (acme.clone(), world.member(&acme, "alice").await.id, world.member(&acme, "bob").await.id)
    });
    let named = |id: &str| {
        let memberships = objects(&target.environment, "organizationmemberships");
        let user = block_on(world.client.organization_membership().get_organization_membership(id)).unwrap().user_id;
        memberships
            .iter()
            .find(|item| item["spec"]["user"]["id"] == user.as_str())
            .map(|item| name(item).to_owned())
            .unwrap()
    };
    let organization = name(&objects(&target.environment, "resources")[0]).to_owned();
    let apply = |manifest: &Value| {
        let arguments = [
            "apply",
            "--server-side",
            "--field-manager=argocd-controller",
            "--namespace",
            &target.environment,
            "-f",
            "-",
        ];
        ControlPlane::shared().kubectl_with(&arguments, &manifest.to_string()).ok();
    };
    let hq = json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1",
        "kind": "Resource",
        "metadata": {"name": "hq", "labels": {"team": "platform"}, "annotations": {"argocd.argoproj.io/tracking-id": "hq"}},
        "spec": {"type": "workspace", "parentRef": {"name": organization}, "description": "Declared"},
    });
    let staff = json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1",
        "kind": "Group",
        "metadata": {"name": "staff", "labels": {"team": "platform"}},
        "spec": {"organizationRef": {"name": organization}, "members": [named(&alice)]},
    });
    apply(&hq);
    apply(&staff);
    let (api, groups) = (world.client.authorization(), world.client.groups());
    wait::until("what was applied is known", || {
        let known = block_on(async {
            (api.get_resource("hq").await.is_ok(), groups.get_organization_group(&acme, "staff").await.is_ok())
        });
        if known == (true, true) { Ok(()) } else { Err(format!("{known:?}")) }
    });

    block_on(async {
        let body = value(json!({"name": "Headquarters"}));
        let changed = api.update_resource("hq", authz::UpdateResourceParams::new(body)).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.description.as_deref()), ("Headquarters", Some("Declared")));
        let body = value(json!({"organization_membership_id": bob}));
        let params = CreateGroupOrganizationMembershipParams::new(body);
        groups.create_group_organization_membership(&acme, "staff", params).await.unwrap();
    });
    let (resource, group) =
        (object(&target.environment, "resources", "hq"), object(&target.environment, "groups", "staff"));
    assert_eq!(resource["spec"]["displayName"], "Headquarters");
    assert_eq!(resource["spec"]["description"], "Declared");
    assert_eq!(resource["metadata"]["labels"], json!({"team": "platform"}));
    assert_eq!(resource["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"], "hq");
    assert_owns(&resource, &["f:description", "f:parentRef", "f:type"]);
    assert_eq!(group["metadata"]["labels"], json!({"team": "platform"}));
    let members = group["spec"]["members"].as_array().expect("members");
    assert!(members.contains(&json!(named(&alice))) && members.contains(&json!(named(&bob))), "{members:?}");
    assert_owns(&group, &["f:members", "f:organizationRef"]);

    // The next synchronization has nothing to argue about, and keeps what it does not declare.
    apply(&hq);
    apply(&staff);
    assert_eq!(object(&target.environment, "resources", "hq")["spec"]["displayName"], "Headquarters");
    let members = object(&target.environment, "groups", "staff")["spec"]["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(2), "{members}");
}

/// Argo CD still owns these fields of the spec.
#[track_caller]
fn assert_owns(object: &Value, fields: &[&str]) {
    let managers = object["metadata"]["managedFields"].as_array().expect("managed fields");
    let argo = managers.iter().find(|entry| entry["manager"] == "argocd-controller" && entry["operation"] == "Apply");
    let spec = &argo.expect("what Argo CD applied")["fieldsV1"]["f:spec"];
    for field in fields {
        assert!(spec.get(field).is_some(), "it does not own {field} any more: {spec}");
    }
}

/// All objects of a kind.
fn objects(namespace: &str, kind: &str) -> Vec<Value> {
    let text = ControlPlane::shared().kubectl(&["get", kind, "--namespace", namespace, "--output", "json"]).ok();
    let list: Value = serde_json::from_str(&text).expect("a list in JSON");
    list["items"].as_array().expect("items").clone()
}

fn object(namespace: &str, kind: &str, name: &str) -> Value {
    let arguments = ["get", kind, name, "--namespace", namespace, "--output", "json", "--show-managed-fields"];
    serde_json::from_str(&ControlPlane::shared().kubectl(&arguments).ok()).expect("an object in JSON")
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

/// Whether the controller has seen its latest spec and found it in order.
fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let ready = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"));
    ready.is_some_and(|ready| {
        ready["status"] == "True" && ready["observedGeneration"] == object["metadata"]["generation"]
    })
}
