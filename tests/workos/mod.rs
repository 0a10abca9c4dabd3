//! What the WorkOS Authorization API promises: through the router over a folder of manifests that is really written, and through
//! the official SDKs.

mod acme;
mod authors;
mod checks;
mod company;
mod conditions;
mod discovery;
pub mod endpoints;
mod environment;
mod errors;
mod expect;
mod group_role_assignments;
mod groups;
mod guide;
mod idempotency;
mod memberships;
mod organization_roles;
mod organizations;
mod paging;
mod permissions;
mod requests;
mod resource_errors;
mod resource_lists;
mod resource_types;
mod resources;
mod role_assignments;
mod roles;
mod rules;
mod sdk_node;
mod sdk_objects;
mod sdk_python;
pub mod sdk_rust;
pub mod sdk_targets;
mod users;
