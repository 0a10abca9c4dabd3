//! What lists, explanations and batches cost, by how long the answer is and by how much there is. `hack/bench lists`.
//!
//! Every answer about the smallest world is compared with a naive evaluation before the clock starts.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod cases;
mod corners;
mod proof;

use std::{collections::BTreeMap, fmt::Write as _, hint::black_box, io};

use bailiwick::graph::{Graph, facts::Timestamp};
use bailiwick_benches::{
    chart,
    org_tree::{Mix, Popularity, Question, SIZES, World},
    report::{self, Table},
};
use rustix::time::{ClockId, clock_gettime};

use cases::{ASSIGNMENTS, Asked, Case, EXPLAIN, LISTS, MEMBERSHIPS, RESOURCES};

/// So many questions of each of the five kinds of check are asked.
const QUESTIONS: usize = 300;
const ROUNDS: usize = 5;
const BATCH: usize = 1_000;

struct Environment {
    label: &'static str,
    graph: Graph,
    /// By popularity, then kind.
    asked: BTreeMap<(bool, usize), Vec<Asked>>,
}

const MISSES: [usize; 2] = [3, 4];

impl Environment {
    fn new(world: &World, label: &'static str) -> Self {
        let mut graph = world.graph();
        let mut asked = BTreeMap::new();
        for popularity in [Popularity::Zipf, Popularity::Uniform] {
            for (kind, mix) in Mix::ALL.into_iter().enumerate() {
                let questions = world.questions(mix, popularity, QUESTIONS);
                let named = questions.into_iter().map(|question| named(world, question)).collect();
                asked.insert((popularity == Popularity::Zipf, kind), named);
            }
        }
        corners::add(&mut graph);
        Self { label, graph, asked }
    }

    fn asked(&self, zipf: bool, wanted: impl Fn(usize) -> bool) -> Vec<&Asked> {
        self.asked.iter().filter(|((is, kind), _)| *is == zipf && wanted(*kind)).flat_map(|(_, asked)| asked).collect()
    }
}

fn named(world: &World, Question { member, permission, resource }: Question) -> Asked {
    Asked {
        membership: World::member_name(member),
        permission: World::permission_name(permission),
        resource: World::resource_name(resource),
        parent: World::resource_name(world.parent(resource)),
    }
}

/// The time that this thread was on the processor, in nanoseconds.
fn thread_time() -> i64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// An answer: its length, and the microseconds that it took, the median of all rounds.
#[derive(Clone, Copy)]
struct Sample {
    length: usize,
    time: f64,
}

/// Asks everything once a round, so that no question finds its own way still in the caches.
fn measure(count: usize, mut ask: impl FnMut(usize) -> usize) -> Vec<Sample> {
    let mut times = vec![Vec::with_capacity(ROUNDS); count];
    let mut lengths = vec![0; count];
    for _ in 0..ROUNDS {
        for index in 0..count {
            let started = thread_time();
            lengths[index] = black_box(ask(index));
            times[index].push(thread_time() - started);
        }
    }
    let samples = times.into_iter().zip(lengths).map(|(mut times, length)| {
        times.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let time = times[ROUNDS / 2] as f64 / 1_000.0;
        Sample { length, time }
    });
    samples.collect()
}

fn percentile(samples: &[Sample], percent: usize) -> f64 {
    let mut times: Vec<f64> = samples.iter().map(|sample| sample.time).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[(times.len() - 1) * percent / 100]
}

fn median_length(samples: &[Sample]) -> usize {
    let mut lengths: Vec<usize> = samples.iter().map(|sample| sample.length).collect();
    lengths.sort_unstable();
    lengths[lengths.len() / 2]
}

fn run(environment: &Environment, case: Case, asked: &[&Asked], now: Timestamp) -> Vec<Sample> {
    measure(asked.len(), |index| (case.ask)(&environment.graph, asked[index], now))
}

fn row(table: &mut Table, label: &str, environment: &str, uniform: &[Sample], zipf: &[Sample]) {
    let time = |samples: &[Sample], percent| format!("{:.1}", percentile(samples, percent));
    table.row(&[
        label.to_owned(),
        environment.to_owned(),
        median_length(uniform).to_string(),
        time(uniform, 50),
        time(uniform, 99),
        time(zipf, 50),
        time(zipf, 99),
    ]);
}

fn lists(environments: &[Environment], now: Timestamp) -> Table {
    let mut table = Table::new(&["list", "assignments", "items (p50)", "p50", "p99", "Zipf p50", "Zipf p99"]);
    for case in LISTS {
        for environment in environments {
            let [uniform, zipf] =
                [false, true].map(|zipf| run(environment, case, &environment.asked(zipf, |_| true), now));
            row(&mut table, case.label, environment.label, &uniform, &zipf);
        }
    }
    for (label, misses) in [("explain, allowed", false), ("explain, denied", true)] {
        for environment in environments {
            let asked = |zipf| environment.asked(zipf, |kind| MISSES.contains(&kind) == misses);
            let [uniform, zipf] = [false, true].map(|zipf| run(environment, EXPLAIN, &asked(zipf), now));
            row(&mut table, label, environment.label, &uniform, &zipf);
        }
    }
    table
}

/// The lists of one kind by the length of the answer: for each environment the median time of the answers of a length
/// between a power of two and the next, where there are enough of them.
fn by_length(environments: &[Environment], case: Case, now: Timestamp) -> BTreeMap<u32, Vec<Option<f64>>> {
    let mut buckets = BTreeMap::<u32, Vec<Vec<Sample>>>::new();
    for (place, environment) in environments.iter().enumerate() {
        for sample in run(environment, case, &environment.asked(false, |_| true), now) {
            let bucket = buckets.entry(sample.length.max(1).ilog2());
            bucket.or_insert_with(|| vec![Vec::new(); environments.len()])[place].push(sample);
        }
    }
    let median = |samples: Vec<Sample>| (samples.len() >= 5).then(|| percentile(&samples, 50));
    buckets.into_iter().map(|(bucket, samples)| (bucket, samples.into_iter().map(median).collect())).collect()
}

/// The same as a table and as plots.
fn lengths(environments: &[Environment], now: Timestamp) -> io::Result<Table> {
    let labels = environments.iter().map(|environment| environment.label);
    let columns: Vec<&str> = ["list", "items"].into_iter().chain(labels).collect();
    let mut table = Table::new(&columns);
    for (case, plot) in [(RESOURCES, "resources"), (MEMBERSHIPS, "memberships"), (ASSIGNMENTS, "assignments")] {
        let mut series: Vec<(&str, Vec<(f64, f64)>)> =
            environments.iter().map(|environment| (environment.label, Vec::new())).collect();
        for (bucket, times) in by_length(environments, case, now) {
            let from = 1_u32 << bucket;
            let mut cells = vec![case.label.to_owned(), format!("{from}-{}", 2 * from - 1)];
            for ((_, points), time) in series.iter_mut().zip(times) {
                points.extend(time.map(|time| (1.5 * f64::from(from), time)));
                cells.push(time.map_or_else(String::new, |time| format!("{time:.1}")));
            }
            table.row(&cells);
        }
        let svg = chart::lines(case.label, "items in the answer", "microseconds, median", &series);
        report::write(&format!("lists-{plot}.svg"), &svg)?;
    }
    Ok(table)
}

fn corner_table(environments: &[Environment], now: Timestamp) -> Table {
    let labels = environments.iter().map(|environment| environment.label);
    let columns: Vec<&str> = ["corner", "question", "items"].into_iter().chain(labels).collect();
    let mut table = Table::new(&columns);
    for corner in corners::questions() {
        for case in LISTS.into_iter().chain([EXPLAIN]) {
            let samples: Vec<Sample> = environments
                .iter()
                .map(|environment| {
                    let samples = measure(9, |_| (case.ask)(&environment.graph, &corner.asked, now));
                    Sample { time: percentile(&samples, 50), ..samples[0] }
                })
                .collect();
            let mut cells = vec![corner.label.to_owned(), case.label.to_owned(), samples[0].length.to_string()];
            cells.extend(samples.iter().map(|sample| format!("{:.1}", sample.time)));
            table.row(&cells);
        }
    }
    table
}

/// Batches as the server answers them: one state for all of it, then check by check.
fn batches(environments: &[Environment], now: Timestamp) -> Table {
    let mut table = Table::new(&["batch of 1,000", "assignments", "p50", "p99", "Zipf p50", "Zipf p99"]);
    for (label, one_subject) in [("one subject", true), ("many subjects", false)] {
        for environment in environments {
            let times = [false, true].map(|zipf| {
                let asked = environment.asked(zipf, |_| true);
                let samples = measure(100, |batch| {
                    let allowed = (0..BATCH).filter(|item| {
                        let asked_about = asked[(batch * 7_919 + item * 31) % asked.len()];
                        let asking = if one_subject { asked[batch % asked.len()] } else { asked_about };
                        let mut request = asked_about.request();
                        request.subject = asking.request().subject;
                        environment.graph.check(&request, now).is_allowed()
                    });
                    allowed.count()
                });
                [50, 99].map(|percent| format!("{:.1}", percentile(&samples, percent)))
            });
            let [[p50, p99], [zipf_p50, zipf_p99]] = times;
            table.row(&[label.to_owned(), environment.label.to_owned(), p50, p99, zipf_p50, zipf_p99]);
        }
    }
    table
}

fn main() -> io::Result<()> {
    let now = Timestamp::now();
    let only = std::env::args().nth(1);
    let mut environments = Vec::new();
    for size in SIZES {
        if only.as_ref().is_some_and(|only| only != size.label) {
            continue;
        }
        let world = World::new(size);
        let environment = Environment::new(&world, size.label);
        if world.resources() <= 1_000 {
            proof::compare(&world, &environment.graph, environment.asked(false, |_| true).len(), now);
        }
        environments.push(environment);
    }
    let mut text = String::from(
        "# Lists, explanations and batches\n\nWhat the lists of the engine cost by the length of the answer and by how much the environment holds.\n\n",
    );
    let _ = writeln!(
        text,
        "{}\n\n`hack/bench lists`. All times are microseconds of the thread's processor time: of each question the median of \
         {ROUNDS} rounds, over {} questions about members and resources of org-tree (all alike; Zipf: the k-th most popular \
         1/k as often as the first). Everything about the smallest environment was compared with a naive evaluation.\n",
        report::machine(),
        5 * QUESTIONS,
    );
    for (title, table) in [
        ("Lists and explanations", lists(&environments, now)),
        ("The same length in environments of different size (median)", lengths(&environments, now)?),
        ("Batches", batches(&environments, now)),
        ("Corners", corner_table(&environments, now)),
    ] {
        let _ = writeln!(text, "## {title}\n\n{}", table.as_str());
    }
    for plot in ["resources", "memberships", "assignments"] {
        let _ = writeln!(text, "![{plot} by length](lists-{plot}.svg)\n");
    }
    report::write("lists.md", &text)
}
