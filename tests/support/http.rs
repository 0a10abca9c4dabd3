//! HTTP requests from tests that are not asynchronous themselves.

use std::sync::OnceLock;

use reqwest::{Client, RequestBuilder};
use tokio::runtime::Runtime;

use super::answer::Answer;

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
