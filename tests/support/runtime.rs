//! What is asynchronous, from tests that are not.

use std::sync::LazyLock;

use tokio::runtime::Runtime;

/// Runs it to its end. What it spawns goes on.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    static SHARED: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    SHARED.block_on(future)
}
