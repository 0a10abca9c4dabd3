//! Who and what a question means: users and memberships, names and external ids, organizations.

use bailiwick::graph::{
    facts::{Environment, Kind, Undeclared},
    query::{Action, CheckRequest, Decision, Denial, Subject, Target},
};

use super::{acme_with, assert_says, both_with, by_id, by_id_in};
use crate::support::facts::{
    at, created, deleting, environment, grant, group, group_grant, having_roles, invalid, known_as, membership,
    organization, resource,
};

const WEB: Target<'static> = Target::Id { resource_type: "project", id: "web", organization: None };

/// A user is asked as the membership in the resource's organization.
#[test]
fn a_user_is_the_membership_in_the_resources_organization() {
    let scene = both_with([
        membership("bob-acme", "acme", "u-bob"),
        membership("bob-globex", "globex", "u-bob"),
        grant("bob-acme", "project-editor", "web"),
        grant("bob-globex", "project-viewer", "globex-web"),
    ]);
    let ask = |permission, resource| scene.ask(Subject::User("u-bob"), permission, Target::Name(resource));
    assert_eq!(ask("project:edit", "web"), Decision::Allowed);
    assert_eq!(ask("project:edit", "globex-web"), Decision::Denied(Denial::NoGrant));
    assert_eq!(ask("project:view", "globex-web"), Decision::Allowed);
}

/// Where several organizations of the user have such a resource, the question must name one.
#[test]
fn a_user_of_several_organizations_names_one() {
    let scene = both_with([
        membership("bob-acme", "acme", "u-bob"),
        membership("bob-globex", "globex", "u-bob"),
        grant("bob-acme", "project-editor", "web"),
        grant("bob-globex", "project-editor", "globex-web"),
    ]);
    let bob = Subject::User("u-bob");
    assert_eq!(scene.ask(bob, "project:edit", WEB), Decision::Denied(Denial::AmbiguousResource));
    assert_eq!(scene.ask(bob, "project:edit", by_id_in("acme", "project", "web")), Decision::Allowed);
    assert_eq!(scene.ask(bob, "project:edit", by_id_in("globex", "project", "web")), Decision::Allowed);
}

/// A resource that only one of the user's organizations has needs no more, even if a third one has it too.
#[test]
fn a_users_own_organization_goes_first() {
    let scene = both_with([membership("bob-acme", "acme", "u-bob"), grant("bob-acme", "project-editor", "web")]);
    assert_eq!(scene.ask(Subject::User("u-bob"), "project:edit", WEB), Decision::Allowed);
}

/// A user whom nothing declares in the organization is the undeclared membership of that name.
#[test]
fn an_undeclared_user_is_the_membership_of_that_name() {
    let scene = both_with([grant("u-bob", "project-editor", "web"), membership("bob-globex", "globex", "u-bob")]);
    assert_eq!(scene.ask(Subject::User("u-bob"), "project:edit", Target::Name("web")), Decision::Allowed);
    let unknown = scene.ask(Subject::User("u-eve"), "project:edit", Target::Name("web"));
    assert_eq!(unknown, Decision::Denied(Denial::UnknownSubject));
}

/// A user id that happens to be the name of somebody's declared membership gives nothing of it.
#[test]
fn a_user_id_is_not_the_name_of_a_declared_membership() {
    let scene = acme_with([membership("bob", "acme", "u-eve"), grant("bob", "project-editor", "web")]);
    assert!(!scene.ask(Subject::User("bob"), "project:edit", Target::Name("web")).is_allowed());
    assert_eq!(scene.ask(Subject::User("u-eve"), "project:edit", Target::Name("web")), Decision::Allowed);
}

/// Of several memberships of a user in an organization any suffices.
#[test]
fn any_membership_of_a_user_suffices() {
    let scene = acme_with([
        membership("bob-1", "acme", "u-bob"),
        membership("bob-2", "acme", "u-bob"),
        grant("bob-2", "project-editor", "web"),
    ]);
    assert_eq!(scene.ask(Subject::User("u-bob"), "project:edit", Target::Name("web")), Decision::Allowed);
}

/// A declared membership has no say in another organization, even where an assignment names it.
#[test]
fn a_declared_membership_stays_in_its_organization() {
    let scene = both_with([membership("bob", "acme", "u-bob"), grant("bob", "project-editor", "globex-web")]);
    let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("globex-web"));
    assert_eq!(answer, Decision::Denied(Denial::OtherOrganization));
    assert_says(
        &scene.inert(Kind::MembershipRoleAssignment, "bob-project-editor-globex-web"),
        "OrganizationMismatch",
        &["bob", "acme", "globex"],
    );
}

/// An opaque membership may be of any organization; an id that several have is ambiguous for it.
#[test]
fn an_opaque_membership_may_be_of_any_organization() {
    let scene = both_with([grant("bob", "project-editor", "web"), grant("bob", "project-viewer", "globex-web")]);
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:view", "globex-web"));
    let bob = Subject::Membership("bob");
    assert_eq!(scene.ask(bob, "project:edit", WEB), Decision::Denied(Denial::AmbiguousResource));
    assert_eq!(scene.ask(bob, "project:edit", by_id_in("acme", "project", "web")), Decision::Allowed);
}

/// An environment may make undeclared memberships powerless, directly and in groups.
#[test]
fn undeclared_memberships_may_be_denied() {
    let strict = Environment { undeclared_memberships: Undeclared::Deny, ..Environment::default() };
    let mut scene = acme_with([
        grant("bob", "project-editor", "web"),
        group("eng", "acme", &["bob"]),
        group_grant("eng", "project-editor", "api"),
        environment(strict),
    ]);
    let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("web"));
    assert_eq!(answer, Decision::Denied(Denial::UndeclaredMembership));
    assert!(!scene.may("bob", "project:edit", "api"));
    let why = scene.inert(Kind::MembershipRoleAssignment, "bob-project-editor-web");
    assert_says(&why, "UndeclaredMembership", &["bob"]);

    scene.add(membership("bob", "acme", "u-bob"));
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:edit", "api"));
}

/// An object's name is taken where its external id is; the external id wins.
#[test]
fn an_external_id_goes_before_a_name() {
    let scene = acme_with([
        known_as("api", resource("web-2", "project", "engineering")),
        known_as("elsewhere", resource("api", "project", "engineering")),
        grant("bob", "project-editor", "web-2"),
        grant("eve", "project-editor", "api"),
    ]);
    let ask = |name, id| scene.ask(Subject::Membership(name), "project:edit", by_id("project", id)).is_allowed();
    assert!(ask("bob", "api"), "the external id of `web-2`");
    assert!(!ask("eve", "api"));
    assert!(ask("eve", "elsewhere"));
    assert!(ask("bob", "web-2"), "by its name");
}

/// An organization may be named by its external id.
#[test]
fn an_organization_is_named_by_id_or_name() {
    let scene = acme_with([
        known_as("org_01", organization("globex")),
        resource("lab", "workspace", "globex"),
        grant("bob", "workspace-admin", "lab"),
    ]);
    for organization in ["org_01", "globex"] {
        let answer =
            scene.ask(Subject::Membership("bob"), "workspace:edit", by_id_in(organization, "workspace", "lab"));
        assert_eq!(answer, Decision::Allowed, "{organization}");
    }
}

/// Of two resources of the same type and external id in an organization the older is meant; the younger is detached.
#[test]
fn the_older_of_two_with_the_same_external_id_wins() {
    let scene = both_with([
        created(1, known_as("docs", resource("docs-1", "project", "engineering"))),
        created(2, known_as("docs", resource("docs-2", "project", "engineering"))),
        created(2, known_as("docs", resource("docs-3", "project", "globex-engineering"))),
        created(2, known_as("docs", resource("docs-4", "app", "web"))),
        having_roles(&["org-admin"], membership("bob", "acme", "u-bob")),
        having_roles(&["org-admin"], membership("eve", "globex", "u-eve")),
    ]);
    assert!(scene.may("bob", "project:edit", "docs-1"));
    assert!(!scene.may("bob", "project:edit", "docs-2"));
    assert!(scene.may("eve", "project:edit", "docs-3"), "of another organization");
    assert!(scene.may("bob", "project:edit", "docs-4"), "of another type");
    assert_says(&scene.inert(Kind::Resource, "docs-2"), "DuplicateExternalId", &["docs-1"]);
}

/// Of two organizations of the same external id the younger is detached with all below it.
#[test]
fn the_older_of_two_organizations_wins() {
    let scene = acme_with([
        known_as("acme", created(1, organization("impostor"))),
        resource("lab", "workspace", "impostor"),
        grant("bob", "workspace-admin", "lab"),
    ]);
    let answer = scene.ask(Subject::Membership("bob"), "workspace:edit", Target::Name("lab"));
    assert_eq!(answer, Decision::Denied(Denial::DetachedResource));
    assert_says(&scene.inert(Kind::Resource, "impostor"), "DuplicateExternalId", &["acme"]);
}

/// A membership that is declared, but invalid, under deletion or of a missing organization, is powerless.
#[test]
fn a_declaration_of_no_use_makes_powerless() {
    let useless = [
        invalid(Kind::OrganizationMembership, "bob"),
        deleting(membership("bob", "acme", "u-bob")),
        membership("bob", "missing", "u-bob"),
    ];
    for declaration in useless {
        let scene = acme_with([grant("bob", "project-editor", "web"), declaration]);
        let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("web"));
        assert_eq!(answer, Decision::Denied(Denial::UnusableMembership));
    }
}

/// The part of a permission after the type will do as an action.
#[test]
fn an_action_may_leave_out_the_type() {
    let scene = acme_with([grant("bob", "project-editor", "web"), grant("bob", "app-user", "shop")]);
    let ask = |name, resource| {
        let resource = Target::Name(resource);
        let request = CheckRequest { subject: Subject::Membership("bob"), action: Action::Name(name), resource };
        scene.graph.check(&request, at(0)).is_allowed()
    };
    assert!(ask("edit", "web"));
    assert!(ask("project:edit", "web"));
    assert!(ask("use", "shop"));
    assert!(!ask("edit", "shop"), "app:edit is not project:edit");
    assert!(ask("project:edit", "shop"), "by inheritance");
}
