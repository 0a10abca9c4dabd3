//! Waiting for a condition instead of for a time.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take that should be a matter of a second, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Tries until it succeeds, and fails with the last error when the time is over.
pub fn within<T>(limit: Duration, what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) if Instant::now() > deadline => panic!("waited {limit:?} until {what}: {error}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Tries until it succeeds, with [`PATIENCE`].
pub fn until<T>(what: &str, attempt: impl FnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, attempt)
}
