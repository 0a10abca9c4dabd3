//! What every subcommand that answers checks does: bind, serve, follow its source, and end in good order.

use std::{collections::BTreeSet, convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc};

use futures::future::{self, BoxFuture};
use prometheus_client::registry::Registry;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::{Error, authentication::Opened, logging, options::Answering};
use crate::{
    graph::Environments,
    server::{self, AccessReviewListener, AdmissionListener, Authentication, Listeners, Reviewer, Server},
    store::Store,
};

/// What the name of every metric begins with.
pub(super) const METRICS_PREFIX: &str = "bailiwick";

/// Runs a subcommand to its end on all processors.
pub(super) fn block_on(
    logging: &logging::Options,
    command: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    // rustls chooses one by itself only as long as no dependency brings a second. Fails only where one is installed
    // already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Until the end: it then sends what is left of the spans.
    let _logging = logging::start(logging)?;
    tokio::runtime::Runtime::new().map_err(Error::Runtime)?.block_on(command)
}

/// The sockets of a server, bound as the options say.
pub(super) struct Bound {
    listeners: Listeners,
    authentication: Option<Arc<Authentication>>,
    /// Follow the files that options name, without end.
    following: Vec<BoxFuture<'static, ()>>,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the probes listen.
    pub probes: SocketAddr,
}

impl Bound {
    /// With the admission webhook besides.
    pub fn with_admission(mut self, listener: AdmissionListener) -> Self {
        self.listeners.admission = Some(listener);
        self
    }

    /// With the authorization webhook besides, and what follows its files.
    pub fn with_access_reviews(
        mut self,
        listener: AccessReviewListener,
        following: Vec<BoxFuture<'static, ()>>,
    ) -> Self {
        self.listeners.access_reviews = Some(listener);
        self.following.extend(following);
        self
    }
}

impl Bound {
    /// Where the API is, for people.
    pub fn api_url(&self) -> String {
        let scheme = if self.listeners.api_tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.api)
    }
}

/// Binds the sockets, and reads what says whom to answer. Tokens are taken where there is a reviewer.
pub(super) async fn bind(
    options: &Answering,
    reviewer: Option<Arc<dyn Reviewer>>,
    registry: &mut Registry,
) -> Result<Bound, Error> {
    let Opened { authentication, tls: api_tls, following } = options.authentication.open(reviewer, registry)?;
    let (api_listener, api) = listen(options.listen, "--listen").await?;
    let (probe_listener, probes) = listen(options.probe_listen, "--probe-listen").await?;
    let listeners =
        Listeners { api: api_listener, api_tls, probes: probe_listener, admission: None, access_reviews: None };
    Ok(Bound { listeners, authentication, following, api, probes })
}

pub(super) async fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), Error> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        io::Result::Ok((listener, address))
    };
    bound.await.map_err(|source| Error::Bind { address, flag, source })
}

/// Answers until SIGTERM or SIGINT. Then the requests under way are answered, and `background` is told to end and awaited.
/// Whatever ends before, the background included, is an error: answers from a graph that nothing keeps up to date would be
/// wrong ones sooner or later.
pub(super) async fn answer(
    bound: Bound,
    answering: &Answering,
    served_environments: Option<BTreeSet<String>>,
    environments: Arc<Environments>,
    store: Store,
    mut registry: Registry,
    background: impl AsyncFnOnce(CancellationToken),
) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let Bound { listeners, authentication, following, .. } = bound;
    let (decision_log, _drain) = answering.decision_log.start(&mut registry)?.unzip();
    let config = server::Config { authentication, decision_log, ..answering.server(served_environments) };
    let server = Server::new(config, environments, Arc::new(store), registry);
    let stop = CancellationToken::new();
    let aborted = async {
        signals.next().await;
        stop.cancel();
        signals.next().await;
    };
    let drained = CancellationToken::new();
    let mut background = pin!(background(drained.clone()));
    let serving = server::serve(server, listeners, stop.cancelled());
    let work = async {
        tokio::select! {
            ended = serving => match ended {
                Ok(()) if stop.is_cancelled() => {
                    drained.cancel();
                    background.await;
                    Ok(())
                }
                Ok(()) => Err(Error::ServerEnded),
                Err(error) => Err(Error::Server(error)),
            },
            () = &mut background => Err(Error::SourceEnded),
        }
    };
    let following = async {
        future::join_all(following).await;
        // None of them ends; where there are none, this does not either.
        future::pending::<Infallible>().await
    };
    tokio::select! {
        ended = work => ended,
        () = aborted => Err(Error::Aborted),
        never = following => match never {},
    }
}

/// The signals that ask the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}
