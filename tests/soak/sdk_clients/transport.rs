//! How the clients send, and what is measured of it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use workos::transport::{HttpRequest, HttpResponse, HttpTransport, TransportError};

use super::client::Failure;

/// The address in the URLs of the clients, in place of which the server's is put, which may change.
pub const PLACEHOLDER: &str = "http://bailiwick.test";

/// A server, and what became of the requests to it.
#[derive(Debug)]
pub struct Endpoint {
    address: Mutex<String>,
    client: reqwest::Client,
    measured: Mutex<Measured>,
}

/// What became of requests.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How long the writes took that were answered.
    pub writes: Vec<Duration>,
    /// The same of checks.
    pub checks: Vec<Duration>,
    /// The same of everything else that is read.
    pub reads: Vec<Duration>,
    /// How many requests were answered with 503 and the time after which to try again.
    pub unavailable: usize,
    /// How many were not answered.
    pub unanswered: usize,
    /// What else was answered as a failure of the server.
    pub failures: Vec<String>,
}

impl Measured {
    /// Both.
    pub fn with(mut self, other: &Self) -> Self {
        let Self { writes, checks, reads, unavailable, unanswered, failures } = other;
        self.writes.extend(writes);
        self.checks.extend(checks);
        self.reads.extend(reads);
        self.unavailable += unavailable;
        self.unanswered += unanswered;
        self.failures.extend(failures.iter().cloned());
        self
    }

    fn note(&mut self, method: &Method, url: &str, took: Duration) {
        if *method == Method::GET {
            self.reads.push(took);
        } else if url.ends_with("/check") {
            self.checks.push(took);
        } else {
            self.writes.push(took);
        }
    }
}

impl Endpoint {
    /// A server at `address:port`.
    pub fn new(client: reqwest::Client, address: &str) -> Arc<Self> {
        Arc::new(Self { address: Mutex::new(address.to_owned()), client, measured: Mutex::default() })
    }

    /// From now on the server is there.
    pub fn moved_to(&self, address: &str) {
        address.clone_into(&mut self.address.lock().unwrap());
    }

    /// What became of the requests so far.
    pub fn measured(&self) -> Measured {
        self.measured.lock().unwrap().clone()
    }

    /// Forgets that.
    pub fn measure_anew(&self) {
        *self.measured.lock().unwrap() = Measured::default();
    }

    /// PATCH, for which the SDK has no method.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<(), Failure> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let (url, body) = (format!("{PLACEHOLDER}{path}"), Some(body.to_string().into()));
        let answer = self.answer(HttpRequest { method: Method::PATCH, url, headers, body }).await;
        let HttpResponse { status, body, .. } =
            answer.map_err(|error| Failure { status: None, text: error.to_string() })?;
        if status.is_success() {
            return Ok(());
        }
        Err(Failure { status: Some(status.as_u16()), text: String::from_utf8_lossy(&body).into_owned() })
    }

    async fn answer(&self, request: HttpRequest) -> reqwest::Result<HttpResponse> {
        self.send(request).await.inspect_err(|_| self.measured.lock().unwrap().unanswered += 1)
    }

    async fn send(&self, request: HttpRequest) -> reqwest::Result<HttpResponse> {
        let HttpRequest { method, url, headers, body } = request;
        let url = url.replacen(PLACEHOLDER, &format!("http://{}", self.address.lock().unwrap()), 1);
        let started = Instant::now();
        let mut builder = self.client.request(method.clone(), &url).headers(headers);
        if let Some(body) = body {
            builder = builder.body(body);
        }
        let response = builder.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?;
        let mut measured = self.measured.lock().unwrap();
        if status == StatusCode::SERVICE_UNAVAILABLE && headers.contains_key(RETRY_AFTER) {
            measured.unavailable += 1;
        } else if status.is_server_error() {
            measured.failures.push(format!("{method} {url}: {status} {}", String::from_utf8_lossy(&body)));
        } else {
            measured.note(&method, &url, started.elapsed());
        }
        drop(measured);
        Ok(HttpResponse { status, headers, body })
    }
}

/// Sends what the SDK asks for to an endpoint.
#[derive(Clone, Debug)]
pub struct ToEndpoint(pub Arc<Endpoint>);

impl HttpTransport for ToEndpoint {
    fn execute<'transport, 'sent>(
        &'transport self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'sent>>
    where
        'transport: 'sent,
        Self: 'sent,
    {
        Box::pin(async move { self.0.answer(request).await.map_err(TransportError::other) })
    }
}
