//! Why the API server does not do what it is asked for, in words for people.

use kube::{
    core::{ApiResource, Status},
    runtime::watcher,
};
use tokio::time::{Duration, Instant};

use super::events::Failure;
use crate::source::with_causes;

/// After so long without an error, the next one is news again. More than twice the longest time between two tries.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(2);

/// What one must be allowed to do for a watch.
const VERBS: &str = "`list` and `watch`";

/// Why a watch fails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The API server does not know the kind.
    NotServed,
    /// The API server has forgotten what changed since; the watch begins anew.
    Expired,
    /// Anything else, in words.
    Other(String),
}

impl Cause {
    /// Why this error came about.
    pub fn of(failure: &Failure) -> Self {
        use watcher::Error as Watch;
        let Failure::Watch(error) = failure else { return Self::Other(failure.to_string()) };
        match error {
            Watch::WatchError(status) => Self::of_status(status),
            Watch::InitialListFailed(error) | Watch::WatchStartFailed(error) | Watch::WatchFailed(error) => match error
            {
                kube::Error::Api(status) => Self::of_status(status),
                _ => Self::Other(describe_error(error, VERBS)),
            },
            Watch::NoResourceVersion => Self::Other(error.to_string()),
        }
    }

    fn of_status(status: &Status) -> Self {
        match status.code {
            404 => Self::NotServed,
            410 => Self::Expired,
            _ => Self::Other(describe_status(status, VERBS)),
        }
    }

    /// The cause in words.
    pub fn describe(&self, resource: &ApiResource) -> String {
        match self {
            Self::NotServed => describe_missing_definition(resource),
            Self::Expired => "the watch fell too far behind and begins anew".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }
}

/// What a watch suffers from, so that each cause is told once and not at every try.
#[derive(Debug, Default)]
pub struct Trouble {
    current: Option<Episode>,
}

/// The same cause again and again.
#[derive(Debug)]
struct Episode {
    cause: Cause,
    since: Instant,
    until: Instant,
}

impl Trouble {
    /// Notes an error. Returns for how long there was no other cause; none: it is the first time, or has not been for
    /// long.
    pub fn note(&mut self, cause: Cause, now: Instant) -> Option<Duration> {
        match &mut self.current {
            Some(episode) if episode.cause == cause && now - episode.until < FORGOTTEN_AFTER => {
                episode.until = now;
                Some(now - episode.since)
            }
            current => {
                *current = Some(Episode { cause, since: now, until: now });
                None
            }
        }
    }

    /// Notes that all is well. Whether that is news.
    pub fn is_over(&mut self) -> bool {
        self.current.take().is_some()
    }
}

/// Why the API server did not do what it was asked for, in words. The `verbs` are what one must be allowed to do for it.
pub fn describe_error(error: &kube::Error, verbs: &str) -> String {
    match error {
        kube::Error::Api(status) => describe_status(status, verbs),
        kube::Error::SerdeError(_) => format!("the API server's answer makes no sense: {}", with_causes(error)),
        _ => format!("the API server cannot be reached: {}", with_causes(error)),
    }
}

/// That the API server does not know a kind, and what to do about it.
pub fn describe_missing_definition(resource: &ApiResource) -> String {
    format!(
        "the CustomResourceDefinition {}.{} is not installed, or does not serve {}; run `bailiwick crds | kubectl apply --server-side -f -`",
        resource.plural, resource.group, resource.version
    )
}

fn describe_status(status: &Status, verbs: &str) -> String {
    let Status { code, message, .. } = status;
    match code {
        401 => format!("unauthorized: {message}; check the credentials"),
        403 => format!("forbidden: {message}; grant {verbs} on it"),
        _ => format!("the API server answers {code}: {message}"),
    }
}
