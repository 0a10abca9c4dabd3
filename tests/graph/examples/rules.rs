//! Checks, lists, assignments, groups and resources: the rules of docs/rules.md.

use bailiwick::graph::{
    facts::{Kind, Name},
    query::{Decision, Denial, GrantSource, Reach, Subject, Target},
};

use super::{acme, acme_with, assert_says, both_with, by_id, by_id_in};
use crate::support::facts::{
    custom_role, deleted, grant, group, group_grant, having_roles, membership, nested_group, organization_grant,
    resource, role, suspended,
};

/// Rules 1 and 2: a grant on the very resource allows what its role has, and nothing else.
#[test]
fn rules_1_and_2_a_direct_grant_allows() {
    let scene = acme_with([grant("bob", "project-viewer", "web")]);
    assert!(scene.may("bob", "project:view", "web"));
    assert!(!scene.may("bob", "project:edit", "web"));
    assert!(!scene.may("alice", "project:view", "web"));
}

/// Rule 3: a grant on any ancestor allows, at any depth.
#[test]
fn rule_3_a_grant_on_an_ancestor_allows() {
    let scene = acme_with([grant("bob", "workspace-admin", "engineering")]);
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:edit", "shop"));
}

/// Rule 4: a role at the organization level holds for every resource of the organization, of no other.
#[test]
fn rule_4_an_organization_role_holds_everywhere() {
    let scene = both_with([having_roles(&["org-admin"], membership("bob", "acme", "u-bob"))]);
    for resource in ["acme", "engineering", "web", "api", "shop"] {
        assert!(scene.may("bob", "project:edit", resource), "{resource}");
    }
    assert!(!scene.may("bob", "project:edit", "globex-web"));
}

/// Rule 5: never upwards, never sideways.
#[test]
fn rule_5_a_grant_on_a_child_or_sibling_does_not_allow() {
    let scene = acme_with([grant("bob", "project-editor", "web")]);
    assert!(!scene.may("bob", "project:edit", "engineering"), "its parent");
    assert!(!scene.may("bob", "project:edit", "acme"), "its organization");
    assert!(!scene.may("bob", "project:edit", "api"), "its sibling");
}

/// Rule 6: the type of the permission is no filter.
#[test]
fn rule_6_a_permission_counts_on_resources_of_any_type() {
    let scene = acme_with([grant("bob", "workspace-admin", "engineering")]);
    assert!(scene.may("bob", "project:edit", "engineering"), "a project's permission on a workspace");
    assert!(scene.may("bob", "workspace:edit", "shop"), "a workspace's permission on an app");
    assert_eq!(scene.permissions("bob", "shop"), ["project:edit", "workspace:edit"]);
}

/// Rule 8: an external id is looked up inside the organization of the membership.
#[test]
fn rule_8_an_external_id_is_of_the_memberships_organization() {
    let scene = both_with([
        membership("bob", "acme", "u-bob"),
        grant("bob", "project-editor", "web"),
        membership("eve", "globex", "u-eve"),
        grant("eve", "project-editor", "globex-web"),
    ]);
    for name in ["bob", "eve"] {
        let answer = scene.ask(Subject::Membership(name), "project:edit", by_id("project", "web"));
        assert_eq!(answer, Decision::Allowed, "{name}");
    }
    let elsewhere = scene.ask(Subject::Membership("eve"), "project:edit", by_id_in("acme", "project", "web"));
    assert_eq!(elsewhere, Decision::Denied(Denial::OtherOrganization));
}

/// Rule 12: the organization itself can be asked about.
#[test]
fn rule_12_the_organization_is_a_resource() {
    let scene = acme_with([having_roles(&["org-admin"], membership("bob", "acme", "u-bob"))]);
    let answer = scene.ask(Subject::Membership("bob"), "org:manage", by_id("organization", "acme"));
    assert_eq!(answer, Decision::Allowed);
}

/// Rule 13: a suspended membership keeps its grants, but none counts until it is active again.
#[test]
fn rule_13_a_suspended_membership_has_nothing() {
    let bob = || having_roles(&["org-member"], membership("bob", "acme", "u-bob"));
    let mut scene = acme_with([suspended(bob()), grant("bob", "project-editor", "web")]);
    let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("web"));
    assert_eq!(answer, Decision::Denied(Denial::SuspendedMembership));
    assert!(!scene.may("bob", "project:view", "api"));
    assert_says(&scene.inert(Kind::MembershipRoleAssignment, "bob-project-editor-web"), "Suspended", &["bob"]);

    scene.add(bob());
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:view", "api"));
}

/// Rules 19 to 21: only children of the parent, by the full meaning of a check, without the parent itself.
#[test]
fn rules_19_to_21_resources_are_the_children_that_a_check_allows() {
    let scene = acme_with([grant("bob", "workspace-admin", "engineering")]);
    assert_eq!(scene.resources("bob", "project:edit", Some("engineering")), ["api", "web"]);
    assert_eq!(scene.resources("bob", "project:edit", Some("web")), ["shop"], "inherited from above the parent");
    assert_eq!(scene.resources("bob", "project:edit", None), ["api", "engineering", "shop", "web"]);
}

/// Rules 23 and 24: direct are those with a grant on that very resource, all those that a check allows.
#[test]
fn rules_23_and_24_memberships_are_direct_or_all() {
    let scene = acme_with([
        grant("bob", "project-editor", "web"),
        grant("dan", "project-viewer", "web"),
        grant("eve", "workspace-admin", "engineering"),
        having_roles(&["org-admin"], membership("fay", "acme", "u-fay")),
    ]);
    assert_eq!(scene.memberships("web", "project:edit", Reach::Direct), ["bob"]);
    assert_eq!(scene.memberships("web", "project:edit", Reach::All), ["bob", "eve", "fay"]);
    assert_eq!(scene.memberships("acme", "project:edit", Reach::Direct), ["fay"]);
}

/// Rule 25: a grant through a group on the resource is direct too.
#[test]
fn rule_25_a_groups_grant_is_direct() {
    let scene = acme_with([group("eng", "acme", &["bob"]), group_grant("eng", "project-editor", "web")]);
    assert_eq!(scene.memberships("web", "project:edit", Reach::Direct), ["bob"]);
}

/// Rule 27: a role is for resources of exactly its type.
#[test]
fn rule_27_a_role_of_another_type_is_inert() {
    let scene = acme_with([grant("bob", "project-editor", "engineering")]);
    assert!(!scene.may("bob", "project:edit", "engineering"));
    assert!(!scene.may("bob", "project:edit", "web"), "nor is it inherited");
    assert_says(
        &scene.inert(Kind::MembershipRoleAssignment, "bob-project-editor-engineering"),
        "RoleTypeMismatch",
        &["project-editor", "project", "engineering", "workspace"],
    );
}

/// Rule 28: a custom role is of use in its organization alone.
#[test]
fn rule_28_a_custom_role_is_of_one_organization() {
    let scene = both_with([
        custom_role("org-releaser", "project", &["project:release"], "acme"),
        grant("bob", "org-releaser", "web"),
        grant("bob", "org-releaser", "globex-web"),
    ]);
    assert!(scene.may("bob", "project:release", "web"));
    assert!(!scene.may("bob", "project:release", "globex-web"));
    assert_says(
        &scene.inert(Kind::MembershipRoleAssignment, "bob-org-releaser-globex-web"),
        "OrganizationMismatch",
        &["org-releaser", "acme", "globex"],
    );
}

/// Rule 32: several roles on one resource add up.
#[test]
fn rule_32_roles_add_up() {
    let scene = acme_with([
        role("project-releaser", "project", &["project:release"]),
        grant("bob", "project-viewer", "web"),
        grant("bob", "project-releaser", "web"),
    ]);
    assert_eq!(scene.permissions("bob", "web"), ["project:release", "project:view"]);
}

/// Rule 34: a deleted assignment no longer holds below; grants on children stay.
#[test]
fn rule_34_deleting_a_grant_leaves_those_below() {
    let mut scene = acme_with([grant("bob", "workspace-admin", "engineering"), grant("bob", "project-editor", "web")]);
    scene.tell(&[deleted(Kind::MembershipRoleAssignment, "bob-workspace-admin-engineering")]);
    assert!(!scene.may("bob", "project:edit", "api"));
    assert!(scene.may("bob", "project:edit", "web"));
}

/// Rules 35 and 36: a membership's own organization-level role is an assignment on the organization.
#[test]
fn rules_35_and_36_an_organization_role_is_an_assignment() {
    let scene = acme_with([
        having_roles(&["org-member"], membership("bob", "acme", "u-bob")),
        grant("bob", "project-editor", "web"),
        group("eng", "acme", &["bob"]),
        group_grant("eng", "project-viewer", "api"),
    ]);
    let assignments = scene.assignments("bob");
    let has = |source: GrantSource, role: &str, resource: &str| {
        assignments.iter().any(|item| {
            item.source == source
                && &*item.role == role
                && item.resource.as_deref() == Some(resource)
                && item.inert.is_empty()
        })
    };
    let groups: Vec<Name> = vec!["eng".into()];
    let assignment = "eng-project-viewer-api".into();
    assert!(has(GrantSource::OrganizationMembership("bob".into()), "org-member", "acme"), "{assignments:?}");
    assert!(has(GrantSource::MembershipRoleAssignment("bob-project-editor-web".into()), "project-editor", "web"));
    assert!(has(GrantSource::GroupRoleAssignment { assignment, groups }, "project-viewer", "api"));
    assert_eq!(assignments.len(), 3, "{assignments:?}");
}

/// Rules 40 and 44: a group's role is that of its members, of later ones too, at once.
#[test]
fn rule_40_members_have_the_groups_role() {
    let mut scene = acme_with([group("eng", "acme", &["bob"]), group_grant("eng", "project-editor", "web")]);
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(!scene.may("eve", "project:edit", "web"));
    scene.add(group("eng", "acme", &["bob", "eve"]));
    assert!(scene.may("eve", "project:edit", "web"));
}

/// Rule 41: who leaves a group loses what came from that group only.
#[test]
fn rule_41_leaving_a_group_keeps_what_came_otherwise() {
    let mut scene = acme_with([
        group("eng", "acme", &["bob"]),
        group("ops", "acme", &["bob"]),
        group_grant("eng", "project-editor", "web"),
        group_grant("eng", "project-editor", "api"),
        group_grant("ops", "project-editor", "api"),
    ]);
    scene.add(group("eng", "acme", &[]));
    assert!(!scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:edit", "api"), "still through ops");
}

/// Rules 42 and 45: the end of a group's assignment is the end of the role, at once, unless it came otherwise.
#[test]
fn rule_42_the_end_of_a_groups_assignment_is_the_end_of_the_role() {
    let mut scene = acme_with([
        group("eng", "acme", &["bob", "eve"]),
        group_grant("eng", "project-editor", "web"),
        grant("eve", "project-editor", "web"),
    ]);
    scene.tell(&[deleted(Kind::GroupRoleAssignment, "eng-project-editor-web")]);
    assert!(!scene.may("bob", "project:edit", "web"));
    assert!(scene.may("eve", "project:edit", "web"));
}

/// Rule 43: roles on resources add up and are inherited, through groups as directly, in either role mode.
#[test]
fn rule_43_group_roles_on_resources_add_up_and_inherit() {
    let scene = acme_with([
        group("eng", "acme", &["bob"]),
        group_grant("eng", "workspace-admin", "engineering"),
        group_grant("eng", "project-viewer", "web"),
    ]);
    assert!(scene.may("bob", "workspace:edit", "shop"));
    assert!(scene.may("bob", "project:view", "shop"));
}

/// Members of a subgroup belong to the group above, not the other way round.
#[test]
fn members_of_a_subgroup_belong_to_the_group() {
    let scene = acme_with([
        group("platform", "acme", &["bob"]),
        nested_group("eng", "acme", &["eve"], &["platform"]),
        nested_group("everyone", "acme", &[], &["eng"]),
        group_grant("everyone", "project-viewer", "web"),
        group_grant("platform", "project-editor", "web"),
    ]);
    assert!(scene.may("bob", "project:view", "web"));
    assert!(scene.may("eve", "project:view", "web"));
    assert!(!scene.may("eve", "project:edit", "web"));
}

/// A group passes no members on to a group of another organization, and has no say there.
#[test]
fn groups_stay_in_their_organization() {
    let scene = both_with([
        group("eng", "acme", &["bob"]),
        nested_group("globals", "globex", &[], &["eng"]),
        group_grant("globals", "project-editor", "globex-web"),
        group_grant("eng", "project-viewer", "globex-web"),
    ]);
    assert!(!scene.may("bob", "project:edit", "globex-web"));
    assert!(!scene.may("bob", "project:view", "globex-web"));
    assert_says(
        &scene.inert(Kind::GroupRoleAssignment, "eng-project-viewer-globex-web"),
        "OrganizationMismatch",
        &["eng", "acme", "globex"],
    );
}

/// Rule 57: what does not change leaves the answers as they are.
#[test]
fn rule_57_the_same_object_again_changes_nothing() {
    let mut scene = acme_with([grant("bob", "project-editor", "web")]);
    for object in acme() {
        scene.add(object);
    }
    assert!(scene.may("bob", "project:edit", "shop"));
}

/// Rule 58: a resource moves with all below it, at once.
#[test]
fn rule_58_a_move_takes_the_subtree_along() {
    let mut scene = acme_with([
        resource("design", "workspace", "acme"),
        grant("bob", "workspace-admin", "engineering"),
        grant("eve", "workspace-admin", "design"),
    ]);
    scene.add(resource("web", "project", "design"));
    assert!(!scene.may("bob", "project:edit", "shop"));
    assert!(scene.may("eve", "project:edit", "shop"));
    assert!(scene.may("bob", "project:edit", "api"), "what stayed");
}

/// Rule 65: a change of a role's permissions holds for all who have it.
#[test]
fn rule_65_a_change_of_a_role_holds_for_all_holders() {
    let mut scene = acme_with([
        grant("bob", "project-viewer", "web"),
        group("eng", "acme", &["eve"]),
        group_grant("eng", "project-viewer", "api"),
    ]);
    scene.add(role("project-viewer", "project", &["project:comment"]));
    assert!(scene.may("bob", "project:comment", "web"));
    assert!(scene.may("eve", "project:comment", "api"));
    assert!(!scene.may("bob", "project:view", "web"));
}

/// An assignment without a resource is on the organization: the declared membership's, or the group's.
#[test]
fn without_a_resource_an_assignment_is_on_the_organization() {
    let scene = acme_with([
        membership("bob", "acme", "u-bob"),
        organization_grant("bob", "org-admin"),
        organization_grant("opaque", "org-admin"),
    ]);
    assert!(scene.may("bob", "org:manage", "acme"));
    assert!(!scene.may("opaque", "org:manage", "acme"));
    let why = scene.inert(Kind::MembershipRoleAssignment, "opaque-org-admin");
    assert_says(&why, "OrganizationUnknown", &["opaque"]);
}
