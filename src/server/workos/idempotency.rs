//! Repeated requests: one with the `Idempotency-Key` of an earlier one gets its answer, and is not carried out again (rule 72).
//!
//! The SDKs repeat what they did not get an answer to. So the answer that got lost is remembered, and a request that is still
//! under way when it is repeated is waited for. It is carried out to its end even if its caller has gone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts as _, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use tokio::task::JoinError;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Error, body, context::Context};
use crate::server::{self, Server};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const MAX_KEY: usize = 255;

/// How long an answer is remembered at the most.
const LIFETIME: Duration = Duration::from_hours(24);
/// How many answers are remembered at the most.
const MAX_ANSWERS: usize = 10_000;
/// How many bytes the bodies of the remembered answers have at the most.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The same routes, whose POSTs are carried out but once for each key.
pub fn honoured(routes: Router<Arc<Server>>, server: &Arc<Server>) -> Router<Arc<Server>> {
    let honours = Arc::new(Honours { server: Arc::clone(server), answers: Answers::default() });
    routes.layer(from_fn_with_state(honours, answer))
}

struct Honours {
    server: Arc<Server>,
    answers: Answers,
}

async fn answer(State(honours): State<Arc<Honours>>, request: Request, next: Next) -> Result<Response, Error> {
    let Some(key) = request.headers().get(KEY).filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let key = read_key(key)?;
    let (mut parts, sent) = request.into_parts();
    let context = Context::from_request_parts(&mut parts, &honours.server).await?;
    let sent = body::bytes(Request::from_parts(parts.clone(), sent), &honours.server).await?;
    let caller = context.caller().map(str::to_owned);
    let key = Key { environment: context.environment().to_owned(), caller, text: key };
    let turns = honours.answers.turns(&key, fingerprint(&parts.uri, &sent), Instant::now()).ok_or_else(|| {
        Error::coded(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "The Idempotency-Key was sent with another path or another body before: send a new one with a new request.",
        )
    })?;
    let mut turn = Arc::clone(&turns).lock_owned().await;
    if let Some(answer) = &*turn {
        return Ok(answer.replay());
    }
    let request = Request::from_parts(parts, Body::from(sent));
    let carry_out = async move {
        let answer = Answer::of(next.run(request).await).await?;
        let response = answer.response();
        if answer.status.is_server_error() {
            drop(turn);
            honours.answers.forget(&key, &turns);
        } else {
            let size = answer.body.len();
            *turn = Some(answer);
            honours.answers.keep(&key, size);
        }
        Ok(response)
    };
    match tokio::spawn(carry_out.in_current_span()).await.map_err(JoinError::try_into_panic) {
        Ok(response) => response,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The program ends.
        Err(Err(_cancelled)) => Err(server::Error::Internal.into()),
    }
}

fn read_key(value: &HeaderValue) -> Result<String, Error> {
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()));
    key.map(str::to_owned).ok_or_else(|| {
        Error::field("Idempotency-Key", format!("Idempotency-Key must be 1 to {MAX_KEY} printable ASCII characters"))
    })
}

/// Tells a request from others with the same key.
fn fingerprint(uri: &Uri, sent: &Bytes) -> Uuid {
    let path = Uuid::new_v5(&Uuid::NAMESPACE_URL, uri.to_string().as_bytes());
    Uuid::new_v5(&path, sent)
}

/// What an answer belongs to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    environment: String,
    /// Nobody gets the answer of another.
    caller: Option<String>,
    text: String,
}

/// An answer, to be given again.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| server::Error::Internal)?;
        Ok(Self { status: parts.status, headers: parts.headers, body })
    }

    fn response(&self) -> Response {
        (self.status, self.headers.clone(), self.body.clone()).into_response()
    }

    fn replay(&self) -> Response {
        let mut response = self.response();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

/// Held by the request that is carried out, while those that repeat it wait; then holds its answer.
type Turns = Arc<tokio::sync::Mutex<Option<Answer>>>;

/// The answers that are remembered, and those that are on their way.
#[derive(Debug, Default)]
struct Answers(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    by_key: HashMap<Key, Entry>,
    /// The keys by the numbers of their entries, the oldest first.
    in_order: BTreeMap<u64, Key>,
    last_number: u64,
    /// The sizes of all entries.
    size: usize,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    fingerprint: Uuid,
    since: Instant,
    /// Of the body of the answer, in bytes.
    size: usize,
    turns: Turns,
}

impl Answers {
    /// The turns at a key; none: they belong to another request.
    fn turns(&self, key: &Key, fingerprint: Uuid, now: Instant) -> Option<Turns> {
        let mut remembered = self.0.lock();
        remembered.forget_what_is_too_old(now);
        if let Some(entry) = remembered.by_key.get(key) {
            return (entry.fingerprint == fingerprint).then(|| Arc::clone(&entry.turns));
        }
        remembered.last_number += 1;
        let (number, turns) = (remembered.last_number, Turns::default());
        let entry = Entry { number, fingerprint, since: now, size: 0, turns: Arc::clone(&turns) };
        remembered.by_key.insert(key.clone(), entry);
        remembered.in_order.insert(number, key.clone());
        remembered.forget_what_is_too_much();
        Some(turns)
    }

    /// Notes how large the answer is that the turns of a key hold now.
    fn keep(&self, key: &Key, size: usize) {
        let mut remembered = self.0.lock();
        let Some(entry) = remembered.by_key.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.size, size);
        remembered.size = remembered.size - before + size;
        remembered.forget_what_is_too_much();
    }

    /// Frees a key whose turns hold no answer, unless somebody else waits for one: that one has the next turn.
    fn forget(&self, key: &Key, turns: &Turns) {
        let mut remembered = self.0.lock();
        // They are handed out under this lock alone, and given out are these two: the entry's and the caller's.
        if Arc::strong_count(turns) == 2 {
            remembered.remove(key);
        }
    }
}

impl Remembered {
    fn remove(&mut self, key: &Key) {
        if let Some(Entry { number, size, .. }) = self.by_key.remove(key) {
            self.in_order.remove(&number);
            self.size -= size;
        }
    }

    fn forget_what_is_too_old(&mut self, now: Instant) {
        self.forget_while(|_, oldest| now.saturating_duration_since(oldest.since) >= LIFETIME);
    }

    fn forget_what_is_too_much(&mut self) {
        self.forget_while(|remembered, _| remembered.by_key.len() > MAX_ANSWERS || remembered.size > MAX_BYTES);
    }

    /// Forgets the oldest entry, again and again.
    fn forget_while(&mut self, is_to_go: impl Fn(&Self, &Entry) -> bool) {
        while let Some((_, key)) = self.in_order.first_key_value()
            && let Some(oldest) = self.by_key.get(key)
            && is_to_go(self, oldest)
        {
            let key = key.clone();
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        Key { environment: "default".to_owned(), caller: None, text: number.to_string() }
    }

    fn is_known(answers: &Answers, number: usize, now: Instant) -> bool {
        answers.turns(&key(number), Uuid::max(), now).is_none()
    }

    #[test]
    fn an_answer_is_remembered_for_a_day() {
        let (answers, start) = (Answers::default(), Instant::now());
        answers.turns(&key(1), Uuid::nil(), start).unwrap();
        assert!(is_known(&answers, 1, start + LIFETIME.saturating_sub(Duration::from_secs(1))));
        assert!(!is_known(&answers, 1, start + LIFETIME));
    }

    #[test]
    fn only_so_many_answers_are_remembered() {
        let (answers, now) = (Answers::default(), Instant::now());
        for number in 0..=MAX_ANSWERS {
            answers.turns(&key(number), Uuid::nil(), now).unwrap();
        }
        assert!(is_known(&answers, 1, now));
        assert!(!is_known(&answers, 0, now), "the oldest goes first");
        assert_eq!(answers.0.lock().by_key.len(), MAX_ANSWERS);
        assert_eq!(answers.0.lock().in_order.len(), MAX_ANSWERS);
    }

    #[test]
    fn only_so_many_bytes_are_remembered() {
        let (answers, now) = (Answers::default(), Instant::now());
        for number in 0..3 {
            answers.turns(&key(number), Uuid::nil(), now).unwrap();
            answers.keep(&key(number), MAX_BYTES / 2);
        }
        assert_eq!(answers.0.lock().size, MAX_BYTES / 2 * 2);
        assert!(is_known(&answers, 1, now) && is_known(&answers, 2, now));
        assert!(!is_known(&answers, 0, now));
    }

    #[test]
    fn the_key_of_a_failure_is_free_again_once_nobody_waits() {
        let (answers, now) = (Answers::default(), Instant::now());
        let first = answers.turns(&key(1), Uuid::nil(), now).unwrap();
        let second = answers.turns(&key(1), Uuid::nil(), now).unwrap();
        answers.forget(&key(1), &first);
        drop(first);
        assert!(is_known(&answers, 1, now), "the second has its turn");
        answers.forget(&key(1), &second);
        assert!(!is_known(&answers, 1, now));
    }
}
