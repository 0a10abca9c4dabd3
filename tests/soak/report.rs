//! What the scenarios measure.

use std::{fmt::Display, time::Duration};

/// Prints one measured value, in a line that hack/soak makes a row of a table of.
pub fn report(what: &str, value: impl Display) {
    println!("\nsoak | {what} | {value}");
}

/// A duration in the unit that suits it.
pub fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{:.1} ms", duration.as_secs_f64() * 1e3)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// The value that `percent` of the sorted values do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}
