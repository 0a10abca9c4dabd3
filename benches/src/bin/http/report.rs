//! The tables and plots of `docs/benchmarks/http.md`.

use std::time::Duration;

use bailiwick_benches::{
    chart, clock,
    report::{Table, write as write_file},
};
use hdrhistogram::Histogram;

use super::{
    cells::{BATCH, Cell, Saturation, Surface, Version, Who},
    client::histogram,
};

const ROUNDS: usize = 7;
const TIME: Duration = Duration::from_secs(2);
const QUICK_TIME: Duration = Duration::from_millis(100);

/// For each cell what its rounds gave.
struct Measured<'a> {
    cell: &'a Cell<'a>,
    saturation: Vec<Saturation>,
    paced: Vec<Histogram<u64>>,
}

impl Measured<'_> {
    fn label(&self) -> String {
        let Cell { who, surface, version, .. } = self.cell;
        let who = match who {
            Who::Floor => "bare axum handler",
            Who::Ours => "Bailiwick",
            Who::OursSystemAllocator => "Bailiwick with the system's allocator",
            Who::Cerbos => "Cerbos 0.51.0",
        };
        format!("{who}, {}, {}", surface_label(*surface), version_label(*version))
    }

    /// Whether it is asked at half of saturation too.
    fn is_paced(&self) -> bool {
        self.cell.surface != Surface::Batch && self.cell.who != Who::OursSystemAllocator
    }

    fn rates(&self) -> Vec<f64> {
        self.saturation.iter().map(|saturation| saturation.rate).collect()
    }

    fn costs(&self) -> Vec<f64> {
        self.saturation.iter().map(|saturation| saturation.cost).collect()
    }
}

const fn surface_label(surface: Surface) -> &'static str {
    match surface {
        Surface::Check => "check",
        Surface::Evaluation => "AuthZEN evaluation",
        Surface::Batch => "batch of 1,000",
    }
}

const fn version_label(version: Version) -> &'static str {
    match version {
        Version::Http1 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}

/// Measures the cells and writes what came of it, on which machine.
pub fn write(cells: &[Cell<'_>], machine: &str) {
    let mut measured: Vec<Measured<'_>> =
        cells.iter().map(|cell| Measured { cell, saturation: Vec::new(), paced: Vec::new() }).collect();
    let (rounds, time) = if clock::is_quick() { (1, QUICK_TIME) } else { (ROUNDS, TIME) };
    for _ in 0..rounds {
        for measured in &mut measured {
            measured.saturation.push(measured.cell.saturate(time));
        }
    }
    for _ in 0..rounds {
        for measured in measured.iter_mut().filter(|measured| measured.is_paced()) {
            let rate = quartiles(measured.rates())[1] / 2.0;
            measured.paced.push(measured.cell.pace(rate, time));
        }
    }
    let text = format!(
        "# Over HTTP\n\nHow many questions one processor answers over HTTP, what a request costs it, and how late answers are at half \
         of that; beside us a bare axum handler, which reads and writes the same JSON and decides nothing, and Cerbos.\n\n{}\n\n\
         `hack/bench http`\n\n\
         The world is \"org-tree\" with 100,000 assignments; half of the questions are answered with yes, members and resources are \
         drawn by Zipf's law. Server and client have a processor each. Figures are medians of {rounds} interleaved rounds of {} \
         seconds, with their quartiles; every answer was compared with a naive evaluation, but those of the handler. Cerbos is \
         stateless: each request to it carries the roles that the principal has on the resource's path, which had been looked up \
         beforehand, and it knows which permissions they have.\n\n\
         ## At saturation\n\n32 requests under way at any time: 32 connections with HTTP/1.1, 4 connections of 8 streams with \
         HTTP/2.\n\n{}\n![Requests a second](http-throughput.svg)\n\n\
         ## Side by side\n\n\"By cost\" compares the processor time of a request, which other programs on the machine disturb less.\n\n{}\n\
         ## At half of saturation\n\nRequests come at a constant rate, whether answers do or not; latency counts from the time at which \
         a request should have been sent. Microseconds.\n\n{}\n![Latency](http-latency.svg)\n",
        machine,
        time.as_secs_f64(),
        saturation_table(&measured).as_str(),
        ratio_table(&measured).as_str(),
        latency_table(&measured).as_str(),
    );
    write_file("http.md", &text).expect("docs/benchmarks");
    write_file("http-throughput.svg", &throughput_chart(&measured)).expect("docs/benchmarks");
    write_file("http-latency.svg", &latency_chart(&measured)).expect("docs/benchmarks");
}

fn saturation_table(all: &[Measured<'_>]) -> Table {
    let mut table = Table::new(&["", "requests/s", "quartiles", "checks/s", "CPU µs/request", "quartiles"]);
    for measured in all {
        let [low, rate, high] = quartiles(measured.rates());
        let [low_cost, cost, high_cost] = quartiles(measured.costs());
        let checks = if measured.cell.surface == Surface::Batch { BATCH } else { 1 };
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let checks = rate * checks as f64;
        table.row(&[
            measured.label(),
            thousands(rate),
            format!("{} - {}", thousands(low), thousands(high)),
            thousands(checks),
            format!("{cost:.2}"),
            format!("{low_cost:.2} - {high_cost:.2}"),
        ]);
    }
    table
}

fn ratio_table(all: &[Measured<'_>]) -> Table {
    let mut table = Table::new(&["Bailiwick beside", "throughput", "quartiles", "by cost"]);
    for ours in all.iter().filter(|measured| measured.cell.who == Who::Ours) {
        for other in all.iter().filter(|measured| measured.cell.who != Who::Ours) {
            let comparable = other.cell.surface == ours.cell.surface
                || other.cell.who == Who::Cerbos && ours.cell.surface != Surface::Batch;
            if !comparable || other.cell.version != ours.cell.version {
                continue;
            }
            let rounds = ours.saturation.iter().zip(&other.saturation);
            let [low, ratio, high] = quartiles(rounds.clone().map(|(ours, other)| ours.rate / other.rate).collect());
            let [_, by_cost, _] = quartiles(rounds.map(|(ours, other)| other.cost / ours.cost).collect());
            table.row(&[
                format!("{}: {}", other.label(), surface_label(ours.cell.surface)),
                format!("{ratio:.2}"),
                format!("{low:.2} - {high:.2}"),
                format!("{by_cost:.2}"),
            ]);
        }
    }
    table
}

fn latency_table(all: &[Measured<'_>]) -> Table {
    let mut table = Table::new(&["", "requests/s", "p50", "p90", "p99", "quartiles of p99", "p99.9"]);
    for measured in all.iter().filter(|measured| !measured.paced.is_empty()) {
        let at = |quantile: f64| {
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds of less than days")]
            let of = |latencies: &Histogram<u64>| latencies.value_at_quantile(quantile) as f64 / 1e3;
            quartiles(measured.paced.iter().map(of).collect())
        };
        let [low, p99, high] = at(0.99);
        table.row(&[
            measured.label(),
            thousands(quartiles(measured.rates())[1] / 2.0),
            format!("{:.0}", at(0.5)[1]),
            format!("{:.0}", at(0.9)[1]),
            format!("{p99:.0}"),
            format!("{low:.0} - {high:.0}"),
            format!("{:.0}", at(0.999)[1]),
        ]);
    }
    table
}

fn throughput_chart(all: &[Measured<'_>]) -> String {
    let categories = [
        (Surface::Check, Version::Http1, "check, HTTP/1.1"),
        (Surface::Check, Version::Http2, "check, HTTP/2"),
        (Surface::Evaluation, Version::Http1, "AuthZEN, HTTP/1.1"),
        (Surface::Evaluation, Version::Http2, "AuthZEN, HTTP/2"),
    ];
    let series: Vec<_> = [(Who::Floor, "bare axum handler"), (Who::Ours, "Bailiwick"), (Who::Cerbos, "Cerbos")]
        .into_iter()
        .map(|(who, label)| {
            let rate = |surface, version| {
                let cell = all.iter().find(|measured| {
                    let cell = measured.cell;
                    (cell.who, cell.surface, cell.version) == (who, surface, version)
                });
                cell.map(|measured| quartiles(measured.rates())[1])
            };
            (label, categories.iter().map(|&(surface, version, _)| rate(surface, version)).collect())
        })
        .collect();
    chart::bars("Questions a second on one processor", "requests/s", &categories.map(|(.., label)| label), &series)
}

fn latency_chart(all: &[Measured<'_>]) -> String {
    let checks = all.iter().filter(|measured| measured.is_paced() && measured.cell.surface == Surface::Check);
    let series: Vec<_> = checks
        .map(|measured| {
            let mut latencies = histogram();
            for round in &measured.paced {
                latencies.add(round).expect("of the same precision");
            }
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds of less than days")]
            let points = (2..=20).map(|step| {
                let one_in = 2_f64.powf(f64::from(step) * 0.7);
                (one_in, latencies.value_at_quantile(1.0 - 1.0 / one_in) as f64 / 1e3)
            });
            (measured.label(), points.collect())
        })
        .collect();
    chart::lines("Latency at half of saturation", "one request in so many takes longer", "µs", &series)
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
