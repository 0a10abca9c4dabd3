//! What the WorkOS Authorization API promises: through the router over a folder of manifests that is really written, and through
//! the official SDKs.

mod sdk_node;
mod sdk_objects;
mod sdk_python;
pub mod sdk_rust;
pub mod sdk_targets;
