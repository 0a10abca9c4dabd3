//! What the HTTP surfaces promise.

use bailiwick::graph::facts::Object;
use serde_json::{Value, json};

use crate::support::facts::{grant, group, group_grant, known_as, membership, organization, resource, role, suspended};

mod absurd;
mod authentication;
mod authzen;
mod authzen_search;
mod checks;
mod conditions;
mod connections;
mod freshness;
mod lists;
mod mutual_tls;
mod openapi;
mod probes;
mod requests;
mod shutdown;
mod subject_access_review;
mod tls;

/// Two organizations that both have a project `website`.
///
/// Alice edits acme's `website`; Bob, through a group, everything below acme's workspace; Dave would edit `website` but is
/// suspended; Carol is in both organizations and edits globex's `website`. `orphan` hangs below nothing.
fn world() -> Vec<Object> {
    vec![
        organization("acme"),
        resource("engineering", "workspace", "acme"),
        resource("website", "project", "engineering"),
        resource("app", "project", "engineering"),
        organization("globex"),
        known_as("website", resource("globex-website", "project", "globex")),
        resource("orphan", "project", "nowhere"),
        role("editor", "project", &["project:edit", "project:view"]),
        role("lead", "workspace", &["project:edit", "project:view", "workspace:view"]),
        group("engineers", "acme", &["bob-acme"]),
        membership("alice-acme", "acme", "alice"),
        membership("bob-acme", "acme", "bob"),
        membership("carol-acme", "acme", "carol"),
        membership("carol-globex", "globex", "carol"),
        suspended(membership("dave-acme", "acme", "dave")),
        grant("alice-acme", "editor", "website"),
        group_grant("engineers", "lead", "engineering"),
        grant("dave-acme", "editor", "website"),
        grant("carol-globex", "editor", "globex-website"),
    ]
}

/// A question about a project, in AuthZEN's words.
fn question(user: &str, action: &str, project: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": user},
        "action": {"name": action},
        "resource": {"type": "project", "id": project}
    })
}
