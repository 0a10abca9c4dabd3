//! Role assignments of memberships and of groups.

use serde_json::{Value, json};
use workos::authorization as authz;

use super::client::{
    Page, World, assert_id, assert_not_found, assert_pages, assert_refused, assert_times, by_external_id, by_id, ids,
    paged, parsed, value,
};

pub async fn of_memberships(world: &World) {
    let api = world.client.authorization();
    let acme = world.organization("Acme").await.id;
    let see = world.permission("project:see", "project").await;
    let (role, viewer) =
        (world.role("seer", "workspace", &[&see]).await, world.role("viewer", "project", &[&see]).await);
    let hq = world.resource(&acme, "workspace", "hq", None).await.id;
    let mut projects = Vec::new();
    for number in 1..4 {
        projects.push(world.resource(&acme, "project", &format!("project-{number}"), Some(&hq)).await.id);
    }
    let (alice, bob) = (world.member(&acme, "alice").await.id, world.member(&acme, "bob").await.id);

    let made = world.assign(&alice, &role, by_id(&hq)).await.unwrap();
    assert_id(&made.id, "role_assignment");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        (made.object.as_str(), &made.organization_membership_id, &made.role.slug),
        ("role_assignment", &alice, &role),
        "section 3.8: an assignment that was created"
    );
    assert_eq!(
        parsed(&made.resource),
        json!({"id": hq, "external_id": "hq", "resource_type_slug": "workspace"}),
        "section 3.8: its resource"
    );
    assert_eq!(made.source.type_.as_str(), "direct", "section 3.8: its source");
    assert!(made.source.group.is_none() && made.source.group_role_assignment_id.is_none(), "section 3.8: of no group");
    let again = world.assign(&alice, &role, by_external_id("workspace", "hq")).await.unwrap();
    assert_eq!(parsed(&again), parsed(&made), "rule 31: assigning again answers with what is there");
    let refused = world.assign(&alice, &viewer, by_id(&hq)).await;
    assert_eq!(refused.expect_err("rule 27: a role of another type").status(), Some(422));
    assert_not_found("rule 29: an unknown role", world.assign(&alice, "no-such-role", by_id(&hq)).await);

    let mut direct = vec![made.id.clone()];
    for project in &projects {
        direct.push(world.assign(&alice, &viewer, by_id(project)).await.unwrap().id);
    }
    let list = async |page: Page| {
        let params = paged!(page, authz::ListRoleAssignmentsParams::default());
        parsed(&api.list_role_assignments(&alice, params).await.unwrap())
    };
    let everything = list(Page { limit: Some(100), ..Page::default() }).await;
    let own = with_type(&everything, "organization");
    assert_eq!(
        (own.len(), own[0]["role"]["slug"].as_str()),
        (1, Some("member")),
        "rule 36: the role in the organization"
    );
    let expected: Vec<_> = direct.iter().map(String::as_str).chain([own[0]["id"].as_str().unwrap()]).collect();
    assert_pages("rule 35: assignments of a membership", list, &expected).await;
    let params = authz::ListRoleAssignmentsParams {
        resource_external_id: Some("project-2".to_owned()),
        resource_type_slug: Some("project".to_owned()),
        ..Default::default()
    };
    let found = parsed(&api.list_role_assignments(&alice, params).await.unwrap());
    assert_eq!(ids(&found), [direct[2].as_str()], "rule 35: filtered");

    let of_bob = world.assign(&bob, &viewer, by_id(&projects[0])).await.unwrap().id;
    let expected = [direct[1].as_str(), of_bob.as_str()];
    let list = async |page: Page| {
        let params =
            authz::ListRoleAssignmentsForResourceParams { role_slug: Some(viewer.clone()), ..Default::default() };
        parsed(&api.list_role_assignments_for_resource(&projects[0], paged!(page, params)).await.unwrap())
    };
    assert_pages("rule 37: assignments on a resource", list, &expected).await;
    let list = async |page: Page| {
        let params = paged!(page, authz::ListRoleAssignmentsForResourceByExternalIdParams::default());
        let listed = api.list_role_assignments_for_resource_by_external_id(&acme, "project", "project-1", params).await;
        parsed(&listed.unwrap())
    };
    assert_pages("rule 37: by external id", list, &expected).await;

    assert_not_found("rule 33: another membership's", api.remove_role_assignment(&bob, &made.id).await);
    api.remove_role_assignment(&alice, &made.id).await.unwrap();
    assert_not_found("rule 33: again", api.remove_role_assignment(&alice, &made.id).await);
    assert!(world.may(&alice, &see, &projects[0]).await, "rule 34: a direct grant on the child stays");
    let target = by_external_id("project", "project-1");
    let criteria = authz::RemoveRoleParams::new(authz::RemoveRoleParamsBody::new(&viewer, target));
    api.remove_role(&alice, criteria.clone()).await.unwrap();
    assert_not_found("rule 33: again by criteria", api.remove_role(&alice, criteria).await);
    assert!(!world.may(&alice, &see, &projects[0]).await, "rule 33: removed by criteria");
}

pub async fn of_groups(world: &World) {
    let api = world.client.authorization();
    let acme = world.organization("Acme").await.id;
    let root = world.root(&acme).await.id;
    let see = world.permission("workspace:see", "workspace").await;
    let manage = world.permission("organization:manage", "organization").await;
    let role = world.role("seer", "workspace", &[&see]).await;
    let manager = world.role("manager", "organization", &[&manage]).await;
    let hq = world.resource(&acme, "workspace", "hq", None).await.id;
    let lab = world.resource(&acme, "workspace", "lab", None).await.id;
    let farm = world.resource(&acme, "workspace", "farm", None).await.id;
    let alice = world.member(&acme, "alice").await.id;
    let group = world.group(&acme, "Staff", &[&alice]).await.id;

    let made = world.assign_group(&group, &role, Some(&hq)).await.unwrap();
    assert_id(&made.id, "gra");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        parsed(&made),
        json!({
            "object": "group_role_assignment", "id": made.id, "group_id": group, "role": {"slug": role},
            "resource": {"id": hq, "external_id": "hq", "resource_type_slug": "workspace"},
            "created_at": made.created_at, "updated_at": made.updated_at,
        }),
        "section 3.8: an assignment of a group that was created"
    );
    assert_eq!(
        parsed(&api.get_group_role_assignment(&group, &made.id).await.unwrap()),
        parsed(&made),
        "an assignment by id"
    );
    assert!(world.may(&alice, &see, &hq).await, "rules 40, 45: it is effective at once");
    let params = authz::ListRoleAssignmentsParams { resource_id: Some(hq.clone()), ..Default::default() };
    let derived = api.list_role_assignments(&alice, params).await.unwrap().data;
    assert_eq!(
        parsed(&derived[0].source),
        json!({"type": "group", "group_role_assignment_id": made.id, "group": {"id": group, "name": "Staff"}}),
        "section 3.8: what a group gives"
    );
    let again = world.assign_group(&group, &role, Some(&hq)).await;
    assert_refused("rule 47: the same again", again, 409, "duplicate_group_role_assignment");
    let organization_wide = world.assign_group(&group, &manager, None).await.unwrap();
    assert_eq!(
        parsed(&organization_wide.resource),
        json!({"id": root, "external_id": acme, "resource_type_slug": "organization"}),
        "section 1.7: without a resource, the organization it is"
    );
    assert!(world.may(&alice, &manage, &lab).await, "rule 40: a role in the organization");

    let put = |entries: Value| {
        let params = authz::UpdateGroupRoleAssignmentsParams::new(value(json!({"role_assignments": entries})));
        api.update_group_role_assignments(&group, params)
    };
    let replaced = put(json!([
        {"role_slug": role, "resource_id": hq},
        {"role_slug": role, "resource_external_id": "lab", "resource_type_slug": "workspace"},
        {"role_slug": role, "resource_id": farm},
    ]));
    let replaced = replaced.await.unwrap().data;
    let expected: Vec<_> = replaced.iter().map(|assignment| assignment.id.as_str()).collect();
    assert!(expected.len() == 3 && expected.contains(&made.id.as_str()), "rule 48: exactly these: {replaced:?}");
    assert!(world.may(&alice, &see, &lab).await && !world.may(&alice, &manage, &lab).await, "rule 48: effective");
    let list = async |page: Page| {
        let params = paged!(page, authz::ListGroupRoleAssignmentsParams::default());
        parsed(&api.list_group_role_assignments(&group, params).await.unwrap())
    };
    assert_pages("assignments of a group", list, &expected).await;

    api.delete_group_role_assignment(&group, &made.id).await.unwrap();
    assert_not_found("again by id", api.delete_group_role_assignment(&group, &made.id).await);
    assert!(!world.may(&alice, &see, &hq).await, "rule 42: removed by id");
    let criteria = |body| authz::DeleteGroupRoleAssignmentsParams::new(value(body));
    let target = json!({"role_slug": role, "resource_external_id": "lab", "resource_type_slug": "workspace"});
    api.delete_group_role_assignments(&group, criteria(target)).await.unwrap();
    assert!(!world.may(&alice, &see, &lab).await, "rule 50: removed by criteria");
    let refused = api.delete_group_role_assignments(&group, criteria(json!({"role_slug": role}))).await;
    assert_not_found("rule 50: without a resource, the organization is meant", refused);
    assert!(put(json!([])).await.unwrap().data.is_empty(), "rule 48: [] clears");
}

/// The assignments of a page on resources of a type.
fn with_type<'page>(page: &'page Value, kind: &str) -> Vec<&'page Value> {
    let items = page["data"].as_array().expect("a list");
    items.iter().filter(|item| item["resource"]["resource_type_slug"] == kind).collect()
}
