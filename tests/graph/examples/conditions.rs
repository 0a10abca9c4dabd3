//! Conditions of assignments.

use bailiwick::graph::{
    facts::Kind,
    query::{Action, Asked, CheckRequest, Given, Properties, Subject, Target},
};

use super::{acme_with, assert_says};
use crate::support::facts::{at, conditional, expiring, grant, group, group_grant, membership, named};

const MFA: &str = "context.mfa";

impl super::Scene {
    /// May bob edit `web`, if the question has this context?
    fn bob_may_edit_in(&self, context: &str) -> bool {
        let context = Properties::new(context);
        let given = Given { context: Some(&context), ..Given::default() };
        let request = CheckRequest {
            subject: Subject::Membership("bob"),
            action: Action::Permission("project:edit"),
            resource: Target::Name("web"),
        };
        self.graph.check(&request, Asked { now: at(0), given: Some(&given) }).is_allowed()
    }
}

#[test]
fn a_grant_counts_where_its_condition_holds() {
    let by_group =
        [group("eng", "acme", &["bob"]), conditional(MFA, group_grant("eng", "workspace-admin", "engineering"))];
    for assignments in [vec![conditional(MFA, grant("bob", "project-editor", "web"))], by_group.into()] {
        let scene = acme_with(assignments);
        assert!(scene.bob_may_edit_in(r#"{"mfa": true}"#));
        for context in [r#"{"mfa": false}"#, "{}", r#"{"mfa": 1}"#, r#"{"mfa": "true"}"#, "nonsense"] {
            assert!(!scene.bob_may_edit_in(context), "{context}");
        }
        assert!(!scene.may("bob", "project:edit", "web"), "nothing is told");
    }
}

#[test]
fn of_several_that_grant_the_same_any_suffices() {
    let ip = "context.ip.startsWith('10.')";
    let scene = acme_with([
        conditional(MFA, grant("bob", "project-editor", "web")),
        named("by-address", conditional(ip, grant("bob", "project-editor", "web"))),
        named("ended", expiring(0, grant("bob", "project-editor", "web"))),
    ]);
    assert!(scene.bob_may_edit_in(r#"{"mfa": true}"#));
    assert!(scene.bob_may_edit_in(r#"{"ip": "10.0.0.1"}"#));
    assert!(!scene.bob_may_edit_in(r#"{"ip": "11.0.0.1"}"#));
    let mut scene = scene;
    scene.add(named("plain", grant("bob", "project-editor", "web")));
    assert!(scene.bob_may_edit_in("{}"), "one depends on nothing");
}

#[test]
fn a_condition_and_an_end_both_count() {
    let scene = acme_with([expiring(10, conditional("true", grant("bob", "project-editor", "web")))]);
    assert!(scene.may_at(9, "bob", "project:edit", "web"));
    assert!(!scene.may_at(10, "bob", "project:edit", "web"));
}

#[test]
fn an_explanation_says_why_a_condition_does_not_hold() {
    let scene = acme_with([conditional(MFA, grant("bob", "project-editor", "web"))]);
    let miss = scene.explain("bob", "project:edit", "web").near_misses.remove(0);
    let expected = "bob would have project-editor on web, by MembershipRoleAssignment bob-project-editor-web, but it has \
                    no effect: its condition `context.mfa` failed: there is no `mfa`";
    assert_eq!(miss.message, expected);
    assert_eq!(miss.inert[0].code(), "ConditionUnmet");

    let scene =
        acme_with([conditional("now > timestamp('2999-01-01T00:00:00Z')", grant("bob", "project-editor", "web"))]);
    let miss = scene.explain("bob", "project:edit", "web").near_misses.remove(0);
    assert!(miss.message.ends_with("its condition `now > timestamp('2999-01-01T00:00:00Z')` does not hold"));

    let scene = acme_with([conditional("!has(context.mfa)", grant("bob", "project-editor", "web"))]);
    let path = scene.explain("bob", "project:edit", "web").paths.remove(0);
    assert_eq!(path.condition.expect("a condition").text(), "!has(context.mfa)");
}

#[test]
fn a_status_does_not_depend_on_a_condition() {
    let kind = Kind::MembershipRoleAssignment;
    let scene = acme_with([
        membership("bob", "acme", "u-bob"),
        conditional(MFA, grant("bob", "org-admin", "acme")),
        grant("bob", "org-member", "acme"),
    ]);
    assert_eq!(scene.inert(kind, "bob-org-admin-acme"), [], "it would win where it holds");
    let item = scene.assignments("bob").into_iter().find(|item| &*item.role == "org-admin").expect("it is listed");
    assert_eq!(item.inert[0].code(), "ConditionUnmet");
}

#[test]
fn where_one_role_wins_it_does_so_among_those_whose_conditions_hold() {
    let scene = acme_with([
        membership("bob", "acme", "u-bob"),
        conditional("context.oncall", grant("bob", "org-admin", "acme")),
        grant("bob", "org-member", "acme"),
    ]);
    assert!(scene.bob_may_edit_in(r#"{"oncall": true}"#));
    assert!(!scene.bob_may_edit_in("{}"));
    assert!(scene.may("bob", "project:view", "web"), "the other wins then");
}

#[test]
fn duplicates_have_the_same_condition() {
    let kind = Kind::MembershipRoleAssignment;
    let editor = || grant("bob", "project-editor", "web");
    let scene = acme_with([
        named("a", conditional(MFA, editor())),
        named("b", conditional("context.oncall", editor())),
        named("c", editor()),
        named("d", conditional(MFA, editor())),
    ]);
    for unique in ["a", "b", "c"] {
        assert_eq!(scene.warnings(kind, unique), [], "{unique}");
    }
    assert_says(&scene.warnings(kind, "d"), "DuplicateAssignment", &["`a`"]);
}
