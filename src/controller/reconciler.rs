//! What is to be done in one environment, and in which order.
//!
//! Each round does what is most urgent: first what holds up a deletion, then the objects that the API server said
//! something of, then those elsewhere that gained or lost effect by it, then the rest. Which objects elsewhere are
//! concerned is not kept track of: after a change of the graph a sweep looks at all of them, which is quick, cannot
//! forget any, and also mends whatever a failed write left behind.

mod queue;
mod sweep;
mod write;

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, debug_span, info, warn};

use self::{
    queue::Queue,
    sweep::Sweep,
    write::{Outcome, StatusWrite, Write, status_write},
};
use super::{
    Context, conditions,
    summary::Summary,
    writer::{self, GroupList},
};
use crate::{
    api::ConditionType,
    graph::{
        Cascade, Deletion, Removal,
        facts::{ENVIRONMENT_NAME, Kind, Name, ObjectRef, Timestamp},
        query::{Diagnosis, Reason},
    },
    source::{
        blocking,
        ledger::{EnvironmentLedger, News, ObservedStatus, Record, ResourceVersion},
    },
};

/// How many writes of one environment are under way at a time.
const CONCURRENT_WRITES: usize = 16;
/// How many removals of a cascade, and how many finalizers that may go, are carried out before it is planned anew.
const REMOVALS_A_ROUND: usize = 256;
/// How many objects are looked at for their status before more urgent things are looked for.
const STATUSES_A_ROUND: usize = 64;
/// How long to wait for the watch to tell of a write before it is tried again.
const AWAIT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the status of one object under deletion tells how far it is, and that of an environment its numbers.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);
/// The pause after a write that failed: the first, and the longest.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_mins(1)];
/// How long to sleep at the most until an instant of the wall clock, which may be set meanwhile.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Reconciles one environment.
#[derive(Debug)]
pub struct Reconciler {
    environment: Name,
    ledger: Arc<EnvironmentLedger>,
    context: Arc<Context>,
    queue: Queue,
    sweep: Sweep,
    /// What is under deletion, as last planned.
    deletions: HashMap<ObjectRef, Deletion>,
    /// What a cascade will remove soon, as last planned: no status of these is worth a write.
    doomed: HashSet<ObjectRef>,
    replan: bool,
    /// The objects written to of which the watch has not told the outcome yet, or that take no writes for now.
    awaited: HashMap<ObjectRef, Awaited>,
    /// How often in a row the API server refused to write to an object.
    refusals: HashMap<ObjectRef, u32>,
    /// When the progress of a deletion, or the numbers of the environment, were last written.
    told_progress: HashMap<ObjectRef, Instant>,
    /// What the last complete sweep counted.
    summary: Option<Summary>,
    /// The next instant at which time alone changes something.
    wake_at: Option<Timestamp>,
    failures: u32,
    retry_at: Option<Instant>,
    behind: bool,
}

#[derive(Debug)]
struct Awaited {
    resource_version: ResourceVersion,
    /// When to look at the object again if it is still in that state then; none: not at all.
    until: Option<Instant>,
}

impl Reconciler {
    pub(super) fn new(environment: Name, ledger: Arc<EnvironmentLedger>, context: Arc<Context>) -> Self {
        Self {
            environment,
            ledger,
            queue: Queue::new(context.metrics.clone()),
            context,
            sweep: Sweep::default(),
            deletions: HashMap::new(),
            doomed: HashSet::new(),
            replan: true,
            awaited: HashMap::new(),
            refusals: HashMap::new(),
            told_progress: HashMap::new(),
            summary: None,
            wake_at: None,
            failures: 0,
            retry_at: None,
            behind: false,
        }
    }

    /// Reconciles until the token is cancelled; then what is being written is finished.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let follower = self.ledger.follow();
        while !stop.is_cancelled() {
            self.take_news(follower.take_news());
            if self.next_look() <= Instant::now() {
                self.look_again();
            }
            let span = debug_span!("reconcile", environment = %self.environment);
            let busy = self.round().instrument(span).await;
            self.note_whether_behind(busy);
            if !busy {
                tokio::select! {
                    () = follower.news_arrived() => {}
                    () = sleep_until(self.next_look()) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    fn take_news(&mut self, News { objects, graph_changed }: News) {
        if graph_changed {
            self.sweep.request();
        }
        self.replan |= graph_changed || !objects.is_empty();
        for object in objects {
            self.queue.push_changed(object);
        }
    }

    /// Does what is most urgent, some of everything so that nothing has to wait for long. False: there is nothing to do
    /// before something happens.
    async fn round(&mut self) -> bool {
        if self.retry_at.is_some_and(|at| at > Instant::now()) {
            return false;
        }
        let mut writes = if mem::take(&mut self.replan) { self.plan_cascade().await } else { Vec::new() };
        let now = Timestamp::now();
        let looked_at: Vec<_> = std::iter::from_fn(|| self.queue.pop()).take(STATUSES_A_ROUND).collect();
        let busy = !writes.is_empty() || !looked_at.is_empty();
        writes.extend(looked_at.into_iter().filter_map(|object| self.decide(object, now)));
        self.carry_out(writes).await;
        let swept = self.sweep_on().await;
        busy || swept
    }

    /// Plans the cascades under way. What to write for them now.
    async fn plan_cascade(&mut self) -> Vec<Write> {
        let Some(graph) = self.context.environments.get(&self.environment) else {
            return Vec::new();
        };
        let ledger = Arc::clone(&self.ledger);
        let is_held = |object: &ObjectRef| ledger.get(object).is_some_and(|record| self.awaits(object, &record));
        let held: HashSet<ObjectRef> = self.awaited.keys().filter(|object| is_held(object)).cloned().collect();
        let planned = blocking(move || {
            let is_restricted = |object: &ObjectRef| ledger.get(object).is_some_and(|record| record.restricted);
            graph.read().cascade(REMOVALS_A_ROUND, is_restricted, |object| held.contains(object))
        });
        let Some(Cascade { removals, deletions, doomed }) = planned.await else {
            return Vec::new();
        };
        let can_go = |deletion: &Deletion| {
            let record = self.ledger.get(&deletion.object);
            deletion.remaining == 0 && record.is_some_and(|record| record.cascade_finalizer.is_some())
        };
        // What waits for somebody else's finalizer may wait for long, and tells so meanwhile.
        let is_held_up = removals.is_empty() && !deletions.iter().any(can_go);
        let doomed = if is_held_up { HashSet::new() } else { doomed.into_iter().collect() };
        for object in mem::replace(&mut self.doomed, doomed) {
            // What stays after all, or for longer, is to have its status.
            if !self.doomed.contains(&object) && self.ledger.get(&object).is_some_and(|record| !record.deleting) {
                self.queue.push_other(object);
            }
        }
        let mut writes = Vec::new();
        let mut of_groups = HashMap::<Name, Vec<(GroupList, Name)>>::new();
        for removal in removals {
            match removal {
                Removal::Object(object) => {
                    // Its deletion may have been told since the plan was made: a second one would change nothing, and
                    // be awaited in vain.
                    let is_due = |record: &Record| !record.deleting && !self.awaits(&object, record);
                    if let Some(record) = self.ledger.get(&object).filter(is_due) {
                        writes.push(Write::Delete(object, record));
                    }
                }
                Removal::Member { group, member } => {
                    of_groups.entry(group).or_default().push((GroupList::Members, member));
                }
                Removal::Subgroup { group, subgroup } => {
                    of_groups.entry(group).or_default().push((GroupList::Subgroups, subgroup));
                }
            }
        }
        for (group, names) in of_groups {
            let object = ObjectRef { kind: Kind::Group, name: group };
            if let Some(record) = self.ledger.get(&object).filter(|record| !self.awaits(&object, record)) {
                writes.push(Write::TakeOutOfGroup(object, record, names));
            }
        }
        let mut room = REMOVALS_A_ROUND;
        for deletion in &deletions {
            let object = &deletion.object;
            let Some(record) = self.ledger.get(object) else { continue };
            match record.cascade_finalizer {
                Some(index) if deletion.remaining == 0 && !self.awaits(object, &record) => {
                    if room == 0 {
                        self.replan = true;
                        continue;
                    }
                    room -= 1;
                    writes.push(Write::RemoveFinalizer(object.clone(), record, index));
                }
                _ if self.deletions.get(object) != Some(deletion) => self.queue.push_other(object.clone()),
                _ => {}
            }
        }
        self.deletions = deletions.into_iter().map(|deletion| (deletion.object.clone(), deletion)).collect();
        self.told_progress.retain(|object, _| object.kind == Kind::Environment || self.deletions.contains_key(object));
        writes
    }

    /// What to write to an object now, if anything.
    fn decide(&mut self, object: ObjectRef, now: Timestamp) -> Option<Write> {
        let record = self.ledger.get(&object)?;
        if self.awaits(&object, &record) || self.doomed.contains(&object) {
            return None;
        }
        if record.deleting {
            return self.decide_deleting(object, record, now);
        }
        let needs_finalizer = object.kind.cascades() && record.cascade_finalizer.is_none();
        if needs_finalizer && !self.refusals.contains_key(&object) {
            return Some(Write::AddFinalizer(object, record));
        }
        let diagnosis = self.diagnose(&object, now)?;
        if let Some(at) = expired_at(&diagnosis) {
            let delete_at = self.context.keep_expired.and_then(|keep| at.checked_add(keep).ok());
            match delete_at {
                Some(delete_at) if delete_at <= now => return Some(Write::DeleteExpired(object, record, at)),
                Some(delete_at) => self.wake_no_later_than(delete_at),
                None => {}
            }
        }
        let mut summary = None;
        if object.kind == Kind::Environment && object.name == ENVIRONMENT_NAME {
            // Its numbers come from a sweep, at whose end it is looked at again.
            summary = Some(self.summary.clone()?);
        }
        let stated = conditions::of_diagnosis(object.kind, &diagnosis);
        if needs_finalizer {
            // One that takes no finalizer is to have its status nevertheless, and then the finalizer is tried again.
            let status = status_write(object.clone(), record.clone(), stated, None, now);
            return Some(status.map_or_else(|| Write::AddFinalizer(object, record), |it| Write::Status(Box::new(it))));
        }
        let Some(write) = status_write(object.clone(), record, stated, summary.as_ref(), now) else {
            // Nothing is left to be refused.
            self.refusals.remove(&object);
            return None;
        };
        if summary.is_some() && write.record.status.is_some() {
            return self.paced(write);
        }
        Some(Write::Status(Box::new(write)))
    }

    fn decide_deleting(&mut self, object: ObjectRef, record: Record, now: Timestamp) -> Option<Write> {
        let deletion = self.deletions.get(&object);
        if let Some(index) = record.cascade_finalizer
            && deletion.is_none_or(|deletion| deletion.remaining == 0)
        {
            // Where it cascades, it goes as soon as that is planned. Elsewhere it was put by somebody else.
            return (!object.kind.cascades()).then_some(Write::RemoveFinalizer(object, record, index));
        }
        let stated = conditions::of_deletion(deletion);
        let write = status_write(object, record, stated, None, now)?;
        if write.record.status.as_ref().is_some_and(ObservedStatus::tells_of_dependents) {
            return self.paced(write);
        }
        Some(Write::Status(Box::new(write)))
    }

    /// The write, unless the last one of that object was just now; then it is looked at again later.
    fn paced(&mut self, write: StatusWrite) -> Option<Write> {
        let now = Instant::now();
        let next = self.told_progress.get(&write.object).map(|&told| told + PROGRESS_INTERVAL);
        if let Some(next) = next.filter(|&next| now < next) {
            self.queue.postpone(write.object, next);
            return None;
        }
        self.told_progress.insert(write.object.clone(), now);
        Some(Write::Status(Box::new(write)))
    }

    fn diagnose(&self, object: &ObjectRef, now: Timestamp) -> Option<Diagnosis> {
        self.context.environments.get(&self.environment)?.read().diagnose(object, now)
    }

    /// Whether the object was written to in the state that the record tells of, and the outcome is still to be told.
    fn awaits(&self, object: &ObjectRef, record: &Record) -> bool {
        self.awaited.get(object).is_some_and(|awaited| awaited.resource_version == record.resource_version)
    }

    /// Writes, several things at a time, and notes what came of it.
    async fn carry_out(&mut self, writes: Vec<Write>) {
        if writes.is_empty() {
            return;
        }
        let context = &self.context;
        let environment = &self.environment;
        let outcomes: Vec<_> = stream::iter(writes)
            .map(|write| async move {
                let outcome = write.execute(context, environment).await;
                (write, outcome)
            })
            .buffer_unordered(CONCURRENT_WRITES)
            .collect()
            .await;
        let mut first_error = None;
        let mut unreachable = false;
        for (write, outcome) in outcomes {
            let (object, record) = write.target();
            let mut until = Some(Instant::now() + AWAIT_TIMEOUT);
            match outcome {
                Ok(Outcome::ChangedNothing) => until = None,
                Ok(Outcome::Written) => {
                    self.refusals.remove(object);
                }
                Err(error @ (writer::Error::Gone | writer::Error::Conflict)) => {
                    debug!(environment = %self.environment, %object, %error, "not written");
                }
                Err(error @ writer::Error::Refused(_)) => {
                    let refusals = self.refusals.entry(object.clone()).or_default();
                    until = Some(Instant::now() + retry_pause(*refusals));
                    *refusals += 1;
                    first_error.get_or_insert_with(|| (object.clone(), error));
                }
                Err(error) => {
                    unreachable = true;
                    first_error.get_or_insert_with(|| (object.clone(), error));
                    continue;
                }
            }
            let awaited = Awaited { resource_version: record.resource_version.clone(), until };
            self.awaited.insert(object.clone(), awaited);
        }
        if let Some((object, error)) = first_error.filter(|(_, error)| !matches!(error, writer::Error::NotLeading)) {
            warn!(environment = %self.environment, %object, %error, "could not write; trying again later");
        }
        if unreachable {
            self.retry_at = Some(Instant::now() + retry_pause(self.failures));
            self.failures += 1;
        } else {
            self.failures = 0;
        }
    }

    /// Goes on with a sweep, or begins one that is due. False: none is.
    async fn sweep_on(&mut self) -> bool {
        let Some(graph) = self.context.environments.get(&self.environment) else {
            return false;
        };
        if !self.sweep.begin_if_due(&self.ledger) {
            return false;
        }
        let mut sweep = mem::take(&mut self.sweep);
        let ledger = Arc::clone(&self.ledger);
        let swept = blocking(move || {
            let found = sweep.advance(&ledger, &graph, Timestamp::now());
            (sweep, found, graph)
        });
        let Some((sweep, found, graph)) = swept.await else {
            return false;
        };
        self.sweep = sweep;
        for object in found.transitions {
            self.queue.push_transition(object);
        }
        for object in found.others {
            self.queue.push_other(object);
        }
        if let Some(summary) = found.summary {
            self.context.metrics.inert_counted(&self.environment, summary.inert_assignments());
            self.summary = Some(summary);
            self.queue.push_other(ObjectRef { kind: Kind::Environment, name: ENVIRONMENT_NAME.into() });
            if let Some(expiry) = graph.read().next_expiry(Timestamp::now()) {
                self.wake_no_later_than(expiry);
            }
        }
        true
    }

    fn wake_no_later_than(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |wake_at| wake_at.min(at)));
    }

    /// When to look again if nothing happens before.
    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let mut next = now + MAX_SLEEP;
        if let Some(at) = self.wake_at {
            let until = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
            next = next.min(now + until);
        }
        let awaited = self.awaited.values().filter_map(|awaited| awaited.until).min();
        let others = [self.sweep.due(), awaited, self.queue.resume_at()];
        let next = others.into_iter().flatten().fold(next, Instant::min);
        // While nothing can be written, nothing of that matters.
        self.retry_at.unwrap_or(next)
    }

    /// Time has passed: what waited for that is looked at again.
    fn look_again(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            // What could not be written is found again.
            self.sweep.request();
            self.replan = true;
        }
        if self.wake_at.is_some_and(|at| at <= Timestamp::now()) {
            self.wake_at = None;
            self.sweep.request();
        }
        let ledger = &self.ledger;
        self.refusals.retain(|object, _| ledger.get(object).is_some());
        let mut overdue = Vec::new();
        self.awaited.retain(|object, awaited| {
            let told = ledger.get(object).is_none_or(|record| record.resource_version != awaited.resource_version);
            let late = !told && awaited.until.is_some_and(|until| until <= now);
            if late {
                overdue.push(object.clone());
            }
            !told && !late
        });
        let untold = overdue.iter().filter(|object| !self.refusals.contains_key(*object)).count();
        if untold > 0 {
            info!(environment = %self.environment, objects = untold, "the watch has not told of writes; looking again");
        }
        for object in overdue {
            self.queue.push_changed(object);
            self.replan = true;
        }
        if self.queue.resume_at().is_some_and(|at| at <= now) {
            self.queue.resume_postponed();
        }
    }

    fn note_whether_behind(&mut self, busy: bool) {
        let to_do = busy || self.sweep.due().is_some();
        let behind = to_do || self.retry_at.is_some() || !self.refusals.is_empty();
        if behind != self.behind {
            self.behind = behind;
            if behind {
                self.context.metrics.environment_fell_behind();
            } else {
                self.context.metrics.environment_caught_up();
            }
        }
    }
}

impl Drop for Reconciler {
    fn drop(&mut self) {
        if self.behind {
            self.context.metrics.environment_caught_up();
        }
        self.context.metrics.inert_counted(&self.environment, &std::collections::BTreeMap::new());
    }
}

/// How long to wait after something has failed so often before.
fn retry_pause(failures: u32) -> Duration {
    let [first, longest] = RETRY_PAUSES;
    first.saturating_mul(1 << failures.min(16)).min(longest)
}

fn expired_at(diagnosis: &Diagnosis) -> Option<Timestamp> {
    diagnosis.inert.iter().find_map(|reason| match reason {
        Reason::Expired { at } => Some(*at),
        _ => None,
    })
}

/// Whether the status of an object says something else of `Ready` than the diagnosis does.
fn is_transition(kind: Kind, diagnosis: &Diagnosis, record: &Record) -> bool {
    let told = record.status.as_ref().and_then(|status| status.holds(ConditionType::Ready));
    told != Some(conditions::not_ready(kind, diagnosis).is_none())
}
