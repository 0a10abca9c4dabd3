//! Why: the paths that allow, and the nearest miss in words that a person can act on.

use bailiwick::graph::query::{Decision, Denial, GrantSource};

use super::acme_with;
use crate::support::facts::{
    expiring, grant, group, group_grant, having_roles, membership, names, nested_group, organization_grant, suspended,
};

/// Every way is shown: assignment, groups, role, and the resources from the one asked about up to the one granted on.
#[test]
fn every_path_is_shown() {
    let scene = acme_with([
        membership("bob", "acme", "u-bob"),
        organization_grant("bob", "org-admin"),
        group("platform", "acme", &["bob"]),
        nested_group("eng", "acme", &[], &["platform"]),
        group_grant("eng", "workspace-admin", "engineering"),
        expiring(10, grant("bob", "project-editor", "web")),
    ]);
    let explanation = scene.explain("bob", "project:edit", "shop");
    assert_eq!(explanation.decision, Decision::Allowed);
    assert_eq!(explanation.membership.as_deref(), Some("bob"));
    assert_eq!(explanation.resource.as_deref(), Some("shop"));

    let path_by = |role: &str| explanation.paths.iter().find(|path| &*path.role == role).expect("a path by the role");
    let direct = path_by("project-editor");
    assert_eq!(direct.source, GrantSource::MembershipRoleAssignment("bob-project-editor-web".into()));
    assert_eq!(direct.resources, names(&["shop", "web"]));
    assert!(direct.expires_at.is_some());

    let through_groups = path_by("workspace-admin");
    let assignment = "eng-workspace-admin-engineering".into();
    let groups = names(&["eng", "platform"]);
    assert_eq!(through_groups.source, GrantSource::GroupRoleAssignment { assignment, groups });
    assert_eq!(through_groups.resources, names(&["shop", "web", "engineering"]));

    let at_the_top = path_by("org-admin");
    assert_eq!(at_the_top.resources, names(&["shop", "web", "engineering", "acme"]));
    assert_eq!(explanation.paths.len(), 3);
}

/// The words of the nearest miss, which must name all that a person needs.
fn assert_nearest_miss(scene: &super::Scene, question: [&str; 3], words: &[&str]) {
    let [membership, permission, resource] = question;
    let explanation = scene.explain(membership, permission, resource);
    assert!(!explanation.decision.is_allowed());
    let nearest = explanation.near_misses.first().unwrap_or_else(|| panic!("no near miss: {explanation:?}"));
    for word in words {
        assert!(nearest.message.contains(word), "no `{word}` in `{}`", nearest.message);
    }
}

/// "bob has project-viewer on engineering, which lacks project:edit".
#[test]
fn a_role_that_lacks_the_permission_is_near() {
    let scene = acme_with([grant("bob", "project-viewer", "web")]);
    let words = ["bob", "project-viewer", "web", "lacks", "project:edit"];
    assert_nearest_miss(&scene, ["bob", "project:edit", "web"], &words);
    assert_nearest_miss(&scene, ["bob", "project:edit", "shop"], &words);
}

/// A grant that has the permission, but has run out.
#[test]
fn an_expired_grant_is_near() {
    let scene = acme_with([expiring(-10, grant("bob", "project-editor", "web"))]);
    assert_nearest_miss(&scene, ["bob", "project:edit", "web"], &["bob", "project-editor", "web", "expired"]);
}

/// A grant of a role of the wrong type.
#[test]
fn a_grant_of_the_wrong_type_is_near() {
    let scene = acme_with([grant("bob", "project-editor", "engineering")]);
    let words = ["bob", "project-editor", "engineering", "workspace"];
    assert_nearest_miss(&scene, ["bob", "project:edit", "engineering"], &words);
}

/// A role that another one supersedes.
#[test]
fn a_superseded_grant_is_near() {
    let scene = acme_with([
        having_roles(&["org-admin"], membership("bob", "acme", "u-bob")),
        organization_grant("bob", "org-member"),
    ]);
    let words = ["bob", "org-member", "org-admin"];
    assert_nearest_miss(&scene, ["bob", "project:view", "acme"], &words);
}

/// The right role on a sibling.
#[test]
fn a_grant_elsewhere_is_near() {
    let scene = acme_with([grant("bob", "project-editor", "api")]);
    assert_nearest_miss(&scene, ["bob", "project:edit", "web"], &["bob", "project-editor", "api"]);
}

/// The summary of a denial says what is wrong with the membership.
#[test]
fn a_suspended_membership_is_told_of() {
    let scene = acme_with([suspended(membership("bob", "acme", "u-bob")), grant("bob", "project-editor", "web")]);
    let explanation = scene.explain("bob", "project:edit", "web");
    assert_eq!(explanation.decision, Decision::Denied(Denial::SuspendedMembership));
    assert!(explanation.summary.contains("suspended"), "{}", explanation.summary);
}

/// Of what is unknown nothing is made up.
#[test]
fn unknown_names_are_said_to_be_unknown() {
    let scene = acme_with([grant("bob", "project-editor", "web")]);
    let decision = |membership, resource| scene.explain(membership, "project:edit", resource).decision;
    assert_eq!(decision("nobody", "web"), Decision::Denied(Denial::UnknownSubject));
    assert_eq!(decision("bob", "nowhere"), Decision::Denied(Denial::UnknownResource));
    assert!(scene.explain("nobody", "project:edit", "web").paths.is_empty());
}
