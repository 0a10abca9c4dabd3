//! The WorkOS Authorization API.

mod sdk_node;
mod sdk_objects;
mod sdk_python;
mod sdk_rust;
mod sdk_targets;
