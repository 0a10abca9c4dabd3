//! HTTP requests, also from tests that are not asynchronous themselves.

use std::sync::LazyLock;

use reqwest::{Client, ClientBuilder, RequestBuilder};

use super::{answer::Answer, runtime};

/// What makes clients.
pub fn client() -> ClientBuilder {
    // With the feature `otel` no client is made without one, whether it is needed or not. Fails where there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

/// Sends the request that `build` makes and reads the answer.
///
/// # Errors
/// Where there is no answer.
pub fn send(build: impl FnOnce(&Client) -> RequestBuilder) -> reqwest::Result<Answer> {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| client().build().expect("a client"));
    runtime::block_on(async {
        let response = build(&CLIENT).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    })
}
