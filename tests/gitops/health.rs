//! The health that Argo CD sees, by the scripts of examples/argocd.

use std::{fs, path::PathBuf};

use mlua::{
    Lua, LuaOptions, LuaSerdeExt as _, StdLib,
    serde::{DeserializeOptions, SerializeOptions},
};
use serde::Deserialize;
use serde_json::Value;

/// Where the scripts are, in the layout of Argo CD's own repository.
const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/argocd/resource_customizations/authz.bailiwick.dev");

/// What a script says of an object.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// How it is.
    pub status: HealthStatus,
    /// Why.
    #[serde(default)]
    pub message: String,
}

/// The words that Argo CD accepts of a script for a resource that exists.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum HealthStatus {
    Healthy,
    Progressing,
    Suspended,
    Degraded,
}

/// The folder of a kind.
pub fn folder(kind: &str) -> PathBuf {
    [FOLDER, kind].iter().collect()
}

/// The script of a kind.
pub fn script(kind: &str) -> String {
    let path = folder(kind).join("health.lua");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a script as Argo CD does: with the object as the global `obj`, JSON's null as nil, and, of the standard
/// libraries, the basic functions alone.
pub fn run(script: &str, object: &Value) -> Health {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).expect("an interpreter");
    let null_as_nil =
        SerializeOptions::new().set_array_metatable(false).serialize_none_to_null(false).serialize_unit_to_null(false);
    let object = lua.to_value_with(object, null_as_nil).expect("a Lua value");
    lua.globals().set("obj", object).expect("a global");
    let returned = lua.load(script).eval().unwrap_or_else(|error| panic!("the script fails: {error}"));
    lua.from_value_with(returned, DeserializeOptions::new().deny_unsupported_types(true)).expect("a health")
}

/// What Argo CD says of an object by the script of its kind.
pub fn of(object: &Value) -> Health {
    run(&script(object["kind"].as_str().expect("a kind")), object)
}
