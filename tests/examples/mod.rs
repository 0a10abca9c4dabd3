//! The examples are free of problems and mean what their comments say.

use std::path::Path;

use bailiwick::{
    graph::{
        Graph,
        facts::{Kind, Timestamp},
        query::{Action, Asked, CheckRequest, Given, Properties, Subject, Target},
    },
    server::Mapping,
    source::directory,
};

/// Some day in 2027.
const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

#[test]
fn acme_means_what_it_says() {
    let graph = graph("examples/acme");
    for (user, permission, resource, allowed) in [
        // The admin of a workspace can edit the projects in it and deploy their apps, but has no say beside it.
        ("alice", "project:edit", "engineering", true),
        ("alice", "project:edit", "design", true),
        ("alice", "app:deploy", "web", true),
        ("alice", "project:create", "product", true),
        ("alice", "project:view", "finance", false),
        ("alice", "workspace:edit", "acme", false),
        // A viewer views; another grant on something below adds up.
        ("bob", "project:view", "engineering", true),
        ("bob", "project:edit", "engineering", false),
        ("bob", "app:view", "web", true),
        ("bob", "app:deploy", "web", false),
        ("bob", "app:deploy", "mobile", true),
        // Members of a group, and of a group within it, but not one who is suspended.
        ("dave", "project:edit", "engineering", true),
        ("carol", "project:edit", "engineering", true),
        ("erin", "project:edit", "engineering", false),
        ("erin", "organization:view", "acme", false),
        ("carol", "project:view", "design", false),
        // The custom role, on the group's organization.
        ("frank", "organization:audit", "acme", true),
        ("frank", "app:view", "ledger", true),
        ("frank", "app:deploy", "ledger", false),
        // The role of the identity provider goes first; whoever has no other has the default role.
        ("grace", "workspace:create", "acme", true),
        ("bob", "organization:view", "acme", true),
        ("bob", "workspace:create", "acme", false),
        // Strangers have none.
        ("mallory", "organization:view", "acme", false),
    ] {
        assert_eq!(check(&graph, user, permission, resource), allowed, "{user} {permission} {resource}");
    }
}

#[test]
fn acme_knows_conditions() {
    let graph = graph("examples/acme");
    let request = CheckRequest {
        subject: Subject::User("bob"),
        action: Action::Permission("app:deploy"),
        resource: Target::Name("ledger"),
    };
    let evening = Timestamp::constant(1_800_000_000 + 10 * 3600, 0);
    for (context, now, allowed) in
        [(r#"{"mfa": true}"#, NOW, true), (r#"{"mfa": true}"#, evening, false), ("{}", NOW, false)]
    {
        let context = Properties::new(context);
        let given = Given { context: Some(&context), ..Given::default() };
        assert_eq!(graph.check(&request, Asked { now, given: Some(&given) }).is_allowed(), allowed, "{given:?} {now}");
    }
}

#[test]
fn the_quickstart_means_what_it_says() {
    let graph = graph("examples/quickstart.yaml");
    for (user, permission, allowed) in [
        ("ann", "project:view", true),
        ("ann", "project:edit", true),
        ("ben", "project:view", true),
        ("ben", "project:edit", false),
    ] {
        assert_eq!(check(&graph, user, permission, "website"), allowed, "{user} {permission}");
    }
}

#[test]
fn the_objects_of_the_authorization_webhook_mean_what_their_comments_say() {
    let graph = graph("examples/subject-access-review/manifests");
    for (user, permission, resource, allowed) in [
        ("alice", "namespace:deploy", "namespace-cellar", true),
        ("bob", "namespace:view", "namespace-shop", true),
        ("bob", "namespace:deploy", "namespace-shop", false),
        ("bob", "configmap:update", "configmap-shop-prices", true),
        ("group:oncall", "namespace:debug", "namespace-shop", true),
        ("group:oncall", "namespace:debug", "namespace-cellar", false),
        ("group:releasers", "namespace:deploy", "namespace-shop", true),
        ("serviceaccount:ci:deployer", "namespace:deploy", "namespace-shop", true),
        ("serviceaccount:monitoring:prometheus", "cluster:metrics", "production", true),
    ] {
        assert_eq!(check(&graph, user, permission, resource), allowed, "{user} {permission} {resource}");
    }
    let mapping = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/subject-access-review/mapping.yaml");
    Mapping::parse(&std::fs::read_to_string(mapping).unwrap()).unwrap();
}

fn check(graph: &Graph, user: &str, permission: &str, resource: &str) -> bool {
    let request = CheckRequest {
        subject: Subject::User(user),
        action: Action::Permission(permission),
        resource: Target::Name(resource),
    };
    graph.check(&request, NOW).is_allowed()
}

/// The graph of the example at a path, which has no problems.
fn graph(path: &str) -> Graph {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let folder = tempfile::tempdir().unwrap();
    let path = if path.is_dir() {
        path
    } else {
        std::fs::copy(&path, folder.path().join("example.yaml")).unwrap();
        folder.path().to_owned()
    };
    let loaded = directory::load(&path, "default").unwrap();
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let mut graph = Graph::default();
    graph.apply(&loaded.changes_since(&directory::Loaded::default())["default"]);
    for object in loaded.environments["default"].keys() {
        let diagnosis = graph.diagnose(object, NOW).unwrap();
        // Her membership is suspended, to show what that means.
        let is_erin = object.kind == Kind::OrganizationMembership && &*object.name == "erin";
        assert_eq!(diagnosis.is_effective(), !is_erin, "{object}: {diagnosis:?}");
    }
    graph
}
