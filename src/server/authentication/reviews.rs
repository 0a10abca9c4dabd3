//! Tokens that somebody else vouches for, and says what they permit: Kubernetes.

use std::{
    collections::BTreeMap,
    fmt,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use quick_cache::sync::{Cache, EntryAction, EntryResult};
use smol_str::SmolStr;
use tokio::{sync::Semaphore, time::timeout};

use super::{Digest, Verb};

/// How long a yes is remembered: what is revoked is refused after that at the latest.
const YES_TIME: Duration = Duration::from_secs(30);
/// How long a no is remembered.
const NO_TIME: Duration = Duration::from_secs(5);
/// How long it is remembered that there was no answer.
const TROUBLE_TIME: Duration = Duration::from_secs(1);

/// How many tokens are remembered at the most.
const MAX_TOKENS: usize = 10_000;
/// How many answers of what a token permits are remembered at the most.
const MAX_PERMISSIONS: usize = 40_000;

/// How many questions of one queue are under way at a time.
const MAX_QUESTIONS: usize = 16;
/// How many questions of one queue wait for their turn at a time.
const MAX_WAITING: usize = 128;
/// How long an answer is waited for, the wait for a turn included.
const QUESTION_TIME: Duration = Duration::from_secs(5);

/// Whose token it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name, such as `system:serviceaccount:shop:cart`.
    pub name: SmolStr,
    /// Tells it from others that had its name before.
    pub uid: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// What else is known of it.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Whose token it was when that was asked.
#[derive(Debug)]
pub(super) struct Known {
    pub identity: Identity,
    /// What is found out with it is remembered no longer than itself: the groups may be others then.
    until: Instant,
}

/// There is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReviewError(pub String);

/// Who knows whose a token is, and what it permits.
pub trait Reviewer: fmt::Debug + Send + Sync {
    /// Whose token this is; none: nobody's, or not one for here.
    ///
    /// # Errors
    /// Where that cannot be told now.
    fn identify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, ReviewError>>;

    /// Whether somebody may do this in an environment.
    ///
    /// # Errors
    /// Where that cannot be told now.
    fn permits<'a>(
        &'a self,
        identity: &'a Identity,
        verb: Verb,
        environment: &'a str,
    ) -> BoxFuture<'a, Result<bool, ReviewError>>;

    /// What somebody lacks who may not do this: a sentence for that caller.
    fn remedy(&self, verb: Verb) -> String;
}

/// A reviewer whose answers are remembered for a while.
#[derive(Debug)]
pub(super) struct Reviews {
    pub reviewer: Arc<dyn Reviewer>,
    tokens: Remembered<Digest, Option<Arc<Known>>>,
    permissions: Remembered<(Digest, Verb, SmolStr), bool>,
    /// Questions about tokens that may be anybody's.
    of_strangers: Queue,
    /// Questions about those who are known, and whether they still are. Strangers cannot hold them up.
    of_known: Queue,
    /// Whether the last question had no answer, so that the log tells of that once.
    in_trouble: AtomicBool,
}

impl Reviews {
    pub fn new(reviewer: Arc<dyn Reviewer>, registry: &mut Registry) -> Self {
        let reviews = Family::<Labels, Counter>::default();
        registry.register(
            "reviews",
            "Questions to the API server about callers of the API, by what is asked and the answer",
            reviews.clone(),
        );
        Self {
            reviewer,
            tokens: Remembered::new("token", MAX_TOKENS, &reviews),
            permissions: Remembered::new("permission", MAX_PERMISSIONS, &reviews),
            of_strangers: Queue::default(),
            of_known: Queue::default(),
            in_trouble: AtomicBool::new(false),
        }
    }

    /// Whose token this is. None: nobody's.
    pub async fn identify(&self, digest: Digest, token: &str) -> Result<Option<Arc<Known>>, ReviewError> {
        let ask = async |was_known: bool| {
            let queue = if was_known { &self.of_known } else { &self.of_strangers };
            let identity = self.in_turn(queue, self.reviewer.identify(token)).await?;
            Ok(identity.map(|identity| Arc::new(Known { identity, until: Instant::now() + YES_TIME })))
        };
        self.tokens.answer(digest, None, Option::is_some, ask).await
    }

    /// Whether the owner of a token may do this in an environment.
    pub async fn permits(
        &self,
        (digest, known): (Digest, &Known),
        verb: Verb,
        environment: &str,
    ) -> Result<bool, ReviewError> {
        let ask = async |_: bool| {
            self.in_turn(&self.of_known, self.reviewer.permits(&known.identity, verb, environment)).await
        };
        let key = (digest, verb, SmolStr::new(environment));
        self.permissions.answer(key, Some(known.until), |&permits| permits, ask).await
    }

    async fn in_turn<T>(
        &self,
        queue: &Queue,
        question: impl Future<Output = Result<T, ReviewError>>,
    ) -> Result<T, ReviewError> {
        // The figures tell of it, and no line of the log: whoever asks too much could have it alternate with answers.
        let _place = queue.places.try_acquire().map_err(|_| ReviewError("too many questions wait".to_owned()))?;
        let answered = timeout(QUESTION_TIME, async {
            // INVARIANT: it is never closed.
            let _turn = queue.turns.acquire().await.map_err(|error| ReviewError(error.to_string()))?;
            question.await
        });
        let late = |_| ReviewError(format!("no answer within {} seconds", QUESTION_TIME.as_secs()));
        let answer = answered.await.map_err(late).flatten();
        match &answer {
            Err(error) if !self.in_trouble.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "the API server does not say who callers are, or what they may: they get no answers");
            }
            Ok(_) if self.in_trouble.swap(false, Ordering::Relaxed) => {
                tracing::info!("the API server says again who callers are, and what they may");
            }
            _ => {}
        }
        answer
    }
}

/// Bounds the questions that are under way, and those that wait.
#[derive(Debug)]
struct Queue {
    turns: Semaphore,
    places: Semaphore,
}

impl Default for Queue {
    fn default() -> Self {
        Self { turns: Semaphore::new(MAX_QUESTIONS), places: Semaphore::new(MAX_QUESTIONS + MAX_WAITING) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    question: &'static str,
    outcome: &'static str,
}

/// Answers, each for its time.
#[derive(Debug)]
struct Remembered<K, V> {
    answers: Cache<K, Answer<V>>,
    yes: Counter,
    no: Counter,
    errors: Counter,
}

#[derive(Clone, Debug)]
struct Answer<V> {
    until: Instant,
    result: Result<V, ReviewError>,
    /// This, or the last one that was no error, is a yes.
    was_yes: bool,
}

impl<K: Clone + Eq + Hash, V: Clone> Remembered<K, V> {
    fn new(question: &'static str, most: usize, reviews: &Family<Labels, Counter>) -> Self {
        let counter = |outcome| reviews.get_or_create_owned(&Labels { question, outcome });
        Self { answers: Cache::new(most), yes: counter("yes"), no: counter("no"), errors: counter("error") }
    }

    /// The answer that is remembered, or else a new one, which is remembered no longer than until `latest`. Whoever wants the same
    /// meanwhile waits for that. Who asks is told whether the answer was yes before.
    async fn answer(
        &self,
        key: K,
        latest: Option<Instant>,
        is_yes: impl Fn(&V) -> bool,
        ask: impl AsyncFnOnce(bool) -> Result<V, ReviewError>,
    ) -> Result<V, ReviewError> {
        let now = Instant::now();
        if let Some(known) = self.answers.get(&key).filter(|known| now < known.until) {
            return known.result;
        }
        let known = |_: &K, known: &mut Answer<V>| {
            if now < known.until { EntryAction::Retain(known.result.clone()) } else { EntryAction::ReplaceWithGuard }
        };
        let (place, was_yes) = match self.answers.entry_async(&key, known).await {
            EntryResult::Retained(answer) => return answer,
            EntryResult::Vacant(place) => (place, false),
            EntryResult::Replaced(place, before) => (place, before.was_yes),
            EntryResult::Removed(..) | EntryResult::Timeout => {
                return Err(ReviewError("the answer is lost".to_owned()));
            }
        };
        let answer = ask(was_yes).await;
        let (time, counter, was_yes) = match &answer {
            Ok(value) if is_yes(value) => (YES_TIME, &self.yes, true),
            Ok(_) => (NO_TIME, &self.no, false),
            Err(_) => (TROUBLE_TIME, &self.errors, was_yes),
        };
        counter.inc();
        let until = Instant::now() + time;
        let until = latest.map_or(until, |latest| latest.min(until));
        // Fails only where it was thrown out again at once.
        let _ = place.insert(Answer { until, result: answer.clone(), was_yes });
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::atomic::AtomicUsize};

    use futures::{
        FutureExt as _,
        future::{join_all, pending, ready},
    };

    use super::*;

    /// Knows the token `cart`, whose owner may everything. Of other tokens it never says anything.
    #[derive(Debug, Default)]
    struct Double {
        permitted: AtomicUsize,
    }

    impl Reviewer for Double {
        fn identify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, ReviewError>> {
            if token == "cart" { ready(Ok(Some(Identity::default()))).boxed() } else { pending().boxed() }
        }

        fn permits<'a>(&'a self, _: &'a Identity, _: Verb, _: &'a str) -> BoxFuture<'a, Result<bool, ReviewError>> {
            self.permitted.fetch_add(1, Ordering::Relaxed);
            ready(Ok(true)).boxed()
        }

        fn remedy(&self, _: Verb) -> String {
            String::new()
        }
    }

    fn known(until: Instant) -> Known {
        Known { identity: Identity::default(), until }
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_do_not_hold_up_those_who_are_known() {
        let reviews = Reviews::new(Arc::<Double>::default(), &mut Registry::default());
        let cart = Digest::of(b"cart");
        let first = reviews.identify(cart, "cart").await.unwrap().unwrap();
        // It is time to ask again.
        let mut answer = reviews.tokens.answers.get(&cart).unwrap();
        answer.until = Instant::now();
        reviews.tokens.answers.insert(cart, answer);

        let names: Vec<_> = (0..2 * (MAX_QUESTIONS + MAX_WAITING)).map(|number| number.to_string()).collect();
        let strangers = names.iter().map(|name| reviews.identify(Digest::of(name.as_bytes()), name));
        let mut strangers = pin!(join_all(strangers));
        assert!((&mut strangers).now_or_never().is_none());
        let newcomer = reviews.identify(Digest::of(b"newcomer"), "newcomer").now_or_never();
        assert!(newcomer.is_some_and(|answer| answer.is_err()), "there is no place for another stranger");

        let again = reviews.identify(cart, "cart").now_or_never().expect("nobody is in front of it").unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &again), "it was asked about again");
        let permits = reviews.permits((cart, &again), Verb::Check, "default").now_or_never();
        assert!(permits.expect("nobody is in front of it").unwrap());
    }

    #[tokio::test]
    async fn what_is_permitted_is_remembered_no_longer_than_to_whom() {
        let double = Arc::<Double>::default();
        let reviews = Reviews::new(Arc::clone(&double) as Arc<dyn Reviewer>, &mut Registry::default());
        let lasting = known(Instant::now() + YES_TIME);
        for (name, known, asked) in [("lasting", &lasting, 1), ("ending", &known(Instant::now()), 2)] {
            double.permitted.store(0, Ordering::Relaxed);
            for _ in 0..2 {
                let digest = Digest::of(name.as_bytes());
                assert!(reviews.permits((digest, known), Verb::Check, "default").await.unwrap());
            }
            assert_eq!(double.permitted.load(Ordering::Relaxed), asked, "{name}");
        }
    }
}
