//! Slots in an order that only their content tells.

/// How many slots a run has at the most.
const RUN: usize = 512;

/// Slots in order, in sorted runs of which each begins where the one before ends: four bytes and a little for a slot, where a
/// tree would have to hold what it compares.
///
/// # Assumptions
/// The order of two slots never changes while both are in it.
#[derive(Debug, Default)]
pub struct Order {
    /// None is empty.
    runs: Vec<Vec<u32>>,
}

/// Where a slot stands, or would: in which run, and at which place of it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    run: usize,
    index: usize,
}

impl Order {
    /// The beginning.
    pub const START: Position = Position { run: 0, index: 0 };

    /// The end.
    pub const fn end(&self) -> Position {
        Position { run: self.runs.len(), index: 0 }
    }

    /// Where the slots end of which that is true. It must be true of all before one of which it is.
    pub fn partition_point(&self, comes_before: impl Fn(u32) -> bool) -> Position {
        let run = self.runs.partition_point(|run| run.last().is_some_and(|&last| comes_before(last)));
        let index = self.runs.get(run).map_or(0, |run| run.partition_point(|&slot| comes_before(slot)));
        Position { run, index }
    }

    /// Puts a slot where it belongs, by what comes before it.
    pub fn insert(&mut self, slot: u32, comes_before: impl Fn(u32) -> bool) {
        let Position { mut run, mut index } = self.partition_point(comes_before);
        if run == self.runs.len() {
            match self.runs.last_mut() {
                Some(last) if last.len() < RUN => last.push(slot),
                _ => self.runs.push(vec![slot]),
            }
            return;
        }
        if self.runs[run].len() == RUN {
            let tail = self.runs[run].split_off(RUN / 2);
            self.runs.insert(run + 1, tail);
            if index > RUN / 2 {
                (run, index) = (run + 1, index - RUN / 2);
            }
        }
        self.runs[run].insert(index, slot);
    }

    /// Takes out a slot, by what comes before it.
    pub fn remove(&mut self, slot: u32, comes_before: impl Fn(u32) -> bool) {
        let Position { run, index } = self.partition_point(comes_before);
        let Some(of_run) = self.runs.get_mut(run) else { return };
        if of_run.get(index) == Some(&slot) {
            of_run.remove(index);
        }
        if of_run.is_empty() {
            self.runs.remove(run);
        }
    }

    /// The slots from one position until before another. None where the first is not before the other.
    pub fn between(&self, from: Position, until: Position) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let last = until.run.min(self.runs.len().saturating_sub(1));
        let runs = if from < until { self.runs.get(from.run..=last) } else { None };
        runs.unwrap_or_default().iter().enumerate().flat_map(move |(offset, run)| {
            let start = if offset == 0 { from.index } else { 0 };
            let end = if from.run + offset == until.run { until.index } else { run.len() };
            run.get(start..end).unwrap_or_default().iter().copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

    use super::*;

    #[test]
    fn it_is_the_order_whatever_comes_and_goes() {
        let mut rng = SmallRng::seed_from_u64(1);
        let (mut order, mut expected) = (Order::default(), BTreeSet::new());
        for round in 0..20_000 {
            // First it grows, at its end too, then it shrinks.
            let slot = if round % 3 == 0 { round } else { rng.random_range(0..4000) };
            if round < 10_000 || rng.random_bool(0.3) {
                if expected.insert(slot) {
                    order.insert(slot, |other| other < slot);
                }
            } else {
                let slot = expected.range(slot..).next().copied().unwrap_or(slot);
                expected.remove(&slot);
                order.remove(slot, |other| other < slot);
            }
            if round % 100 == 0 {
                let mut ends = [0; 2].map(|_| rng.random_range(0..12_000));
                ends.sort_unstable();
                let [from, until] = ends.map(|end| order.partition_point(|slot| slot < end));
                let found: Vec<_> = order.between(from, until).collect();
                assert!(found.iter().eq(expected.range(ends[0]..ends[1])));
                assert!(order.between(from, until).rev().eq(found.into_iter().rev()));
                assert!(order.between(Order::START, order.end()).eq(expected.iter().copied()));
                assert_eq!(order.between(until, from).next(), None);
            }
        }
        assert!(order.runs.iter().all(|run| (1..=RUN).contains(&run.len())));
    }
}
