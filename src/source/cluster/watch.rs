//! The watch of one kind.

use std::{collections::BTreeMap, fmt, mem, pin::pin, sync::Arc, time::Duration};

use futures::StreamExt;
use kube::{Api, Client, core::ApiResource, runtime::watcher::Event};
use tokio::{sync::watch::Receiver, time::Instant};
use tracing::{debug, error, info, warn};

use super::{
    events::{Asking, Failure, Told, events},
    object::WatchedObject,
    publish::{Batch, Publisher, Relisted},
    tracker::{Tracker, Unusable, Update},
    trouble::{Cause, Trouble},
};
use crate::{
    api,
    graph::facts::{Kind, Name},
    source::{Metrics, blocking, convert, lag::Lag, progress::Position},
};

/// How long the API server may deny that it serves a kind before the objects of it are taken to be gone. It denies it
/// for seconds after each start, and where a kind really goes, the watch tells the end of each object before.
const DENIAL_PATIENCE: Duration = Duration::from_secs(30);

/// How long the API server may be behind what it told before, until its history is taken to be another: etcd was restored from a
/// backup. Every list is a quorum read, but one that is older than it may be for a fault that passes must not change the graph.
const BEHIND_PATIENCE: Duration = Duration::from_secs(5);

/// How many events are applied together at the most, where many are there at once.
const MAX_BATCH: usize = 1000;

/// The watch of one kind, in all namespaces or in one.
pub struct Watch {
    kind: Kind,
    resource: ApiResource,
    api: Api<WatchedObject>,
    namespace: Option<Name>,
    gate: String,
    tracker: Tracker,
    trouble: Trouble,
    lag: Lag,
    position: Arc<Position>,
    /// How far the events that were taken go.
    reached: u64,
    /// Since when the API server is behind; none: it is not.
    behind_since: Option<Instant>,
    /// How often the history of the API server became another.
    generation: Receiver<u64>,
    asking: Asking,
    publisher: Arc<Publisher>,
    metrics: Metrics,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("gate", &self.gate).field("trouble", &self.trouble).finish_non_exhaustive()
    }
}

impl Watch {
    /// Prepares the watch and closes its gate.
    pub fn new(
        client: &Client,
        kind: Kind,
        namespace: Option<&str>,
        publisher: &Arc<Publisher>,
        metrics: &Metrics,
    ) -> Self {
        let resource = resource(kind);
        let (api, gate) = match namespace {
            None => (Api::all_with(client.clone(), &resource), kind.to_string()),
            Some(name) => (Api::namespaced_with(client.clone(), name, &resource), format!("{kind} in {name}")),
        };
        publisher.environments().close_gate(&gate);
        let (progress, lag) = (publisher.ledger().progress(), metrics.watch_lag(kind));
        let position = progress.add(kind, namespace.map(Name::from), lag.clone());
        Self {
            kind,
            resource,
            api,
            namespace: namespace.map(Name::from),
            gate,
            tracker: Tracker::new(kind, namespace.map(Name::from), Arc::clone(publisher.ledger())),
            trouble: Trouble::default(),
            lag,
            asking: Asking { max_silence: None, hurry: Arc::clone(&position.hurry) },
            position,
            reached: 0,
            behind_since: None,
            generation: progress.follow_generation(),
            publisher: Arc::clone(publisher),
            metrics: metrics.clone(),
        }
    }

    /// Keeps the graph up to date until the runtime ends.
    pub async fn follow(mut self) {
        loop {
            let mut generation = self.generation.clone();
            let mut batches = pin!(events(self.api.clone(), self.asking.clone()).ready_chunks(MAX_BATCH));
            loop {
                let batch = tokio::select! {
                    biased;
                    // Of a publisher that is gone no history changes any more.
                    Ok(()) = generation.changed() => break,
                    batch = batches.next() => batch,
                };
                let Some(batch) = batch else { return };
                // A long list takes long to convert and to apply.
                let taken = blocking(move || {
                    self.take(batch);
                    self
                });
                let Some(watch) = taken.await else { return };
                self = watch;
            }
            self.begin_anew();
        }
    }

    /// Forgets what was told: the numbers of another history are others, and the same number is another state.
    fn begin_anew(&mut self) {
        let environments = self.publisher.environments();
        environments.close_gate(&self.gate);
        environments.explain_gate(&self.gate, "the API server was restored to an earlier state, and is listed anew");
        let generation = *self.generation.borrow_and_update();
        self.tracker.distrust();
        (self.reached, self.behind_since) = (0, None);
        self.publisher.ledger().progress().begin_anew(&self.position, generation);
    }

    /// How long the watch may be silent: it asks for a word in time.
    pub const fn set_max_silence(&mut self, max_silence: Duration) {
        self.asking.max_silence = Some(max_silence);
    }

    /// Brings what the API server said into the graph.
    pub fn take(&mut self, batch: Vec<Result<Told, Failure>>) {
        let mut update = Update::default();
        for told in batch {
            match told {
                Ok(Told::Event(event)) => {
                    if let Event::Apply(object) | Event::Delete(object) = &event {
                        self.reached = self.reached.max(object.revision());
                        self.metrics.watch_brought_something(self.kind);
                        self.work(false);
                    }
                    self.tracker.handle(event, &mut update);
                }
                Ok(Told::Listed(reached)) => {
                    self.reached = reached;
                    self.metrics.watch_brought_something(self.kind);
                    self.work(true);
                    self.tracker.handle(Event::InitDone, &mut update);
                    self.publish(mem::take(&mut update));
                }
                Ok(Told::Reached(reached)) => {
                    self.reached = self.reached.max(reached);
                    self.work(false);
                }
                Err(failure) => self.fail(&failure, Instant::now(), &mut update),
            }
        }
        self.publish(update);
    }

    /// Notes that the watch works.
    fn work(&mut self, is_list: bool) {
        self.lag.works(is_list);
        self.behind_since = None;
        if self.trouble.is_over() {
            info!(watch = self.gate, "the watch works again");
        }
    }

    fn publish(&mut self, Update { changes, entries, unusable, lists }: Update) {
        for Unusable { namespace, name, problems } in unusable {
            self.metrics.object_was_unusable(self.kind);
            let problem = convert::summary(&problems);
            error!(kind = %self.kind, %namespace, %name, problem, "the object cannot be used and grants nothing");
        }
        let mut batches: BTreeMap<Name, Batch> = BTreeMap::new();
        for (namespace, changes) in changes {
            batches.entry(namespace).or_default().changes = changes;
        }
        for (namespace, entries) in entries {
            batches.entry(namespace).or_default().entries.insert(self.kind, entries);
        }
        let relisted = Relisted { kind: self.kind, namespace: self.namespace.as_deref(), reached: self.reached };
        self.publisher.publish(batches, (lists > 0).then_some(relisted));
        if lists > 0 {
            self.metrics.watch_listed(self.kind, lists);
            // What was listed in another history is no answer in this one.
            if !self.generation.has_changed().unwrap_or_default() {
                self.publisher.environments().open_gate(&self.gate);
            }
            info!(watch = self.gate, "listed");
        }
        if self.tracker.has_listed() && !self.generation.has_changed().unwrap_or_default() {
            self.publisher.ledger().progress().move_to(&self.position, self.reached);
        }
        self.tracker.settle();
    }

    /// Notes an error.
    pub fn fail(&mut self, failure: &Failure, now: Instant, update: &mut Update) {
        self.metrics.watch_failed(self.kind);
        self.lag.fails();
        if let Failure::WentBack { .. } = failure {
            let since = *self.behind_since.get_or_insert(now);
            if now - since >= BEHIND_PATIENCE {
                self.publisher.ledger().progress().report_restore(&self.position);
            }
        }
        let cause = Cause::of(failure);
        let words = cause.describe(&self.resource);
        self.publisher.environments().explain_gate(&self.gate, words.as_str());
        let lasting = self.trouble.note(cause.clone(), now);
        if cause == Cause::NotServed && lasting.is_some_and(|lasting| lasting >= DENIAL_PATIENCE) {
            self.tracker.withdraw(&words, update);
        }
        if lasting.is_none() && cause != Cause::Expired {
            warn!(watch = self.gate, "{words}");
        } else {
            debug!(watch = self.gate, %failure, "{words}");
        }
    }
}

/// How the API server knows a kind.
#[must_use]
pub fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::Resource => ApiResource::erase::<api::Resource>(&()),
        Kind::Role => ApiResource::erase::<api::Role>(&()),
        Kind::Group => ApiResource::erase::<api::Group>(&()),
        Kind::GroupRoleAssignment => ApiResource::erase::<api::GroupRoleAssignment>(&()),
        Kind::MembershipRoleAssignment => ApiResource::erase::<api::MembershipRoleAssignment>(&()),
        Kind::OrganizationMembership => ApiResource::erase::<api::OrganizationMembership>(&()),
        Kind::ResourceType => ApiResource::erase::<api::ResourceType>(&()),
        Kind::Environment => ApiResource::erase::<api::Environment>(&()),
    }
}
