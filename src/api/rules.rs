//! What the rules of several kinds have in common. They are written in CEL, the language of the API server.

use kube::core::{Reason, Rule};

/// A rule, the field that it is about, and what to tell whoever breaks it: what is wrong and what to do.
pub(super) fn rule(field_path: &str, rule: impl Into<String>, reason: Reason, message: &str) -> Rule {
    Rule::new(rule).message(message).reason(reason).field_path(field_path)
}

/// A rule about the object's name, which is no field of the schema that a path could name.
pub(super) fn name_rule(rule: impl Into<String>, message: &str) -> Rule {
    Rule::new(rule).message(message).reason(Reason::FieldValueInvalid)
}

/// A field that is always there and never changed, given by its path below the object that the rule is for.
pub(super) fn immutable(path: &str, remedy: &str) -> Rule {
    never_changes(path, format!("self.{path} == oldSelf.{path}"), remedy)
}

/// As [`immutable`], for a field that may be absent: it is neither added nor removed.
pub(super) fn immutable_optional(path: &str, remedy: &str) -> Rule {
    let rule =
        format!("has(self.{path}) == has(oldSelf.{path}) && (!has(self.{path}) || self.{path} == oldSelf.{path})");
    never_changes(path, rule, remedy)
}

/// As [`immutable`], for a field of `spec` that stands for the object's name where it is absent; for the root.
pub(super) fn immutable_or_name(field: &str, remedy: &str) -> Rule {
    let value = |object| format!("(has({object}.spec.{field}) ? {object}.spec.{field} : {object}.metadata.name)");
    never_changes(&format!("spec.{field}"), format!("{} == {}", value("self"), value("oldSelf")), remedy)
}

fn never_changes(path: &str, condition: String, remedy: &str) -> Rule {
    rule(
        &format!(".{path}"),
        condition,
        Reason::FieldValueForbidden,
        &format!("{} is immutable: {remedy}", path.trim_start_matches("spec.")),
    )
}

/// The remedy where nothing but a new object will do.
pub(super) const CREATE_ANEW: &str = "create another object instead";

/// The remedy for what identifies an assignment. As with the `roleRef` of RBAC, an edit would revoke one grant and make
/// another under the same name, and who reviews or audits it would take the two for one.
pub(super) const ASSIGN_ANEW: &str = "an assignment is one grant for good, so create another one and delete this one";
