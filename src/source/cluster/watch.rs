//! The watch of one kind.

use std::{collections::BTreeMap, fmt, mem, pin::pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, Client,
    core::ApiResource,
    runtime::{
        utils::Backoff,
        watcher::{self, Config, DefaultBackoff, Event, watcher},
    },
};
use tokio::time::{Instant, sleep};
use tracing::{debug, error, info, warn};

use super::{
    object::WatchedObject,
    publish::{Batch, Publisher, Relisted},
    tracker::{Tracker, Unusable, Update},
    trouble::{Cause, Trouble},
};
use crate::{
    api,
    graph::facts::{Kind, Name},
    source::{Metrics, blocking, convert, lag::Lag},
};

/// How long the API server may deny that it serves a kind before the objects of it are taken to be gone. It denies it
/// for seconds after each start, and where a kind really goes, the watch tells the end of each object before.
const DENIAL_PATIENCE: Duration = Duration::from_secs(30);

/// How long the pause between two tries gets. A revocation that was missed takes effect no later after an outage.
const MAX_PAUSE: Duration = Duration::from_secs(10);

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
        Self {
            kind,
            resource,
            api,
            namespace: namespace.map(Name::from),
            gate,
            tracker: Tracker::new(kind, namespace.map(Name::from), Arc::clone(publisher.ledger())),
            trouble: Trouble::default(),
            lag: metrics.watch_lag(kind),
            publisher: Arc::clone(publisher),
            metrics: metrics.clone(),
        }
    }

    /// Keeps the graph up to date until the runtime ends.
    pub async fn follow(mut self) {
        let mut batches = pin!(events(self.api.clone()).ready_chunks(MAX_BATCH));
        while let Some(batch) = batches.next().await {
            // A long list takes long to convert and to apply.
            let taken = blocking(move || {
                self.take(batch);
                self
            });
            let Some(watch) = taken.await else { return };
            self = watch;
        }
    }

    /// Brings what the API server said into the graph.
    pub fn take(&mut self, batch: Vec<watcher::Result<Event<WatchedObject>>>) {
        let mut update = Update::default();
        for event in batch {
            match event {
                Ok(event) => {
                    if brings_news(&event) {
                        self.metrics.watch_brought_something(self.kind);
                        self.lag.works(matches!(event, Event::InitDone));
                        if self.trouble.is_over() {
                            info!(watch = self.gate, "the watch works again");
                        }
                    }
                    let ends_list = matches!(event, Event::InitDone);
                    self.tracker.handle(event, &mut update);
                    if ends_list {
                        self.publish(mem::take(&mut update));
                    }
                }
                Err(error) => self.fail(&error, Instant::now(), &mut update),
            }
        }
        self.publish(update);
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
        let relisted = Relisted { kind: self.kind, namespace: self.namespace.as_deref() };
        self.publisher.publish(batches, (lists > 0).then_some(relisted));
        if lists > 0 {
            self.metrics.watch_listed(self.kind, lists);
            self.publisher.environments().open_gate(&self.gate);
            info!(watch = self.gate, "listed");
        }
        self.tracker.settle();
    }

    /// Notes an error.
    pub fn fail(&mut self, error: &watcher::Error, now: Instant, update: &mut Update) {
        self.metrics.watch_failed(self.kind);
        self.lag.fails();
        let cause = Cause::of(error);
        let words = cause.describe(&self.resource);
        self.publisher.environments().explain_gate(&self.gate, words.as_str());
        let lasting = self.trouble.note(cause.clone(), now);
        if cause == Cause::NotServed && lasting.is_some_and(|lasting| lasting >= DENIAL_PATIENCE) {
            self.tracker.withdraw(&words, update);
        }
        if lasting.is_none() && cause != Cause::Expired {
            warn!(watch = self.gate, "{words}");
        } else {
            debug!(watch = self.gate, %error, "{words}");
        }
    }
}

/// What the API server says of a kind, without end. After an error there is a pause, the longer the more there were.
pub(super) fn events(api: Api<WatchedObject>) -> impl Stream<Item = watcher::Result<Event<WatchedObject>>> + Send {
    let begin = move || watcher(api.clone(), Config::default()).boxed();
    stream::unfold((begin(), DefaultBackoff::default(), Duration::ZERO), move |(mut watch, mut backoff, pause)| {
        let begin = begin.clone();
        async move {
            // A sleep, however short, ends with a tick of the timer: a millisecond for every object of a list.
            if !pause.is_zero() {
                sleep(pause).await;
            }
            let event = watch.next().await?;
            let mut pause = Duration::ZERO;
            match &event {
                Ok(event) if brings_news(event) => backoff.reset(),
                Ok(_) => {}
                Err(error) => {
                    pause = backoff.next().map_or(MAX_PAUSE, |pause| pause.min(MAX_PAUSE));
                    // What happened while the kind was not served is not told by a watch that is resumed.
                    if Cause::of(error) == Cause::NotServed {
                        watch = begin();
                    }
                }
            }
            Some((event, (watch, backoff, pause)))
        }
    })
}

/// Whether the event shows that the watch works. The beginning of a list is told before anything is asked.
const fn brings_news(event: &Event<WatchedObject>) -> bool {
    match event {
        Event::Init | Event::InitApply(_) => false,
        Event::InitDone | Event::Apply(_) | Event::Delete(_) => true,
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
