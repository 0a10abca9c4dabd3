//! What GitOps tools see of the objects: their health, and who owns which field.

mod argocd;
mod health;
mod rbac;
