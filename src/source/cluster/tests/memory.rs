//! How much memory an object takes beside the graph.

use super::*;
use crate::source::cluster::tracker::{Tracker, Update};

const COUNT: u32 = 4000;

/// What an object may take, its name included.
const LIMIT: i64 = 200;

/// An assignment as the API server tells it once its status has been written.
fn assignment(index: u32) -> Value {
    let second = index / 100;
    let time = format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    let condition = |name: &str, reason: &str| json!({ "type": name, "status": "True", "reason": reason, "message": "", "observedGeneration": 1, "lastTransitionTime": time });
    json!({
        "metadata": {
            "name": format!("assignment-{index:08}"), "namespace": "team", "uid": format!("{index:08x}-0000-4000-8000-000000000000"),
            "resourceVersion": (1_000_000 + index).to_string(), "generation": 1, "creationTimestamp": time,
            "managedFields": [{ "manager": "kubectl", "operation": "Apply", "time": time, "fieldsV1": { "f:spec": {} } }],
        },
        "spec": { "membershipRef": { "name": "m" }, "roleRef": { "name": "r" }, "resourceRef": { "name": "x" } },
        "status": {
            "observedGeneration": 1,
            "conditions": [condition("Accepted", "Accepted"), condition("ResolvedRefs", "ResolvedRefs"), condition("Ready", "Indexed")],
        },
    })
}

#[test]
fn an_object_takes_little_memory_beside_the_graph() {
    let ledger = Arc::new(Ledger::default());
    let mut tracker = Tracker::new(Kind::MembershipRoleAssignment, None, Arc::clone(&ledger));
    let taken = allocation_counter::measure(|| {
        let events = (0..COUNT).map(|index| Event::InitApply(serde_json::from_value(assignment(index)).unwrap()));
        for event in [Event::Init].into_iter().chain(events).chain([Event::InitDone]) {
            let mut update = Update::default();
            tracker.handle(event, &mut update);
            for (environment, entries) in update.entries {
                ledger.of(&environment).enter(Kind::MembershipRoleAssignment, entries);
            }
            tracker.settle();
        }
    });
    let an_object = taken.bytes_current / i64::from(COUNT);
    assert!(an_object < LIMIT, "{an_object} bytes");
}
