//! Following files that change while the program runs.

use std::{error::Error, time::Duration};

use prometheus_client::metrics::counter::Counter;
use tokio::time::sleep;

/// How often files are read. What is watched is their content: a mounted Secret is changed by renaming a link
/// far above them, of which watches of the files tell nothing.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Reads something again and again, without end. That it cannot be read or used is counted each time, and logged once until it can
/// again.
pub(super) async fn read_again_and_again<E: Error>(
    what: &'static str,
    errors: &Counter,
    mut read_again: impl FnMut() -> Result<(), E>,
) {
    let mut failed = false;
    loop {
        sleep(PAUSE).await;
        let read = read_again();
        if let Err(error) = &read {
            if !failed {
                tracing::error!(%error, "{what} cannot be used; what was there before is kept");
            }
            errors.inc();
        }
        failed = read.is_err();
    }
}
