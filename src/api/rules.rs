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
pub(super) fn immutable(path: &str) -> Rule {
    never_changes(path, format!("self.{path} == oldSelf.{path}"))
}

/// As [`immutable`], for a field of `spec` that stands for the object's name where it is absent; for the root.
pub(super) fn immutable_or_name(field: &str) -> Rule {
    let value = |object| format!("(has({object}.spec.{field}) ? {object}.spec.{field} : {object}.metadata.name)");
    never_changes(&format!("spec.{field}"), format!("{} == {}", value("self"), value("oldSelf")))
}

fn never_changes(path: &str, condition: String) -> Rule {
    rule(
        &format!(".{path}"),
        condition,
        Reason::FieldValueForbidden,
        &format!("{} is immutable: create another object instead", path.trim_start_matches("spec.")),
    )
}
