//! What the WorkOS Authorization API promises: through the router over a folder of manifests that is really written, and through
//! the official SDKs.

mod acme;
mod checks;
mod environment;
mod expect;
mod group_role_assignments;
mod groups;
mod idempotency;
mod memberships;
mod organization_roles;
mod organizations;
mod paging;
mod permissions;
mod resources;
mod role_assignments;
mod roles;
mod sdk_node;
mod sdk_objects;
mod sdk_python;
mod sdk_rust;
mod sdk_targets;
mod seed;
mod users;
