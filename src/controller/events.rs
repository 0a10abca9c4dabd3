//! Events: what a person who describes an object is told of its past.

use std::{fmt, sync::Arc};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use tokio::sync::mpsc;
use tracing::debug;

use super::{
    conditions::{self, Stated},
    lease::Leadership,
    metrics::Metrics,
    rate::RateLimit,
};
use crate::{
    api::{API_VERSION, ConditionType, DEPENDENTS_REMAINING},
    graph::facts::{Kind, Name, ObjectRef},
    source::ledger::{ObservedStatus, Record},
};

/// How many events wait to be written at the most; what comes on top is dropped and counted.
const WAITING: usize = 256;
const PER_SECOND: u32 = 20;
const BURST: u32 = 100;
/// The API server takes no more than a kilobyte.
const MAX_NOTE: usize = 1000;
/// Nor a longer name of who reports.
const MAX_INSTANCE: usize = 128;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// An assignment began to grant.
    Granted,
    /// An assignment ceased to grant.
    Revoked,
    /// Anything else gained effect.
    BecameReady,
    /// Anything else lost effect, wholly or in part.
    LostEffect,
    /// It says something that only a person can mend, or waits for one to be deleted.
    BecameInvalid,
    /// What depends on it is being removed.
    CascadeStarted,
    /// Everything that depended on it is gone.
    CascadeCompleted,
    /// It is deleted because it expired.
    ExpiredDeleted,
}

impl Happening {
    const fn reason(self) -> &'static str {
        match self {
            Self::Granted => "Granted",
            Self::Revoked => "Revoked",
            Self::BecameReady => "BecameReady",
            Self::LostEffect => "LostEffect",
            Self::BecameInvalid => "BecameInvalid",
            Self::CascadeStarted => "CascadeStarted",
            Self::CascadeCompleted => "CascadeCompleted",
            Self::ExpiredDeleted => "ExpiredDeleted",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::CascadeStarted | Self::CascadeCompleted => "Cascade",
            Self::ExpiredDeleted => "Expire",
            _ => "Index",
        }
    }

    const fn event_type(self) -> EventType {
        match self {
            Self::LostEffect | Self::BecameInvalid => EventType::Warning,
            _ => EventType::Normal,
        }
    }

    /// What a status that is written in place of another tells; none: nothing that is worth an event.
    #[must_use]
    pub fn of_status<'a>(kind: Kind, before: Option<&ObservedStatus>, now: &'a [Stated]) -> Option<(Self, &'a str)> {
        let stated = |condition| now.iter().find(|stated| stated.condition == condition);
        let held = |condition| before.and_then(|before| before.holds(condition));
        let ready = stated(ConditionType::Ready)?;
        let stalls = stated(ConditionType::Stalled).is_some();
        let cascades = ready.reason == DEPENDENTS_REMAINING && !stalls;
        let did_before =
            before.is_some_and(ObservedStatus::tells_of_dependents) && held(ConditionType::Stalled) != Some(true);
        let happening = match (held(ConditionType::Ready), ready.holds) {
            (_, false) if cascades && !did_before => Self::CascadeStarted,
            (_, false) if stalls && held(ConditionType::Stalled) != Some(true) => Self::BecameInvalid,
            (Some(true), false) if ready.reason == conditions::TERMINATING => return None,
            (Some(true), false) if kind.is_assignment() => Self::Revoked,
            (Some(true), false) => Self::LostEffect,
            (None | Some(false), true) if kind.is_assignment() => {
                return Some((Self::Granted, "it grants its role now"));
            }
            (Some(false), true) => return Some((Self::BecameReady, "all that it says has effect now")),
            // What is ready, or waits, from its beginning is nothing to report.
            (None, _) | (Some(true), true) | (Some(false), false) => return None,
        };
        Some((happening, &ready.message))
    }
}

struct Report {
    happening: Happening,
    note: String,
    object: ObjectReference,
}

/// Where events are reported to be written.
#[derive(Clone)]
pub struct Events {
    waiting: mpsc::Sender<Report>,
    metrics: Metrics,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    /// Where to report events, and what writes them for as long as anybody may report any.
    pub fn new(
        client: Client,
        identity: &str,
        leadership: Leadership,
        metrics: Metrics,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let instance = identity[..identity.floor_char_boundary(MAX_INSTANCE)].to_owned();
        let reporter = Reporter { controller: "authz.bailiwick.dev/operator".to_owned(), instance: Some(instance) };
        let recorder = Arc::new(Recorder::new(client, reporter));
        let (waiting, mut reports) = mpsc::channel::<Report>(WAITING);
        let counted = metrics.clone();
        let write = async move {
            let limit = RateLimit::new(PER_SECOND, BURST);
            while let Some(Report { happening, note, object }) = reports.recv().await {
                limit.wait().await;
                if !leadership.holds() {
                    counted.wrote("event", "not_leading");
                    continue;
                }
                let event = Event {
                    type_: happening.event_type(),
                    reason: happening.reason().to_owned(),
                    note: Some(note),
                    action: happening.action().to_owned(),
                    secondary: None,
                };
                match recorder.publish(&event, &object).await {
                    Ok(()) => counted.wrote("event", "ok"),
                    Err(error) => {
                        counted.wrote("event", "error");
                        // A namespace that is being deleted takes no events; nor does an API server without the permission.
                        debug!(%error, "an event could not be written");
                    }
                }
            }
        };
        (Self { waiting, metrics }, write)
    }

    /// Reports that something happened to an object. Does not wait: where too much happens, some of it is only counted.
    pub fn report(&self, environment: &Name, object: &ObjectRef, record: &Record, happening: Happening, note: &str) {
        let note = note[..note.floor_char_boundary(MAX_NOTE)].to_owned();
        let object = ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(object.kind.as_str().to_owned()),
            namespace: Some(environment.to_string()),
            name: Some(object.name.to_string()),
            uid: Some(record.uid.to_string()),
            ..ObjectReference::default()
        };
        if self.waiting.try_send(Report { happening, note, object }).is_err() {
            self.metrics.event_dropped();
            debug!("an event was dropped, for too many wait to be written");
        }
    }
}
