//! Connections: both versions of HTTP, and their bounds.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use axum::http::{HeaderMap, Method, Request, header};
use bailiwick::server::Limits;
use serde_json::json;

use super::{question, world};
use crate::support::{
    http,
    http2::Http2,
    router::config,
    serving::Serving,
    wait::{self, PATIENCE},
};

const EVALUATION: &str = "/access/v1/evaluation";

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// All that comes until the server closes the connection.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let ended = stream.read_to_end(&mut received);
    assert!(!ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "it is kept open");
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_versions_of_http_give_the_same_answers() {
    let serving = Serving::begin(config()).await;
    serving.apply(world());
    let evaluation = question("alice", "edit", "website").to_string();
    let check = json!({
        "membership": "alice-acme", "permission": "project:edit", "resource": {"type": "project", "id": "app"}
    });
    let check = check.to_string();
    let checks = format!(r#"{{"checks":[{check},{{}}]}}"#);
    let evaluations = format!(r#"{{"evaluations":[{evaluation},{{}}]}}"#);
    let too_large = " ".repeat(Limits::default().body + 1);
    let in_environment = |path: &str| format!("/environments/default{path}");

    let mut streams = Http2::connect(serving.api).await;
    let client = http::client().build().unwrap();
    for (method, path, body, status) in [
        (Method::POST, EVALUATION.to_owned(), &*evaluation, 200),
        (Method::POST, in_environment(EVALUATION), &evaluation, 200),
        (Method::POST, "/access/v1/evaluations".to_owned(), &evaluations, 200),
        (Method::POST, in_environment("/access/v1/evaluations"), &evaluations, 200),
        (Method::POST, in_environment("/v1/check"), &check, 200),
        (Method::POST, "/environments/d%65fault/v1/check".to_owned(), &check, 200),
        (Method::POST, in_environment("/v1/checks"), &checks, 200),
        (Method::POST, in_environment("/v1/explain"), &check, 200),
        (Method::GET, in_environment("/v1/objects?limit=3"), "", 200),
        (Method::POST, in_environment("/v1/check"), "{}", 400),
        (Method::POST, in_environment("/v1/check"), "{", 400),
        (Method::POST, in_environment("/v1/check"), "", 400),
        (Method::POST, "/environments/A/v1/check".to_owned(), &check, 400),
        (Method::GET, EVALUATION.to_owned(), "", 405),
        (Method::POST, "/nowhere".to_owned(), "{}", 404),
        (Method::POST, EVALUATION.to_owned(), &too_large, 413),
        (Method::POST, "/environments/default/v1/explain".to_owned(), &too_large, 413),
    ] {
        let url = format!("http://{}{path}", serving.api);
        let headers = [("content-type", "application/json"), ("x-request-id", "a-1")];
        let request = client.request(method.clone(), &url).body(body.to_owned());
        let response = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = response.send().await.unwrap();
        let (one_status, one_headers) = (response.status(), plain(response.headers()));
        let one_body = response.text().await.unwrap();

        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let two = streams.send(request.method(method.clone()).uri(url).body(body.to_owned()).unwrap()).await;
        assert_eq!((one_status, &one_body), (two.status, &two.body), "{path}");
        assert_eq!(one_headers, plain(&two.headers), "{path}");
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let routed =
            serving.router.send(request.method(method).uri(path.clone()).body(body.to_owned().into()).unwrap()).await;
        assert_eq!((one_status, &one_body), (routed.status, &routed.body), "{path}");
        assert_eq!((one_status.as_u16(), &one_headers["x-request-id"]), (status, &"a-1".parse().unwrap()), "{path}");
    }
}

/// The headers, but for the time.
fn plain(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(header::DATE).expect("an answer has a date");
    headers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refusal_waits_for_the_body_on_a_socket_too() {
    let mut config = config();
    config.served_environments = Some(["other".to_owned()].into());
    let serving = Serving::begin(config).await;
    let body = " ".repeat(Limits::default().body);
    let client = http::client().build().unwrap();
    for (path, content_type, code) in [
        ("/environments/default/v1/check", "application/json", "environment_not_served"),
        ("/environments/other/v1/check", "text/plain", "unsupported_content_type"),
        ("/environments/other/v1/check", "application/json", "malformed_request"),
    ] {
        let url = format!("http://{}{path}", serving.api);
        let response = client.post(url).header("content-type", content_type).body(body.clone()).send().await.unwrap();
        let answer: serde_json::Value = response.json().await.unwrap();
        assert_eq!(answer["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_sends_the_head_of_a_request_slowly_is_cut_off() {
    let mut config = config();
    config.limits.head_time = Duration::from_millis(100);
    let serving = Serving::begin(config).await;
    // In HTTP/2: the preface, no settings, and a request on stream 1 whose body is still to come, or none.
    let preface = &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..];
    let under_way = &b"\0\0\x06\x01\x04\0\0\0\x01\x83\x86\x84\x41\x01x"[..];
    // Headers of 16,000 bytes, and headers that are continued by as many.
    let long = &b"\0\x3e\x80\x01\x04\0\0\0\x03"[..];
    let continued = &b"\0\0\x01\x01\0\0\0\0\x03\x82\0\x3e\x80\x09\x04\0\0\0\x03"[..];
    for address in [serving.api, serving.probes] {
        for begun in [
            &b"GET /livez HTTP/1.1\r\nx: "[..],
            &[preface, long].concat(),
            &[preface, continued].concat(),
            &[preface, under_way, long].concat(),
        ] {
            let mut stream = connect(address);
            stream.write_all(begun).unwrap();
            stream.set_nonblocking(true).unwrap();
            wait::until("it is closed", || {
                let mut some = [0; 1024];
                let sent = stream.write_all(b"x");
                match (sent, stream.read(&mut some)) {
                    (Err(_), _) | (_, Ok(0)) => Ok(()),
                    (_, Err(error)) if error.kind() != ErrorKind::WouldBlock => Ok(()),
                    (Ok(()), _) => Err("it takes more".to_owned()),
                }
            });
        }
    }
    assert!(!serving.task.is_finished(), "it goes on serving");
}

/// A head may take less time than a connection may be idle, and who keeps an idle connection is not cut off for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_head_that_comes_slowly_ends_a_connection_and_silence_does_not() {
    let mut config = config();
    config.limits.head_time = Duration::from_millis(100);
    let serving = Serving::begin(config).await;
    let request = b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n";
    let answered = |stream: &mut TcpStream| {
        let mut some = [0; 1024];
        let length = stream.read(&mut some).unwrap();
        assert!(some[..length].starts_with(b"HTTP/1.1 404"));
    };
    let (mut silent, mut kept) = (connect(serving.api), connect(serving.api));
    kept.write_all(request).unwrap();
    answered(&mut kept);
    let mut streams = Http2::connect(serving.api).await;
    // The first head of a connection, and one after another.
    for before in [&b""[..], request] {
        let mut slow = connect(serving.api);
        slow.write_all(before).unwrap();
        if !before.is_empty() {
            answered(&mut slow);
        }
        slow.set_nonblocking(true).unwrap();
        wait::until("it is closed", || {
            let mut some = [0; 1024];
            match (slow.write_all(b"G"), slow.read(&mut some)) {
                (Err(_), _) | (_, Ok(0)) => Ok(()),
                (_, Err(error)) if error.kind() != ErrorKind::WouldBlock => Ok(()),
                (Ok(()), _) => Err("it takes more".to_owned()),
            }
        });
    }
    for idle in [&mut silent, &mut kept] {
        idle.write_all(request).unwrap();
        answered(idle);
    }
    let request = Request::get("http://bailiwick/nowhere").body(String::new()).unwrap();
    streams.send(request).await.error(404, "no_such_route");
}

/// Requests that are taken back at once cost the server's attention and the client nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_takes_back_request_after_request_is_cut_off() {
    let serving = Serving::begin(config()).await;
    serving.apply(world());
    let streams = Http2::connect(serving.api).await;
    let taken_back = streams.take_back(EVALUATION, 100_000).await;
    assert!(taken_back < 100_000, "it went on to the end");

    let request = question("alice", "edit", "website").to_string();
    let request =
        Request::post(format!("http://bailiwick{EVALUATION}")).header("content-type", "application/json").body(request);
    Http2::connect(serving.api).await.send(request.unwrap()).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_under_way_keeps_its_connection() {
    let mut config = config();
    config.limits.idle_time = Duration::from_millis(500);
    let serving = Serving::begin(config).await;
    let mut streams = Http2::connect(serving.api).await;
    let stream = streams.begin(EVALUATION).await;
    // Those that are idle for as long are closed meanwhile.
    for _ in 0..2 {
        assert_eq!(read_to_end(&mut connect(serving.api)), b"");
    }
    stream.finish(question("alice", "edit", "website")).await.ok();
    streams.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connections_that_are_too_many_wait() {
    let mut config = config();
    config.limits.connections = 1;
    let serving = Serving::begin(config).await;
    let ask = |stream: &mut TcpStream| stream.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let answered = |stream: &mut TcpStream| {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).map(|()| assert_eq!(&answer, b"HTTP/1.1 404"))
    };
    let (mut first, mut second) = (connect(serving.api), connect(serving.api));
    ask(&mut first);
    answered(&mut first).unwrap();
    ask(&mut second);
    let client = http::client().build().unwrap();
    let metrics = client.get(format!("http://{}/metrics", serving.probes)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("bailiwick_http_connections{listener=\"api\"} 1\n"), "{metrics}");
    second.set_nonblocking(true).unwrap();
    assert_eq!(answered(&mut second).unwrap_err().kind(), ErrorKind::WouldBlock);

    drop(first);
    second.set_nonblocking(false).unwrap();
    answered(&mut second).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn heads_and_streams_are_bounded() {
    let serving = Serving::begin(config()).await;
    let long = "x".repeat(70_000);
    let mut stream = connect(serving.api);
    // It may be closed before all is sent.
    let _: io::Result<()> = stream.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n").as_bytes());
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");

    let mut stream = connect(serving.api);
    let many = "x: y\r\n".repeat(101);
    stream.write_all(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).unwrap();
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");

    let mut streams = Http2::connect(serving.api).await;
    assert_eq!(streams.max_streams(), 128);
    let request = Request::get("http://bailiwick/").header("x", &long).body(String::new()).unwrap();
    assert_eq!(streams.send(request).await.status, 431);
    // Small ones, each of which weighs more than it is long.
    let many = (0..2000).fold(Request::get("http://bailiwick/"), |request, i| request.header("x", i));
    assert_eq!(streams.send(many.body(String::new()).unwrap()).await.status, 431);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_on_which_nothing_happens_is_closed() {
    let mut config = config();
    config.limits.idle_time = Duration::from_millis(50);
    let serving = Serving::begin(config).await;
    for address in [serving.api, serving.probes] {
        // Nothing at all, the beginning of either version of HTTP, and a whole request that no other follows.
        for sent in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let mut stream = connect(address);
            stream.write_all(sent.as_bytes()).unwrap();
            let received = read_to_end(&mut stream);
            assert_eq!(received.starts_with(b"HTTP/1.1 404"), sent.starts_with("GET"), "{sent:?}");
        }
    }
    assert!(!serving.task.is_finished(), "it goes on serving");
}
