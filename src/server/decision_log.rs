//! The decision log: every answer of a check on a line of its own, for whoever has to tell later who could do what.
//!
//! # Guarantees
//! Nobody waits for it. What cannot be written as fast as it is decided is left out, which is counted.

use std::{
    borrow::Cow,
    io::{BufWriter, Write},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use axum::{extract::Request, http::HeaderValue};
use futures::future::Either;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use serde::Serialize;

use super::{Digest, Server, environment};
use crate::{
    graph::{
        facts::Timestamp,
        query::{Action, CheckRequest, Decision, Subject, Target},
    },
    store::Author,
};

/// How many lines wait to be written at the most.
const QUEUE: usize = 16 * 1024;

/// How long the end waits for what is still to be written.
const FAREWELL: Duration = Duration::from_secs(2);

/// What becomes of the ids of subjects and resources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redaction {
    /// They are written as they are.
    #[default]
    Keep,
    /// A part of their SHA-256 is written: the same for the same id, and recognisable for who knows it.
    Hash,
    /// They are left out.
    Drop,
}

/// Takes decisions that are to be written. A clone writes to the same place.
#[derive(Clone, Debug)]
pub struct DecisionLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    lines: SyncSender<Line>,
    /// The part of the decisions that is written, from 0 to 1.
    sample: f64,
    redaction: Redaction,
    dropped: Counter,
}

#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    End,
}

/// Writes what is left when it is dropped, if that does not take too long.
#[derive(Debug)]
#[must_use]
pub struct Drain {
    lines: SyncSender<Line>,
    ended: Receiver<()>,
}

impl Drop for Drain {
    fn drop(&mut self) {
        // Both fail only where it has ended, and the first where the queue is full of what nobody takes.
        let _ = self.lines.try_send(Line::End);
        if self.ended.recv_timeout(FAREWELL) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the end of the decision log could not be written");
        }
    }
}

impl DecisionLog {
    /// Has this part of all decisions (from 0 to 1) written to `output`. Registers its figures.
    ///
    /// # Errors
    /// Where there is no thread to write it.
    pub fn start(
        output: impl Write + Send + 'static,
        sample: f64,
        redaction: Redaction,
        registry: &mut Registry,
    ) -> std::io::Result<(Self, Drain)> {
        let dropped = Counter::default();
        registry.register(
            "decision_log_dropped",
            "Decisions that are missing in the decision log, because they came too fast or could not be written",
            dropped.clone(),
        );
        let (lines, queue) = sync_channel(QUEUE);
        let (end, ended) = sync_channel(1);
        let failed = dropped.clone();
        thread::Builder::new().name("decision-log".to_owned()).spawn(move || {
            write(output, &queue, &failed);
            let _ = end.try_send(());
        })?;
        let drain = Drain { lines: lines.clone(), ended };
        Ok((Self(Arc::new(Shared { lines, sample, redaction, dropped })), drain))
    }

    /// Notes a decision, if it is one of those that are.
    pub(super) fn note(&self, surface: &'static str, request: &CheckRequest<'_>, decision: Decision, now: Timestamp) {
        let Self(shared) = self;
        if shared.sample < 1.0 && rand::random::<f64>() >= shared.sample {
            return;
        }
        // Without a context it would be asked by nobody at all.
        let line = CONTEXT.try_with(|context| line(surface, context, request, decision, now, shared.redaction));
        let sent = line.is_ok_and(|line| shared.lines.try_send(Line::Text(line)).is_ok());
        if !sent {
            shared.dropped.inc();
        }
    }
}

fn write(output: impl Write, queue: &Receiver<Line>, failed: &Counter) {
    let mut output = BufWriter::new(output);
    let mut trouble = false;
    while let Ok(mut line) = queue.recv() {
        let (mut count, mut written) = (0, Ok(()));
        loop {
            let Line::Text(text) = line else {
                let _ = output.flush();
                return;
            };
            count += 1;
            written = written.and(output.write_all(&text));
            match queue.try_recv() {
                Ok(next) => line = next,
                Err(_empty) => break,
            }
        }
        let written = written.and_then(|()| output.flush());
        if let Err(error) = &written {
            failed.inc_by(count);
            if !trouble {
                tracing::error!(%error, "the decision log cannot be written");
            }
        }
        trouble = written.is_err();
    }
}

tokio::task_local! {
    static CONTEXT: Context;
}

/// Decides what is not asked by a request of the API.
pub(super) fn in_environment<T>(server: &Server, environment: &str, decide: impl FnOnce() -> T) -> T {
    if server.config.decision_log.is_none() {
        return decide();
    }
    let context = Context { author: None, request_id: None, environment: environment.to_owned() };
    CONTEXT.sync_scope(context, decide)
}

/// What a decision does not tell of itself.
struct Context {
    author: Option<Arc<Author>>,
    request_id: Option<String>,
    environment: String,
}

/// Answers a request; where decisions are written down, so that they tell whose it was and of which environment.
pub(super) fn around<F: Future>(
    server: &Server,
    route: &str,
    request_id: Option<&HeaderValue>,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> impl Future<Output = F::Output> {
    if server.config.decision_log.is_none() {
        return Either::Left(answer(request));
    }
    let context = Context {
        author: request.extensions().get().cloned(),
        request_id: request_id.and_then(|id| id.to_str().ok()).map(str::to_owned),
        environment: environment::spelled(server, route, request.uri().path()).to_owned(),
    };
    Either::Right(Box::pin(CONTEXT.scope(context, answer(request))))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    time: DisplayedTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    surface: &'static str,
    environment: &'a str,
    subject: SubjectEntry<'a>,
    action: &'a str,
    resource: ResourceEntry<'a>,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// An id, if it is to be seen.
type Id<'a> = Option<Cow<'a, str>>;

#[derive(Serialize)]
struct SubjectEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Id<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Id<'a>,
}

#[derive(Serialize)]
struct ResourceEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Id<'a>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Id<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Id<'a>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct DisplayedTime(Timestamp);

fn line(
    surface: &'static str,
    context: &Context,
    request: &CheckRequest<'_>,
    decision: Decision,
    now: Timestamp,
    redaction: Redaction,
) -> Vec<u8> {
    let id = |id: &'_ str| redaction.apply(id).map(|id| Cow::Owned(id.into_owned()));
    let CheckRequest { subject, action, resource } = *request;
    let subject = match subject {
        Subject::Membership(name) => SubjectEntry { membership: id(name), user: None },
        Subject::User(user) => SubjectEntry { membership: None, user: id(user) },
    };
    let resource = match resource {
        Target::Name(name) => ResourceEntry { name: id(name), resource_type: None, id: None, organization: None },
        Target::Id { resource_type, id: of, organization } => ResourceEntry {
            name: None,
            resource_type: Some(resource_type),
            id: id(of),
            organization: organization.and_then(id),
        },
    };
    let (Action::Permission(action) | Action::Name(action)) = action;
    let reason = match decision {
        Decision::Allowed => None,
        Decision::Denied(denial) => Some(denial.code()),
    };
    let entry = Entry {
        time: DisplayedTime(now),
        request_id: context.request_id.as_deref(),
        caller: context.author.as_ref().map(|author| author.caller()),
        surface,
        environment: &context.environment,
        subject,
        action,
        resource,
        allowed: decision.is_allowed(),
        reason,
    };
    let mut line = Vec::with_capacity(512);
    // INVARIANT: structs of strings are JSON, and memory takes all that is written.
    let _ = serde_json::to_writer(&mut line, &entry);
    line.push(b'\n');
    line
}

impl Redaction {
    fn apply(self, id: &str) -> Id<'_> {
        match self {
            Self::Keep => Some(Cow::Borrowed(id)),
            Self::Hash => Some(Cow::Owned(Digest::of(id.as_bytes()).brief())),
            Self::Drop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::mpsc};

    use super::*;

    /// Takes nothing before it is told to.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, written: &[u8]) -> io::Result<usize> {
            // Fails at the end of the test.
            let _ = self.0.recv();
            Ok(written.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_comes_too_fast_is_counted_and_waited_for_by_nobody() {
        let (go_on, told) = mpsc::channel();
        let (log, drain) = DecisionLog::start(Stuck(told), 1.0, Redaction::Keep, &mut Registry::default()).unwrap();
        let request = CheckRequest {
            subject: Subject::User("alice"),
            action: Action::Name("edit"),
            resource: Target::Name("website"),
        };
        let context = Context { author: None, request_id: None, environment: "default".to_owned() };
        let surplus = 100;
        CONTEXT.sync_scope(context, || {
            // What the thread has taken out of the queue is less than it takes at a time.
            for _ in 0..2 * QUEUE + surplus {
                log.note("native", &request, Decision::Allowed, Timestamp::now());
            }
        });
        assert!(log.0.dropped.get() >= surplus as u64, "{}", log.0.dropped.get());
        drop(go_on);
        drop(drain);
    }
}
