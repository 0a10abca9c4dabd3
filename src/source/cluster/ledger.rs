//! What the watches know of each object beyond what the graph keeps: all that is needed to write to it.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::Resource as _;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use smol_str::SmolStr;
use tokio::sync::{Notify, watch};

use super::object::WatchedObject;
use crate::{
    api::{CASCADE_FINALIZER, ConditionType},
    graph::facts::{Kind, Name, ObjectRef, Timestamp},
};

/// What is known of the objects of a cluster, by environment.
///
/// # Guarantees
/// What it tells of an object is in the graph already.
#[derive(Debug, Default)]
pub struct Ledger {
    environments: RwLock<HashMap<Name, Arc<EnvironmentLedger>>>,
    appeared: watch::Sender<()>,
}

impl Ledger {
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

    /// Enters what a watch said of objects of a kind, after it is in the graph. No entries: the graph changed although
    /// the objects did not.
    pub(super) fn enter(&self, environment: Name, kind: Kind, entries: Vec<LedgerEntry>) {
        let known = self.get(&environment);
        let ledger = known.unwrap_or_else(|| {
            let ledger = Arc::clone(self.environments.write().entry(environment).or_default());
            self.appeared.send_replace(());
            ledger
        });
        ledger.enter(kind, entries);
    }
}

/// What a watch said of one object.
#[derive(Debug, PartialEq)]
pub struct LedgerEntry {
    /// The name of the object.
    pub name: Name,
    /// What is known of it now; none: it is gone.
    pub record: Option<Record>,
    /// The resource version of what was said, where what the object says has changed and not only its status or metadata.
    pub changes_graph: Option<u64>,
}

/// What is known of the objects of one environment.
#[derive(Debug, Default)]
pub struct EnvironmentLedger {
    records: RwLock<Records>,
    news: Mutex<Gathered>,
    arrived: Notify,
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

#[derive(Debug, Default)]
struct Records {
    by_kind: [HashMap<Name, Record>; Kind::ALL.len()],
    revision: u64,
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
        self.records.read().by_kind[object.kind as usize].get(&object.name).cloned()
    }

    /// Every object of the environment.
    #[must_use]
    pub fn objects(&self) -> Vec<ObjectRef> {
        let records = self.records.read();
        let of_kind =
            |kind: Kind| records.by_kind[kind as usize].keys().map(move |name| ObjectRef { kind, name: name.clone() });
        Kind::ALL.into_iter().flat_map(of_kind).collect()
    }

    /// The newest resource version that changed the graph of the environment.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.records.read().revision
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

    fn enter(&self, kind: Kind, entries: Vec<LedgerEntry>) {
        let mut names = Vec::with_capacity(entries.len());
        let mut graph_changed = entries.is_empty();
        {
            let mut records = self.records.write();
            for LedgerEntry { name, record, changes_graph } in entries {
                if let Some(resource_version) = changes_graph {
                    graph_changed = true;
                    records.revision = records.revision.max(resource_version);
                }
                let of_kind = &mut records.by_kind[kind as usize];
                if let Some(record) = record {
                    of_kind.insert(name.clone(), record);
                } else {
                    of_kind.remove(&name);
                    if of_kind.is_empty() {
                        of_kind.shrink_to_fit();
                    }
                }
                names.push(name);
            }
        }
        if let Some(news) = &mut self.news.lock().news {
            news.objects.extend(names.into_iter().map(|name| ObjectRef { kind, name }));
            news.graph_changed |= graph_changed;
            self.arrived.notify_one();
        }
    }
}

/// What is known of an object beyond what the graph keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Tells it from others that had its name before.
    pub uid: SmolStr,
    /// Tells this state of it from every other.
    pub resource_version: SmolStr,
    /// Counts the changes of its spec, and its being marked for deletion.
    pub generation: i64,
    /// It has a deletion timestamp.
    pub deleting: bool,
    /// How many finalizers it has.
    pub finalizers: usize,
    /// Which of them is [`CASCADE_FINALIZER`].
    pub cascade_finalizer: Option<usize>,
    /// It is annotated not to be cascaded.
    pub restricted: bool,
    /// What its status says; none: nothing.
    pub status: Option<ObservedStatus>,
}

impl Record {
    pub(super) fn of(object: &WatchedObject) -> Self {
        let ObjectMeta { uid, resource_version, generation, deletion_timestamp, finalizers, .. } = object.meta();
        let finalizers = finalizers.as_deref().unwrap_or_default();
        Self {
            uid: uid.as_deref().unwrap_or_default().into(),
            resource_version: resource_version.as_deref().unwrap_or_default().into(),
            generation: generation.unwrap_or_default(),
            deleting: deletion_timestamp.is_some(),
            finalizers: finalizers.len(),
            cascade_finalizer: finalizers.iter().position(|finalizer| finalizer == CASCADE_FINALIZER),
            restricted: object.is_restricted(),
            status: ObservedStatus::of(&object.status),
        }
    }
}

/// A status, reduced to what tells whether another one says the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedStatus {
    /// Of everything that it says but for when; conditions of other authors left out.
    digest: u64,
    conditions: [Option<ObservedCondition>; ConditionType::ALL.len()],
    /// The reason of the condition `Ready`.
    ready_reason: SmolStr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ObservedCondition {
    holds: bool,
    since: Timestamp,
}

impl ObservedStatus {
    /// Reads a status. None: it says nothing that could be understood.
    #[must_use]
    pub fn of(status: &Value) -> Option<Self> {
        let fields = status.as_object()?;
        let mut observed = Self::default();
        let mut digest = std::hash::DefaultHasher::new();
        for (name, value) in fields.iter().filter(|(name, _)| *name != "conditions") {
            (name, value.to_string()).hash(&mut digest);
        }
        let conditions = fields.get("conditions").and_then(Value::as_array);
        let read = |value: &Value| serde_json::from_value::<Condition>(value.clone()).ok();
        let mut conditions: Vec<Condition> = conditions.into_iter().flatten().filter_map(read).collect();
        conditions.sort_by(|one, other| one.type_.cmp(&other.type_));
        for condition in conditions {
            let Condition { type_, status, reason, message, observed_generation, last_transition_time } = condition;
            let Some(of_type) = ConditionType::named(&type_) else { continue };
            (&type_, &status, &reason, &message, observed_generation).hash(&mut digest);
            observed.conditions[of_type as usize] =
                Some(ObservedCondition { holds: status == "True", since: last_transition_time.0 });
            if of_type == ConditionType::Ready {
                observed.ready_reason = reason.into();
            }
        }
        observed.digest = digest.finish();
        Some(observed)
    }

    /// Whether another status says the same, whenever it began to hold.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Since when a condition has held, or not held; none: it does not say that.
    #[must_use]
    pub fn since(&self, condition: ConditionType, holds: bool) -> Option<Timestamp> {
        let observed = self.conditions[condition as usize].as_ref()?;
        (observed.holds == holds).then_some(observed.since)
    }

    /// Whether it says that a condition holds; none: it does not mention it.
    #[must_use]
    pub fn holds(&self, condition: ConditionType) -> Option<bool> {
        self.conditions[condition as usize].as_ref().map(|observed| observed.holds)
    }

    /// The reason of the condition `Ready`; empty: it has none.
    #[must_use]
    pub fn ready_reason(&self) -> &str {
        &self.ready_reason
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(ready: &str, reason: &str, time: &str) -> Value {
        json!({
            "observedGeneration": 2,
            "conditions": [
                { "type": "Ready", "status": ready, "reason": reason, "message": "m", "lastTransitionTime": time },
                { "type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "lastTransitionTime": time },
            ],
        })
    }

    #[test]
    fn when_something_began_to_hold_is_no_difference_but_everything_else_is() {
        let observed = |value: &Value| ObservedStatus::of(value).unwrap();
        let one = observed(&status("True", "Indexed", "2026-01-01T00:00:00Z"));
        assert!(one.says_the_same(&observed(&status("True", "Indexed", "2026-01-02T00:00:00Z"))));
        assert!(!one.says_the_same(&observed(&status("False", "Indexed", "2026-01-01T00:00:00Z"))));
        assert!(!one.says_the_same(&observed(&status("True", "Other", "2026-01-01T00:00:00Z"))));
        let mut newer = status("True", "Indexed", "2026-01-01T00:00:00Z");
        newer["observedGeneration"] = json!(3);
        assert!(!one.says_the_same(&observed(&newer)));

        let mut foreign = status("True", "Indexed", "2026-01-01T00:00:00Z");
        foreign["conditions"].as_array_mut().unwrap().push(
            json!({ "type": "Liked", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" }),
        );
        foreign["conditions"].as_array_mut().unwrap().reverse();
        assert!(one.says_the_same(&observed(&foreign)), "conditions of others and their order are of no matter");

        assert_eq!(one.since(ConditionType::Ready, true), Some("2026-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(one.since(ConditionType::Ready, false), None);
        assert_eq!((one.holds(ConditionType::Stalled), one.ready_reason()), (None, "Indexed"));
        assert_eq!(ObservedStatus::of(&Value::Null), None);
    }
}
