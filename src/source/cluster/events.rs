//! What the API server says of a kind, without end.
//!
//! Kube's own watcher keeps to itself how far a list or a bookmark reaches, which is what freshness is made of; the rest is as there.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::{
        utils::Backoff,
        watcher::{self, DefaultBackoff, Event},
    },
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use super::{object::WatchedObject, trouble::Cause};
use crate::source::ledger::identity::revision;

/// How many objects of a list are asked for at a time.
const PAGE: u32 = 500;

/// How long the pause between two tries gets. A revocation that was missed takes effect no later after an outage.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// How long a list, or the beginning of a watch, may take. Over a connection that died, no answer ever comes.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// How long to wait before a watch is begun again that ended as it should.
const SHORT_PAUSE: Duration = Duration::from_millis(20);

/// A watch that ends sooner and has brought nothing does not work, whatever the API server says of it.
const SHORT_WATCH: Duration = Duration::from_secs(1);

/// How long one request for a watch lasts unless silence has to be noticed sooner: what client-go asks for at the least. Shortly
/// before its end the API server says how far it has come.
const WATCH_TIME: u32 = 290;

/// How long it lasts where somebody waits for what it is to say: the API server tells how far it has come 2 seconds before the end.
const HURRIED_WATCH_TIME: u32 = 3;

/// How much later than it should a watch may end before its connection is taken to be dead.
const MARGIN: Duration = Duration::from_secs(5);

/// What a watch tells.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
pub enum Told {
    /// An event, [`Event::InitDone`] excepted.
    Event(Event<WatchedObject>),
    /// A list is complete, as of a resource version.
    Listed(u64),
    /// All that happened up to a resource version was told.
    Reached(u64),
}

/// Why a watch does not tell anything.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is refused or breaks off.
    #[error(transparent)]
    Watch(#[from] watcher::Error),
    /// It is not answered.
    #[error("the API server does not answer within {} s", REQUEST_TIME.as_secs())]
    NoAnswer,
    /// The API server is behind what it told before.
    #[error("the API server is at resource version {at}, although it told of {told} before")]
    WentBack {
        /// Where it is.
        at: u64,
        /// What it told before.
        told: u64,
    },
}

/// How a watch is asked for.
#[derive(Clone, Debug)]
pub struct Asking {
    /// How long it may be silent.
    pub max_silence: Option<Duration>,
    /// Somebody waits for how far it has come.
    pub hurry: Arc<Notify>,
}

impl Asking {
    /// Twice in the longest silence there is a word.
    fn watch_time(&self) -> u32 {
        let half = self.max_silence.map_or(u64::MAX, |silence| silence.as_secs() / 2);
        u32::try_from(half).unwrap_or(WATCH_TIME).clamp(HURRIED_WATCH_TIME, WATCH_TIME)
    }
}

/// What the API server says of a kind. After an error there is a pause, the longer the more there were since a watch worked; so there is
/// where a watch ends at once.
///
/// # Guarantees
/// - No list is told that is older than what was told before: the pages of one are told only when the first shows how old it is.
/// - A watch goes on only at an API server that has come as far.
pub fn events(api: Api<WatchedObject>, asking: Asking) -> impl Stream<Item = Result<Told, Failure>> + Send {
    let following =
        Following { api, asking, told: 0, backoff: DefaultBackoff::default(), pause: Duration::ZERO, hurried: false };
    stream::unfold((following, State::Empty), |(mut following, mut state)| async move {
        let pause = std::mem::take(&mut following.pause);
        // A sleep, however short, ends with a tick of the timer: a millisecond for every object of a list.
        if !pause.is_zero() {
            sleep(pause).await;
        }
        loop {
            let (told, next) = following.step(state).await;
            state = next;
            if let Some(told) = told {
                if told.is_err() {
                    following.pause = following.longer_pause();
                }
                return Some((told, (following, state)));
            }
        }
    })
}

struct Following {
    api: Api<WatchedObject>,
    asking: Asking,
    /// The newest resource version up to which everything was told.
    told: u64,
    backoff: DefaultBackoff,
    /// How long to wait before going on.
    pause: Duration,
    /// The next watch is for somebody who waits.
    hurried: bool,
}

/// Where a watch stands, as in kube's.
enum State {
    Empty,
    /// A list is being read; the resource version is that of its last page.
    Listing {
        objects: VecDeque<WatchedObject>,
        next_page: Option<String>,
        resource_version: String,
    },
    /// Everything was told up to there.
    Told {
        resource_version: String,
    },
    Watching {
        resource_version: String,
        stream: Watching,
    },
}

/// A request for a watch that is under way.
struct Watching {
    events: BoxStream<'static, kube::Result<WatchEvent<WatchedObject>>>,
    /// For how long it was asked for.
    lasting: Duration,
    begin: Instant,
    has_brought_something: bool,
}

type Step = (Option<Result<Told, Failure>>, State);

impl Following {
    /// How long to wait after another failure.
    fn longer_pause(&mut self) -> Duration {
        self.backoff.next().map_or(MAX_PAUSE, |pause| pause.min(MAX_PAUSE))
    }

    async fn step(&mut self, state: State) -> Step {
        match state {
            State::Empty => {
                let begun =
                    State::Listing { objects: VecDeque::new(), next_page: None, resource_version: String::new() };
                (Some(Ok(Told::Event(Event::Init))), begun)
            }
            State::Listing { mut objects, next_page, resource_version } => {
                if let Some(object) = objects.pop_front() {
                    let state = State::Listing { objects, next_page, resource_version };
                    return (Some(Ok(Told::Event(Event::InitApply(object)))), state);
                }
                if next_page.is_none() && !resource_version.is_empty() {
                    self.told = revision(&resource_version);
                    return (Some(Ok(Told::Listed(self.told))), State::Told { resource_version });
                }
                self.list(next_page).await
            }
            State::Told { resource_version } => self.watch(resource_version).await,
            State::Watching { resource_version, stream } => self.follow(resource_version, stream).await,
        }
    }

    /// Without a resource version a list is as new as what was last written (a quorum read).
    async fn list(&mut self, page: Option<String>) -> Step {
        let parameters = ListParams { limit: Some(PAGE), continue_token: page, ..ListParams::default() };
        let list = match answered(self.api.list(&parameters), watcher::Error::InitialListFailed).await {
            Ok(list) => list,
            Err(failure) => return failed(failure, State::Empty),
        };
        let resource_version = list.metadata.resource_version.unwrap_or_default();
        let next_page = list.metadata.continue_.filter(|page| !page.is_empty());
        if resource_version.is_empty() && next_page.is_none() {
            return failed(watcher::Error::NoResourceVersion, State::Empty);
        }
        if let Some(behind) = self.behind(&resource_version) {
            return failed(behind, State::Empty);
        }
        (None, State::Listing { objects: list.items.into(), next_page, resource_version })
    }

    fn behind(&self, resource_version: &str) -> Option<Failure> {
        let at = revision(resource_version);
        (at < self.told).then_some(Failure::WentBack { at, told: self.told })
    }

    /// Goes on where it was. The API server does not refuse what is ahead of it, as after a restore of etcd: it says nothing until
    /// it has come that far, and never what happened before. So it is asked first.
    async fn watch(&mut self, resource_version: String) -> Step {
        let newest = ListParams::default().limit(1);
        match answered(self.api.list(&newest), watcher::Error::WatchStartFailed).await {
            Err(failure) => return interrupted(failure, resource_version),
            Ok(list) => {
                if let Some(behind) = self.behind(&list.metadata.resource_version.unwrap_or_default()) {
                    return interrupted(behind, resource_version);
                }
            }
        }
        let seconds = if std::mem::take(&mut self.hurried) { HURRIED_WATCH_TIME } else { self.asking.watch_time() };
        let parameters = WatchParams { timeout: Some(seconds), ..WatchParams::default() };
        match answered(self.api.watch(&parameters, &resource_version), watcher::Error::WatchStartFailed).await {
            Ok(events) => {
                let stream = Watching {
                    events: events.boxed(),
                    lasting: Duration::from_secs(seconds.into()),
                    begin: Instant::now(),
                    has_brought_something: false,
                };
                (Some(Ok(Told::Reached(self.told))), State::Watching { resource_version, stream })
            }
            Err(failure) => interrupted(failure, resource_version),
        }
    }

    async fn follow(&mut self, resource_version: String, mut stream: Watching) -> Step {
        let is_hurried = stream.lasting.as_secs() <= u64::from(HURRIED_WATCH_TIME);
        let next = tokio::select! {
            next = timeout(stream.lasting + MARGIN, stream.events.next()) => next,
            () = self.asking.hurry.notified(), if !is_hurried => {
                self.hurried = true;
                return (None, State::Told { resource_version });
            }
        };
        let works = stream.has_brought_something || stream.begin.elapsed() >= SHORT_WATCH;
        if works {
            self.backoff.reset();
        }
        let event = match next {
            // It is over, as it is from time to time; or nothing is heard of it any more.
            Ok(None) | Err(_) => {
                let pause = if works { SHORT_PAUSE } else { self.longer_pause() };
                sleep(pause).await;
                return (None, State::Told { resource_version });
            }
            Ok(Some(Err(error))) => return interrupted(watcher::Error::WatchFailed(error), resource_version),
            Ok(Some(Ok(event))) => event,
        };
        let (told, version) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let version = version(&object);
                (Told::Event(Event::Apply(object)), version)
            }
            WatchEvent::Deleted(object) => {
                let version = version(&object);
                (Told::Event(Event::Delete(object)), version)
            }
            WatchEvent::Bookmark(bookmark) => {
                let version = bookmark.metadata.resource_version;
                (Told::Reached(revision(&version)), version)
            }
            WatchEvent::Error(status) => {
                return interrupted(watcher::Error::WatchError(status.boxed()), resource_version);
            }
        };
        if version.is_empty() {
            return failed(watcher::Error::NoResourceVersion, State::Empty);
        }
        self.told = self.told.max(revision(&version));
        stream.has_brought_something = true;
        (Some(Ok(told)), State::Watching { resource_version: version, stream })
    }
}

/// What the API server answers, in time.
async fn answered<T>(
    answer: impl Future<Output = kube::Result<T>>,
    error: impl FnOnce(kube::Error) -> watcher::Error,
) -> Result<T, Failure> {
    Ok(timeout(REQUEST_TIME, answer).await.map_err(|_elapsed| Failure::NoAnswer)?.map_err(error)?)
}

/// Goes on where it was, unless what happened since cannot be told by a watch.
fn interrupted(failure: impl Into<Failure>, resource_version: String) -> Step {
    let failure = failure.into();
    let state = match Cause::of(&failure) {
        Cause::NotServed | Cause::Expired => State::Empty,
        Cause::Other(_) => State::Told { resource_version },
    };
    failed(failure, state)
}

fn failed(failure: impl Into<Failure>, state: State) -> Step {
    (Some(Err(failure.into())), state)
}

fn version(object: &WatchedObject) -> String {
    kube::Resource::meta(object).resource_version.clone().unwrap_or_default()
}
