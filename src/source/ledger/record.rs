//! What is known of one object beyond what the graph keeps.

use std::{
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use serde_json::Value;

use super::{Moment, Presentation, ResourceVersion, Uid};
use crate::{
    api::{ConditionType, DEPENDENTS_REMAINING},
    graph::facts::Timestamp,
};

/// What is known of an object beyond what the graph keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Tells it from others that had its name before.
    pub uid: Uid,
    /// Tells this state of it from every other.
    pub resource_version: ResourceVersion,
    /// Counts the changes of its spec, and its being marked for deletion.
    pub generation: i64,
    /// It has a deletion timestamp.
    pub deleting: bool,
    /// It has finalizers.
    pub has_finalizers: bool,
    /// Which of them is [`CASCADE_FINALIZER`](crate::api::CASCADE_FINALIZER).
    pub cascade_finalizer: Option<u32>,
    /// It is annotated not to be cascaded.
    pub restricted: bool,
    /// What its status says; none: nothing.
    pub status: Option<ObservedStatus>,
    /// When it was created, to the millisecond where that is known.
    pub created: Moment,
    /// When its spec last changed: never before it was created.
    pub updated: Moment,
    /// What it says for people; none: nothing.
    pub presentation: Option<Arc<Presentation>>,
}

/// A status, reduced to what tells whether another one says the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedStatus {
    /// Of everything that it says but for when; conditions of other authors left out.
    digest: u64,
    /// Since when each condition has held or not, in seconds since 1970 as the API server keeps them.
    since: [u32; ConditionType::ALL.len()],
    holds: [Option<bool>; ConditionType::ALL.len()],
    tells_of_dependents: bool,
}

impl ObservedStatus {
    /// Reads a status. None: it says nothing that could be understood.
    #[must_use]
    pub fn of(status: &Value) -> Option<Self> {
        let fields = status.as_object()?;
        let mut observed = Self::default();
        let mut digest = std::hash::DefaultHasher::new();
        for (name, value) in fields.iter().filter(|(name, _)| *name != "conditions") {
            (name, value.to_string()).hash(&mut digest);
        }
        let conditions = fields.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut conditions: Vec<_> = conditions.iter().filter_map(ConditionRead::of).collect();
        conditions.sort_by_key(|condition| condition.of_type.as_str());
        for ConditionRead { of_type, status, reason, message, observed_generation, since } in conditions {
            (of_type.as_str(), status, reason, message, observed_generation).hash(&mut digest);
            let second = since.as_second().clamp(0, u32::MAX.into());
            observed.since[of_type as usize] = u32::try_from(second).unwrap_or_default();
            observed.holds[of_type as usize] = Some(status == "True");
            if of_type == ConditionType::Ready {
                observed.tells_of_dependents = reason == DEPENDENTS_REMAINING;
            }
        }
        observed.digest = digest.finish();
        Some(observed)
    }

    /// Whether another status says the same, whenever it began to hold.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Since when a condition has held, or not held; none: it does not say that.
    #[must_use]
    pub fn since(&self, condition: ConditionType, holds: bool) -> Option<Timestamp> {
        if self.holds(condition) != Some(holds) {
            return None;
        }
        Timestamp::from_second(self.since[condition as usize].into()).ok()
    }

    /// Whether it says that a condition holds; none: it does not mention it.
    #[must_use]
    pub const fn holds(&self, condition: ConditionType) -> Option<bool> {
        self.holds[condition as usize]
    }

    /// Whether the reason of the condition `Ready` is [`DEPENDENTS_REMAINING`].
    #[must_use]
    pub const fn tells_of_dependents(&self) -> bool {
        self.tells_of_dependents
    }
}

/// A condition of ours, as it stands in a status.
struct ConditionRead<'a> {
    of_type: ConditionType,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
    observed_generation: Option<i64>,
    since: Timestamp,
}

impl<'a> ConditionRead<'a> {
    /// Reads it. None: it is somebody else's, or lacks what every condition has.
    fn of(condition: &'a Value) -> Option<Self> {
        let text = |field: &str| condition.get(field).and_then(Value::as_str);
        Some(Self {
            of_type: ConditionType::named(text("type")?)?,
            status: text("status")?,
            reason: text("reason")?,
            message: text("message")?,
            observed_generation: condition.get("observedGeneration").and_then(Value::as_i64),
            since: text("lastTransitionTime")?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(ready: &str, reason: &str, time: &str) -> Value {
        json!({
            "observedGeneration": 2,
            "conditions": [
                { "type": "Ready", "status": ready, "reason": reason, "message": "m", "lastTransitionTime": time },
                { "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": time },
            ],
        })
    }

    #[test]
    fn when_something_began_to_hold_is_no_difference_but_everything_else_is() {
        let observed = |value: &Value| ObservedStatus::of(value).unwrap();
        let one = observed(&status("True", "Indexed", "2026-01-01T00:00:00Z"));
        assert!(one.says_the_same(&observed(&status("True", "Indexed", "2026-01-02T00:00:00Z"))));
        assert!(!one.says_the_same(&observed(&status("False", "Indexed", "2026-01-01T00:00:00Z"))));
        assert!(!one.says_the_same(&observed(&status("True", "Other", "2026-01-01T00:00:00Z"))));
        let mut newer = status("True", "Indexed", "2026-01-01T00:00:00Z");
        newer["observedGeneration"] = json!(3);
        assert!(!one.says_the_same(&observed(&newer)));

        let mut foreign = status("True", "Indexed", "2026-01-01T00:00:00Z");
        foreign["conditions"].as_array_mut().unwrap().push(
            json!({ "type": "Liked", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" }),
        );
        foreign["conditions"].as_array_mut().unwrap().reverse();
        assert!(one.says_the_same(&observed(&foreign)), "conditions of others and their order are of no matter");

        assert_eq!(one.since(ConditionType::Ready, true), Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(one.since(ConditionType::Ready, false), None);
        assert_eq!((one.holds(ConditionType::Stalled), one.tells_of_dependents()), (None, false));
        assert!(observed(&status("False", DEPENDENTS_REMAINING, "2026-01-01T00:00:00Z")).tells_of_dependents());
        assert_eq!(ObservedStatus::of(&Value::Null), None);
    }
}
