//! Declared types and what they refuse; settings and what they deny.

use bailiwick::graph::{
    facts::{Environment, Kind, Undeclared},
    query::{Decision, Denial, Subject, Target},
};

use super::{Scene, acme_with, assert_says};
use crate::support::facts::{
    deleting, environment, grant, having_roles, invalid, membership, named, resource, resource_type, role,
};

fn strict_about_types() -> Environment {
    Environment { undeclared_resource_types: Undeclared::Deny, ..Environment::default() }
}

/// A declared type must lie below one of its parents; what lies elsewhere is detached with all below it.
#[test]
fn a_declared_type_lies_below_its_parents_only() {
    let mut scene = acme_with([
        resource_type("project", &["workspace", "project"], &["project:edit", "project:view"]),
        resource("stray", "project", "acme"),
        resource("stray-app", "app", "stray"),
        having_roles(&["org-admin"], membership("bob", "acme", "u-bob")),
    ]);
    assert!(scene.may("bob", "project:edit", "web"));
    assert!(!scene.may("bob", "project:edit", "stray"));
    assert!(!scene.may("bob", "project:edit", "stray-app"));
    assert_says(
        &scene.inert(Kind::Resource, "stray"),
        "ParentTypeNotAllowed",
        &["project", "organization", "workspace"],
    );
    scene.add(resource_type("project", &["organization", "workspace"], &["project:edit"]));
    assert!(scene.may("bob", "project:edit", "stray-app"));
}

/// Where undeclared types are denied, nothing of such a type counts.
#[test]
fn undeclared_types_may_be_denied() {
    let scene = acme_with([
        environment(strict_about_types()),
        resource_type("workspace", &["organization"], &["workspace:edit"]),
        grant("bob", "workspace-admin", "engineering"),
        grant("bob", "project-editor", "web"),
    ]);
    assert!(scene.may("bob", "workspace:edit", "engineering"));
    assert!(!scene.may("bob", "project:edit", "engineering"), "no type declares project:edit");
    let answer = scene.ask(Subject::Membership("bob"), "project:edit", Target::Name("web"));
    assert_eq!(answer, Decision::Denied(Denial::DetachedResource));
    assert_says(&scene.inert(Kind::Resource, "web"), "UndeclaredResourceType", &["project"]);
    assert_says(&scene.inert(Kind::Role, "project-editor"), "UndeclaredResourceType", &["project"]);
}

/// A permission that its declared type does not list is not had; the others of the role are.
#[test]
fn a_declared_type_knows_its_permissions() {
    let scene = acme_with([
        resource_type("project", &["workspace"], &["project:view"]),
        role("sloppy", "project", &["project:view", "project:vew", "approve", "other:thing"]),
        grant("bob", "sloppy", "web"),
    ]);
    assert_eq!(scene.permissions("bob", "web"), ["other:thing", "project:view"]);
    let warnings = scene.warnings(Kind::Role, "sloppy");
    assert_says(&warnings, "UnknownPermission", &["project:vew", "project"]);
    assert_says(&warnings, "UnknownPermission", &["approve", "project"]);
}

/// Section 1.4: a role may have permissions of its type and of the types below it.
#[test]
fn a_role_has_permissions_of_its_type_and_below() {
    let scene = acme_with([
        resource_type("workspace", &["organization"], &["workspace:edit"]),
        resource_type("project", &["workspace"], &["project:edit"]),
        resource_type("app", &["project"], &["app:use"]),
        role("wide", "organization", &["workspace:edit", "app:use"]),
        role("middle", "project", &["workspace:edit", "project:edit", "app:use"]),
        grant("bob", "wide", "acme"),
        grant("eve", "middle", "web"),
    ]);
    assert_eq!(scene.permissions("bob", "acme"), ["app:use", "workspace:edit"]);
    assert_eq!(scene.permissions("eve", "web"), ["app:use", "project:edit"]);
    assert_says(
        &scene.warnings(Kind::Role, "middle"),
        "PermissionOutOfScope",
        &["workspace:edit", "workspace", "project"],
    );
}

/// An invalid declaration still declares its type, with nothing allowed; one under deletion declares nothing.
#[test]
fn an_invalid_type_allows_nothing() {
    let mut scene = acme_with([
        grant("bob", "project-editor", "web"),
        grant("bob", "workspace-admin", "engineering"),
        invalid(Kind::ResourceType, "project"),
    ]);
    assert!(!scene.may("bob", "project:edit", "web"));
    assert!(!scene.may("bob", "project:edit", "engineering"), "the permission is refused as well");
    assert!(scene.may("bob", "workspace:edit", "engineering"));
    scene.add(deleting(invalid(Kind::ResourceType, "project")));
    assert!(scene.may("bob", "project:edit", "web"));
}

/// Settings that cannot be used restrict most; those being deleted are gone; those of another name are not heeded.
#[test]
fn invalid_settings_restrict_most() {
    let with = |settings| -> Scene {
        acme_with([
            grant("opaque", "project-editor", "web"),
            having_roles(&["org-admin"], membership("bob", "acme", "u-bob")),
            settings,
        ])
    };
    let scene = with(invalid(Kind::Environment, "default"));
    assert!(!scene.may("opaque", "project:edit", "web"));
    assert!(!scene.may("bob", "project:edit", "web"), "its type is not declared");
    assert!(!scene.may("bob", "org:manage", "acme"), "no type declares the permission");

    let strict = || environment(Environment { undeclared_memberships: Undeclared::Deny, ..strict_about_types() });
    assert!(!with(strict()).may("opaque", "project:edit", "web"));
    assert!(with(deleting(strict())).may("opaque", "project:edit", "web"));
    let other = with(named("prod", strict()));
    assert!(other.may("opaque", "project:edit", "web"));
    assert_says(&other.inert(Kind::Environment, "prod"), "NotTheDefaultEnvironment", &["default"]);
}

/// Types and permissions are compared exactly: a star is a name like any other.
#[test]
fn a_star_is_no_wildcard() {
    let scene = acme_with([role("all", "project", &["*", "project:*"]), grant("bob", "all", "web")]);
    assert!(!scene.may("bob", "project:edit", "web"));
    assert!(scene.may("bob", "project:*", "web"));
}
