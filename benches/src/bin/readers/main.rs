//! How long a reader waits for its answer while a writer is at work. `hack/bench readers`.
//!
//! One thread asks, one writes. Every check is timed by itself, twice: by the time that passed, in which also counts
//! when the reader had no processor, and by the processor time of the reader, in which counts all that it did, and all
//! that it would do while it waits for a writer: a reader never sleeps for one, it would spin.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod writers;

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bailiwick::graph::{PublishedGraph, facts::Timestamp};
use bailiwick_benches::{
    chart,
    churn::burst,
    clock::{is_quick, thread_time},
    org_tree::{Popularity, STANDARD, Size, Traffic, World},
    report::{self, Table},
    workload::Workload,
};
use hdrhistogram::Histogram;
use writers::{Writer, Written};

/// No write may delay a reader for longer.
const TARGET: Duration = Duration::from_millis(1);
/// So many assignments hold the role that is deleted.
const BURST: usize = 10_000;

/// What the reader saw in one scenario, in nanoseconds.
struct Seen {
    wall: Histogram<u64>,
    cpu: Histogram<u64>,
    written: Written,
}

fn main() {
    let (size, seconds) = if is_quick() { (STANDARD[0], 1) } else { (STANDARD[2], 10) };
    let world = World::new(size);
    let mut workload = world.workload(Traffic::Even, Popularity::Zipf, if is_quick() { 1_000 } else { 100_000 });
    // What the burst and the deletion remove; nobody asks about it, so the answers stay what they are.
    workload.facts.extend(burst(&workload.facts, BURST.min(size.assignments)));
    let doomed = writers::doomed_tree(if is_quick() { 1_000 } else { 100_000 });
    workload.facts.extend(doomed);

    let columns = [
        "writer",
        "clock",
        "checks",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "max µs",
        "over 1 ms",
        "writes",
        "writes a second",
    ];
    let mut table = Table::new(&columns);
    let mut lines = Vec::new();
    for writer in Writer::ALL {
        let seen = observe(&workload, writer, Duration::from_secs(seconds));
        for (clock, histogram) in [("passed", &seen.wall), ("processor", &seen.cpu)] {
            let [writes, pace] = match clock {
                "passed" => seen.written.figures(),
                _ => [String::new(), String::new()],
            };
            let at = |quantile| micros(histogram.value_at_quantile(quantile));
            let cells = [at(0.5), at(0.99), at(0.999), micros(histogram.max())];
            let over = histogram.len() - histogram.count_between(0, nanoseconds(TARGET));
            let [p50, p99, p999, max] = cells;
            table.row(&[
                writer.label(),
                clock,
                &histogram.len().to_string(),
                &p50,
                &p99,
                &p999,
                &max,
                &over.to_string(),
                &writes,
                &pace,
            ]);
        }
        lines.push((writer.label(), tail(&seen.wall)));
    }
    let title = "Latency of a check by a reader, by share of slower checks";
    let plot = chart::lines(title, "one check in so many is slower", "µs passed", &lines);
    report::write("readers.svg", &plot).expect("the folder of the reports can be written");
    report::write("readers.md", &text(&table, size, seconds)).expect("the folder of the reports can be written");
}

fn text(table: &Table, size: Size, seconds: u64) -> String {
    format!(
        "# Readers while something is written\n\nHow long one reader waits for each of its checks (org-tree {}, half \
         of them hits, Zipf, by names, through the published graph) while one writer does what the first column says; \
         each scenario {seconds} s or as long as it takes, and what each check answers is compared with the definition.\
         \n\n{}\n\nMade by `hack/bench readers`.\n\n![Latencies](readers.svg)\n\n{}\n\
         \"Passed\" is the time that passed, in which also counts that the kernel gave the reader's processor to \
         somebody else: the first two rows, without any writes, show how much that is on this machine. \"Processor\" is \
         the processor time of the reader alone, with what interrupts took of it; a reader that had to wait for a \
         writer would spin, and be seen there. Both clocks are read around every check and are in the figures.\n",
        size.label,
        report::machine(),
        table.as_str()
    )
}

/// Lets a writer write and a reader read, until the writer has done all or the time is over.
fn observe(workload: &Workload, writer: Writer, time: Duration) -> Seen {
    let published = PublishedGraph::default();
    workload.tell(|changes| published.apply(changes));
    let changes_answers = writer.changes_answers();
    let (done, start) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            start.wait();
            let written = writer.run(&published, workload, time);
            done.store(true, Ordering::Release);
            written
        });
        start.wait();
        let mut seen = Seen { wall: histogram(), cpu: histogram(), written: Written::default() };
        let now = Timestamp::now();
        for question in workload.questions.iter().cycle() {
            if done.load(Ordering::Acquire) {
                break;
            }
            let (cpu, wall) = (thread_time(), Instant::now());
            let allowed = question.ask(&published.read(), now);
            let wall = wall.elapsed();
            let cpu = thread_time().saturating_sub(cpu);
            assert!(changes_answers || allowed == question.allowed, "{question:?}");
            for (histogram, time) in [(&mut seen.wall, wall), (&mut seen.cpu, cpu)] {
                histogram.saturating_record(nanoseconds(time));
            }
        }
        seen.written = writing.join().expect("the writer writes");
        seen
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds in order")
}

/// Points of the curve: of how many checks one is slower than what.
fn tail(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let shares =
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000].into_iter().flat_map(|tens| [2, 5, 10].map(|by| tens * by));
    let shares = shares.take_while(|&share| share <= histogram.len());
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    shares.map(|share| (share as f64, histogram.value_at_quantile(1.0 - 1.0 / share as f64) as f64 / 1e3)).collect()
}

fn micros(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let micros = nanoseconds as f64 / 1e3;
    format!("{micros:.2}")
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
