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

/// How many questions are under way at a time.
const MAX_QUESTIONS: usize = 32;
/// How many questions wait for their turn at a time, so that strangers' tokens do not take the place of all other requests.
const MAX_WAITING: usize = 256;
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
    tokens: Remembered<Digest, Option<Arc<Identity>>>,
    permissions: Remembered<(Digest, Verb, SmolStr), bool>,
    turns: Semaphore,
    places: Semaphore,
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
            turns: Semaphore::new(MAX_QUESTIONS),
            places: Semaphore::new(MAX_QUESTIONS + MAX_WAITING),
            in_trouble: AtomicBool::new(false),
        }
    }

    /// Whose token this is. None: nobody's.
    pub async fn identify(&self, digest: Digest, token: &str) -> Result<Option<Arc<Identity>>, ReviewError> {
        let ask = async || Ok(self.in_turn(self.reviewer.identify(token)).await?.map(Arc::new));
        self.tokens.answer(digest, Option::is_some, ask).await
    }

    /// Whether the owner of a token may do this in an environment.
    pub async fn permits(
        &self,
        (digest, identity): (Digest, &Identity),
        verb: Verb,
        environment: &str,
    ) -> Result<bool, ReviewError> {
        let ask = async || self.in_turn(self.reviewer.permits(identity, verb, environment)).await;
        self.permissions.answer((digest, verb, SmolStr::new(environment)), |&permits| permits, ask).await
    }

    async fn in_turn<T>(&self, question: impl Future<Output = Result<T, ReviewError>>) -> Result<T, ReviewError> {
        let answered = timeout(QUESTION_TIME, async {
            let _place = self.places.try_acquire().map_err(|_| ReviewError("too many questions wait".to_owned()))?;
            // INVARIANT: it is never closed.
            let _turn = self.turns.acquire().await.map_err(|error| ReviewError(error.to_string()))?;
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
    answer: Result<V, ReviewError>,
}

impl<K: Clone + Eq + Hash, V: Clone> Remembered<K, V> {
    fn new(question: &'static str, most: usize, reviews: &Family<Labels, Counter>) -> Self {
        let counter = |outcome| reviews.get_or_create_owned(&Labels { question, outcome });
        Self { answers: Cache::new(most), yes: counter("yes"), no: counter("no"), errors: counter("error") }
    }

    /// The answer that is remembered, or else a new one. Whoever wants the same meanwhile waits for that.
    async fn answer(
        &self,
        key: K,
        is_yes: impl Fn(&V) -> bool,
        ask: impl AsyncFnOnce() -> Result<V, ReviewError>,
    ) -> Result<V, ReviewError> {
        let now = Instant::now();
        if let Some(known) = self.answers.get(&key).filter(|known| now < known.until) {
            return known.answer;
        }
        let known = |_: &K, known: &mut Answer<V>| {
            if now < known.until { EntryAction::Retain(known.answer.clone()) } else { EntryAction::ReplaceWithGuard }
        };
        let place = match self.answers.entry_async(&key, known).await {
            EntryResult::Retained(answer) => return answer,
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => place,
            EntryResult::Removed(..) | EntryResult::Timeout => {
                return Err(ReviewError("the answer is lost".to_owned()));
            }
        };
        let answer = ask().await;
        let (time, counter) = match &answer {
            Ok(value) if is_yes(value) => (YES_TIME, &self.yes),
            Ok(_) => (NO_TIME, &self.no),
            Err(_) => (TROUBLE_TIME, &self.errors),
        };
        counter.inc();
        // Fails only where it was thrown out again at once.
        let _ = place.insert(Answer { until: Instant::now() + time, answer: answer.clone() });
        answer
    }
}
