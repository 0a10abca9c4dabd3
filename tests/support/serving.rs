//! A server on sockets.

use std::{io, net::SocketAddr, sync::Arc};

use bailiwick::{
    graph::{Environments, facts::Object},
    server::{self, Config, Listeners},
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    facts::applied,
    router::{Client, DEFAULT_ENVIRONMENT, TestServer},
};

/// A server on sockets, until this is dropped or told to end.
pub struct Serving {
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the probes listen.
    pub probes: SocketAddr,
    /// What tells it to end.
    pub shutdown: CancellationToken,
    /// How it ended.
    pub task: JoinHandle<io::Result<()>>,
    /// Asks its router, without a socket.
    pub router: Client,
    /// What it answers from.
    pub environments: Arc<Environments>,
}

impl Serving {
    /// A server that behaves so.
    pub async fn begin(config: Config) -> Self {
        let TestServer { server, environments, api: router, .. } = TestServer::new(config);
        let api = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let probes = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let shutdown = CancellationToken::new();
        Self {
            api: api.local_addr().expect("an address"),
            probes: probes.local_addr().expect("an address"),
            task: tokio::spawn(server::serve(
                server,
                Listeners { api, api_tls: None, probes, admission: None, access_reviews: None },
                shutdown.clone().cancelled_owned(),
            )),
            shutdown,
            router,
            environments,
        }
    }

    /// Lets the default environment hold these objects.
    pub fn apply(&self, objects: impl IntoIterator<Item = Object>) {
        self.environments.apply(DEFAULT_ENVIRONMENT, &applied(objects));
    }
}
