//! Who has which role at the organization level: role modes, priority, the identity provider, the default role.

use bailiwick::graph::{
    facts::{Environment, IdentitySource, Kind, Object, RoleMapping},
    query::GrantSource,
};

use super::{Scene, acme_with, assert_says};
use crate::support::facts::{
    created, deleted, environment, group, having_roles, in_identity_groups, mapping, membership, names,
    organization_grant, organization_group_grant, role,
};

fn roles() -> [Object; 3] {
    [
        created(1, role("owner", "organization", &["own"])),
        created(2, role("billing", "organization", &["bill"])),
        created(3, role("support", "organization", &["help"])),
    ]
}

fn scene(settings: Environment, more: impl IntoIterator<Item = Object>) -> Scene {
    acme_with(roles().into_iter().chain([environment(settings)]).chain(more))
}

/// Which of `own`, `bill` and `help` bob may do in `acme`.
fn bobs(scene: &Scene) -> Vec<&'static str> {
    ["own", "bill", "help"].into_iter().filter(|permission| scene.may("bob", permission, "acme")).collect()
}

/// Rule 46: with multiple roles, those of all sources add up.
#[test]
fn rule_46_with_multiple_roles_they_add_up() {
    let scene = scene(
        Environment { multiple_roles: true, ..Environment::default() },
        [
            having_roles(&["owner"], membership("bob", "acme", "u-bob")),
            organization_grant("bob", "billing"),
            group("helpers", "acme", &["bob"]),
            organization_group_grant("helpers", "support"),
        ],
    );
    assert_eq!(bobs(&scene), ["own", "bill", "help"]);
}

/// Rule 46: with a single role, the one that the environment ranks first wins, whatever its source.
#[test]
fn rule_46_with_a_single_role_the_first_in_priority_wins() {
    let settings = Environment { role_priority: names(&["support", "billing"]), ..Environment::default() };
    let mut scene = scene(
        settings,
        [
            having_roles(&["owner"], membership("bob", "acme", "u-bob")),
            organization_grant("bob", "billing"),
            group("helpers", "acme", &["bob"]),
            organization_group_grant("helpers", "support"),
        ],
    );
    assert_eq!(bobs(&scene), ["help"]);
    assert_says(&scene.inert(Kind::MembershipRoleAssignment, "bob-billing"), "Superseded", &["support"]);

    scene.tell(&[deleted(Kind::GroupRoleAssignment, "helpers-support")]);
    assert_eq!(bobs(&scene), ["bill"]);
    scene.tell(&[deleted(Kind::MembershipRoleAssignment, "bob-billing")]);
    assert_eq!(bobs(&scene), ["own"]);
}

/// Among roles without priority the older wins, an unknown age being the oldest, and at equal age the lesser name.
#[test]
fn without_priority_the_older_role_wins() {
    let mut scene = scene(
        Environment::default(),
        [having_roles(&["support", "billing", "owner"], membership("bob", "acme", "u-bob"))],
    );
    assert_eq!(bobs(&scene), ["own"]);
    scene.add(role("support", "organization", &["help"]));
    assert_eq!(bobs(&scene), ["help"]);
    scene.add(role("owner", "organization", &["own"]));
    assert_eq!(bobs(&scene), ["own"], "`owner` is less than `support`");
}

/// A role that cannot be used does not win.
#[test]
fn only_roles_that_count_compete() {
    let settings = Environment { role_priority: names(&["project-editor", "missing"]), ..Environment::default() };
    let scene =
        scene(settings, [having_roles(&["missing", "project-editor", "billing"], membership("bob", "acme", "u-bob"))]);
    assert_eq!(bobs(&scene), ["bill"]);
    let warnings = scene.warnings(Kind::OrganizationMembership, "bob");
    assert_says(&warnings, "RoleNotFound", &["missing"]);
}

/// Rule 36: a declared membership without any role at the organization level has the default role.
#[test]
fn rule_36_the_default_role_fills_the_gap() {
    let settings = Environment { default_role: Some("support".into()), ..Environment::default() };
    let mut scene = scene(settings, [membership("bob", "acme", "u-bob"), organization_grant("bob", "billing")]);
    assert_eq!(bobs(&scene), ["bill"]);
    scene.tell(&[deleted(Kind::MembershipRoleAssignment, "bob-billing")]);
    assert_eq!(bobs(&scene), ["help"]);
    assert!(scene.assignments("bob").iter().any(|item| item.source == GrantSource::DefaultRole));
    assert!(!scene.may("undeclared", "help", "acme"));
}

/// Section 1.8: a role by the directory goes before one by single sign-on, and that before one by hand.
#[test]
fn section_1_8_directory_before_single_sign_on_before_hand() {
    let settings = Environment {
        role_mappings: vec![
            mapping(IdentitySource::Directory, "finance", "billing"),
            mapping(IdentitySource::Sso, "desk", "support"),
        ],
        ..Environment::default()
    };
    let by_hand = || having_roles(&["owner"], membership("bob", "acme", "u-bob"));
    let at_sign_on = || in_identity_groups(IdentitySource::Sso, &["desk"], by_hand());
    let in_both = || in_identity_groups(IdentitySource::Directory, &["finance"], at_sign_on());

    let mut scene = scene(settings, [in_both()]);
    assert_eq!(bobs(&scene), ["bill"]);
    scene.add(at_sign_on());
    assert_eq!(bobs(&scene), ["help"]);
    scene.add(by_hand());
    assert_eq!(bobs(&scene), ["own"]);
    scene.add(in_identity_groups(IdentitySource::Directory, &["desk"], by_hand()));
    assert_eq!(bobs(&scene), ["own"], "a group of that name, but of the other source");
}

/// A mapping that names an organization holds for members of that organization.
#[test]
fn a_mapping_may_be_for_one_organization() {
    let of = |organization: &str| RoleMapping {
        organization: Some(organization.into()),
        ..mapping(IdentitySource::Sso, "desk", "support")
    };
    let bob = in_identity_groups(IdentitySource::Sso, &["desk"], membership("bob", "acme", "u-bob"));
    let settings = |role_mapping| Environment { role_mappings: vec![role_mapping], ..Environment::default() };
    assert_eq!(bobs(&scene(settings(of("acme")), [bob.clone()])), ["help"]);
    assert!(bobs(&scene(settings(of("globex")), [bob])).is_empty());
}
