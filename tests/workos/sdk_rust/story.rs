//! From nothing to a working organization and back, as a team would do it.

use serde_json::json;
use workos::{authorization as authz, organization_membership as om};

use super::client::{World, assert_not_found, by_external_id, by_id, ids, parsed, value};

pub async fn story(world: &World) {
    let (authorization, groups) = (world.client.authorization(), world.client.groups());
    let memberships = world.client.organization_membership();

    // An organization, and the vocabulary of the environment.
    let acme = world.organization("Acme").await.id;
    let create = world.permission("project:create", "workspace").await;
    let view = world.permission("project:view", "project").await;
    let edit = world.permission("project:edit", "project").await;
    let delete = world.permission("project:delete", "project").await;
    let admin = world.role("workspace-admin", "workspace", &[&create, &view, &edit]).await;
    let viewer = world.role("project-viewer", "project", &[&view]).await;
    let editor = world.unique("org-project-editor");
    let body = json!({"slug": editor, "name": "Project Editor", "resource_type_slug": "project"});
    let params = authz::CreateOrganizationRoleParams::new(value(body));
    authorization.create_organization_role(&acme, params).await.unwrap();
    let params = authz::SetOrganizationRolePermissionsParams::new(value(json!({"permissions": [view, edit]})));
    authorization.set_organization_role_permissions(&acme, &editor, params).await.unwrap();

    // Its resources.
    let engineering = world.resource(&acme, "workspace", "engineering", None).await.id;
    let marketing = world.resource(&acme, "workspace", "marketing", None).await.id;
    let website = world.resource(&acme, "project", "website", Some(&engineering)).await.id;
    let campaign = world.resource(&acme, "project", "campaign", Some(&marketing)).await.id;
    let readme = world.resource(&acme, "document", "readme", Some(&website)).await.id;

    // Alice administrates a workspace and views one project elsewhere.
    let alice = world.member(&acme, "user_alice").await.id;
    let bob = world.member(&acme, "user_bob").await.id;
    let administration = world.assign(&alice, &admin, by_id(&engineering)).await.unwrap().id;
    world.assign(&alice, &viewer, by_external_id("project", "campaign")).await.unwrap();
    assert!(world.may(&alice, &edit, &website).await, "rule 3: a workspace-admin edits its project");
    assert!(world.may(&alice, &edit, &readme).await, "rule 3: and what is in it");
    assert!(world.may(&alice, &create, &engineering).await, "rule 6: and creates projects");
    assert!(!world.may(&alice, &create, &marketing).await, "rule 5: but in no other workspace");
    assert!(world.may(&alice, &view, &campaign).await, "rule 2: she views the campaign");
    assert!(!world.may(&alice, &edit, &campaign).await, "rule 1: but does not edit it");
    assert!(!world.may(&bob, &view, &website).await, "rule 1: Bob does nothing");

    // A role changes for everyone who has it.
    let params = authz::AddEnvironmentRolePermissionParams::new(value(json!({"slug": delete})));
    authorization.add_environment_role_permission(&admin, params).await.unwrap();
    assert!(world.may(&alice, &delete, &website).await, "rule 65: she deletes as soon as her role does");
    world.set_role(&admin, &[&create, &view, &edit]).await;
    assert!(!world.may(&alice, &delete, &website).await, "rule 65: and no more when it does not");

    // The workspace role goes; the direct one elsewhere stays.
    authorization.remove_role_assignment(&alice, &administration).await.unwrap();
    assert!(!world.may(&alice, &edit, &website).await, "rule 34: nothing is left below the workspace");
    assert!(world.may(&alice, &view, &campaign).await, "rule 34: a direct project-viewer elsewhere stays");
    assert_not_found("rule 33: again by id", authorization.remove_role_assignment(&alice, &administration).await);
    let target = by_external_id("project", "campaign");
    let criteria = authz::RemoveRoleParams::new(authz::RemoveRoleParamsBody::new(&viewer, target));
    authorization.remove_role(&alice, criteria.clone()).await.unwrap();
    assert!(!world.may(&alice, &view, &campaign).await, "rule 33: removed by criteria");
    assert_not_found("rule 33: again by criteria", authorization.remove_role(&alice, criteria).await);

    // A group with an assignment scoped to a resource gains and loses members.
    let designers = world.group(&acme, "Designers", &[]).await.id;
    world.assign_group(&designers, &editor, Some(&website)).await.unwrap();
    world.join(&acme, &designers, &bob).await.unwrap();
    assert!(world.may(&bob, &edit, &website).await, "rules 40, 44: a member has the group's roles");
    assert!(world.may(&bob, &edit, &readme).await, "rule 43: below it as well");
    assert!(!world.may(&bob, &edit, &campaign).await, "rule 5: and nowhere else");
    groups.delete_group_organization_membership(&acme, &designers, &bob).await.unwrap();
    assert!(!world.may(&bob, &edit, &website).await, "rules 41, 44: no member any more");
    world.join(&acme, &designers, &bob).await.unwrap();
    world.join(&acme, &designers, &alice).await.unwrap();

    // The membership, the resource, the group: each takes the access with it.
    memberships.delete_organization_membership(&alice).await.unwrap();
    assert_not_found("rule 39: a check of who left", world.check(&alice, &edit, by_id(&website)).await);
    let members = groups.list_group_organization_memberships(
        &acme,
        &designers,
        workos::groups::ListGroupOrganizationMembershipsParams::default(),
    );
    assert_eq!(ids(&parsed(&members.await.unwrap())), [bob.as_str()], "rule 39: who left is in no group");
    let kept = world.assign_group(&designers, &editor, Some(&campaign)).await.unwrap().id;
    let cascade = authz::DeleteResourceParams { cascade_delete: Some(true) };
    authorization.delete_resource(&website, cascade).await.unwrap();
    assert_not_found("rule 59: a check on what is gone", world.check(&bob, &edit, by_id(&website)).await);
    assert_not_found("rule 59: and on what was below", world.check(&bob, &edit, by_id(&readme)).await);
    let left = authorization.list_group_role_assignments(&designers, authz::ListGroupRoleAssignmentsParams::default());
    assert_eq!(ids(&parsed(&left.await.unwrap())), [kept], "rule 59: assignments elsewhere stay");
    assert!(world.may(&bob, &edit, &campaign).await, "rule 40: such as this one");
    groups.delete_organization_group(&acme, &designers).await.unwrap();
    assert!(!world.may(&bob, &edit, &campaign).await, "rule 52: without the group, without the role");

    // The role in the organization.
    let owner = world.role("owner", "organization", &[&edit, &delete]).await;
    let body = om::UpdateOrganizationMembershipParamsBody { role: Some(om::Role::Single { role_slug: owner.clone() }) };
    let params = om::UpdateOrganizationMembershipParams::new(body);
    let changed = memberships.update_organization_membership(&bob, params).await.unwrap();
    assert_eq!(changed.role.slug, owner, "rule 36: PUT changes the role");
    assert!(world.may(&bob, &delete, &campaign).await, "rule 4: a role in the organization");
    memberships.deactivate_organization_membership(&bob).await.unwrap();
    assert!(!world.may(&bob, &delete, &campaign).await, "rule 13: not while he is inactive");
    memberships.reactivate_organization_membership(&bob).await.unwrap();
    assert!(world.may(&bob, &delete, &campaign).await, "rule 13: and again after it");
    world.client.organizations().delete_organization(&acme).await.unwrap();
    assert_not_found("rule 39: nothing is left", world.check(&bob, &delete, by_id(&campaign)).await);
}
