//! What an environment holds, in numbers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    api::{AssignmentCounts, InertCount, ObjectCount},
    graph::facts::Kind,
};

/// What an environment holds, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The newest resource version that the numbers include.
    pub revision: u64,
    totals: [usize; Kind::ALL.len()],
    ready: [usize; Kind::ALL.len()],
    inert: BTreeMap<&'static str, usize>,
}

impl Summary {
    /// Begins to count.
    #[must_use]
    pub fn at(revision: u64) -> Self {
        Self { revision, ..Self::default() }
    }

    /// Counts an object: why it is not ready, and whether it has no effect at all.
    pub fn count(&mut self, kind: Kind, not_ready: Option<&'static str>, inert: bool) {
        self.totals[kind as usize] += 1;
        match not_ready {
            None => self.ready[kind as usize] += 1,
            Some(reason) if inert && kind.is_assignment() => *self.inert.entry(reason).or_default() += 1,
            Some(_) => {}
        }
    }

    /// How many role assignments grant nothing, by reason.
    #[must_use]
    pub const fn inert_assignments(&self) -> &BTreeMap<&'static str, usize> {
        &self.inert
    }

    /// Adds the numbers to the status of an `Environment`.
    pub(super) fn add_to(&self, status: &mut Map<String, Value>) {
        let objects: Vec<ObjectCount> = Kind::ALL
            .into_iter()
            .map(|kind| ObjectCount {
                kind: kind.as_str().to_owned(),
                total: clamped(self.totals[kind as usize]),
                ready: clamped(self.ready[kind as usize]),
            })
            .collect();
        let all = Kind::ALL.into_iter().filter(|kind| kind.is_assignment()).map(|kind| self.totals[kind as usize]);
        let inert: usize = self.inert.values().sum();
        let assignments = AssignmentCounts {
            effective: clamped(all.sum::<usize>() - inert),
            inert: clamped(inert),
            inert_by_reason: self
                .inert
                .iter()
                .map(|(reason, &count)| InertCount { reason: (*reason).to_owned(), count: clamped(count) })
                .collect(),
        };
        status.insert("revision".to_owned(), json!(self.revision.to_string()));
        status.insert("objects".to_owned(), json!(objects));
        status.insert("assignments".to_owned(), json!(assignments));
    }
}

fn clamped(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::EnvironmentStatus;

    #[test]
    fn tells_how_many_there_are_and_why_some_have_no_effect() {
        let mut summary = Summary::at(7);
        summary.count(Kind::Role, None, false);
        summary.count(Kind::Role, Some("RoleInert"), true);
        summary.count(Kind::GroupRoleAssignment, None, false);
        summary.count(Kind::GroupRoleAssignment, Some("RoleNotFound"), true);
        summary.count(Kind::MembershipRoleAssignment, Some("RoleNotFound"), true);
        summary.count(Kind::MembershipRoleAssignment, Some("DuplicateAssignment"), false);
        let mut status = Map::new();
        summary.add_to(&mut status);
        let status: EnvironmentStatus = serde_json::from_value(Value::Object(status)).unwrap();
        assert_eq!(status.revision.as_deref(), Some("7"));
        let roles = &status.objects[Kind::Role as usize];
        assert_eq!((roles.kind.as_str(), roles.total, roles.ready), ("Role", 2, 1));
        let assignments = status.assignments.unwrap();
        assert_eq!((assignments.effective, assignments.inert), (2, 2));
        assert_eq!(assignments.inert_by_reason, [InertCount { reason: "RoleNotFound".to_owned(), count: 2 }]);
    }
}
