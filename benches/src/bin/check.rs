//! What one check costs, by what is asked and by how much there is. `hack/bench check`.
//!
//! Every question is answered once before the clock starts and compared with a naive evaluation. Times are for a
//! check by names, as the server asks, and for what remains of it where the ids are given; the questions are many enough not to stay in
//! the processor's caches.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{fmt::Write as _, hint::black_box};

use bailiwick::graph::{Graph, ResolvedCheck, facts::Timestamp};
use bailiwick_benches::{
    chart,
    clock::{Spread, Stopwatch, is_quick},
    org_tree::{Mix, Popularity, SIZES, Size, World},
    report::{self, Table},
    workload::Question,
};

/// What is asked of one graph in one measurement, and how long each round took.
struct Cell<'g> {
    size: usize,
    popularity: Popularity,
    mix: Mix,
    questions: Vec<Question>,
    /// The same, looked up. None of a mix whose answer is known by then.
    resolved: Vec<ResolvedCheck<'g>>,
    /// Nanoseconds of processor time a check, of each round.
    by_names: Vec<f64>,
    by_ids: Vec<f64>,
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

fn cells<'g>(size: usize, world: &World, graph: &'g Graph, questions: usize, now: Timestamp) -> Vec<Cell<'g>> {
    let kinds = Popularity::ALL.into_iter().flat_map(|popularity| Mix::ALL.map(|mix| (popularity, mix)));
    let ask = |(popularity, mix): (Popularity, Mix)| {
        let wanted = !matches!(mix, Mix::NearMiss | Mix::FarMiss);
        let questions = world.questions(mix, popularity, questions);
        let questions: Vec<Question> = questions.into_iter().map(|question| world.named(question)).collect();
        assert!(questions.iter().all(|question| question.ask(graph, now) == wanted), "{mix:?}");
        let resolved = questions.iter().filter_map(|question| graph.resolve_check(&question.request()).ok());
        let resolved: Vec<_> = resolved.collect();
        assert!([0, questions.len()].contains(&resolved.len()), "{mix:?}");
        assert!(resolved.iter().all(|check| check.decide(now).is_allowed() == wanted), "{mix:?}");
        Cell { size, popularity, mix, questions, resolved, by_names: Vec::new(), by_ids: Vec::new() }
    };
    kinds.map(ask).collect()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn each(bytes: i64, size: Size) -> f64 {
    bytes as f64 / size.assignments as f64
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn nanoseconds_each<T>(questions: &[T], ask: impl Fn(&T) -> bool) -> f64 {
    let mut elapsed = None;
    let allocated = allocation_counter::measure(|| {
        let watch = Stopwatch::start();
        for question in questions {
            black_box(ask(question));
        }
        elapsed = Some(watch.elapsed().0);
    });
    assert_eq!(allocated.count_total, 0, "a check allocates nothing");
    elapsed.expect("measured").as_nanos() as f64 / questions.len() as f64
}

fn main() {
    let (sizes, questions, rounds) = if is_quick() { (&SIZES[..1], 1_000, 2) } else { (&SIZES[..], 100_000, 15) };
    let now = Timestamp::now();
    let mut memory =
        Table::new(&["assignments", "bytes in all", "bytes an assignment", "of which for the assignment itself"]);
    let mut graphs = Vec::new();
    for &size in sizes {
        let world = World::new(size);
        let (graph, bytes) = published(&world);
        let (_, without) = published(&World::new(size.without_assignments()));
        memory.row(&[
            size.label,
            &bytes.to_string(),
            &format!("{:.0}", each(bytes, size)),
            &format!("{:.0}", each(bytes - without, size)),
        ]);
        graphs.push((world, graph));
    }
    let worlds = graphs.iter().enumerate();
    let mut all: Vec<_> = worlds.flat_map(|(size, (world, graph))| cells(size, world, graph, questions, now)).collect();
    for _ in 0..rounds {
        for Cell { size, questions, by_names, .. } in &mut all {
            let (_, graph) = &graphs[*size];
            by_names.push(nanoseconds_each(questions, |question| question.ask(graph, now)));
        }
        for Cell { resolved, by_ids, .. } in all.iter_mut().filter(|cell| !cell.resolved.is_empty()) {
            by_ids.push(nanoseconds_each(resolved, |check| check.decide(now).is_allowed()));
        }
    }
    write(sizes, &all, &memory).expect("docs can be written");
}

/// A row for each mix, a column for each size.
fn table(sizes: &[Size], rows: &[(Mix, Vec<Spread>)]) -> Table {
    let columns: Vec<String> = [String::new()]
        .into_iter()
        .chain(sizes.iter().map(|size| format!("{} assignments", size.label)))
        .chain(["growth".to_owned()])
        .collect();
    let mut table = Table::new(&columns);
    for (mix, spreads) in rows {
        let growth = spreads[spreads.len() - 1].median / spreads[0].median;
        let figures = spreads.iter().map(|Spread { low, median, high }| format!("{median:.0} ({low:.0} - {high:.0})"));
        let row: Vec<String> =
            [mix.label().to_owned()].into_iter().chain(figures).chain([format!("{growth:.1}x")]).collect();
        table.row(&row);
    }
    table
}

fn write(sizes: &[Size], cells: &[Cell], memory: &Table) -> std::io::Result<()> {
    let mut text = format!(
        "# What a check costs\n\nA check by names (membership, permission, type and external id), in nanoseconds of processor time, by what is \
         asked and by how many assignments there are. It allocates nothing.\n\n{}\n\n`hack/bench check`\n\nThe world is \"org-tree\" with as \
         many resources as assignments. Medians of {} interleaved rounds, each of {} questions that are asked once a round, with their quartiles.\n",
        report::machine(),
        cells[0].by_names.len(),
        cells[0].questions.len(),
    );
    for popularity in Popularity::ALL {
        let of_popularity = |cell: &&Cell<'_>| cell.popularity == popularity;
        let rows = |rounds: for<'a> fn(&'a Cell<'_>) -> &'a [f64]| {
            let of_mix = |mix| cells.iter().filter(of_popularity).filter(move |cell| cell.mix == mix).map(rounds);
            let spreads = |mix| of_mix(mix).filter(|rounds| !rounds.is_empty()).map(Spread::of).collect();
            let rows = Mix::ALL.into_iter().map(|mix| (mix, spreads(mix)));
            rows.filter(|(_, spreads): &(Mix, Vec<Spread>)| !spreads.is_empty()).collect::<Vec<_>>()
        };
        let (by_names, by_ids) = (rows(|cell| &cell.by_names), rows(|cell| &cell.by_ids));
        let points = |spreads: &[Spread]| {
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let points = sizes.iter().zip(spreads).map(|(size, spread)| (size.assignments as f64, spread.median));
            points.collect()
        };
        let plotted: Vec<_> = by_names.iter().map(|(mix, spreads)| (mix.label(), points(spreads))).collect();
        let (title, words) = match popularity {
            Popularity::Zipf => {
                ("zipf", "Some members and resources are asked about much more often than others (Zipf's law)")
            }
            Popularity::Uniform => ("uniform", "All are alike: the worst case for the processor's caches"),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n## {words}\n\n{}\n![Growth](check-{title}.svg)\n\nWhat remains where the ids are given, so that no name is looked up (the answer to a far miss is known by then: the membership's organization has no such resource):\n\n{}",
            table(sizes, &by_names).as_str(),
            table(sizes, &by_ids).as_str(),
        );
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
