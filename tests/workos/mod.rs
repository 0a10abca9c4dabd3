//! What the WorkOS Authorization API promises, over a folder of manifests that is really written.

mod environment;
mod expect;
mod groups;
mod idempotency;
mod memberships;
mod organizations;
mod paging;
mod users;
