//! Changes that are tried out and taken back.

use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use super::{
    Graph, PublishedGraph,
    facts::{Change, Object},
};

/// A graph as it is, beside a copy of it for trying out what a change would do. No reader sees the copy, and no writer
/// comes in between. When this is dropped, also by a panic, all that was tried out is taken back.
pub(super) struct Trial<'a> {
    pub(super) before: RwLockReadGuard<'a, Graph>,
    /// The same as `before` until something is tried out.
    after: RwLockWriteGuard<'a, Graph>,
    _only_writer: MutexGuard<'a, ()>,
}

impl<'a> Trial<'a> {
    pub(super) fn of(published: &'a PublishedGraph) -> Self {
        let only_writer = published.only_writer();
        Self { before: published.read_guard(), after: published.idle_copy().write(), _only_writer: only_writer }
    }

    pub(super) fn after(&self) -> &Graph {
        &self.after
    }

    /// Tries out that an object is thus.
    pub(super) fn make(&mut self, object: Object) {
        self.after.apply(&[Change::Apply(object)]);
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        self.after.adopt(&self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::graph::facts::{Fact, Kind, ObjectRef, Resource};

    fn organization(external_id: &str) -> Object {
        let fact = Resource { resource_type: "organization".into(), parent: None, external_id: external_id.into() };
        Object { name: "acme".into(), created: None, deleting: false, fact: Fact::Resource(fact) }
    }

    #[test]
    fn what_is_tried_out_is_taken_back_even_by_a_panic() {
        let published = PublishedGraph::default();
        published.apply(&[Change::Apply(organization("a"))]);
        let acme = ObjectRef { kind: Kind::Resource, name: "acme".into() };
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut trial = Trial::of(&published);
            trial.make(organization("b"));
            trial.make(organization("c"));
            assert_eq!(trial.after().object(&acme), Some(organization("c")));
            assert_eq!(published.read().object(&acme), Some(organization("a")), "no reader sees it");
            panic!("in the midst of a trial");
        }));
        assert!(panicked.is_err());
        assert_eq!(Trial::of(&published).after().object(&acme), Some(organization("a")));
        published.apply(&[]);
        assert_eq!(published.read().object(&acme), Some(organization("a")));
    }
}
