//! Cerbos, the same world in its terms.
//!
//! Cerbos is stateless: it knows neither who has which role where nor what lies below what. So whoever asks it must have looked
//! up the roles that the principal has on the resource's path, and send them along; Cerbos judges which of them allow the action.
//! That look-up is what ours does in the graph, and is not a part of the time measured here.

use std::{
    fs,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
};

use bailiwick_benches::org_tree::{Question, World};
use serde_json::{Value, json};

use super::server::{Server, free_address};

pub const PATH: &str = "/api/check/resources";

/// The role of who has none on the resource's path: a principal of Cerbos has at least one.
const NO_ROLE: &str = "nobody";

/// Starts it with the policies of the world.
pub fn start(world: &World, folder: &Path) -> Server {
    let policies = folder.join("policies");
    fs::create_dir_all(&policies).expect("a folder");
    for kind in ["organization", "workspace", "project", "app"] {
        fs::write(policies.join(format!("{kind}.json")), policy(world, kind).to_string()).expect("a file");
    }
    let (http, grpc): (SocketAddr, SocketAddr) = (free_address(), free_address());
    let configuration = json!({
        "server": {"httpListenAddr": http.to_string(), "grpcListenAddr": grpc.to_string()},
        "storage": {"driver": "disk", "disk": {"directory": policies, "watchForChanges": false}},
        "audit": {"enabled": false},
        "telemetry": {"disabled": true},
    });
    let file = folder.join("cerbos.yaml");
    fs::write(&file, configuration.to_string()).expect("a file");
    let mut command = Command::new(binary());
    command.args(["server", "--log-level=error", "--config"]).arg(file);
    Server::start(&command, http, http, "/_cerbos/health")
}

/// Where hack/cerbos puts it.
fn binary() -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../hack/cerbos");
    let found = Command::new(script).output().expect("hack/cerbos runs");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8(found.stdout).expect("a path").trim().into()
}

/// Any role of the world may count on any kind of resource, for what it allows on those above counts as well.
fn policy(world: &World, kind: &str) -> Value {
    let rules: Vec<Value> = world
        .role_permissions()
        .iter()
        .enumerate()
        .map(|(role, permissions)| {
            let mut actions: Vec<_> =
                permissions.iter().map(|&permission| World::permission_name(permission)).collect();
            actions.sort_unstable();
            let actions: Vec<&str> = actions.iter().map(Deref::deref).collect();
            json!({"actions": actions, "effect": "EFFECT_ALLOW", "roles": [format!("role-{role}")]})
        })
        .collect();
    json!({
        "apiVersion": "api.cerbos.dev/v1",
        "resourcePolicy": {"version": "default", "resource": kind, "rules": rules},
    })
}

/// The question, with the roles that were looked up for it.
pub fn request(world: &World, question: Question) -> Value {
    let mut roles: Vec<String> = world.roles(question).into_iter().map(|role| format!("role-{role}")).collect();
    if roles.is_empty() {
        roles.push(NO_ROLE.to_owned());
    }
    json!({
        "principal": {"id": World::member_name(question.member).as_str(), "roles": roles},
        "resources": [{
            "resource": {"kind": world.type_name(question.resource), "id": World::resource_name(question.resource).as_str()},
            "actions": [World::permission_name(question.permission).as_str()],
        }],
    })
}
