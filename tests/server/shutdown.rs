//! Serving on sockets, and stopping.

use std::{future::pending, sync::Arc, time::Duration};

use bailiwick::server::{self, Listeners};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::router::{TestServer, config};

/// Nothing here takes long; what does has failed.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() {
    let server = TestServer::new(config()).server;
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probes = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (api_address, probes_address) = (api.local_addr().unwrap(), probes.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let serving =
        tokio::spawn(server::serve(Arc::clone(&server), Listeners { api, probes }, shutdown.clone().cancelled_owned()));
    let ready = || async move { reqwest::get(format!("http://{probes_address}/readyz")).await.unwrap().status() };
    assert_eq!(ready().await, 200);

    // A request of which the body is still to come. The answer to «Expect» says that the handler waits for it.
    let mut under_way = TcpStream::connect(api_address).await.unwrap();
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 2\r\nexpect: 100-continue\r\n\r\n";
    under_way.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 12];
    timeout(PATIENCE, under_way.read_exact(&mut go_on)).await.unwrap().unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100");

    shutdown.cancel();
    timeout(PATIENCE, async { while ready().await != 503 {} }).await.expect("readiness is withdrawn");
    timeout(PATIENCE, async { while TcpStream::connect(api_address).await.is_ok() {} })
        .await
        .expect("no more connections are accepted");
    assert!(!serving.is_finished(), "a request is under way");

    under_way.write_all(b"{}").await.unwrap();
    let mut rest = String::new();
    timeout(PATIENCE, under_way.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(rest.contains("HTTP/1.1 400") && rest.contains("`subject` is missing"), "{rest}");
    timeout(PATIENCE, serving).await.expect("it ends by itself").unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_on_which_nothing_happens_is_closed() {
    let mut config = config();
    config.limits.idle_time = Duration::from_millis(50);
    let server = TestServer::new(config).server;
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probes = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [api.local_addr().unwrap(), probes.local_addr().unwrap()];
    let serving = tokio::spawn(server::serve(server, Listeners { api, probes }, pending()));
    for address in addresses {
        // Nothing at all, the beginning of either version of HTTP, and a whole request that no other follows.
        for sent in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut received = Vec::new();
            // How it ends is of no account, as long as it ends.
            let _ = timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the connection ends");
            assert_eq!(received.starts_with(b"HTTP/1.1 404"), sent.starts_with("GET"), "{sent:?}");
        }
    }
    serving.abort();
}

#[tokio::test]
async fn the_time_to_drain_is_bounded() {
    let mut config = config();
    config.limits.drain_time = Duration::from_millis(1);
    let server = TestServer::new(config).server;
    let api = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probes = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_address = api.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(server::serve(server, Listeners { api, probes }, shutdown.clone().cancelled_owned()));
    let mut stuck = TcpStream::connect(api_address).await.unwrap();
    let head = "POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 2\r\nexpect: 100-continue\r\n\r\n";
    stuck.write_all(head.as_bytes()).await.unwrap();
    timeout(PATIENCE, stuck.read_exact(&mut [0; 12])).await.unwrap().unwrap();

    shutdown.cancel();
    timeout(PATIENCE, serving).await.expect("it does not wait for ever").unwrap().unwrap();
}
