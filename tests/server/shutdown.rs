//! Stopping.

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};

use super::question;
use crate::support::{http, http2::Http2, router::config, serving::Serving, unfinished::Unfinished, wait::PATIENCE};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_under_way_is_answered_before_the_end() {
    let Serving { api, probes, shutdown, task, .. } = Serving::begin(config()).await;
    let client = http::client().build().unwrap();
    let ready = async || client.get(format!("http://{probes}/readyz")).send().await.unwrap().status();
    assert_eq!(ready().await, 200);
    let under_way = Unfinished::send(api);
    let mut client_of_streams = Http2::connect(api).await;
    let streams = client_of_streams.begin("/access/v1/evaluation").await;
    let question = question("alice", "edit", "website");

    shutdown.cancel();
    timeout(PATIENCE, async { while ready().await != 503 {} }).await.expect("readiness is withdrawn");
    timeout(PATIENCE, async { while TcpStream::connect(api).await.is_ok() {} })
        .await
        .expect("no more connections are accepted");
    assert!(!task.is_finished(), "a request is under way");

    let response = under_way.finish();
    assert!(response.starts_with("HTTP/1.1 200 OK") && response.contains(r#""decision":false"#), "{response}");
    let answer = streams.finish(question).await;
    assert_eq!((answer.status.as_u16(), answer.json()["decision"].as_bool()), (200, Some(false)));
    client_of_streams.closed().await;
    timeout(PATIENCE, task).await.expect("it ends by itself").unwrap().unwrap();
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
