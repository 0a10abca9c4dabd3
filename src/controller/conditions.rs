//! From what the graph says of an object to the conditions of its status.

use crate::{
    api::{ConditionType, DEPENDENTS_REMAINING},
    graph::{
        Deletion,
        facts::Kind,
        query::{Diagnosis, Reason},
    },
};

/// The reason of `Ready` where it is true.
pub const INDEXED: &str = "Indexed";
/// The reason of `Ready` while the object is being deleted and nothing depends on it any more.
pub const TERMINATING: &str = "Terminating";

/// More reasons than this are counted, not told.
const MAX_REASONS_TOLD: usize = 3;
/// A message is cut off after so many bytes.
const MAX_MESSAGE: usize = 1024;

/// What a condition is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its type.
    pub condition: ConditionType,
    /// Whether it holds.
    pub holds: bool,
    /// Why, in one word for programs.
    pub reason: &'static str,
    /// Why, in a sentence for people.
    pub message: String,
}

impl Stated {
    fn new(condition: ConditionType, holds: bool, reason: &'static str, message: impl Into<String>) -> Self {
        Self { condition, holds, reason, message: message.into() }
    }
}

/// The conditions of an object that is not being deleted.
#[must_use]
pub fn of_diagnosis(kind: Kind, diagnosis: &Diagnosis) -> Vec<Stated> {
    let reasons: Vec<&Reason> = reasons(kind, diagnosis).collect();
    let told_of = |picked: fn(&Reason) -> bool| reasons.iter().copied().filter(|reason| picked(reason)).collect();
    let faults: Vec<&Reason> = told_of(Reason::needs_a_person);
    let unresolved: Vec<&Reason> = told_of(Reason::is_unresolved);
    let mut stated = vec![
        state(ConditionType::Accepted, "Accepted", "nothing in it is contradicted", &faults),
        state(ConditionType::ResolvedRefs, "ResolvedRefs", "all that it refers to is there", &unresolved),
        state(ConditionType::Ready, INDEXED, "the graph has it, and all that it says has effect", &reasons),
    ];
    if let Some(first) = faults.first() {
        stated.push(Stated::new(ConditionType::Stalled, true, first.code(), message(&faults)));
    }
    stated
}

/// The conditions of an object that is being deleted.
#[must_use]
pub fn of_deletion(deletion: Option<&Deletion>) -> Vec<Stated> {
    let (remaining, restricted) = deletion.map_or((0, false), |deletion| (deletion.remaining, deletion.restricted));
    if remaining == 0 {
        let message = "it is being deleted and has no effect any more";
        return vec![Stated::new(ConditionType::Ready, false, TERMINATING, message)];
    }
    if restricted {
        let message = format!(
            "it is being deleted, but its annotation authz.bailiwick.dev/deletion: Restrict keeps the {remaining} that depend on it; delete them, or take the annotation away"
        );
        return vec![
            Stated::new(ConditionType::Ready, false, DEPENDENTS_REMAINING, message.clone()),
            Stated::new(ConditionType::Stalled, true, DEPENDENTS_REMAINING, message),
        ];
    }
    let message =
        format!("it is being deleted and has no effect any more; {remaining} dependents remain to be removed");
    vec![Stated::new(ConditionType::Ready, false, DEPENDENTS_REMAINING, message)]
}

/// The reason for which `Ready` is false; none: it is true.
#[must_use]
pub fn not_ready(kind: Kind, diagnosis: &Diagnosis) -> Option<&Reason> {
    reasons(kind, diagnosis).next()
}

/// Everything that is wrong with the object itself, the gravest first.
fn reasons(kind: Kind, diagnosis: &Diagnosis) -> impl Iterator<Item = &Reason> {
    let concerns_it = move |reason: &&Reason| {
        // A group is as it should be if one of its members is suspended.
        kind != Kind::Group || !matches!(reason, Reason::Suspended { .. })
    };
    diagnosis.inert.iter().chain(diagnosis.warnings.iter().filter(concerns_it))
}

fn state(condition: ConditionType, reason: &'static str, words: &str, against: &[&Reason]) -> Stated {
    match against.first() {
        None => Stated::new(condition, true, reason, words),
        Some(first) => Stated::new(condition, false, first.code(), message(against)),
    }
}

fn message(reasons: &[&Reason]) -> String {
    let told: Vec<String> = reasons.iter().take(MAX_REASONS_TOLD).map(ToString::to_string).collect();
    let mut message = told.join("; ");
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    if let Some(more @ 1..) = reasons.len().checked_sub(MAX_REASONS_TOLD) {
        message = format!("{message}; and {more} more");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::facts::{Name, ObjectRef};

    fn missing(kind: Kind) -> Reason {
        Reason::NotFound { object: ObjectRef { kind, name: "x".into() } }
    }

    fn unknown_permission(permission: &str) -> Reason {
        Reason::UnknownPermission { permission: permission.into(), resource_type: "project".into() }
    }

    fn told(stated: &[Stated]) -> Vec<(&'static str, bool, &'static str)> {
        stated.iter().map(|stated| (stated.condition.as_str(), stated.holds, stated.reason)).collect()
    }

    #[test]
    fn all_is_well() {
        assert_eq!(
            told(&of_diagnosis(Kind::Role, &Diagnosis::default())),
            [("Accepted", true, "Accepted"), ("ResolvedRefs", true, "ResolvedRefs"), ("Ready", true, "Indexed")]
        );
    }

    #[test]
    fn what_is_missing_may_come_but_a_contradiction_stalls() {
        let waiting = Diagnosis { inert: vec![missing(Kind::Role)], warnings: Vec::new() };
        assert_eq!(
            told(&of_diagnosis(Kind::MembershipRoleAssignment, &waiting)),
            [("Accepted", true, "Accepted"), ("ResolvedRefs", false, "RoleNotFound"), ("Ready", false, "RoleNotFound")]
        );
        let wrong = Diagnosis { inert: vec![missing(Kind::Resource)], warnings: vec![unknown_permission("p")] };
        assert_eq!(
            told(&of_diagnosis(Kind::Role, &wrong)),
            [
                ("Accepted", false, "UnknownPermission"),
                ("ResolvedRefs", false, "ResourceNotFound"),
                ("Ready", false, "ResourceNotFound"),
                ("Stalled", true, "UnknownPermission"),
            ]
        );
    }

    #[test]
    fn a_suspended_member_is_no_fault_of_its_group() {
        let warnings = vec![Reason::Suspended { membership: "m".into() }];
        let diagnosis = Diagnosis { inert: Vec::new(), warnings };
        assert_eq!(not_ready(Kind::Group, &diagnosis), None);
        assert!(not_ready(Kind::OrganizationMembership, &diagnosis).is_some());
    }

    #[test]
    fn messages_are_bounded_and_say_what_they_leave_out() {
        let warnings = (0..5).map(|index| unknown_permission(&format!("p{index}"))).collect();
        let stated = of_diagnosis(Kind::Role, &Diagnosis { inert: Vec::new(), warnings });
        assert!(stated[2].message.contains("`p2`") && !stated[2].message.contains("`p3`"), "{}", stated[2].message);
        assert!(stated[2].message.ends_with("; and 2 more"), "{}", stated[2].message);

        let problem = Name::from("ä".repeat(4000));
        let stated =
            of_diagnosis(Kind::Role, &Diagnosis { inert: vec![Reason::InvalidSpec { problem }], warnings: vec![] });
        assert!(stated[2].message.len() <= MAX_MESSAGE + '…'.len_utf8());
    }

    #[test]
    fn a_deletion_tells_how_far_it_is() {
        let object = ObjectRef { kind: Kind::Resource, name: "x".into() };
        let deletion = |remaining, restricted| Deletion { object: object.clone(), remaining, restricted };
        assert_eq!(told(&of_deletion(None)), [("Ready", false, "Terminating")]);
        assert_eq!(told(&of_deletion(Some(&deletion(0, true)))), [("Ready", false, "Terminating")]);
        let running = of_deletion(Some(&deletion(7, false)));
        assert_eq!(told(&running), [("Ready", false, "DependentsRemaining")]);
        assert!(running[0].message.contains("7 dependents"));
        assert_eq!(
            told(&of_deletion(Some(&deletion(7, true)))),
            [("Ready", false, "DependentsRemaining"), ("Stalled", true, "DependentsRemaining")]
        );
    }
}
