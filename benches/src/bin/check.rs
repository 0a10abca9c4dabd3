//! What one check costs, by what is asked and by how much there is. `hack/bench check`.
//!
//! Every question is answered once before the clock starts and compared with a naive evaluation. Times are for a
//! check by names, as the server asks; the questions are many enough not to stay in the processor's caches.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{fs, hint::black_box, time::Duration};

use bailiwick::graph::{
    Graph,
    facts::{Name, Timestamp},
    query::{Action, CheckRequest, Subject, Target},
};
use bailiwick_benches::org_tree::{Mix, Popularity, Question, SIZES, World};
use criterion::{
    Criterion, SamplingMode,
    measurement::{Measurement, ValueFormatter, WallTime},
};

const QUESTIONS: usize = 100_000;

/// The time that the processor spent on this thread, which other programs on the machine disturb less than the time
/// that passed.
struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let statistics = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts scheduling");
        let nanoseconds = statistics.split(' ').next().and_then(|field| field.parse().ok());
        Duration::from_nanos(nanoseconds.expect("the first field is the time on the processor"))
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

struct NamedQuestion {
    member: Name,
    permission: Name,
    resource_type: &'static str,
    resource: Name,
}

impl NamedQuestion {
    fn new(world: &World, question: Question) -> Self {
        Self {
            member: World::member_name(question.member),
            permission: World::permission_name(question.permission),
            resource_type: world.type_name(question.resource),
            resource: World::resource_name(question.resource),
        }
    }

    fn ask(&self, graph: &Graph, now: Timestamp) -> bool {
        let request = CheckRequest {
            subject: Subject::Membership(&self.member),
            action: Action::Permission(&self.permission),
            resource: Target::Id { resource_type: self.resource_type, id: &self.resource, organization: None },
        };
        graph.check(&request, now).is_allowed()
    }
}

/// The graph of a world, and how many bytes it takes together with its copy, as it is published.
fn published(world: &World) -> (Graph, i64) {
    let mut copies = None;
    let memory = allocation_counter::measure(|| {
        let graph = world.graph();
        copies = Some((graph.clone(), graph));
    });
    (copies.expect("just made").0, memory.bytes_current)
}

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(ThreadTime)
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let now = Timestamp::now();
    for size in SIZES {
        let world = World::new(size);
        let (graph, bytes) = published(&world);
        let (_, without) = published(&World::new(size.without_assignments()));
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let each = |bytes: i64| bytes as f64 / size.assignments as f64;
        println!(
            "{} assignments: {bytes} bytes in both copies of the graph, {:.0} bytes an assignment, of which {:.0} for the \
             assignment itself",
            size.label,
            each(bytes),
            each(bytes - without)
        );
        for popularity in [Popularity::Zipf, Popularity::Uniform] {
            let mut group = criterion.benchmark_group(format!("check {popularity:?}"));
            // Samples of a tenth of a second each, for the kernel counts a thread's time by its ticks.
            group.sampling_mode(SamplingMode::Flat);
            for mix in Mix::ALL {
                let wanted = !matches!(mix, Mix::NearMiss | Mix::FarMiss);
                let questions: Vec<NamedQuestion> = world
                    .questions(mix, popularity, QUESTIONS)
                    .into_iter()
                    .map(|question| NamedQuestion::new(&world, question))
                    .collect();
                assert!(questions.iter().all(|question| question.ask(&graph, now) == wanted), "{mix:?}");
                let allocated = allocation_counter::measure(|| {
                    for question in &questions {
                        black_box(question.ask(&graph, now));
                    }
                });
                assert_eq!(allocated.count_total, 0, "a check allocates nothing");
                let mut next = questions.iter().cycle();
                group.bench_function(format!("{}, {}", size.label, mix.label()), |bencher| {
                    bencher.iter(|| next.next().map(|question| black_box(question.ask(&graph, now))));
                });
            }
            group.finish();
        }
    }
    criterion.final_summary();
}
