//! From conditions to a status as it is written.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Unit,
};
use serde_json::{Map, Value, json};

use super::{conditions::Stated, summary::Summary};
use crate::{graph::facts::Timestamp, source::ledger::ObservedStatus};

/// The status of an object of that generation.
///
/// A condition that is already observed to hold, or not to hold, keeps the time since when.
#[must_use]
pub fn status(
    generation: i64,
    stated: &[Stated],
    summary: Option<&Summary>,
    observed: Option<&ObservedStatus>,
    now: Timestamp,
) -> Value {
    // The API server keeps whole seconds.
    let now = now.round(Unit::Second).unwrap_or(now);
    let conditions: Vec<Condition> = stated
        .iter()
        .map(|stated| Condition {
            type_: stated.condition.as_str().to_owned(),
            status: if stated.holds { "True" } else { "False" }.to_owned(),
            observed_generation: Some(generation),
            last_transition_time: Time(
                observed.and_then(|observed| observed.since(stated.condition, stated.holds)).unwrap_or(now),
            ),
            reason: stated.reason.to_owned(),
            message: stated.message.clone(),
        })
        .collect();
    let mut status = Map::new();
    status.insert("observedGeneration".to_owned(), json!(generation));
    status.insert("conditions".to_owned(), json!(conditions));
    if let Some(summary) = summary {
        summary.add_to(&mut status);
    }
    Value::Object(status)
}
