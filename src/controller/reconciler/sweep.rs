//! Looking at every object of an environment for a status that is not up to date.

use std::{ops::Bound, time::Duration};

use tokio::time::Instant;

use super::{is_transition, write::status_write};
use crate::{
    api::ConditionType,
    controller::{conditions, summary::Summary},
    graph::{
        Graph, PublishedGraph,
        facts::{ENVIRONMENT_NAME, Kind, ObjectRef, Timestamp},
        query::Reason,
    },
    source::ledger::{EnvironmentLedger, Place},
};

/// How many objects are looked at before more urgent things get their turn.
const CHUNK: usize = 2000;
/// How many of them are looked at in one state of the graph: as long as it is held, a change of the graph may wait.
const SLICE: usize = 64;
/// How long changes are gathered before everything is looked at.
const GATHER: Duration = Duration::from_millis(100);
/// A sweep is followed by a pause so many times as long as it took, so that it takes a fifth of a processor at the most.
const PAUSE_FACTOR: u32 = 4;

/// Sweeps over one environment, one after another, as often as they are requested but not more often than is good.
#[derive(Debug, Default)]
pub struct Sweep {
    /// When the next one is to begin.
    due: Option<Instant>,
    /// Not before this one.
    not_before: Option<Instant>,
    running: Option<Running>,
}

/// It goes through the objects kind by kind, in the order of their creation, a slice at a time: what appears meanwhile comes last.
#[derive(Debug, Default)]
struct Running {
    /// How many kinds are done.
    kinds_done: usize,
    /// Where the last object stands of those of the next kind that were looked at.
    after: Option<Place>,
    summary: Summary,
    spent: Duration,
}

/// What a part of a sweep found.
#[derive(Debug, Default)]
pub struct Found {
    /// Objects that gained or lost effect.
    pub transitions: Vec<ObjectRef>,
    /// Objects whose status is not up to date otherwise.
    pub others: Vec<ObjectRef>,
    /// Where the sweep is complete: what it counted.
    pub summary: Option<Summary>,
}

impl Sweep {
    /// Asks for a sweep that begins from now on.
    pub(super) fn request(&mut self) {
        let soon = Instant::now() + GATHER;
        let at = self.not_before.map_or(soon, |not_before| not_before.max(soon));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When the next one begins, if any was asked for.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Begins one if it is time. Whether one is running.
    pub(super) fn begin_if_due(&mut self, ledger: &EnvironmentLedger) -> bool {
        if self.running.is_none() && self.due.is_some_and(|due| due <= Instant::now()) {
            self.due = None;
            self.running = Some(Running { summary: Summary::at(ledger.revision()), ..Running::default() });
        }
        self.running.is_some()
    }

    /// Looks at the next objects.
    pub(super) fn advance(&mut self, ledger: &EnvironmentLedger, graph: &PublishedGraph, now: Timestamp) -> Found {
        let mut found = Found::default();
        let Some(mut running) = self.running.take() else {
            return found;
        };
        let began = Instant::now();
        let mut looked_at = 0;
        while looked_at < CHUNK
            && let Some(slice) = running.next_slice(ledger)
        {
            let graph = graph.read();
            for object in &slice {
                look_at(object, ledger, &graph, now, &mut running.summary, &mut found);
            }
            looked_at += slice.len();
        }
        running.spent += began.elapsed();
        if running.kinds_done == Kind::ALL.len() {
            let not_before = Instant::now() + running.spent * PAUSE_FACTOR;
            self.not_before = Some(not_before);
            // Also what was asked for meanwhile waits for the pause.
            self.due = self.due.map(|due| due.max(not_before));
            found.summary = Some(running.summary);
        } else {
            self.running = Some(running);
        }
        found
    }
}

impl Running {
    /// The next objects to look at; none: there are no more. The ledger is not kept from being changed for longer than that takes.
    fn next_slice(&mut self, ledger: &EnvironmentLedger) -> Option<Vec<ObjectRef>> {
        let records = ledger.read();
        while let Some(&kind) = Kind::ALL.get(self.kinds_done) {
            let from = self.after.take().map_or(Bound::Unbounded, Bound::Excluded);
            let names = records.between(kind, (from, Bound::Unbounded)).take(SLICE);
            let slice: Vec<_> = names.map(|name| ObjectRef { kind, name: name.clone() }).collect();
            if let Some(last) = slice.last() {
                self.after = records.place_of(last);
                return Some(slice);
            }
            self.kinds_done += 1;
        }
        None
    }
}

fn look_at(
    object: &ObjectRef,
    ledger: &EnvironmentLedger,
    graph: &Graph,
    now: Timestamp,
    summary: &mut Summary,
    found: &mut Found,
) {
    let (Some(record), Some(diagnosis)) = (ledger.get(object), graph.diagnose(object, now)) else {
        return; // It went meanwhile.
    };
    let not_ready = conditions::not_ready(object.kind, &diagnosis).map(Reason::code);
    summary.count(object.kind, not_ready, !diagnosis.is_effective());
    if object.kind == Kind::Environment && object.name == ENVIRONMENT_NAME {
        return; // It is looked at when all is counted.
    }
    // How far a deletion is, is told by the plan of its cascade.
    if record.deleting {
        if record.status.as_ref().and_then(|status| status.holds(ConditionType::Ready)) != Some(false) {
            found.others.push(object.clone());
        }
        return;
    }
    if is_transition(object.kind, &diagnosis, &record) {
        found.transitions.push(object.clone());
    } else if object.kind.cascades() && record.cascade_finalizer.is_none()
        || diagnosis.inert.iter().any(|reason| matches!(reason, Reason::Expired { .. }))
        || status_write(object.clone(), record, conditions::of_diagnosis(object.kind, &diagnosis), None, now).is_some()
    {
        found.others.push(object.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sweep_that_was_asked_for_during_another_waits_for_the_pause_too() {
        let ledger = EnvironmentLedger::default();
        let spent = Duration::from_secs(3);
        let running = Running { spent, ..Running::default() };
        let mut sweep = Sweep { running: Some(running), ..Sweep::default() };
        sweep.request();
        assert!(sweep.advance(&ledger, &PublishedGraph::default(), Timestamp::now()).summary.is_some());
        assert!(!sweep.begin_if_due(&ledger));
        tokio::time::advance(spent * PAUSE_FACTOR).await;
        assert!(sweep.begin_if_due(&ledger));
    }
}
