//! A check allocates nothing.

use bailiwick::graph::query::{Action, CheckRequest, Subject, Target};

use crate::support::facts::{
    at, expiring, grant, graph, group_grant, membership, nested_group, organization, organization_grant, resource, role,
};

/// Many groups, grants and resources, so that every shape in which they are kept occurs.
#[test]
fn a_check_allocates_nothing() {
    let many = |prefix: &'static str, count: usize| (0..count).map(move |number| format!("{prefix}-{number}"));
    let mut objects = vec![
        organization("acme"),
        resource("engineering", "workspace", "acme"),
        resource("a-project-whose-name-is-longer-than-any-that-is-held-in-place", "project", "engineering"),
        membership("alice", "acme", "user-of-alice"),
        role("editor", "project", &["project:edit", "view"]),
        role("viewer", "workspace", &["view"]),
        role("member", "organization", &["organization:view"]),
        organization_grant("alice", "member"),
        nested_group("all", "acme", &[], &["group-0", "group-1"]),
        group_grant("all", "viewer", "engineering"),
        expiring(60, grant("alice", "editor", "a-project-whose-name-is-longer-than-any-that-is-held-in-place")),
    ];
    objects.extend(many("group", 40).map(|name| nested_group(&name, "acme", &["alice", "bob"], &[])));
    objects.extend(many("member", 100).map(|name| grant(&name, "viewer", "engineering")));
    let graph = graph(objects);

    let project = "a-project-whose-name-is-longer-than-any-that-is-held-in-place";
    let subjects = [
        Subject::Membership("alice"),
        Subject::Membership("bob"),
        Subject::Membership("nobody"),
        Subject::User("user-of-alice"),
        Subject::User("bob"),
    ];
    let actions = [Action::Permission("project:edit"), Action::Name("edit"), Action::Name("view"), Action::Name("fly")];
    let by_id = |id, organization| Target::Id { resource_type: "project", id, organization };
    let resources = [Target::Name(project), by_id(project, None), by_id(project, Some("acme")), by_id("missing", None)];
    let ask_all = || {
        let mut allowed = 0;
        for subject in subjects {
            for action in actions {
                for resource in resources {
                    let request = CheckRequest { subject, action, resource };
                    allowed += usize::from(graph.check(&request, at(0)).is_allowed());
                }
            }
        }
        allowed
    };

    let first = ask_all(); // Fills the buffers that the thread keeps.
    let mut again = 0;
    let allocated = allocation_counter::measure(|| again = ask_all());
    assert_eq!((again, allocated.count_total), (first, 0));
    assert!(first > 0, "some checks are allowed");
}
