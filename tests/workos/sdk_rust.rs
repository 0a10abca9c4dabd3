//! The official Rust SDK.

use self::client::World;
use super::sdk_targets::Target;
use crate::support::runtime;

mod assignments;
pub mod client;
mod organizations;
mod resources;
mod story;
mod vocabulary;

/// Every endpoint that the SDK has a method for.
const ENDPOINTS: [&str; 67] = [
    "DELETE /authorization/groups/*/role_assignments",
    "DELETE /authorization/groups/*/role_assignments/*",
    "DELETE /authorization/organization_memberships/*/role_assignments",
    "DELETE /authorization/organization_memberships/*/role_assignments/*",
    "DELETE /authorization/organizations/*/resources/*/*",
    "DELETE /authorization/organizations/*/roles/*",
    "DELETE /authorization/organizations/*/roles/*/permissions/*",
    "DELETE /authorization/permissions/*",
    "DELETE /authorization/resources/*",
    "DELETE /organizations/*",
    "DELETE /organizations/*/groups/*",
    "DELETE /organizations/*/groups/*/organization-memberships/*",
    "DELETE /user_management/organization_memberships/*",
    "GET /authorization/groups/*/role_assignments",
    "GET /authorization/groups/*/role_assignments/*",
    "GET /authorization/organization_memberships/*/resources",
    "GET /authorization/organization_memberships/*/resources/*/*/permissions",
    "GET /authorization/organization_memberships/*/resources/*/permissions",
    "GET /authorization/organization_memberships/*/role_assignments",
    "GET /authorization/organizations/*/resources/*/*",
    "GET /authorization/organizations/*/resources/*/*/organization_memberships",
    "GET /authorization/organizations/*/resources/*/*/role_assignments",
    "GET /authorization/organizations/*/roles",
    "GET /authorization/organizations/*/roles/*",
    "GET /authorization/permissions",
    "GET /authorization/permissions/*",
    "GET /authorization/resources",
    "GET /authorization/resources/*",
    "GET /authorization/resources/*/organization_memberships",
    "GET /authorization/resources/*/role_assignments",
    "GET /authorization/roles",
    "GET /authorization/roles/*",
    "GET /organizations",
    "GET /organizations/*",
    "GET /organizations/*/groups",
    "GET /organizations/*/groups/*",
    "GET /organizations/*/groups/*/organization-memberships",
    "GET /organizations/external_id/*",
    "GET /user_management/organization_memberships",
    "GET /user_management/organization_memberships/*",
    "GET /user_management/organization_memberships/*/groups",
    "PATCH /authorization/organizations/*/resources/*/*",
    "PATCH /authorization/organizations/*/roles/*",
    "PATCH /authorization/permissions/*",
    "PATCH /authorization/resources/*",
    "PATCH /authorization/roles/*",
    "PATCH /organizations/*/groups/*",
    "POST /authorization/groups/*/role_assignments",
    "POST /authorization/organization_memberships/*/check",
    "POST /authorization/organization_memberships/*/role_assignments",
    "POST /authorization/organizations/*/roles",
    "POST /authorization/organizations/*/roles/*/permissions",
    "POST /authorization/permissions",
    "POST /authorization/resources",
    "POST /authorization/roles",
    "POST /authorization/roles/*/permissions",
    "POST /organizations",
    "POST /organizations/*/groups",
    "POST /organizations/*/groups/*/organization-memberships",
    "POST /user_management/organization_memberships",
    "PUT /authorization/groups/*/role_assignments",
    "PUT /authorization/organizations/*/roles/*/permissions",
    "PUT /authorization/roles/*/permissions",
    "PUT /organizations/*",
    "PUT /user_management/organization_memberships/*",
    "PUT /user_management/organization_memberships/*/deactivate",
    "PUT /user_management/organization_memberships/*/reactivate",
];

#[test]
fn works_against_serve() {
    runtime::block_on(works(&Target::serve()));
}

#[test]
fn works_against_the_operator() {
    runtime::block_on(works(&Target::operator("sdk-rust")));
}

async fn works(target: &Target) {
    let world = World::new(&target.url());
    story::story(&world).await;
    organizations::organizations(&world).await;
    organizations::memberships(&world).await;
    organizations::groups(&world).await;
    vocabulary::permissions(&world).await;
    vocabulary::environment_roles(&world).await;
    vocabulary::organization_roles(&world).await;
    resources::resources(&world).await;
    resources::discovery(&world).await;
    resources::external_ids(&world).await;
    resources::idempotency(&world).await;
    assignments::of_memberships(&world).await;
    assignments::of_groups(&world).await;
    let requested = world.requested();
    let missing: Vec<_> = ENDPOINTS.iter().filter(|endpoint| !requested.contains(**endpoint)).collect();
    assert!(missing.is_empty(), "never requested: {missing:#?}");
}
