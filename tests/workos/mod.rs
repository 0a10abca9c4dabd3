//! What the WorkOS Authorization API promises, over a folder of manifests that is really written.

mod acme;
mod group_role_assignments;
mod organization_roles;
mod permissions;
mod role_assignments;
mod roles;
