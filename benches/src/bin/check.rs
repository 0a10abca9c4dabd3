//! What one check costs, by what is asked and by how much there is. `hack/bench check`.
//!
//! Every question is answered once before the clock starts and compared with a naive evaluation. Times are for a
//! check by names, as the server asks; the questions are many enough not to stay in the processor's caches.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{fmt::Write as _, hint::black_box};

use bailiwick::graph::{Graph, facts::Timestamp};
use bailiwick_benches::{
    chart,
    clock::{Spread, Stopwatch, is_quick},
    org_tree::{Mix, Popularity, SIZES, Size, World},
    report::{self, Table},
    workload::Question,
};

/// What is asked of one graph in one measurement, and how long each round took.
struct Cell {
    size: usize,
    popularity: Popularity,
    mix: Mix,
    questions: Vec<Question>,
    /// Nanoseconds of processor time a check, of each round.
    rounds: Vec<f64>,
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

fn cells(size: usize, world: &World, graph: &Graph, questions: usize, now: Timestamp) -> Vec<Cell> {
    let kinds = Popularity::ALL.into_iter().flat_map(|popularity| Mix::ALL.map(|mix| (popularity, mix)));
    let ask = |(popularity, mix): (Popularity, Mix)| {
        let wanted = !matches!(mix, Mix::NearMiss | Mix::FarMiss);
        let questions = world.questions(mix, popularity, questions);
        let questions: Vec<Question> = questions.into_iter().map(|question| world.named(question)).collect();
        assert!(questions.iter().all(|question| question.ask(graph, now) == wanted), "{mix:?}");
        Cell { size, popularity, mix, questions, rounds: Vec::new() }
    };
    kinds.map(ask).collect()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn each(bytes: i64, size: Size) -> f64 {
    bytes as f64 / size.assignments as f64
}

fn main() {
    let (sizes, questions, rounds) = if is_quick() { (&SIZES[..1], 1_000, 2) } else { (&SIZES[..], 100_000, 15) };
    let now = Timestamp::now();
    let mut memory =
        Table::new(&["assignments", "bytes in all", "bytes an assignment", "of which for the assignment itself"]);
    let (mut graphs, mut all) = (Vec::new(), Vec::new());
    for (number, &size) in sizes.iter().enumerate() {
        let world = World::new(size);
        let (graph, bytes) = published(&world);
        let (_, without) = published(&World::new(size.without_assignments()));
        memory.row(&[
            size.label,
            &bytes.to_string(),
            &format!("{:.0}", each(bytes, size)),
            &format!("{:.0}", each(bytes - without, size)),
        ]);
        all.extend(cells(number, &world, &graph, questions, now));
        graphs.push(graph);
    }
    for _ in 0..rounds {
        for cell in &mut all {
            let graph = &graphs[cell.size];
            let mut elapsed = None;
            let allocated = allocation_counter::measure(|| {
                let watch = Stopwatch::start();
                for question in &cell.questions {
                    black_box(question.ask(graph, now));
                }
                elapsed = Some(watch.elapsed().0);
            });
            assert_eq!(allocated.count_total, 0, "a check allocates nothing");
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let nanoseconds = elapsed.expect("measured").as_nanos() as f64 / cell.questions.len() as f64;
            cell.rounds.push(nanoseconds);
        }
    }
    write(sizes, &all, &memory).expect("docs can be written");
}

fn write(sizes: &[Size], cells: &[Cell], memory: &Table) -> std::io::Result<()> {
    let mut text = format!(
        "# What a check costs\n\nA check by names (membership, permission, type and external id), in nanoseconds of processor time, by what is \
         asked and by how many assignments there are. It allocates nothing.\n\n{}\n\n`hack/bench check`\n\nThe world is \"org-tree\" with as \
         many resources as assignments. Medians of {} interleaved rounds, each of {} questions that are asked once a round, with their quartiles.\n",
        report::machine(),
        cells[0].rounds.len(),
        cells[0].questions.len(),
    );
    for popularity in Popularity::ALL {
        let columns: Vec<String> = [String::new()]
            .into_iter()
            .chain(sizes.iter().map(|size| format!("{} assignments", size.label)))
            .chain(["growth".to_owned()])
            .collect();
        let mut table = Table::new(&columns);
        let mut plotted = Vec::new();
        for mix in Mix::ALL {
            let of_mix = cells.iter().filter(|cell| cell.popularity == popularity && cell.mix == mix);
            let spreads: Vec<Spread> = of_mix.map(|cell| Spread::of(&cell.rounds)).collect();
            let growth = spreads[spreads.len() - 1].median / spreads[0].median;
            let figures =
                spreads.iter().map(|Spread { low, median, high }| format!("{median:.0} ({low:.0} - {high:.0})"));
            let row: Vec<String> =
                [mix.label().to_owned()].into_iter().chain(figures).chain([format!("{growth:.1}x")]).collect();
            table.row(&row);
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let points = sizes.iter().zip(&spreads).map(|(size, spread)| (size.assignments as f64, spread.median));
            plotted.push((mix.label(), points.collect()));
        }
        let (title, words) = match popularity {
            Popularity::Zipf => {
                ("zipf", "Some members and resources are asked about much more often than others (Zipf's law)")
            }
            Popularity::Uniform => ("uniform", "All are alike: the worst case for the processor's caches"),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {words}\n\n{}\n![Growth](check-{title}.svg)\n", table.as_str());
        report::write(&format!("check-{title}.svg"), &chart::lines(words, "assignments", "ns a check", &plotted))?;
    }
    let _ = write!(
        text,
        "\n## Memory\n\nOf both copies of the graph that a process keeps, as requested from the allocator, names and all. The world has as many \
         resources as assignments, a tenth as many declared memberships, and groups.\n\n{}",
        memory.as_str()
    );
    report::write("check.md", &text)
}
