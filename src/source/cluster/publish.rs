//! How what the watches bring becomes visible: into the graph first, then into the ledger; and what was written together,
//! together.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tracing::warn;

use crate::{
    graph::{
        Environments, Revision,
        facts::{Change, Kind, Name, ObjectRef},
    },
    source::{
        Ledger, Progress,
        ledger::{Awaited, LedgerEntry},
    },
};

/// How long changes are kept back at the most: so long may a revocation take that somebody else makes to the same object.
pub const MAX_HOLD: Duration = Duration::from_secs(5);

/// What the watches bring goes through here.
///
/// # Guarantees
/// - What the ledger tells is in the graph already.
/// - The changes of one object become visible in their order.
/// - All that happens to the objects of a [`Hold`], of whatever kinds, becomes visible in the graph in one step, unless a list
///   has to be taken anew meanwhile, or [`MAX_HOLD`] is over. Nothing that happens to other objects waits for it.
#[derive(Debug)]
pub struct Publisher {
    environments: Arc<Environments>,
    ledger: Arc<Ledger>,
    held_back: Mutex<HeldBack>,
    /// A hold has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct HeldBack {
    holds: Vec<Held>,
    /// How many there ever were.
    count: u64,
}

/// What happened in an environment and is not visible yet.
#[derive(Debug, Default)]
pub struct Batch {
    /// What changes, in order.
    pub changes: Vec<Change>,
    /// What is to be entered into the ledger after that, in order.
    pub entries: BTreeMap<Kind, Vec<LedgerEntry>>,
}

impl Batch {
    /// Adds what happened after it.
    fn append(&mut self, Self { mut changes, entries }: Self) {
        self.changes.append(&mut changes);
        for (kind, mut entries) in entries {
            self.entries.entry(kind).or_default().append(&mut entries);
        }
    }

    /// Takes out what happened to objects.
    fn take_out(&mut self, objects: &HashSet<ObjectRef>) -> Self {
        let changes = self.changes.extract_if(.., |change| objects.contains(&subject(change))).collect();
        let mut taken = Self { changes, entries: BTreeMap::new() };
        for (&kind, entries) in &mut self.entries {
            let is_of = |entry: &mut LedgerEntry| objects.contains(&ObjectRef { kind, name: entry.name.clone() });
            let of_kind: Vec<_> = entries.extract_if(.., is_of).collect();
            if !of_kind.is_empty() {
                taken.entries.insert(kind, of_kind);
            }
        }
        self.entries.retain(|_, entries| !entries.is_empty());
        taken
    }
}

/// The object that changes.
fn subject(change: &Change) -> ObjectRef {
    match change {
        Change::Apply(object) => ObjectRef { kind: object.fact.kind(), name: object.name.clone() },
        Change::Delete(object) => object.clone(),
    }
}

/// The kind of the object that changes.
const fn kind(change: &Change) -> Kind {
    match change {
        Change::Apply(object) => object.fact.kind(),
        Change::Delete(object) => object.kind,
    }
}

/// Objects of which the changes are kept back.
#[derive(Debug)]
struct Held {
    number: u64,
    environment: Name,
    objects: HashSet<ObjectRef>,
    kept: Batch,
    /// What has still to arrive; none: not everything is written yet.
    awaited: Option<Vec<Awaited>>,
}

impl Held {
    /// Keeps back what happens to its objects, and notes from where on.
    fn keep_back(&mut self, batch: &mut Batch, progress: &Progress) {
        let kept = batch.take_out(&self.objects);
        for (&kind, entries) in &kept.entries {
            if let Some(first) = entries.iter().map(LedgerEntry::number).min() {
                progress.withhold(self.number, &self.environment, kind, first);
            }
        }
        if let Some(awaited) = &mut self.awaited {
            awaited.retain(|awaited| !tells(&kept, awaited));
        }
        self.kept.append(kept);
    }

    fn is_complete(&self) -> bool {
        self.awaited.as_ref().is_some_and(Vec::is_empty)
    }

    fn concerns(&self, kind: Kind) -> bool {
        self.objects.iter().any(|object| object.kind == kind)
    }
}

fn tells(batch: &Batch, awaited: &Awaited) -> bool {
    let ObjectRef { kind, name } = &awaited.object;
    let entries = batch.entries.get(kind).map_or(&[][..], Vec::as_slice);
    entries.iter().any(|entry| entry.name == *name && awaited.is_told_by(entry))
}

/// Which objects a watch has listed anew: all of its kind, or those in one namespace.
#[derive(Clone, Copy, Debug)]
pub struct Relisted<'a> {
    /// Their kind.
    pub kind: Kind,
    /// Their namespace; none: all.
    pub namespace: Option<&'a str>,
    /// The resource version that the list is of.
    pub reached: u64,
}

impl Relisted<'_> {
    fn covers(self, held: &Held) -> bool {
        self.namespace.is_none_or(|namespace| held.environment == namespace) && held.concerns(self.kind)
    }
}

impl Publisher {
    /// Publishes to these.
    pub(super) fn new(environments: &Arc<Environments>, ledger: &Arc<Ledger>) -> Self {
        Self {
            environments: Arc::clone(environments),
            ledger: Arc::clone(ledger),
            held_back: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// The graphs that it publishes to.
    #[must_use]
    pub const fn environments(&self) -> &Arc<Environments> {
        &self.environments
    }

    /// The ledger that it publishes to.
    #[must_use]
    pub const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Publishes what a watch brings, by environment. A list changes the graph in one step, so it ends the holds of what it lists.
    pub fn publish(&self, mut batches: BTreeMap<Name, Batch>, relisted: Option<Relisted<'_>>) {
        let mut held_back = self.held_back.lock();
        let ended: Vec<_> = held_back
            .holds
            .extract_if(.., |hold| {
                if relisted.is_some_and(|relisted| relisted.covers(hold)) {
                    warn!("a new list came in between of what was written together, which may take effect one by one");
                    return true;
                }
                if let Some(batch) = batches.get_mut(&hold.environment) {
                    hold.keep_back(batch, self.ledger.progress());
                }
                hold.is_complete()
            })
            .collect();
        // All that was kept is older than a list.
        let mut all_kept: BTreeMap<Name, (Batch, Vec<u64>)> = BTreeMap::new();
        for Held { number, environment, kept, .. } in ended {
            let (all, numbers) = all_kept.entry(environment).or_default();
            all.append(kept);
            numbers.push(number);
        }
        for (environment, (mut batch, numbers)) in all_kept {
            batch.append(batches.remove(&environment).unwrap_or_default());
            // Under the lock: what the watch of another kind brings next must not overtake what it brought before.
            self.make_visible(&environment, batch, relisted);
            for number in numbers {
                self.ledger.progress().release(number);
            }
            self.ended.notify_waiters();
        }
        drop(held_back);
        for (environment, batch) in batches {
            self.make_visible(&environment, batch, relisted);
        }
        // Where the list changes nothing.
        match relisted {
            Some(Relisted { kind, namespace: None, reached }) => self.environments.reach_everywhere(kind, reached),
            Some(Relisted { kind, namespace: Some(namespace), reached }) => {
                self.environments.apply_reaching(namespace, &[], |revision| revision.set(kind, reached));
            }
            None => {}
        }
    }

    /// Keeps back what happens to these objects from now on. Waits while another hold has one of them.
    pub async fn hold(self: &Arc<Self>, environment: &str, objects: HashSet<ObjectRef>) -> Hold {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if let Some(hold) = self.try_hold(environment, &objects) {
                return hold;
            }
            ended.await;
        }
    }

    fn try_hold(self: &Arc<Self>, environment: &str, objects: &HashSet<ObjectRef>) -> Option<Hold> {
        let mut held_back = self.held_back.lock();
        if held_back.holds.iter().any(|hold| hold.environment == environment && !hold.objects.is_disjoint(objects)) {
            return None;
        }
        held_back.count += 1;
        let number = held_back.count;
        held_back.holds.push(Held {
            number,
            environment: environment.into(),
            objects: objects.clone(),
            kept: Batch::default(),
            awaited: None,
        });
        let (publisher, deadline) = (Arc::clone(self), Instant::now() + MAX_HOLD);
        let timer = tokio::spawn(async move {
            sleep_until(deadline).await;
            if publisher.end(number) {
                warn!("what was written together did not arrive in time, and takes effect one by one");
            }
        });
        Some(Hold { publisher: Arc::clone(self), number, timer })
    }

    /// Ends a hold, complete or not. Whether it had not ended before.
    fn end(&self, number: u64) -> bool {
        let mut held_back = self.held_back.lock();
        let Some(index) = held_back.holds.iter().position(|hold| hold.number == number) else { return false };
        let Held { environment, kept, .. } = held_back.holds.remove(index);
        self.make_visible(&environment, kept, None);
        self.ledger.progress().release(number);
        drop(held_back);
        self.ended.notify_waiters();
        true
    }

    fn expect(&self, number: u64, awaited: &[Awaited]) {
        let mut held_back = self.held_back.lock();
        let Some(hold) = held_back.holds.iter_mut().find(|hold| hold.number == number) else { return };
        let ledger = self.ledger.get(&hold.environment);
        let known = ledger.as_ref().map(|ledger| ledger.read());
        let is_missing = |awaited: &&Awaited| {
            !tells(&hold.kept, awaited) && !known.as_ref().is_some_and(|records| awaited.is_in(records))
        };
        let missing = awaited.iter().filter(is_missing).cloned().collect();
        drop(known);
        hold.awaited = Some(missing);
        let is_complete = hold.is_complete();
        drop(held_back);
        if is_complete {
            self.end(number);
        }
    }

    /// Makes a batch visible, and with it how far the environment has come. It ends with what a list brings, if there is one, which
    /// may end objects of which nothing else was told.
    fn make_visible(&self, environment: &Name, Batch { changes, mut entries }: Batch, relisted: Option<Relisted<'_>>) {
        let ledger = self.ledger.of(environment);
        let _publication = ledger.publish();
        let number =
            |(&kind, entries): (&Kind, &Vec<LedgerEntry>)| Some((kind, entries.iter().map(LedgerEntry::number).max()?));
        let reached: Revision = entries.iter().filter_map(number).collect();
        self.environments.apply_reaching(environment, &changes, |revision| {
            for (kind, number) in reached.iter() {
                revision.raise(kind, number);
            }
            if let Some(Relisted { kind, reached, .. }) = relisted {
                revision.set(kind, reached);
            }
        });
        // The followers of the ledger are told of every change of the graph.
        for change in &changes {
            entries.entry(kind(change)).or_default();
        }
        for (kind, entries) in entries {
            ledger.enter(kind, entries);
        }
    }
}

/// Keeps back what happens to some objects, until all that is written to them has arrived. Dropping it lets everything through.
#[derive(Debug)]
pub struct Hold {
    publisher: Arc<Publisher>,
    number: u64,
    timer: JoinHandle<()>,
}

impl Hold {
    /// Everything is written: as soon as this has arrived, and no later than [`MAX_HOLD`] after the beginning, all of it becomes
    /// visible.
    pub fn until(&self, awaited: &[Awaited]) {
        self.publisher.expect(self.number, awaited);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.timer.abort();
        self.publisher.end(self.number);
    }
}

#[cfg(test)]
mod tests;
