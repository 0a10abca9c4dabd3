//! HTTP requests from tests that are not asynchronous themselves.

use std::sync::LazyLock;

use reqwest::{Client, RequestBuilder};

use super::{answer::Answer, runtime};

/// Sends the request that `build` makes and reads the answer.
///
/// # Errors
/// Where there is no answer.
pub fn send(build: impl FnOnce(&Client) -> RequestBuilder) -> reqwest::Result<Answer> {
    static CLIENT: LazyLock<Client> = LazyLock::new(Client::new);
    runtime::block_on(async {
        let response = build(&CLIENT).send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    })
}
