//! Permissions and roles.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use regex::Regex;
use serde_json::json;
use workos::authorization as authz;

use super::client::{World, assert_id, assert_not_found, assert_refused, assert_times, by_id, parsed, value};

pub async fn permissions(world: &World) {
    let api = world.client.authorization();
    let slug = world.unique("document:read*");
    let create = |body| api.create_permission(authz::CreatePermissionParams::new(value(body)));
    let body = json!({"slug": slug, "name": "Read documents", "description": "All", "resource_type_slug": "document"});
    let made = create(body.clone()).await.unwrap();
    assert_id(&made.id, "perm");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        parsed(&made),
        json!({
            "object": "permission", "id": made.id, "slug": slug, "name": "Read documents", "description": "All",
            "system": false, "resource_type_slug": "document", "created_at": made.created_at, "updated_at": made.updated_at,
        }),
        "section 3.8: a permission that was created"
    );
    assert_eq!(parsed(&api.get_permission(&slug).await.unwrap()), parsed(&made), "rule 76: `:` and `*` in a path");
    assert_refused("rule 62: a slug that is taken", create(body).await, 409, "permission_slug_conflict");
    let unknown = json!({"slug": world.unique("x"), "name": "x", "resource_type_slug": "no-such-type"});
    assert_not_found("an unknown resource type", create(unknown).await);
    let refused = create(json!({"slug": "A b", "name": "x"})).await;
    assert_refused("section 1.1: a bad slug", refused, 422, "invalid_request_parameters");
    let plain = create(json!({"slug": world.unique("plain"), "name": "Plain"})).await.unwrap();
    assert_eq!((plain.resource_type_slug.as_str(), plain.description), ("organization", None), "section 1.1: defaults");

    let params = authz::UpdatePermissionParams::new(value(json!({"name": "See documents"})));
    let changed = api.update_permission(&slug, params).await.unwrap();
    assert_eq!(
        (&changed.id, changed.name.as_str(), changed.description.as_deref()),
        (&made.id, "See documents", Some("All")),
        "rule 62: PATCH changes what it names"
    );

    let listed =
        api.list_permissions(authz::ListPermissionsParams { limit: Some(1), ..Default::default() }).await.unwrap();
    assert_eq!(listed.data[0].id, plain.id, "rule 68: permissions, the newest first");
    assert_eq!(listed.list_metadata.after.as_ref(), Some(&plain.id), "rule 68: `after` is the id of the last item");
    let params = authz::ListPermissionsParams { limit: Some(5), ..Default::default() };
    let all: Vec<_> = api.list_permissions_auto_paging(params).try_collect().await.unwrap();
    let distinct: BTreeSet<_> = all.iter().map(|permission| &permission.id).collect();
    assert!(distinct.contains(&made.id) && distinct.len() == all.len(), "rule 68: automatic paging lists each once");

    api.delete_permission(&slug).await.unwrap();
    assert_not_found("rule 62: a deleted permission", api.get_permission(&slug).await);
    assert_not_found("deleting it again", api.delete_permission(&slug).await);
}

pub async fn environment_roles(world: &World) {
    let api = world.client.authorization();
    let (see, edit) =
        (world.permission("workspace:see", "workspace").await, world.permission("project:edit", "project").await);
    let slug = world.unique("workspace-admin");
    let body = json!({"slug": slug, "name": "Admin", "description": "Runs it", "resource_type_slug": "workspace"});
    let create = || api.create_environment_role(authz::CreateEnvironmentRoleParams::new(value(body.clone())));
    let made = create().await.unwrap();
    assert_id(&made.id, "role");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        parsed(&made),
        json!({
            "object": "role", "id": made.id, "slug": slug, "name": "Admin", "description": "Runs it",
            "type": "EnvironmentRole", "resource_type_slug": "workspace", "permissions": [],
            "created_at": made.created_at, "updated_at": made.updated_at,
        }),
        "section 3.8: a role that was created"
    );
    assert_eq!(parsed(&api.get_environment_role(&slug).await.unwrap()), parsed(&made), "a role by its slug");
    assert_not_found("an unknown role", api.get_environment_role("no-such-role").await);
    assert_refused("rule 63: a slug that is taken", create().await, 409, "role_slug_conflict");
    let listed = api.list_environment_roles().await.unwrap();
    assert_eq!(listed.object, "list", "rule 66: roles are a list");
    assert_eq!(listed.data.last().map(|role| &role.id), Some(&made.id), "section 1.4: new roles go to the bottom");
    assert!(listed.data.iter().any(|role| role.slug == "member"), "section 1.4: the seeded role");

    let params = authz::UpdateEnvironmentRoleParams::new(value(json!({"name": "Boss"})));
    let changed = api.update_environment_role(&slug, params).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_deref()), ("Boss", Some("Runs it")), "PATCH of a role");
    assert_eq!(world.set_role(&slug, &[&see]).await.permissions, [see.as_str()], "rule 64: PUT sets the permissions");
    for _ in 0..2 {
        let params = authz::AddEnvironmentRolePermissionParams::new(value(json!({"slug": edit})));
        let changed = api.add_environment_role_permission(&slug, params).await.unwrap();
        assert_eq!(sorted(&changed.permissions), sorted(&[see.clone(), edit.clone()]), "rule 64: POST adds one, once");
    }
    let params = authz::SetEnvironmentRolePermissionsParams::new(value(json!({"permissions": [see, "no:such"]})));
    assert_not_found("rule 64: an unknown permission", api.set_environment_role_permissions(&slug, params).await);
    let read = api.get_environment_role(&slug).await.unwrap();
    assert_eq!(read.permissions.len(), 2, "rule 64: and nothing is changed then");
    assert!(world.set_role(&slug, &[]).await.permissions.is_empty(), "rule 64: [] empties");
}

pub async fn organization_roles(world: &World) {
    let api = world.client.authorization();
    let (acme, globex) = (world.organization("Acme").await.id, world.organization("Globex").await.id);
    let auditor = world.role("auditor", "organization", &[]).await;
    let (see, edit) =
        (world.permission("workspace:see", "workspace").await, world.permission("workspace:edit", "workspace").await);
    let slug = world.unique("org-editor");
    let create = |body| api.create_organization_role(&acme, authz::CreateOrganizationRoleParams::new(value(body)));
    let body = json!({"slug": slug, "name": "Editor", "resource_type_slug": "workspace"});
    let made = create(body.clone()).await.unwrap();
    assert_id(&made.id, "role");
    assert_times(&made.created_at, &made.updated_at);
    assert_eq!(
        (made.type_.as_str(), made.slug.as_str(), made.resource_type_slug.as_str(), &made.description),
        ("OrganizationRole", slug.as_str(), "workspace", &None),
        "section 3.8: a custom role that was created"
    );
    assert_eq!(parsed(&api.get_organization_role(&acme, &slug).await.unwrap()), parsed(&made), "by its slug");
    assert_refused("rule 63: a slug that is taken", create(body).await, 409, "organization_role_slug_conflict");
    let generated = create(json!({"name": "Night  Watch (EU)"})).await.unwrap().slug;
    let form = Regex::new("^night-watch-eu-[a-z0-9]{6}$").unwrap();
    assert!(form.is_match(&generated), "section 1.4: a generated slug: {generated}");

    let listed = api.list_organization_roles(&acme).await.unwrap();
    let place = |slug: &str| listed.data.iter().position(|role| role.slug == slug);
    assert!(place(&slug) < place(&generated), "rule 66: in the order of priority");
    assert_eq!(
        place(&auditor).map(|place| listed.data[place].type_.as_str().to_owned()).as_deref(),
        Some("EnvironmentRole"),
        "rule 66: with the environment's roles"
    );
    assert_not_found("rule 28: another organization's role", api.get_organization_role(&globex, &slug).await);
    let shared = api.get_organization_role(&acme, &auditor).await.unwrap();
    assert_eq!(shared.slug, auditor, "rule 66: the environment's roles by slug");

    let params = authz::UpdateOrganizationRoleParams::new(value(json!({"name": "Author", "description": "Writes"})));
    let changed = api.update_organization_role(&acme, &slug, params).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_deref()), ("Author", Some("Writes")), "PATCH");
    let params = authz::SetOrganizationRolePermissionsParams::new(value(json!({"permissions": [see]})));
    let changed = api.set_organization_role_permissions(&acme, &slug, params).await.unwrap();
    assert_eq!(changed.permissions, [see.as_str()], "rule 64: PUT sets the permissions");
    let params = authz::AddOrganizationRolePermissionParams::new(value(json!({"slug": edit})));
    let changed = api.add_organization_role_permission(&acme, &slug, params).await.unwrap();
    assert_eq!(sorted(&changed.permissions), sorted(&[see.clone(), edit.clone()]), "rule 64: POST adds one");
    let changed = api.remove_organization_role_permission(&acme, &slug, &see).await.unwrap();
    assert_eq!(changed.permissions, [edit], "rule 64: DELETE answers with the role");
    let again = api.remove_organization_role_permission(&acme, &slug, &see).await;
    assert_not_found("rule 64: taking what is not attached", again);

    let hq = world.resource(&acme, "workspace", "hq", None).await.id;
    let alice = world.member(&acme, "alice").await.id;
    let assignment = world.assign(&alice, &slug, by_id(&hq)).await.unwrap().id;
    let refused = api.delete_organization_role(&acme, &slug).await;
    assert_refused("section 1.4: a role that is assigned", refused, 409, "role_has_assignments");
    api.remove_role_assignment(&alice, &assignment).await.unwrap();
    api.delete_organization_role(&acme, &slug).await.unwrap();
    assert_not_found("a deleted role", api.get_organization_role(&acme, &slug).await);
}

fn sorted(slugs: &[String]) -> Vec<String> {
    let mut slugs = slugs.to_vec();
    slugs.sort_unstable();
    slugs
}
