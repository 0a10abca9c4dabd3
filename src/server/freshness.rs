//! How fresh answers are: every one says which state it comes from, and none is older than its request asks for. What that promises is
//! in `docs/consistency.md`.

mod at_least;
mod token;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Uri},
    response::Response,
};
use tokio::sync::SemaphorePermit;

use self::{at_least::AtLeast, token::Token};
use super::{Error, Server, environment, observe};
use crate::{
    graph::Revision,
    store::{History, Missing, NotFresh},
};

const REVISION: HeaderName = HeaderName::from_static("bailiwick-revision");
const STALE: HeaderName = HeaderName::from_static("bailiwick-stale");

/// What is known before a request is answered of what its answer is to say.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// As of the beginning: where it becomes another meanwhile, what is answered is of this one, or of neither.
    history: History,
    uri: Uri,
    route: &'a str,
    /// The caller may be told of it.
    is_admitted: AtomicBool,
}

impl<'r> Asked<'r> {
    pub fn of(server: &Server, route: &'r str, request: &Request) -> Self {
        Self {
            history: server.store.progress().history(),
            uri: request.uri().clone(),
            route,
            is_admitted: AtomicBool::new(false),
        }
    }

    /// Says in an answer which state it comes from: the one that was `seen`. Where none was, which is so for errors, it is the one
    /// that is answered from now.
    pub fn mark(&self, server: &Server, seen: Option<Revision>, response: &mut Response) {
        if !self.is_admitted.load(Ordering::Relaxed) {
            return;
        }
        let headers = response.headers_mut();
        let now = || {
            let environment = self.environment(server).filter(|_| server.environments.is_synced())?;
            server.serves(environment).then(|| server.environments.revision(environment))
        };
        if let Some(revision) = seen.or_else(now).filter(is_told) {
            headers.insert(REVISION, Token { history: self.history, revision }.to_header());
        }
        if let Some(stale) = server.store.progress().stale_for() {
            headers.insert(STALE, HeaderValue::from(stale.as_secs()));
        }
    }

    /// Waits until the answer to a request, whose caller may ask the environment, is as fresh as its headers ask for. While it waits,
    /// the permit is given to others: those that need not wait are answered however many wait.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn wait<'a>(
        &self,
        server: &'a Server,
        headers: &HeaderMap,
        permit: SemaphorePermit<'a>,
    ) -> Result<SemaphorePermit<'a>, Error> {
        self.is_admitted.store(true, Ordering::Relaxed);
        // Most ask for nothing.
        if !headers.contains_key(at_least::AT_LEAST) {
            return Ok(permit);
        }
        let waited = Box::pin(wait_until_fresh(server, self.environment(server), headers, permit)).await;
        let outcome = match &waited {
            Ok(_) => "fresh",
            Err(Error::NotFresh { .. }) => "late",
            Err(Error::Overloaded) => "overloaded",
            Err(_) => "refused",
        };
        server.metrics.count_freshness(outcome);
        waited
    }

    /// The environment that is asked; none: the path spells it in a way that only the router understands.
    fn environment<'a>(&'a self, server: &'a Server) -> Option<&'a str> {
        let name = environment::spelled(server, self.route, self.uri.path());
        (!name.contains('%')).then_some(name)
    }
}

async fn wait_until_fresh<'a>(
    server: &'a Server,
    environment: Option<&str>,
    headers: &HeaderMap,
    permit: SemaphorePermit<'a>,
) -> Result<SemaphorePermit<'a>, Error> {
    let Some(AtLeast { tokens, objects }) =
        AtLeast::of(headers).map_err(|problem| Error::AtLeast { problem: problem.into() })?
    else {
        return Ok(permit);
    };
    let progress = server.store.progress();
    if objects.is_some() && !progress.has_resource_versions() {
        let problem = "names a resourceVersion, but the objects here are files, which have none; send the value of \
                       `Bailiwick-Revision` of an earlier answer";
        return Err(Error::AtLeast { problem: problem.into() });
    }
    let Some(environment) = environment else {
        let problem = "is only understood where the path spells the environment without percent signs";
        return Err(Error::AtLeast { problem: problem.into() });
    };
    // Who asks for one that is none is told so when it is looked up.
    match server.environment(environment) {
        Ok(_) => {}
        Err(not_yet @ Error::NotSynced { .. }) => return Err(not_yet),
        Err(_) => return Ok(permit),
    }
    let history = progress.history();
    if tokens.iter().any(|token| token.history != history) {
        return Err(Error::OtherHistory);
    }
    let mut wanted = objects.unwrap_or_default();
    for token in &tokens {
        token.revision.iter().for_each(|(kind, number)| wanted.raise(kind, number));
    }
    if progress.missing(environment, &wanted).is_empty() {
        return Ok(permit);
    }
    drop(permit);
    let _place = server.waiters.try_acquire().map_err(|_| Error::Overloaded)?;
    let limits = &server.config.limits;
    let patience = limits.freshness_wait.min(limits.request_time);
    progress.wait_for(environment, &wanted, patience).await.map_err(|not_fresh| refusal(not_fresh, patience))?;
    observe::permit(server)
}

fn refusal(not_fresh: NotFresh, waited: Duration) -> Error {
    match not_fresh {
        NotFresh::Ahead { missing: Missing { kind, wanted, .. }, newest } => Error::Ahead { kind, wanted, newest },
        NotFresh::Late(missing) => Error::NotFresh { missing, waited },
    }
}

/// The token of a state that is answered from now, for the body of an answer; none: no source has said how far it has come.
pub(super) fn token(server: &Server, revision: &Revision) -> Option<String> {
    let history = server.store.progress().history();
    // Before the history becomes another, it is seen to that no answers are given.
    let is_of_it = is_told(revision) && server.environments.is_synced();
    is_of_it
        .then(|| String::from_utf8_lossy(Token { history, revision: *revision }.to_header().as_bytes()).into_owned())
}

/// Whether any source has said how far a graph has come.
fn is_told(revision: &Revision) -> bool {
    *revision != Revision::default()
}
