//! Which state of an environment a task has looked at.

use std::{cell::Cell, pin::Pin};

use crate::graph::Revision;

tokio::task_local! {
    static SEEN: Cell<Option<Revision>>;
}

/// Does work, and tells how far the graph had come that it looked at last; none: it did not look at any.
///
/// The work stays where it is: a future that it were moved into would have room for it several times.
pub(crate) async fn seeing<T>(work: Pin<&mut impl Future<Output = T>>) -> (T, Option<Revision>) {
    SEEN.scope(Cell::new(None), async {
        let done = work.await;
        (done, SEEN.with(Cell::get))
    })
    .await
}

/// Notes that the task looks at a graph that has come so far. Without effect where nobody wants to know.
pub(crate) fn note(revision: &Revision) {
    // Fails where nobody wants to know.
    let _ = SEEN.try_with(|seen| seen.set(Some(*revision)));
}
