//! Resources, discovery, percent-encoding and repeated requests.

use serde_json::json;
use workos::{
    AuthorizationAssignment, RequestOptions,
    authorization::{self as authz, DeleteResourceByExternalIdParams, DeleteResourceParams, ParentResource},
    groups::{CreateOrganizationGroupParams, ListOrganizationGroupsParams},
};

use super::client::{
    Page, World, assert_id, assert_not_found, assert_pages, assert_refused, assert_times, by_external_id, by_id, ids,
    paged, parsed, value,
};

pub async fn resources(world: &World) {
    let api = world.client.authorization();
    let (acme, globex) = (world.organization("Acme").await.id, world.organization("Globex").await.id);
    let root = world.root(&acme).await.id;
    let hq = world.resource(&acme, "workspace", "hq", None).await;
    assert_id(&hq.id, "authz_resource");
    assert_times(&hq.created_at, &hq.updated_at);
    assert_eq!(
        parsed(&hq),
        json!({
            "object": "authorization_resource", "id": hq.id, "external_id": "hq", "name": "hq",
            "resource_type_slug": "workspace", "organization_id": acme, "parent_resource_id": root,
            "created_at": hq.created_at, "updated_at": hq.updated_at,
        }),
        "section 3.8, rule 53: a resource that was created"
    );
    assert_eq!(parsed(&api.get_resource(&hq.id).await.unwrap()), parsed(&hq), "a resource by id");
    let read = api.get_resource_by_external_id(&acme, "workspace", "hq").await.unwrap();
    assert_eq!(parsed(&read), parsed(&hq), "rule 60: a resource by external id");
    let refused = world.try_resource(&acme, "workspace", "hq", None).await;
    assert_refused("rule 53: a taken external id", refused, 409, "authorization_resource_external_id_conflict");
    let foreign = world.resource(&globex, "workspace", "hq", None).await.id;
    assert_not_found("rule 54: a foreign parent", world.try_resource(&acme, "project", "x", Some(&foreign)).await);
    assert_not_found("rule 56: an unknown type", world.try_resource(&acme, "no-such-type", "x", None).await);
    let refused = world.try_resource(&acme, "organization", "x", None).await;
    assert_eq!(refused.expect_err("rule 56: the type `organization`").status(), Some(400));
    let refused = world.try_resource(&acme, "document", "x", Some(&hq.id)).await;
    assert_eq!(refused.expect_err("rule 55: a wrong parent").status(), Some(422));

    let body = value(json!({"name": "HQ", "description": "Where it all began"}));
    let changed = api.update_resource(&hq.id, authz::UpdateResourceParams::new(body)).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref(), changed.parent_resource_id.as_deref()),
        ("HQ", Some("Where it all began"), Some(root.as_str())),
        "rule 57: PATCH changes what it names"
    );
    let params = authz::UpdateResourceByExternalIdParams::new(value(json!({"name": "Head office"})));
    let changed = api.update_resource_by_external_id(&acme, "workspace", "hq", params).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref()),
        ("Head office", Some("Where it all began")),
        "rule 60: PATCH by external id"
    );

    let mut projects = Vec::new();
    for number in 1..8 {
        projects.push(world.resource(&acme, "project", &format!("project-{number}"), Some(&hq.id)).await.id);
    }
    let expected: Vec<_> = projects.iter().map(String::as_str).collect();
    let by_type = authz::ListResourcesParams {
        organization_id: Some(acme.clone()),
        resource_type_slug: Some("project".to_owned()),
        ..Default::default()
    };
    let by_parent = authz::ListResourcesParams {
        organization_id: Some(acme.clone()),
        parent: Some(authz::Parent::ByExternalId {
            parent_resource_type_slug: "workspace".to_owned(),
            parent_external_id: "hq".to_owned(),
        }),
        ..Default::default()
    };
    for filters in [by_type, by_parent] {
        let list = async |page: Page| parsed(&api.list_resources(paged!(page, filters.clone())).await.unwrap());
        assert_pages("rule 61: a filtered list", list, &expected).await;
    }
    let filters =
        authz::ListResourcesParams { resource_external_id: Some("project-3".to_owned()), ..by_id_of_parent(&hq.id) };
    let found = parsed(&api.list_resources(filters).await.unwrap());
    assert_eq!(ids(&found), [projects[2].as_str()], "rule 61: filters add up");

    let lab = world.resource(&acme, "workspace", "lab", None).await.id;
    let parent = ParentResource::ById { parent_resource_id: lab.clone() };
    let body = authz::UpdateResourceParamsBody { parent_resource: Some(parent), ..Default::default() };
    let moved = api.update_resource(&projects[0], authz::UpdateResourceParams::new(body)).await.unwrap();
    assert_eq!(moved.parent_resource_id.as_ref(), Some(&lab), "rule 57: a new parent");

    let refused = api.delete_resource(&hq.id, DeleteResourceParams::default()).await;
    assert_refused("rule 59: a resource with children", refused, 409, "resource_has_dependents");
    let by_path = |cascade| {
        let params = DeleteResourceByExternalIdParams { cascade_delete: Some(cascade) };
        api.delete_resource_by_external_id(&acme, "workspace", "hq", params)
    };
    assert_refused("rule 59: by external id", by_path(false).await, 409, "resource_has_dependents");
    by_path(true).await.unwrap();
    for gone in projects[1..].iter().chain([&hq.id]) {
        assert_not_found("rule 59: the subtree is gone", api.get_resource(gone).await);
    }
    assert_not_found("rule 60: again by external id", by_path(true).await);
    api.delete_resource(&projects[0], DeleteResourceParams::default()).await.unwrap();
    assert_not_found("rule 60: again by id", api.delete_resource(&projects[0], DeleteResourceParams::default()).await);
}

fn by_id_of_parent(parent: &str) -> authz::ListResourcesParams {
    let parent = authz::Parent::ById { parent_resource_id: parent.to_owned() };
    authz::ListResourcesParams {
        parent: Some(parent),
        resource_type_slug: Some("project".to_owned()),
        ..Default::default()
    }
}

pub async fn discovery(world: &World) {
    let api = world.client.authorization();
    let acme = world.organization("Acme").await.id;
    let mut permissions = Vec::new();
    for kind in ["workspace", "project", "document"] {
        permissions.push(world.permission(&format!("{kind}:see"), kind).await);
    }
    let slugs: Vec<_> = permissions.iter().map(String::as_str).collect();
    let (admin, viewer) =
        (world.role("admin", "workspace", &slugs).await, world.role("viewer", "project", &slugs[1..2]).await);
    let hq = world.resource(&acme, "workspace", "hq", None).await.id;
    let mut projects = Vec::new();
    for number in 1..5 {
        projects.push(world.resource(&acme, "project", &format!("project-{number}"), Some(&hq)).await.id);
    }
    let (alice, website) = (world.member(&acme, "alice").await.id, &projects[0]);
    world.assign(&alice, &admin, by_id(&hq)).await.unwrap();
    let mut direct = Vec::new();
    for number in 1..4 {
        let member = world.member(&acme, &format!("user-{number}")).await.id;
        world.assign(&member, &viewer, by_external_id("project", "project-1")).await.unwrap();
        direct.push(member);
    }

    let mut declared = Vec::new();
    for slug in &permissions {
        declared.push(api.get_permission(slug).await.unwrap());
    }
    let expected: Vec<_> = declared.iter().map(|permission| permission.id.as_str()).collect();
    let by_resource = async |page: Page| {
        let params = paged!(page, authz::ListEffectivePermissionsParams::default());
        parsed(&api.list_effective_permissions(&alice, website, params).await.unwrap())
    };
    assert_pages("rule 15: effective permissions", by_resource, &expected).await;
    let by_path = async |page: Page| {
        let params = paged!(page, authz::ListEffectivePermissionsByExternalIdParams::default());
        parsed(&api.list_effective_permissions_by_external_id(&alice, "project", "project-1", params).await.unwrap())
    };
    assert_pages("rule 15: by external id", by_path, &expected).await;
    let listed = by_path(Page::default()).await;
    for permission in &declared {
        let listed = listed["data"].as_array().unwrap().iter().find(|listed| listed["id"] == permission.id.as_str());
        assert_eq!(listed, Some(&parsed(permission)), "rules 15, 16: permission objects");
    }

    let parents = [
        ParentResource::ById { parent_resource_id: hq.clone() },
        ParentResource::ByExternalId {
            parent_resource_type_slug: "workspace".to_owned(),
            parent_resource_external_id: "hq".to_owned(),
        },
    ];
    let expected: Vec<_> = projects.iter().map(String::as_str).collect();
    for parent in parents {
        let list = async |page: Page| {
            let params = authz::ListResourcesForMembershipParams::new(&permissions[1], parent.clone());
            parsed(&api.list_resources_for_membership(&alice, paged!(page, params)).await.unwrap())
        };
        assert_pages("rules 18, 19: resources of a membership", list, &expected).await;
    }

    let everyone: Vec<_> = direct.iter().chain([&alice]).map(String::as_str).collect();
    for (assignment, expected) in [
        (None, &everyone[..3]),
        (Some(AuthorizationAssignment::Direct), &everyone[..3]),
        (Some(AuthorizationAssignment::Indirect), &everyone[..]),
    ] {
        let list = async |page: Page| {
            let mut params = authz::ListMembershipsForResourceParams::new(&permissions[1]);
            params.assignment.clone_from(&assignment);
            parsed(&api.list_memberships_for_resource(website, paged!(page, params)).await.unwrap())
        };
        assert_pages("rules 23, 24: memberships of a resource", list, expected).await;
        let list = async |page: Page| {
            let mut params = authz::ListMembershipsForResourceByExternalIdParams::new(&permissions[1]);
            params.assignment.clone_from(&assignment);
            let params = paged!(page, params);
            let listed = api.list_memberships_for_resource_by_external_id(&acme, "project", "project-1", params).await;
            parsed(&listed.unwrap())
        };
        assert_pages("rules 23, 24: by external id", list, expected).await;
    }

    assert!(!world.may(&alice, "no:such", website).await, "rule 11: an unknown permission");
    let unknown = by_id("authz_resource_01JZZZZZZZZZZZZZZZZZZZZZZZ");
    assert_not_found("rule 9: an unknown resource", world.check(&alice, &permissions[0], unknown).await);
    let refused = world.check("om_01JZZZZZZZZZZZZZZZZZZZZZZZ", &permissions[0], by_id(&hq)).await;
    assert_not_found("rule 9: an unknown membership", refused);
}

/// Rule 76: external ids in paths, queries and bodies.
pub async fn external_ids(world: &World) {
    let api = world.client.authorization();
    let acme = world.organization("Acme").await.id;
    let see = world.permission("workspace:see", "workspace").await;
    let role = world.role("seer", "workspace", &[&see]).await;
    let alice = world.member(&acme, "alice").await.id;
    for external_id in ["a/b", "docs:read*", "two words", "100%", "%2F", "what?", "#hash", "a+b&c=d", "'\"<\\>\"'"] {
        let made = world.resource(&acme, "workspace", external_id, None).await;
        assert_eq!(made.external_id, external_id, "rule 76: in a body");
        let read = api.get_resource_by_external_id(&acme, "workspace", external_id).await.unwrap();
        assert_eq!(parsed(&read), parsed(&made), "rule 76: `{external_id}` in a path");
        let params = authz::ListResourcesParams {
            organization_id: Some(acme.clone()),
            resource_type_slug: Some("workspace".to_owned()),
            resource_external_id: Some(external_id.to_owned()),
            ..Default::default()
        };
        let found = parsed(&api.list_resources(params).await.unwrap());
        assert_eq!(ids(&found), [made.id.as_str()], "rule 76: `{external_id}` in a query");
        let target = by_external_id("workspace", external_id);
        world.assign(&alice, &role, target.clone()).await.unwrap();
        assert!(world.check(&alice, &see, target).await.unwrap(), "rule 76: `{external_id}` in a check");
        let cascade = DeleteResourceByExternalIdParams { cascade_delete: Some(true) };
        api.delete_resource_by_external_id(&acme, "workspace", external_id, cascade).await.unwrap();
        assert_not_found("rule 76: after DELETE", api.get_resource(&made.id).await);
    }
}

/// Rule 72.
pub async fn idempotency(world: &World) {
    let api = world.client.groups();
    let acme = world.organization("Acme").await.id;
    let create = async |key: &str| {
        let options = RequestOptions::new().idempotency_key(key);
        let params = CreateOrganizationGroupParams::new(value(json!({"name": "Staff"})));
        api.create_organization_group_with_options(&acme, params, Some(&options)).await.unwrap()
    };
    let (key, other) = (world.unique("key"), world.unique("key"));
    let first = create(&key).await;
    assert_eq!(parsed(&create(&key).await), parsed(&first), "rule 72: the same key, the same answer");
    let second = create(&other).await;
    let listed = parsed(&api.list_organization_groups(&acme, ListOrganizationGroupsParams::default()).await.unwrap());
    let mut listed = ids(&listed);
    listed.sort_unstable();
    let mut expected = [first.id, second.id];
    expected.sort_unstable();
    assert_eq!(listed, expected, "rule 72: another key, another group, and no more");
}
