//! How far the graphs have come with what the source has, and waiting until they have come far enough.
//!
//! Each watch has a position: all that happened to its kind up to there is in the graphs. The positions of different watches say
//! nothing of each other. What is told under a [`History`] can be compared, and nothing else.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, interval_at, sleep_until},
};
use uuid::Uuid;

use super::lag::Lag;
use crate::graph::{
    Revision,
    facts::{Kind, Name},
};

/// How long to wait for what is on its way, before the source is asked for more.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often it is asked again.
const HURRY_INTERVAL: Duration = Duration::from_secs(1);

/// The sequence of changes that numbers belong to: the same number means another state in another history, or nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct History(pub u64);

impl History {
    /// The one that these names tell from every other.
    #[must_use]
    pub fn named(names: &[&str]) -> Self {
        // A length before each: no two lists of names are one text.
        let texts: Vec<_> = names.iter().map(|name| format!("{}:{name}", name.len())).collect();
        let (half, _) = Uuid::new_v5(&Uuid::NAMESPACE_OID, texts.concat().as_bytes()).as_u64_pair();
        Self(half)
    }

    /// One that nobody else knows.
    pub(super) fn of_this_process() -> Self {
        Self(rand::random())
    }
}

/// How far one watch has come.
#[derive(Debug)]
pub struct Position {
    /// The kind that it tells of.
    pub kind: Kind,
    /// The only environment that it tells of; none: all.
    namespace: Option<Name>,
    reached: AtomicU64,
    /// In which of the histories that were.
    generation: AtomicU64,
    /// Told when somebody waits for it.
    pub hurry: Arc<Notify>,
    lag: Lag,
}

impl Position {
    /// Everything up to this number is in the graphs.
    fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    fn covers(&self, environment: &str) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| namespace == environment)
    }

    fn name(&self) -> String {
        match &self.namespace {
            None => self.kind.to_string(),
            Some(namespace) => format!("{} in {namespace}", self.kind),
        }
    }
}

/// What happened and is not visible yet, although its watch has come farther.
#[derive(Debug)]
struct Withheld {
    hold: u64,
    environment: Name,
    kind: Kind,
    from: u64,
}

/// How far all of them have come.
#[derive(Debug)]
pub struct Progress {
    history: AtomicU64,
    /// How often the history became another one.
    generation: watch::Sender<u64>,
    /// The numbers are resource versions, which others know too.
    has_resource_versions: AtomicBool,
    positions: RwLock<Vec<Arc<Position>>>,
    withheld: Mutex<Vec<Withheld>>,
    moved: watch::Sender<()>,
    newest: Newest,
    /// How long a watch may be silent.
    max_staleness: OnceLock<Duration>,
    stale: AtomicU64,
    /// In how many of the histories so far a watch found the source behind what it had told, and it stayed so.
    restored: AtomicU64,
    restore_reported: Notify,
}

/// What somebody finds out for those who ask how far the source itself is.
#[derive(Debug, Default)]
struct Newest {
    is_answered: AtomicBool,
    asked: AtomicU64,
    ask: Notify,
    answer: watch::Sender<Answer>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    /// It was found out after so many had asked.
    asked: u64,
    newest: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            history: AtomicU64::new(History::of_this_process().0),
            generation: watch::Sender::default(),
            has_resource_versions: AtomicBool::default(),
            positions: RwLock::default(),
            withheld: Mutex::default(),
            moved: watch::Sender::default(),
            newest: Newest::default(),
            max_staleness: OnceLock::default(),
            stale: AtomicU64::default(),
            restored: AtomicU64::default(),
            restore_reported: Notify::default(),
        }
    }
}

/// What a graph lacks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// The kind.
    pub kind: Kind,
    /// What it is to have come to.
    pub wanted: u64,
    /// What it has come to.
    pub reached: u64,
}

/// Why a graph is not as fresh as wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotFresh {
    /// The source itself is not there yet, and was never.
    Ahead {
        /// What is wanted.
        missing: Missing,
        /// Where the source is.
        newest: u64,
    },
    /// It did not come in time.
    Late(Vec<Missing>),
}

impl Progress {
    /// The history that the numbers belong to.
    #[must_use]
    pub fn history(&self) -> History {
        History(self.history.load(Ordering::Acquire))
    }

    /// Tells when the history becomes another, so that all has to be told anew.
    pub(super) fn follow_generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Gives the history the name that others know it by.
    pub(super) fn name_history(&self, history: History) {
        self.history.store(history.0, Ordering::Release);
    }

    /// Begins another history, in which nothing was told yet. Ends when every watch knows.
    pub(super) async fn begin_history(&self, history: History) {
        self.name_history(history);
        let mut generation = 0;
        self.generation.send_modify(|number| {
            *number += 1;
            generation = *number;
        });
        let mut moved = self.moved.subscribe();
        let is_known = || self.positions.read().iter().all(|it| it.generation.load(Ordering::Acquire) >= generation);
        while !is_known() {
            // INVARIANT: the sender is part of `self`, so this is never an error.
            let _ = moved.changed().await;
        }
    }

    /// Reports that the source is behind what a watch was told in the history that it is in.
    pub(super) fn report_restore(&self, position: &Position) {
        self.restored.fetch_max(position.generation.load(Ordering::Acquire) + 1, Ordering::AcqRel);
        self.restore_reported.notify_one();
    }

    /// Waits until that is reported of the history that is current.
    pub(super) async fn restored(&self) {
        while self.restored.load(Ordering::Acquire) <= *self.generation.borrow() {
            self.restore_reported.notified().await;
        }
    }

    /// Whether the numbers are the resource versions of objects.
    #[must_use]
    pub fn has_resource_versions(&self) -> bool {
        self.has_resource_versions.load(Ordering::Relaxed)
    }

    pub(super) fn count_in_resource_versions(&self) {
        self.has_resource_versions.store(true, Ordering::Relaxed);
    }

    /// The position of another watch, which has told nothing yet.
    pub(super) fn add(&self, kind: Kind, namespace: Option<Name>, lag: Lag) -> Arc<Position> {
        let (reached, generation, hurry) = <_>::default();
        let position = Arc::new(Position { kind, namespace, reached, generation, hurry, lag });
        self.positions.write().push(Arc::clone(&position));
        position
    }

    /// Moves a position. To be called when all up to there is visible, or withheld.
    pub(super) fn move_to(&self, position: &Position, reached: u64) {
        if position.reached.swap(reached, Ordering::Release) != reached {
            self.moved.send_replace(());
        }
    }

    /// Notes that a watch begins anew, in another history.
    pub(super) fn begin_anew(&self, position: &Position, generation: u64) {
        position.reached.store(0, Ordering::Release);
        position.generation.store(generation, Ordering::Release);
        self.moved.send_replace(());
    }

    /// Notes that what happened from a number on is not visible yet.
    pub(super) fn withhold(&self, hold: u64, environment: &Name, kind: Kind, from: u64) {
        self.withheld.lock().push(Withheld { hold, environment: environment.clone(), kind, from });
    }

    /// Notes that all is visible that was withheld for one hold.
    pub(super) fn release(&self, hold: u64) {
        self.withheld.lock().retain(|withheld| withheld.hold != hold);
        self.moved.send_replace(());
    }

    /// Up to where all that happened to a kind is visible in an environment.
    fn visible(&self, environment: &str, kind: Kind) -> u64 {
        let positions = self.positions.read();
        let position = positions.iter().find(|position| position.kind == kind && position.covers(environment));
        // First: what is withheld from what comes later is not counted.
        let reached = position.map_or(0, |position| position.reached());
        let withheld = self.withheld.lock();
        let of_it = withheld.iter().filter(|withheld| withheld.kind == kind && withheld.environment == environment);
        of_it.map(|withheld| withheld.from.saturating_sub(1)).fold(reached, u64::min)
    }

    /// What the graph of an environment lacks of what is wanted.
    #[must_use]
    pub fn missing(&self, environment: &str, wanted: &Revision) -> Vec<Missing> {
        let wanted = wanted.iter().filter(|(_, wanted)| *wanted > 0);
        let missing = |(kind, wanted)| Missing { kind, wanted, reached: self.visible(environment, kind) };
        wanted.map(missing).filter(|missing| missing.reached < missing.wanted).collect()
    }

    /// Waits until the graph of an environment has come as far as wanted, for so long at the most.
    ///
    /// # Errors
    /// Why it has not.
    pub async fn wait_for(&self, environment: &str, wanted: &Revision, patience: Duration) -> Result<(), NotFresh> {
        let begin = Instant::now();
        let mut moved = self.moved.subscribe();
        let mut hurry = interval_at(begin + PATIENCE, HURRY_INTERVAL);
        let (mut has_asked, mut newest) = (false, std::pin::pin!(self.ask_newest()));
        let mut newest_is_known = false;
        loop {
            moved.borrow_and_update();
            let missing = self.missing(environment, wanted);
            if missing.is_empty() {
                return Ok(());
            }
            tokio::select! {
                // INVARIANT: the sender is part of `self`, so this is never an error.
                _ = moved.changed() => {}
                newest = &mut newest, if has_asked && !newest_is_known => {
                    newest_is_known = true;
                    if let Some(ahead) = missing.iter().find(|missing| missing.wanted > newest) {
                        return Err(NotFresh::Ahead { missing: ahead.clone(), newest });
                    }
                }
                _ = hurry.tick() => {
                    has_asked = true;
                    self.hurry(environment, &missing);
                }
                () = sleep_until(begin + patience) => return Err(NotFresh::Late(missing)),
            }
        }
    }

    /// Lets the watches find out how far they have come.
    fn hurry(&self, environment: &str, missing: &[Missing]) {
        let is_missing = |kind| missing.iter().any(|missing| missing.kind == kind);
        for position in self.positions.read().iter().filter(|it| it.covers(environment) && is_missing(it.kind)) {
            position.hurry.notify_one();
        }
    }

    /// A number that the source had not gone beyond before this was asked. Without end where it cannot be found out.
    async fn ask_newest(&self) -> u64 {
        if !self.newest.is_answered.load(Ordering::Relaxed) {
            return self.positions.read().iter().map(|position| position.reached()).max().unwrap_or_default();
        }
        let mut answers = self.newest.answer.subscribe();
        let asked = self.newest.asked.fetch_add(1, Ordering::Relaxed) + 1;
        self.newest.ask.notify_one();
        loop {
            let Answer { asked: by, newest } = *answers.borrow_and_update();
            if by >= asked {
                return newest;
            }
            // INVARIANT: the sender is part of `self`, so this is never an error.
            let _ = answers.changed().await;
        }
    }

    /// Says that somebody answers those who ask where the source is.
    pub(super) fn promise_answers(&self) {
        self.newest.is_answered.store(true, Ordering::Relaxed);
    }

    /// Waits until somebody asks where the source is. How many have asked by now: many at once are answered together.
    pub(super) async fn asked(&self) -> u64 {
        self.newest.ask.notified().await;
        self.newest.asked.load(Ordering::Relaxed)
    }

    /// Answers the first so many that asked; none: that could not be found out, and is to be tried again.
    pub(super) fn answer(&self, asked: u64, newest: Option<u64>) {
        match newest {
            Some(newest) => drop(self.newest.answer.send_replace(Answer { asked, newest })),
            None => self.newest.ask.notify_one(),
        }
    }

    /// For how long the graphs may have been missing something: where that is longer than is borne, and else none.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        let seconds = self.stale.load(Ordering::Relaxed);
        (seconds > 0).then_some(Duration::from_secs(seconds))
    }

    /// Says how long a watch may be silent.
    pub(super) fn limit_staleness(&self, max_staleness: Duration) {
        self.max_staleness.get_or_init(|| max_staleness);
    }

    /// The watches that have been silent for longer than they may, and for how long.
    #[must_use]
    pub fn silent(&self) -> Vec<(String, Duration)> {
        let Some(&longer_than) = self.max_staleness.get() else { return Vec::new() };
        let positions = self.positions.read();
        let silent = positions.iter().map(|position| (position.name(), position.lag.silence()));
        silent.filter(|(_, silence)| *silence > longer_than).collect()
    }

    /// Looks which watches are silent. To be called again and again.
    pub(super) fn look(&self) {
        let longest = self.silent().into_iter().map(|(_, silence)| silence).max();
        let seconds = longest.map_or(0, |silence| silence.as_secs().max(1));
        if (self.stale.swap(seconds, Ordering::Relaxed) == 0) != (seconds == 0) {
            if seconds == 0 {
                tracing::info!("every watch is heard of again");
            } else {
                tracing::warn!(
                    seconds,
                    "a watch is silent for longer than --max-staleness: not ready until it is heard of"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(10);

    fn wanted(number: u64) -> Revision {
        [(Kind::Role, number)].into_iter().collect()
    }

    fn missing(wanted: u64, reached: u64) -> Missing {
        Missing { kind: Kind::Role, wanted, reached }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_waited_for_until_the_position_is_there_and_no_longer_than_one_is_patient() {
        let progress = Progress::default();
        let position = progress.add(Kind::Role, None, Lag::default());
        progress.add(Kind::Group, None, Lag::default());
        progress.move_to(&position, 7);
        assert_eq!(progress.wait_for("x", &wanted(7), Duration::ZERO).await, Ok(()));
        assert_eq!(progress.wait_for("x", &Revision::default(), Duration::ZERO).await, Ok(()));

        // Somebody says that the source is far ahead.
        progress.promise_answers();
        let finding = async {
            loop {
                let asked = progress.asked().await;
                progress.answer(asked, Some(100));
            }
        };
        let waiting = async {
            let late = progress.wait_for("x", &wanted(8), PATIENT).await;
            assert_eq!(late, Err(NotFresh::Late(vec![missing(8, 7)])));
            let begun = Instant::now();
            let ahead = progress.wait_for("x", &wanted(101), PATIENT).await;
            assert_eq!(ahead, Err(NotFresh::Ahead { missing: missing(101, 7), newest: 100 }));
            assert!(begun.elapsed() < PATIENT, "what never was is not waited for");
            let arrives = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                progress.move_to(&position, 9);
            };
            let eight = wanted(8);
            let (waited, ()) = tokio::join!(progress.wait_for("x", &eight, PATIENT), arrives);
            assert_eq!(waited, Ok(()));
        };
        tokio::select! {
            () = finding => {}
            () = waiting => {}
        }
    }

    #[test]
    fn what_is_withheld_is_missing_in_its_environment_alone() {
        let progress = Progress::default();
        let position = progress.add(Kind::Role, None, Lag::default());
        progress.withhold(1, &"x".into(), Kind::Role, 5);
        progress.withhold(2, &"x".into(), Kind::Role, 8);
        progress.move_to(&position, 9);
        assert_eq!(progress.missing("x", &wanted(4)), []);
        assert_eq!(progress.missing("x", &wanted(5)), [missing(5, 4)]);
        assert_eq!(progress.missing("y", &wanted(9)), []);
        progress.release(1);
        assert_eq!(progress.missing("x", &wanted(9)), [missing(9, 7)]);
        progress.release(2);
        assert_eq!(progress.missing("x", &wanted(9)), []);
    }

    #[test]
    fn where_namespaces_are_watched_one_by_one_each_has_its_position() {
        let progress = Progress::default();
        let here = progress.add(Kind::Role, Some("here".into()), Lag::default());
        progress.add(Kind::Role, Some("there".into()), Lag::default());
        progress.move_to(&here, 9);
        assert_eq!(progress.missing("here", &wanted(9)), []);
        assert_eq!(progress.missing("there", &wanted(9)), [missing(9, 0)]);
        assert_eq!(progress.missing("elsewhere", &wanted(9)), [missing(9, 0)]);
    }

    #[test]
    fn every_history_has_another_name() {
        let names: [&[&str]; 5] = [&[], &[""], &["a"], &["a", ""], &["a", "b"]];
        for (index, name) in names.iter().enumerate() {
            for (other_index, other) in names.iter().enumerate() {
                assert_eq!(History::named(name) == History::named(other), index == other_index);
            }
        }
        assert_ne!(Progress::default().history(), Progress::default().history());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_silent_for_too_long_is_named_until_it_is_heard_of() {
        let progress = Progress::default();
        let lag = Lag::default();
        progress.add(Kind::Role, Some("here".into()), lag.clone());
        progress.limit_staleness(PATIENT);
        tokio::time::advance(PATIENT).await;
        progress.look();
        assert_eq!((progress.silent(), progress.stale_for()), (vec![], None));
        tokio::time::advance(PATIENT).await;
        progress.look();
        assert_eq!(progress.silent(), [("Role in here".to_owned(), 2 * PATIENT)]);
        assert_eq!(progress.stale_for(), Some(2 * PATIENT));
        lag.works(false);
        progress.look();
        assert_eq!((progress.silent(), progress.stale_for()), (vec![], None));
    }
}
