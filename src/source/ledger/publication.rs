//! Changes that come into the graph first and into the ledger after that: whoever looks at both can tell whether they belong
//! together.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::EnvironmentLedger;

/// The publications of an environment.
#[derive(Debug, Default)]
pub(super) struct Publications {
    under_way: AtomicUsize,
    over: AtomicU64,
}

/// Changes on their way into the graph and the ledger. They have arrived when this is dropped.
#[derive(Debug)]
pub struct Publication(Arc<EnvironmentLedger>);

impl Publication {
    pub(super) fn begin(ledger: Arc<EnvironmentLedger>) -> Self {
        ledger.publications.under_way.fetch_add(1, Ordering::SeqCst);
        Self(ledger)
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        let Publications { under_way, over } = &self.0.publications;
        over.fetch_add(1, Ordering::SeqCst);
        under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl EnvironmentLedger {
    /// How many publications there have been. None: one is under way, so that the graph may tell of what the ledger does not.
    ///
    /// # Guarantees
    /// If this is the same number before and after both were locked for reading, they tell of the same objects.
    #[must_use]
    pub fn publications(&self) -> Option<u64> {
        let Publications { under_way, over } = &self.publications;
        let over = over.load(Ordering::SeqCst);
        (under_way.load(Ordering::SeqCst) == 0).then_some(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_shows_while_it_is_under_way_and_when_it_is_over() {
        let ledger = Arc::<EnvironmentLedger>::default();
        assert_eq!(ledger.publications(), Some(0));
        let (one, other) = (Publication::begin(Arc::clone(&ledger)), Publication::begin(Arc::clone(&ledger)));
        assert_eq!(ledger.publications(), None);
        drop(one);
        assert_eq!(ledger.publications(), None);
        drop(other);
        assert_eq!(ledger.publications(), Some(2));
    }
}
