//! Serving on sockets, and stopping.

use std::{
    io::{self, Read as _, Write as _},
    net::{self, SocketAddr},
    time::Duration,
};

use bailiwick::server::{self, Config, Listeners};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    http,
    router::{TestServer, config},
    unfinished::Unfinished,
    wait::PATIENCE,
};

/// A server on sockets.
struct Serving {
    api: SocketAddr,
    probes: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

impl Serving {
    async fn begin(config: Config) -> Self {
        let server = TestServer::new(config).server;
        let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let probes = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shutdown = CancellationToken::new();
        Self {
            api: api.local_addr().unwrap(),
            probes: probes.local_addr().unwrap(),
            task: tokio::spawn(server::serve(
                server,
                Listeners { api, probes, admission: None },
                shutdown.clone().cancelled_owned(),
            )),
            shutdown,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_under_way_is_answered_before_the_end() {
    let Serving { api, probes, shutdown, task } = Serving::begin(config()).await;
    let client = http::client().build().unwrap();
    let ready = async || client.get(format!("http://{probes}/readyz")).send().await.unwrap().status();
    assert_eq!(ready().await, 200);
    let under_way = Unfinished::send(api);

    shutdown.cancel();
    timeout(PATIENCE, async { while ready().await != 503 {} }).await.expect("readiness is withdrawn");
    timeout(PATIENCE, async { while TcpStream::connect(api).await.is_ok() {} })
        .await
        .expect("no more connections are accepted");
    assert!(!task.is_finished(), "a request is under way");

    let response = under_way.finish();
    assert!(response.starts_with("HTTP/1.1 200 OK") && response.contains(r#""decision":false"#), "{response}");
    timeout(PATIENCE, task).await.expect("it ends by itself").unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_on_which_nothing_happens_is_closed() {
    let mut config = config();
    config.limits.idle_time = Duration::from_millis(50);
    let Serving { api, probes, shutdown: _, task } = Serving::begin(config).await;
    for address in [api, probes] {
        // Nothing at all, the beginning of either version of HTTP, and a whole request that no other follows.
        for sent in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let mut stream = net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            let mut received = Vec::new();
            let ended = stream.read_to_end(&mut received);
            assert!(!ended.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock), "{sent:?} keeps it open");
            assert_eq!(received.starts_with(b"HTTP/1.1 404"), sent.starts_with("GET"), "{sent:?}");
        }
    }
    assert!(!task.is_finished(), "it goes on serving");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_time_to_drain_is_bounded() {
    let mut config = config();
    config.limits.drain_time = Duration::from_millis(1);
    let serving = Serving::begin(config).await;
    let _stuck = Unfinished::send(serving.api);

    serving.shutdown.cancel();
    timeout(PATIENCE, serving.task).await.expect("it does not wait for ever").unwrap().unwrap();
}
