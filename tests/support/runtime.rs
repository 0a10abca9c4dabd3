//! What is asynchronous, from tests that are not.

use std::sync::LazyLock;

use tokio::{runtime::Runtime, task::AbortHandle};

static SHARED: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Runs it to its end. What it spawns goes on.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    SHARED.block_on(future)
}

/// Runs it beside what follows.
pub fn spawn(future: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    SHARED.spawn(future).abort_handle()
}
