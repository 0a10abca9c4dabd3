//! The objects whose status has to be looked at, the most urgent first.

use std::collections::{HashMap, HashSet, VecDeque, hash_map::Entry};

use tokio::time::Instant;

use crate::{controller::metrics::Metrics, graph::facts::ObjectRef};

/// The objects whose status has to be looked at. Each is in it once.
#[derive(Debug)]
pub struct Queue {
    /// The API server said something of them.
    changed: VecDeque<ObjectRef>,
    /// They gained or lost effect.
    transitions: VecDeque<ObjectRef>,
    /// Their status is not up to date otherwise.
    others: VecDeque<ObjectRef>,
    /// All of the above, and whether they are among those that changed.
    waiting: HashMap<ObjectRef, bool>,
    /// To be looked at later.
    postponed: HashSet<ObjectRef>,
    /// When the first of these is to be looked at.
    resume_at: Option<Instant>,
    metrics: Metrics,
}

impl Queue {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            changed: VecDeque::new(),
            transitions: VecDeque::new(),
            others: VecDeque::new(),
            waiting: HashMap::new(),
            postponed: HashSet::new(),
            resume_at: None,
            metrics,
        }
    }

    /// To be looked at first, even if it waits already.
    pub(super) fn push_changed(&mut self, object: ObjectRef) {
        self.enter(&object);
        if self.waiting.insert(object.clone(), true) != Some(true) {
            self.changed.push_back(object);
        }
    }

    pub(super) fn push_transition(&mut self, object: ObjectRef) {
        if self.enter(&object) {
            self.transitions.push_back(object);
        }
    }

    pub(super) fn push_other(&mut self, object: ObjectRef) {
        if self.enter(&object) {
            self.others.push_back(object);
        }
    }

    fn enter(&mut self, object: &ObjectRef) -> bool {
        let Entry::Vacant(entry) = self.waiting.entry(object.clone()) else {
            return false;
        };
        entry.insert(false);
        self.metrics.queue_changed(0, 1);
        true
    }

    /// Takes the most urgent one.
    pub(super) fn pop(&mut self) -> Option<ObjectRef> {
        loop {
            let next = self.changed.pop_front();
            let object = next.or_else(|| self.transitions.pop_front()).or_else(|| self.others.pop_front())?;
            // One that became more urgent while it waited is met a second time.
            if self.waiting.remove(&object).is_some() {
                self.metrics.queue_changed(1, 0);
                return Some(object);
            }
        }
    }

    /// Puts an object aside that is not to be looked at before then.
    pub(super) fn postpone(&mut self, object: ObjectRef, until: Instant) {
        self.postponed.insert(object);
        self.resume_at = Some(self.resume_at.map_or(until, |at| at.min(until)));
    }

    /// When to call [`Self::resume_postponed`], if at all.
    pub(super) const fn resume_at(&self) -> Option<Instant> {
        self.resume_at
    }

    /// Queues what was put aside; what comes too early is put aside again when it is looked at.
    pub(super) fn resume_postponed(&mut self) {
        self.resume_at = None;
        for object in std::mem::take(&mut self.postponed) {
            self.push_other(object);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.metrics.queue_changed(self.waiting.len(), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graph::facts::Kind;

    #[test]
    fn the_most_urgent_comes_first_and_each_once() {
        let object = |name: &str| ObjectRef { kind: Kind::Role, name: name.into() };
        let mut queue = Queue::new(Metrics::default());
        queue.push_other(object("other"));
        queue.push_other(object("became urgent"));
        queue.push_transition(object("transition"));
        queue.push_transition(object("other"));
        queue.push_changed(object("became urgent"));
        queue.push_changed(object("became urgent"));
        let later = Instant::now();
        queue.postpone(object("later"), later);
        queue.postpone(object("later"), later + Duration::from_secs(1));
        assert_eq!(queue.resume_at(), Some(later));
        let mut all = || std::iter::from_fn(|| queue.pop()).map(|object| object.name.to_string()).collect::<Vec<_>>();
        assert_eq!(all(), ["became urgent", "transition", "other"]);
        assert!(queue.changed.is_empty(), "what changes again and again while it waits takes no more room");
        queue.resume_postponed();
        assert_eq!(queue.resume_at(), None);
        assert_eq!(queue.pop(), Some(object("later")));
        assert_eq!(queue.pop(), None);
    }
}
