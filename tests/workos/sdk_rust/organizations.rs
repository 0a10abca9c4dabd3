//! Organizations, memberships and groups.

use serde_json::json;
use workos::{
    Error, UserManagementOrganizationMembershipStatuses as Status,
    groups::{ListGroupOrganizationMembershipsParams, ListOrganizationGroupsParams, UpdateOrganizationGroupParams},
    organization_membership as om,
    organizations::{CreateOrganizationParams, ListOrganizationsParams, UpdateOrganizationParams},
};

use super::client::{
    Page, World, assert_id, assert_not_found, assert_pages, assert_refused, assert_times, ids, paged, parsed, value,
};

pub async fn organizations(world: &World) {
    let api = world.client.organizations();
    let external_id = world.unique("acme/1: *");
    let body = json!({"name": "Acme Corporation", "external_id": external_id, "metadata": {"plan": "gold"}});
    let create = || api.create_organization(CreateOrganizationParams::new(value(body.clone())));
    let made = create().await.unwrap();
    assert_id(&made.id, "org");
    assert_times(&made.created_at, &made.updated_at);
    let mut expected = json!({
        "object": "organization", "id": made.id, "name": "Acme Corporation", "domains": [], "metadata": {"plan": "gold"},
        "external_id": external_id, "created_at": made.created_at, "updated_at": made.updated_at,
    });
    let mut known = parsed(&made);
    known.as_object_mut().unwrap().retain(|name, _| expected.get(name).is_some());
    assert_eq!(known, expected, "section 1.1: an organization that was created");
    assert_eq!(parsed(&api.get_organization(&made.id).await.unwrap()), parsed(&made), "by id");
    let found = api.get_organization_by_external_id(&external_id).await.unwrap();
    assert_eq!(parsed(&found), parsed(&made), "rule 76: by external id");
    assert_refused("section 1.1: a taken external id", create().await, 400, "external_id_already_used");

    let params = UpdateOrganizationParams::new(value(json!({"name": "Acme & Sons"})));
    let changed = api.update_organization(&made.id, params).await.unwrap();
    expected["name"] = json!("Acme & Sons");
    expected["updated_at"] = json!(changed.updated_at);
    let mut known = parsed(&changed);
    known.as_object_mut().unwrap().retain(|name, _| expected.get(name).is_some());
    assert_eq!(known, expected, "an organization after its name changed");
    assert_times(&changed.created_at, &changed.updated_at);

    let root = world.root(&made.id).await;
    assert_id(&root.id, "authz_resource");
    assert_eq!(
        (root.name.as_str(), &root.external_id, &root.organization_id, root.parent_resource_id),
        ("Acme & Sons", &external_id, &made.id, None),
        "section 1.3: the resource that an organization is"
    );

    let other = world.organization("Globex").await.id;
    let listed =
        api.list_organizations(ListOrganizationsParams { limit: Some(2), ..ListOrganizationsParams::default() });
    let listed = parsed(&listed.await.unwrap());
    assert_eq!(ids(&listed), [other, made.id.clone()], "rule 68: organizations, the newest first");

    api.delete_organization(&made.id).await.unwrap();
    assert_not_found("rule 39: a deleted organization", api.get_organization(&made.id).await);
    assert_not_found("its external id", api.get_organization_by_external_id(&external_id).await);
    assert_not_found("rule 39: its root", world.client.authorization().get_resource(&root.id).await);
    assert_not_found("deleting it again", api.delete_organization(&made.id).await);
}

pub async fn memberships(world: &World) {
    let api = world.client.organization_membership();
    let (acme, globex) = (world.organization("Acme").await.id, world.organization("Globex").await.id);
    let made = world.member(&acme, "auth0|alice").await;
    assert_id(&made.id, "om");
    assert_times(&made.created_at, &made.updated_at);
    assert_times(&made.user.created_at, &made.user.updated_at);
    assert_eq!(
        parsed(&made),
        json!({
            "object": "organization_membership", "id": made.id, "user_id": made.user_id, "organization_id": acme,
            "organization_name": "Acme", "status": "active", "directory_managed": false, "custom_attributes": {},
            "role": {"slug": "member"}, "roles": [{"slug": "member"}], "user": parsed(&made.user),
            "created_at": made.created_at, "updated_at": made.updated_at,
        }),
        "section 3.8: a membership that was created"
    );
    assert_eq!((&made.user.id, made.user.email.as_str()), (&made.user_id, ""), "section 3.8: the embedded user");
    assert_eq!(parsed(&api.get_organization_membership(&made.id).await.unwrap()), parsed(&made), "by id");

    let (role, workspace_role) =
        (world.role("admin", "organization", &[]).await, world.role("w", "workspace", &[]).await);
    let update = |role| {
        let body = om::UpdateOrganizationMembershipParamsBody { role: Some(role) };
        api.update_organization_membership(&made.id, om::UpdateOrganizationMembershipParams::new(body))
    };
    let single = |role_slug: &str| om::Role::Single { role_slug: role_slug.to_owned() };
    let changed = update(single(&role)).await.unwrap();
    assert_eq!(parsed(&changed.roles), json!([{"slug": role}]), "rule 36: PUT changes the role");
    assert_refused("section 1.5: no role", update(single("no-such-role")).await, 422, "invalid_role");
    let refused = update(single(&workspace_role)).await;
    assert_refused("section 1.5: a workspace's role", refused, 422, "sub_resource_scoped_role_not_allowed");
    let several = om::Role::Multiple { role_slugs: vec![role.clone(), "member".to_owned()] };
    assert_refused("section 1.5: two roles", update(several).await, 422, "multiple_roles_not_enabled");

    let inactive = api.deactivate_organization_membership(&made.id).await.unwrap();
    assert_eq!((inactive.status.as_str(), &inactive.role.slug), ("inactive", &role), "rule 13: deactivate");
    let active = api.reactivate_organization_membership(&made.id).await.unwrap();
    assert_eq!((active.status.as_str(), &active.role.slug), ("active", &role), "rule 13: reactivate");

    let mut members = vec![made.id.clone()];
    for number in 1..7 {
        members.push(world.member(&acme, &format!("user-{number}")).await.id);
    }
    let leaver = world.member(&acme, "leaver").await.id;
    api.deactivate_organization_membership(&leaver).await.unwrap();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let list = async |page: Page| {
        let params =
            om::ListOrganizationMembershipsParams { organization_id: Some(acme.clone()), ..Default::default() };
        parsed(&api.list_organization_memberships(paged!(page, params)).await.unwrap())
    };
    assert_pages("memberships of an organization", list, &members).await;
    let statuses = Some(vec![Status::Inactive, Status::Pending]);
    let params =
        om::ListOrganizationMembershipsParams { organization_id: Some(acme.clone()), statuses, ..Default::default() };
    let listed = parsed(&api.list_organization_memberships(params).await.unwrap());
    assert_eq!(ids(&listed), [leaver.as_str()], "section 3.7: memberships by a list of statuses");
    let body = om::CreateOrganizationMembershipParamsBody::new(&made.user_id, &globex);
    let abroad =
        api.create_organization_membership(om::CreateOrganizationMembershipParams::new(body)).await.unwrap().id;
    let params = om::ListOrganizationMembershipsParams { user_id: Some(made.user_id.clone()), ..Default::default() };
    let listed = parsed(&api.list_organization_memberships(params).await.unwrap());
    assert_eq!(ids(&listed), [abroad, made.id.clone()], "memberships of a user");
    let refused = api.list_organization_memberships(om::ListOrganizationMembershipsParams::default()).await;
    assert_refused("section 3.7: memberships of nobody", refused, 400, "missing_user_id_or_organization_id");

    api.delete_organization_membership(&leaver).await.unwrap();
    assert_not_found("rule 39: a deleted membership", api.get_organization_membership(&leaver).await);
    assert_not_found("deleting it again", api.delete_organization_membership(&leaver).await);
}

pub async fn groups(world: &World) {
    let api = world.client.groups();
    let (acme, globex) = (world.organization("Acme").await.id, world.organization("Globex").await.id);
    let made = world.group(&acme, "Engineering", &[]).await;
    assert_id(&made.id, "group");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        (made.object.as_str(), &made.organization_id, made.name.as_str(), &made.description),
        ("group", &acme, "Engineering", &None),
        "section 3.8: a group that was created"
    );
    let read = api.get_organization_group(&acme, &made.id).await.unwrap();
    assert_eq!(parsed(&read), parsed(&made), "a group by id");
    assert_not_found("rule 52: another organization's group", api.get_organization_group(&globex, &made.id).await);
    let params = UpdateOrganizationGroupParams::new(value(json!({"description": "They build"})));
    let changed = api.update_organization_group(&acme, &made.id, params).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref()),
        ("Engineering", Some("They build")),
        "PATCH of a group"
    );

    let mut teams = vec![made.id.clone()];
    for number in 1..7 {
        teams.push(world.group(&acme, &format!("Team {number}"), &[]).await.id);
    }
    let expected: Vec<_> = teams.iter().map(String::as_str).collect();
    let list = async |page: Page| {
        parsed(
            &api.list_organization_groups(&acme, paged!(page, ListOrganizationGroupsParams::default())).await.unwrap(),
        )
    };
    assert_pages("groups of an organization", list, &expected).await;
    let params = ListOrganizationGroupsParams { search: Some("Team 3".to_owned()), ..Default::default() };
    let found = parsed(&api.list_organization_groups(&acme, params).await.unwrap());
    assert_eq!(ids(&found), [teams[3].as_str()], "section 3.6: search by name");

    let mut members = Vec::new();
    for number in 1..5 {
        members.push(world.member(&acme, &format!("user-{number}")).await);
    }
    for member in members.iter().chain(&members[..1]) {
        let group = world.join(&acme, &made.id, &member.id).await.unwrap();
        assert_eq!(parsed(&group.id), parsed(&made.id), "rule 51: adding a member answers with the group");
    }
    let expected: Vec<_> = members.iter().map(|member| member.id.as_str()).collect();
    let list = async |page: Page| {
        let params = paged!(page, ListGroupOrganizationMembershipsParams::default());
        parsed(&api.list_group_organization_memberships(&acme, &made.id, params).await.unwrap())
    };
    assert_pages("members of a group", list, &expected).await;
    let listed = list(Page::default()).await;
    let item = listed["data"].as_array().unwrap().iter().find(|item| item["id"] == members[0].id.as_str()).unwrap();
    assert_eq!(item["user"], parsed(&members[0].user), "section 3.6: members with their users");

    assert_not_found("rule 51: no membership", world.join(&acme, &made.id, "om_01JZZZZZZZZZZZZZZZZZZZZZZZ").await);
    let foreign = world.member(&globex, "foreign").await.id;
    let refused: Result<_, Error> = world.join(&acme, &made.id, &foreign).await;
    assert_eq!(refused.expect_err("rule 51: a membership of another organization").status(), Some(422));
    api.delete_group_organization_membership(&acme, &made.id, &members[0].id).await.unwrap();
    let again = api.delete_group_organization_membership(&acme, &made.id, &members[0].id).await;
    assert_not_found("rule 52: removing who is no member", again);

    for team in &teams[1..] {
        world.join(&acme, team, &members[1].id).await.unwrap();
    }
    let expected: Vec<_> = teams.iter().map(String::as_str).collect();
    let memberships = world.client.organization_membership();
    let list = async |page: Page| {
        let params = paged!(page, om::ListOrganizationMembershipGroupsParams::default());
        parsed(&memberships.list_organization_membership_groups(&members[1].id, params).await.unwrap())
    };
    assert_pages("groups of a membership", list, &expected).await;

    api.delete_organization_group(&acme, &made.id).await.unwrap();
    assert_not_found("rule 52: a deleted group", api.get_organization_group(&acme, &made.id).await);
    assert_not_found("deleting it again", api.delete_organization_group(&acme, &made.id).await);
}
