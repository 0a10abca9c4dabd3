//! What GitOps tools see of the objects: their health, and who owns which field.

mod argocd;
mod health;
mod live;
mod managers;
mod rbac;

use serde_json::Value;

use crate::support::{bailiwick::Bailiwick, control_plane::ControlPlane};

/// A namespace of the shared control plane with an operator that reconciles it alone.
struct Environment {
    plane: &'static ControlPlane,
    namespace: &'static str,
    operator: Bailiwick,
}

impl Environment {
    fn start(namespace: &'static str) -> Self {
        let plane = ControlPlane::shared();
        plane.create_namespace(namespace);
        let operator = plane.start_replica("admin", &["--namespace", namespace, "--lease-namespace", namespace]);
        operator.wait_until_ready();
        Self { plane, namespace, operator }
    }

    /// An object as the API server has it.
    fn get(&self, kind: &str, name: &str) -> Value {
        let arguments = ["get", kind, name, "--namespace", self.namespace, "--output", "json", "--show-managed-fields"];
        serde_json::from_str(&self.plane.kubectl(&arguments).ok()).expect("JSON")
    }

    /// All objects as the API server has them.
    fn list(&self) -> Vec<Value> {
        let arguments = ["get", "authz", "--namespace", self.namespace, "--output", "json", "--show-managed-fields"];
        let mut list: Value = serde_json::from_str(&self.plane.kubectl(&arguments).ok()).expect("JSON");
        list["items"].as_array_mut().expect("items").split_off(0)
    }

    /// Deletes an object, and returns when it is gone.
    fn delete(&self, kind: &str, name: &str) {
        self.plane.kubectl(&["delete", kind, name, "--namespace", self.namespace, "--timeout=60s"]).ok();
    }
}
