//! HTTP requests from tests that are not asynchronous themselves.

use std::sync::OnceLock;

use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use tokio::runtime::Runtime;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text in a header"))
    }
}

/// Sends the request that `build` makes and reads the answer.
///
/// # Errors
/// Where there is no answer.
pub fn send(build: impl FnOnce(&Client) -> RequestBuilder) -> reqwest::Result<Answer> {
    static SHARED: OnceLock<(Runtime, Client)> = OnceLock::new();
    let (runtime, client) = SHARED.get_or_init(|| (Runtime::new().expect("a runtime"), Client::new()));
    runtime.block_on(async {
        let response = build(client).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    })
}
