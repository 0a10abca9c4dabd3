//! What qualifies a grant: until when it counts, and on what condition.

use std::sync::Arc;

use super::{
    Graph,
    facts::{Condition, Timestamp},
    grants::{Grant, SubjectId},
    query::Asked,
    records::{Assignment, Resource},
    table::Id,
};

/// Until when and on what condition a grant counts. Most have neither, and of those nothing is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Qualification {
    pub(super) expires_at: Option<Timestamp>,
    pub(super) condition: Option<Arc<Condition>>,
}

impl Qualification {
    pub(super) const fn is_none(&self) -> bool {
        let Self { expires_at, condition } = self;
        expires_at.is_none() && condition.is_none()
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    fn holds(&self, asked: Asked<'_>) -> bool {
        !self.is_over(asked.now)
            && self.condition.as_ref().is_none_or(|condition| condition.holds(asked.now, asked.given).is_ok())
    }

    /// Among those of equal grants, the first is the least costly to judge: without a condition, and the last to expire.
    pub(super) fn goes_before(&self, other: &Self) -> bool {
        let order = |it: &Self| (it.condition.is_some(), it.expires_at.is_some());
        let (one, another) = (order(self), order(other));
        one < another || (one == another && self.expires_at > other.expires_at)
    }
}

impl Graph {
    /// Until when and on what condition an assignment of that subject counts.
    pub(super) fn qualification(&self, subject: SubjectId, id: Id<Assignment>) -> Qualification {
        let is_qualified = self.assignments(subject)[id].is_qualified();
        let found = is_qualified.then(|| self.qualifications.get(&(subject.is_group(), id))).flatten();
        found.cloned().unwrap_or_default()
    }

    /// Whether a qualified grant counts: one that is there several times does if any of them does.
    // Most grants are not qualified: those need not make room for this.
    #[inline(never)]
    pub(super) fn qualifies(&self, resource: Id<Resource>, grant: Grant, asked: Asked<'_>) -> bool {
        let qualifications = self.qualified.get(&(resource, grant.subject(), grant.role()));
        qualifications.is_some_and(|all| all.iter().any(|qualification| qualification.holds(asked)))
    }
}
