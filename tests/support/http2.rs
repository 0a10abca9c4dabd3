//! A client of HTTP/2 that can stop in the middle of a request.

use std::net::SocketAddr;

use axum::{body::Bytes, http::Request};
use h2::{
    Ping, PingPong, Reason, SendStream,
    client::{ResponseFuture, SendRequest},
};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::{answer::Answer, wait::PATIENCE};

/// A connection, made without TLS and with prior knowledge.
pub struct Http2 {
    requests: SendRequest<Bytes>,
    pings: PingPong,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    /// A connection whose settings are known to both sides.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (requests, mut connection) = h2::client::handshake(stream).await.expect("the server speaks HTTP/2");
        let pings = connection.ping_pong().expect("the first to ask for it");
        let mut client = Self { requests, pings, connection: tokio::spawn(connection) };
        client.settle().await;
        client
    }

    /// How many requests the server lets be under way.
    pub fn max_streams(&self) -> usize {
        self.requests.current_max_send_streams()
    }

    /// Asks, and waits for the answer.
    pub async fn send(&mut self, request: Request<String>) -> Answer {
        let (head, body) = request.into_parts();
        let ended = body.is_empty();
        let (response, mut stream) =
            self.requests.send_request(Request::from_parts(head, ()), ended).expect("a request that can be sent");
        if !ended {
            stream.send_data(body.into(), true).expect("the body is sent");
        }
        answer(response).await
    }

    /// A POST of JSON whose body is still to come. When this returns, the server knows of it.
    pub async fn begin(&mut self, path: &str) -> Unfinished {
        let request = Request::post(format!("http://bailiwick{path}")).header("content-type", "application/json");
        let request = request.body(()).expect("a request");
        let (response, stream) = self.requests.send_request(request, false).expect("a request that can be sent");
        self.settle().await;
        Unfinished { response, stream }
    }

    /// Begins requests and takes them back, one after the other, until the server closes the connection or there were so
    /// many. How many there were.
    pub async fn take_back(mut self, path: &str, most: usize) -> usize {
        for number in 0..most {
            let request = Request::post(format!("http://bailiwick{path}")).body(()).expect("a request");
            let ready = timeout(PATIENCE, self.requests.ready()).await.expect("in time");
            let Ok(mut requests) = ready else { return number };
            let Ok((_response, mut stream)) = requests.send_request(request, false) else { return number };
            stream.send_reset(Reason::CANCEL);
            self.requests = requests;
        }
        most
    }

    /// Waits until the server closes the connection.
    pub async fn closed(self) {
        timeout(PATIENCE, self.connection).await.expect("it is closed").expect("no panic").expect("in good order");
    }

    /// Whatever was sent before has been read when a ping is answered.
    async fn settle(&mut self) {
        timeout(PATIENCE, self.pings.ping(Ping::opaque())).await.expect("in time").expect("an answer to a ping");
    }
}

/// A request that is under way for as long as a test wants.
pub struct Unfinished {
    response: ResponseFuture,
    stream: SendStream<Bytes>,
}

impl Unfinished {
    /// Sends the body, and waits for the answer.
    pub async fn finish(mut self, body: Value) -> Answer {
        self.stream.send_data(body.to_string().into(), true).expect("the body is sent");
        answer(self.response).await
    }
}

async fn answer(response: ResponseFuture) -> Answer {
    let response = timeout(PATIENCE, response).await.expect("in time").expect("an answer");
    let (head, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data.expect("all of the answer");
        stream.flow_control().release_capacity(data.len()).expect("it was received");
        body.extend_from_slice(&data);
    }
    Answer { status: head.status, headers: head.headers, body: String::from_utf8(body).expect("text") }
}
