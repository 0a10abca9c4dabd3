//! What the sources know of each object beyond what the graph keeps: all that is needed to show it and to write to it.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `awaited` | what a writer waits for |
//! | [`identity`] | what tells objects, and their states, from each other |
//! | `moment` | instants in half the room |
//! | `of_kind`, `slots`, `order` | where records are kept and found |
//! | [`presentation`] | what an object says for people |
//! | [`record`] | what is known of one object |
//! | [`records`] | what is known of all objects of an environment |

mod awaited;
pub mod identity;
mod moment;
mod of_kind;
mod order;
pub mod presentation;
pub mod record;
pub mod records;
mod slots;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Notify, watch};

pub use self::{
    awaited::{Awaited, Outcome},
    identity::{ObjectId, ResourceVersion, Uid},
    moment::Moment,
    presentation::Presentation,
    record::{ObservedStatus, Record},
    records::{Place, Records},
};
use super::Progress;
use crate::graph::facts::{Kind, Name, ObjectRef};

/// What is known of the objects of a source, by environment.
///
/// # Guarantees
/// What it tells of an object is in the graph already.
#[derive(Debug, Default)]
pub struct Ledger {
    environments: RwLock<HashMap<Name, Arc<EnvironmentLedger>>>,
    appeared: watch::Sender<()>,
    progress: Progress,
}

impl Ledger {
    /// How far the graphs have come with what the source has.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The ledger of an environment, if there ever was an object in it.
    #[must_use]
    pub fn get(&self, environment: &str) -> Option<Arc<EnvironmentLedger>> {
        self.environments.read().get(environment).cloned()
    }

    /// The names of the environments in which there ever was an object.
    #[must_use]
    pub fn environments(&self) -> Vec<Name> {
        self.environments.read().keys().cloned().collect()
    }

    /// Tells whenever there is an environment more.
    #[must_use]
    pub fn appeared(&self) -> watch::Receiver<()> {
        self.appeared.subscribe()
    }

    /// Waits until the records of an environment, which may have none yet, contain all of it, for so long at the most.
    ///
    /// # Errors
    /// The first object of which they do not.
    pub async fn wait_for(&self, environment: &str, awaited: &[Awaited], patience: Duration) -> Result<(), ObjectRef> {
        if awaited.is_empty() {
            return Ok(());
        }
        let mut appeared = self.appeared();
        let wait = async {
            let ledger = loop {
                if let Some(ledger) = self.get(environment) {
                    break ledger;
                }
                // INVARIANT: the sender lives as long as `self`; were it gone, nothing would ever appear.
                if appeared.changed().await.is_err() {
                    return;
                }
            };
            ledger.wait_until(patience, |records| awaited.iter().all(|awaited| awaited.is_in(records))).await;
        };
        // Whether it is over in time shows in the records.
        let _ = tokio::time::timeout(patience, wait).await;
        let ledger = self.get(environment);
        let missing = match &ledger {
            None => awaited.first(),
            Some(ledger) => {
                let records = ledger.read();
                awaited.iter().find(|awaited| !awaited.is_in(&records))
            }
        };
        missing.map_or(Ok(()), |missing| Err(missing.object.clone()))
    }

    /// The ledger of an environment, be it a new one.
    pub(in crate::source) fn of(&self, environment: &Name) -> Arc<EnvironmentLedger> {
        self.get(environment).unwrap_or_else(|| {
            let ledger = Arc::clone(self.environments.write().entry(environment.clone()).or_default());
            self.appeared.send_replace(());
            ledger
        })
    }
}

/// What a watch said of one object.
#[derive(Debug, PartialEq)]
pub struct LedgerEntry {
    /// The name of the object.
    pub name: Name,
    /// What is known of it now; none: it is gone.
    pub record: Option<Record>,
    /// The resource version of what was said (0: not known), where what the object says has changed and not only its status or metadata.
    pub changes_graph: Option<u64>,
}

impl LedgerEntry {
    /// The resource version of what was said; 0: not known.
    #[must_use]
    pub fn number(&self) -> u64 {
        let of_record = |record: &Record| record.resource_version.revision();
        self.changes_graph.or_else(|| self.record.as_ref().map(of_record)).unwrap_or_default()
    }
}

/// What is known of the objects of one environment.
#[derive(Debug, Default)]
pub struct EnvironmentLedger {
    records: RwLock<Records>,
    /// Taken for writing while changes come into the graph and the records, so that whoever looks at both sees the same objects.
    publication: RwLock<()>,
    news: Mutex<Gathered>,
    arrived: Notify,
    entered: watch::Sender<()>,
}

/// The news that the follower has not taken yet; none: nobody follows, and they are not kept.
#[derive(Debug, Default)]
struct Gathered {
    /// Of the follower.
    number: u64,
    news: Option<News>,
}

/// Who is told the news of an environment.
#[derive(Debug)]
pub struct Follower {
    ledger: Arc<EnvironmentLedger>,
    number: u64,
}

impl Follower {
    /// The news since this was last asked.
    #[must_use]
    pub fn take_news(&self) -> News {
        let mut gathered = self.ledger.news.lock();
        if gathered.number != self.number {
            return News::default();
        }
        gathered.news.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Waits until there are news. May end although there are none.
    pub async fn news_arrived(&self) {
        self.ledger.arrived.notified().await;
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut gathered = self.ledger.news.lock();
        if gathered.number == self.number {
            gathered.news = None;
        }
    }
}

/// What has happened in an environment since it was last looked at.
#[derive(Debug, Default)]
pub struct News {
    /// The objects that the API server said something of.
    pub objects: HashSet<ObjectRef>,
    /// Whether the graph changed, so that objects elsewhere may have gained or lost effect.
    pub graph_changed: bool,
}

impl EnvironmentLedger {
    /// What is known of an object; none: it does not exist.
    #[must_use]
    pub fn get(&self, object: &ObjectRef) -> Option<Record> {
        self.records.read().get(object).cloned()
    }

    /// What is known of all objects, as of now. Nothing is entered while the guard lives: drop it soon.
    pub fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read()
    }

    /// Begins to publish changes: hold the result until they are in the graph and entered.
    pub(in crate::source) fn publish(&self) -> RwLockWriteGuard<'_, ()> {
        self.publication.write()
    }

    /// While this is held, graph and records tell of the same objects. Not to be asked for twice at a time: whoever publishes
    /// waits in between.
    pub fn hold_still(&self) -> RwLockReadGuard<'_, ()> {
        self.publication.read()
    }

    /// Waits until the records are as wanted, for so long at the most. Whether they are.
    pub async fn wait_until(&self, patience: Duration, is_wanted: impl Fn(&Records) -> bool) -> bool {
        let mut entered = self.entered.subscribe();
        let wait = async {
            loop {
                entered.borrow_and_update();
                if is_wanted(&self.records.read()) {
                    return true;
                }
                if entered.changed().await.is_err() {
                    return false;
                }
            }
        };
        tokio::time::timeout(patience, wait).await.unwrap_or(false)
    }

    /// The newest resource version that changed the graph of the environment.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.records.read().revision()
    }

    /// Begins to collect news, for one follower at a time: an earlier one gets none any more.
    #[must_use]
    pub fn follow(self: &Arc<Self>) -> Follower {
        let mut news = self.news.lock();
        let number = news.number + 1;
        // The first news are that everything is new.
        *news = Gathered { number, news: Some(News { objects: HashSet::new(), graph_changed: true }) };
        Follower { ledger: Arc::clone(self), number }
    }

    /// Enters what was said of objects of a kind, after it is in the graph. No entries: the graph changed although the objects did
    /// not.
    pub(in crate::source) fn enter(&self, kind: Kind, entries: Vec<LedgerEntry>) {
        let mut names = Vec::with_capacity(entries.len());
        let mut graph_changed = entries.is_empty();
        {
            let mut records = self.records.write();
            for LedgerEntry { name, record, changes_graph } in entries {
                if let Some(resource_version) = changes_graph {
                    graph_changed = true;
                    records.advance(resource_version);
                }
                match record {
                    Some(record) => records.insert(kind, name.clone(), record),
                    None => records.remove(kind, &name),
                }
                names.push(name);
            }
        }
        self.entered.send_replace(());
        if let Some(news) = &mut self.news.lock().news {
            news.objects.extend(names.into_iter().map(|name| ObjectRef { kind, name }));
            news.graph_changed |= graph_changed;
            self.arrived.notify_one();
        }
    }
}
