//! What it takes until the program knows a cluster, and until it knows of a change.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `cold` | the measurement of a start |
//! | `latency` | the measurement of changes |
//! | `program` | the program that is measured, as a process |
//! | `real` | a real API server |
//! | `recipe` | the objects |
//! | `scripted` | an API server that only says what it is told to |

mod cold;
mod latency;
mod program;
mod real;
mod recipe;
mod scripted;

use std::{env, fmt::Write as _, io, time::Duration};

use bailiwick_benches::{
    chart,
    clock::is_quick,
    report::{self, Table},
};
use tokio::runtime::Runtime;

use self::{
    cold::Start,
    latency::{Delays, Setting, WRITES_A_SECOND},
    real::{ControlPlane, Objects, Role},
    recipe::Recipe,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: sync [--scripted OBJECTS,...] [--real OBJECTS] [--rounds NUMBER] [--changes NUMBER]";

/// How much is measured.
struct Options {
    scripted: Vec<usize>,
    real: usize,
    rounds: usize,
    changes: usize,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = if is_quick() {
            Self { scripted: vec![10_000], real: 10_000, rounds: 1, changes: 40 }
        } else {
            Self { scripted: vec![100_000, 1_000_000], real: 100_000, rounds: 3, changes: 500 }
        };
        while let Some(argument) = arguments.next() {
            let value = arguments.next().expect(USAGE);
            let number = || value.parse().expect(USAGE);
            match argument.as_str() {
                "--scripted" => options.scripted = value.split(',').map(|size| size.parse().expect(USAGE)).collect(),
                "--real" => options.real = number(),
                "--rounds" => options.rounds = number(),
                "--changes" => options.changes = number(),
                _ => panic!("{USAGE}"),
            }
        }
        options
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1).peekable();
    if arguments.next_if(|argument| argument == cold::GRAPH_ALONE).is_some() {
        let objects = arguments.next().and_then(|text| text.parse().ok()).expect(USAGE);
        return cold::graph_alone(Recipe::new(objects));
    }
    let options = Options::parse(arguments);
    let runtime = Runtime::new()?;
    let mut text = format!(
        "# Synchronisation\n\nWhat it takes until the program knows a cluster, and from a write that the API server accepted until the answer changes.\n\n\
         {}\n\nMade by `hack/bench sync`.\n",
        report::machine()
    );
    text.push_str(&cold(&runtime, &options)?);
    if options.real > 0 {
        text.push_str(&real(&runtime, &options)?);
    }
    report::write("sync.md", &text)
}

const START: [&str; 8] = [
    "objects",
    "ready, s",
    "CPU, s",
    "CPU, µs an object",
    "peak, MiB",
    "at rest, MiB",
    "bytes an object",
    "of these the graph",
];

fn cold(runtime: &Runtime, options: &Options) -> io::Result<String> {
    let empty = cold::scripted(runtime, None);
    let mut table = Table::new(&START);
    let mut plotted = [const { Vec::new() }; 4];
    for &size in &options.scripted {
        let recipe = Recipe::new(size);
        let starts: Vec<Start> = (0..options.rounds).map(|_| cold::scripted(runtime, Some(recipe))).collect();
        let graph = cold::measure_graph_alone(recipe);
        table.row(&row(recipe.total(), &starts, empty.resident, Some(graph)));
        let figures: [fn(&Start) -> f64; 4] = [ready, cpu, peak, resident];
        for (plotted, figure) in plotted.iter_mut().zip(figures) {
            plotted.push(Some(spread(&starts, figure)[1]));
        }
    }
    let sizes: Vec<String> = options.scripted.iter().map(|size| format!("{size} objects")).collect();
    let sizes: Vec<&str> = sizes.iter().map(String::as_str).collect();
    let [ready, cpu, peak, resident] = plotted;
    let series = [("ready", ready), ("CPU", cpu)];
    report::write(
        "sync-start.svg",
        &chart::bars("From the start of the process until it answers", "s", &sizes, &series),
    )?;
    let series = [("peak", peak), ("at rest", resident)];
    report::write("sync-memory.svg", &chart::bars("Resident memory", "MiB", &sizes, &series))?;
    Ok(format!(
        "\n## Start, beside a scripted API server\n\nA child process on the same machine serves pages of 500 objects as they are in a cluster \
         (with status and two managers of fields), as fast as it is asked. Median of {} starts, and the least and the most. Memory is resident; \
         an object's bytes are what the program holds at rest beyond a program of an empty cluster ({:.0} MiB). The graph is filled in \
         a process of its own.\n\n{}",
        options.rounds,
        mebibytes(empty.resident),
        table.as_str(),
    ) + "\n![Time until ready](sync-start.svg)\n\n![Memory](sync-memory.svg)\n")
}

fn real(runtime: &Runtime, options: &Options) -> io::Result<String> {
    let plane = ControlPlane::start();
    let recipe = Recipe::new(options.real);
    let objects = Objects::new(runtime.block_on(plane.client()));
    let empty = cold::real(&plane);
    let creation = runtime.block_on(objects.create_all(recipe));
    let mut table = Table::new(&START);
    let starts: Vec<Start> = (0..options.rounds).map(|_| cold::real(&plane)).collect();
    table.row(&row(recipe.total(), &starts, empty.resident, None));
    let mut text = format!(
        "\n## Start, beside a real API server\n\nkube-apiserver and etcd on the same machine. They took {:.0} creations a second. \
         What is listed has no status and one manager of fields.\n\n{}",
        f64::from(u32::try_from(recipe.total()).unwrap_or(u32::MAX)) / creation.as_secs_f64(),
        table.as_str(),
    );
    runtime.block_on(latency::prepare(&objects));
    let mut table =
        Table::new(&["cluster", "this replica", "others' writes, 1/s", "change", "p50, ms", "p99, ms", "most, ms"]);
    let mut plotted = [("p50", Vec::new()), ("p99", Vec::new()), ("most", Vec::new())];
    let mut categories = Vec::new();
    for role in [Role::Follower, Role::Leader] {
        for busy in [false, true] {
            let Delays { granted, revoked, others } =
                latency::measure(runtime, &plane, recipe, Setting { busy, role }, options.changes);
            let cluster = if busy { "busy" } else { "idle" };
            let (leads, writes) = match role {
                Role::Leader => ("leads", "leads, writes statuses"),
                Role::Follower => ("follows", "follows, nobody writes statuses"),
            };
            for (change, delays) in [("granted", granted), ("revoked", revoked)] {
                let figures = [50, 99, 100].map(|percent| percentile(&delays, percent));
                let [p50, p99, most] = figures.map(|figure| format!("{figure:.2}"));
                table.row(&[cluster, writes, &format!("{others:.0}"), change, &p50, &p99, &most]);
                for (plotted, figure) in plotted.iter_mut().zip(figures) {
                    plotted.1.push(Some(figure));
                }
                categories.push(format!("{change}, {cluster}, {leads}"));
            }
        }
    }
    let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
    let plot = chart::bars("From an accepted write to the changed answer", "ms", &categories, &plotted);
    report::write("sync-latency.svg", &plot)?;
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n## From accepted to answered\n\nFrom the API server's response to a write (an assignment created: granted; deleted: revoked) to the first \
         answer over HTTP that it changed, asked again and again on one connection; {} changes in a world of {} objects. Busy: {WRITES_A_SECOND} \
         creations and deletions a second of other assignments in the same environment.\n\n{}\n![Delays](sync-latency.svg)\n",
        options.changes,
        recipe.total(),
        table.as_str(),
    );
    Ok(text)
}

fn row(objects: usize, starts: &[Start], empty: f64, graph: Option<f64>) -> [String; START.len()] {
    let count = f64::from(u32::try_from(objects).unwrap_or(u32::MAX));
    let figures = |figure: fn(&Start) -> f64, digits: usize| {
        let [least, median, most] = spread(starts, figure);
        format!("{median:.digits$} ({least:.digits$}-{most:.digits$})")
    };
    [
        objects.to_string(),
        figures(ready, 2),
        figures(cpu, 2),
        format!("{:.1}", spread(starts, cpu)[1] * 1e6 / count),
        figures(peak, 0),
        figures(resident, 0),
        format!("{:.0}", (spread(starts, |start| start.resident)[1] - empty) / count),
        graph.map_or_else(String::new, |graph| format!("{:.0}", graph / count)),
    ]
}

/// The least, the median and the most of a figure.
fn spread(starts: &[Start], figure: fn(&Start) -> f64) -> [f64; 3] {
    let mut figures: Vec<f64> = starts.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    [figures[0], figures[figures.len() / 2], figures[figures.len() - 1]]
}

const fn ready(start: &Start) -> f64 {
    start.ready.as_secs_f64()
}

const fn cpu(start: &Start) -> f64 {
    start.cpu.as_secs_f64()
}

fn peak(start: &Start) -> f64 {
    mebibytes(start.peak)
}

fn resident(start: &Start) -> f64 {
    mebibytes(start.resident)
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}

/// In milliseconds, of what is sorted.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3)
}
