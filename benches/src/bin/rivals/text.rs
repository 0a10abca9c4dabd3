//! Figures as people read them.

use bailiwick_benches::clock::Spread;

use crate::measure::Measured;

/// What the figures of a cell are.
pub const COLUMNS: [&str; 4] = ["CPU µs a check", "wall µs a check", "× ours", "asked a round"];

/// The figures of one engine beside ours.
pub fn cells(one: &Measured, ours: &Measured) -> [String; 4] {
    let ratio = one.cpu().median / ours.cpu().median;
    [spread(one.cpu()), spread(one.wall()), figure(ratio), one.asked.to_string()]
}

/// What [`fastest`] tells.
pub const FASTEST: [&str; 4] = ["ours, CPU µs", "fastest rival", "its CPU µs", "× ours"];

/// Our time, and the fastest rival with its time. The first that was measured are we.
pub fn fastest(measured: &[Measured]) -> [String; 4] {
    let ours = measured[0].cpu().median;
    let rivals = measured.iter().filter(|one| one.kind.is_rival);
    let fastest = rivals.min_by(|one, other| one.cpu().median.total_cmp(&other.cpu().median));
    let [label, time, ratio] = fastest.map_or(["not run", "", ""].map(str::to_owned), |fastest| {
        let time = fastest.cpu().median;
        [fastest.kind.label.to_owned(), figure(time), figure(time / ours)]
    });
    [figure(ours), label, time, ratio]
}

fn spread(Spread { low, median, high }: Spread) -> String {
    format!("{} ({}–{})", figure(median), figure(low), figure(high))
}

/// Three significant digits.
pub fn figure(value: f64) -> String {
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
