//! The graphs of all environments, readable at any time while one writer at a time changes them.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};

use super::{
    Graph, Map, Revision,
    facts::{Change, Kind},
};

/// The graph of each environment, by the environment's name (the Kubernetes namespace), and what the sources have
/// still to deliver before answers may be given.
#[derive(Debug, Default)]
pub struct Environments {
    published: RwLock<Map<Arc<str>, Arc<PublishedGraph>>>,
    gates: RwLock<BTreeMap<String, Option<String>>>,
    /// How far an environment has come of which nothing was ever said.
    base: RwLock<Revision>,
}

impl Environments {
    /// Whether an environment can have the name: whether it is a DNS label (RFC 1123), as that of a namespace must be.
    #[must_use]
    pub fn may_be_named(name: &str) -> bool {
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = name.as_bytes();
        bytes.len() <= 63
            && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
            && bytes.first().is_some_and(alphanumeric)
            && bytes.last().is_some_and(alphanumeric)
    }

    /// The graph of an environment, if anything was ever said of it.
    #[must_use]
    pub fn get(&self, environment: &str) -> Option<Arc<PublishedGraph>> {
        self.published.read().get(environment).cloned()
    }

    /// The names of the environments of which anything was ever said, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.published.read().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Changes the graph of an environment. All the changes become visible together.
    ///
    /// # Guarantees
    /// No reader waits. When this returns, every later read sees the changes.
    pub fn apply(&self, environment: &str, changes: &[Change]) {
        if !changes.is_empty() {
            self.apply_reaching(environment, changes, |_| ());
        }
    }

    /// The same, even where nothing changes; and says, in the same step, how far the graph has come with it.
    pub fn apply_reaching(&self, environment: &str, changes: &[Change], reach: impl FnOnce(&mut Revision)) {
        let graph = self.get(environment).unwrap_or_else(|| {
            let mut published = self.published.write();
            let begin = || Arc::new(PublishedGraph::reaching(*self.base.read()));
            Arc::clone(published.entry(Arc::from(environment)).or_insert_with(begin))
        });
        graph.apply_reaching(changes, reach);
    }

    /// How far the graph of an environment has come.
    #[must_use]
    pub fn revision(&self, environment: &str) -> Revision {
        // First: an environment that begins meanwhile does so from there.
        let base = *self.base.read();
        self.get(environment).map_or(base, |graph| *graph.read().revision())
    }

    /// Says how far every environment has come with a kind: it was listed for all of them, and the graphs have what was told.
    pub fn reach_everywhere(&self, kind: Kind, number: u64) {
        self.base.write().set(kind, number);
        for environment in self.names() {
            self.apply_reaching(&environment, &[], |revision| revision.set(kind, number));
        }
    }

    /// Says that answers must wait for something, such as the first list of a kind. Call before serving.
    pub fn close_gate(&self, gate: impl Into<String>) {
        self.gates.write().entry(gate.into()).or_default();
    }

    /// Says why a gate is still closed, in words for the operator of the program. Without effect on an open gate.
    pub fn explain_gate(&self, gate: &str, reason: impl Into<String>) {
        if let Some(entry) = self.gates.write().get_mut(gate) {
            *entry = Some(reason.into());
        }
    }

    /// Says that what a gate waits for is now in the graph. It closes again only where
    /// [`Self::close_gate`] is called again.
    pub fn open_gate(&self, gate: &str) {
        self.gates.write().remove(gate);
    }

    /// The gates that are still closed, each with the reason where one was given. Empty: answers may be given.
    #[must_use]
    pub fn closed_gates(&self) -> Vec<(String, Option<String>)> {
        self.gates.read().iter().map(|(gate, reason)| (gate.clone(), reason.clone())).collect()
    }

    /// Whether every gate is open.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.gates.read().is_empty()
    }
}

/// Two copies of one graph: readers use one while the writer changes the other.
///
/// A change is applied to the idle copy, the copies swap roles, and the other copy adopts what has changed once its
/// last reader has left. So readers never wait and each sees one consistent state for as long as it likes; the price
/// is a writer that waits for the slowest reader. What is the same in both copies they share, so they take the room of
/// one, and of each change its chunks (`chunks`) while it is made.
#[derive(Debug)]
pub struct PublishedGraph {
    copies: [RwLock<Graph>; 2],
    active: AtomicUsize,
    writer: Mutex<()>,
}

impl Default for PublishedGraph {
    fn default() -> Self {
        Self::reaching(Revision::default())
    }
}

impl PublishedGraph {
    /// An empty graph that has come so far.
    fn reaching(revision: Revision) -> Self {
        let graph = Graph { revision, ..Graph::default() };
        Self {
            copies: [RwLock::new(graph.clone()), RwLock::new(graph)],
            active: AtomicUsize::new(0),
            writer: Mutex::default(),
        }
    }

    /// The graph as it is now. It does not change while the guard lives; drop it soon, for the writer waits.
    #[must_use]
    pub fn read(&self) -> impl Deref<Target = Graph> + '_ {
        self.read_guard()
    }

    pub(super) fn read_guard(&self) -> RwLockReadGuard<'_, Graph> {
        loop {
            // Only the copy that is not active is ever locked for writing, so this fails only where the copies
            // swapped roles between the two steps: then the other one is free.
            if let Some(guard) = self.copies[self.active.load(Ordering::Acquire)].try_read() {
                return guard;
            }
            std::hint::spin_loop();
        }
    }

    /// Applies changes; see [`Environments::apply`].
    pub fn apply(&self, changes: &[Change]) {
        self.apply_reaching(changes, |_| ());
    }

    fn apply_reaching(&self, changes: &[Change], reach: impl FnOnce(&mut Revision)) {
        self.change(|graph| {
            graph.apply(changes);
            reach(&mut graph.revision);
        });
    }

    /// Publishes a change; of one that panics in the midst of it, nothing.
    fn change(&self, change: impl FnOnce(&mut Graph)) {
        let _only_writer = self.only_writer();
        let _alignment = Alignment(self);
        change(&mut self.idle_copy().write());
        self.active.fetch_xor(1, Ordering::Release);
    }

    /// Keeps every other writer out.
    pub(super) fn only_writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock()
    }

    /// The copy that no new reader uses. It stays the idle one for the only writer.
    pub(super) fn idle_copy(&self) -> &RwLock<Graph> {
        &self.copies[1 - self.active.load(Ordering::Relaxed)]
    }
}

/// When it is dropped, also by a panic, the idle copy becomes what is published. For the only writer.
struct Alignment<'a>(&'a PublishedGraph);

impl Drop for Alignment<'_> {
    fn drop(&mut self) {
        let published = self.0.read_guard();
        self.0.idle_copy().write().adopt(&published);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::graph::facts::{Fact, Kind, Name, Object, Resource};

    fn create(name: &str) -> Change {
        let fact = Resource { resource_type: "organization".into(), parent: None, external_id: name.into() };
        Change::Apply(Object { name: name.into(), created: None, deleting: false, fact: Fact::Resource(fact) })
    }

    #[test]
    fn of_a_change_that_panics_nothing_stays() {
        let published = PublishedGraph::default();
        published.apply(&[create("before")]);
        let change = |graph: &mut Graph| {
            graph.apply(&[create("half")]);
            panic!("in the midst of a change");
        };
        assert!(catch_unwind(AssertUnwindSafe(|| published.change(change))).is_err());
        assert_eq!(published.read().count(Kind::Resource), 1, "no reader sees it");
        published.apply(&[create("after")]);
        let published = published.read();
        assert_eq!(published.count(Kind::Resource), 2);
        let mut names = published.organizations();
        names.sort_unstable();
        assert_eq!(names, ["after", "before"].map(Name::from));
    }
}
