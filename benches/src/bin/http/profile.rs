//! Where the processor time of our server goes, as a flame graph. `hack/bench flamegraph`.

use std::{
    fs,
    io::BufReader,
    process::{Command, Stdio},
    time::Duration,
};

use bailiwick_benches::report::{self, Table};
use inferno::{
    collapse::{Collapse as _, perf},
    flamegraph,
};

use super::{
    cells::{Cell, Surface, Version},
    server::Server,
};

const TIME: Duration = Duration::from_secs(10);

/// Of what the share is told, and what the names of its functions begin with.
const PARTS: [(&str, &[&str]); 10] = [
    ("the kernel: sockets, waiting for them", &["entry_SYSCALL"]),
    ("hyper and h2: heads and bodies read and written, streams", &["hyper", "h2::", "httparse", "http_body"]),
    ("heads: maps of headers, URIs, methods", &["http::"]),
    ("tokio: tasks, sockets, timers", &["tokio", "mio::"]),
    ("JSON", &["serde_json", "serde_core"]),
    ("the graph, names looked up included", &["bailiwick::graph", "prefetch_index", "hashbrown", "foldhash"]),
    ("around it: routes, limits, freshness, spans", &["bailiwick::server", "bailiwick::store", "tracing"]),
    ("metrics", &["prometheus_client"]),
    ("the allocator", &["mi_", "_mi_"]),
    ("memory copied", &["__memmove", "__memcpy"]),
];

/// Samples our server at saturation by native checks over HTTP/1.1 and HTTP/2, and draws and counts them.
pub fn write(server: &Server, cells: &[Cell<'_>], machine: &str) {
    let mut table = Table::new(&["share of the processor time, %", "HTTP/1.1", "HTTP/2"]);
    let versions = [(Version::Http1, "server-flamegraph"), (Version::Http2, "server-flamegraph-h2")];
    let columns = versions.map(|(version, name)| {
        let cell = cells.iter().find(|cell| cell.surface == Surface::Check && cell.version == version);
        let stacks = sample(server, cell.expect("ours speaks both"));
        let mut collapsed = Vec::new();
        let mut folder = perf::Folder::default();
        folder.collapse(BufReader::new(&*stacks), &mut collapsed).expect("stacks of perf");
        let mut options = flamegraph::Options::default();
        "bailiwick at saturation, checks".clone_into(&mut options.title);
        // Narrower than a pixel.
        options.min_width = 0.1;
        let mut svg = Vec::new();
        flamegraph::from_reader(&mut options, &*collapsed, &mut svg).expect("a flame graph");
        report::write(&format!("{name}.svg"), &String::from_utf8(svg).expect("SVG is text")).expect("docs/benchmarks");
        shares(&String::from_utf8_lossy(&collapsed))
    });
    for (at, (part, _)) in PARTS.iter().enumerate() {
        table.row(&[(*part).to_owned(), format!("{:.1}", columns[0][at]), format!("{:.1}", columns[1][at])]);
    }
    let rest = columns.map(|shares| format!("{:.1}", 100.0 - shares.iter().sum::<f64>()));
    table.row(&["the rest".to_owned(), rest[0].clone(), rest[1].clone()]);
    let text = format!(
        "# Where the server's time goes\n\nOur server at saturation by single checks, as `hack/bench http` asks them, sampled by `perf` for {} \
         seconds. A sample counts for the innermost of its functions that belongs to any of the rows: what JSON has allocated \
         is the allocator's.\n\n{machine}\n\n`hack/bench flamegraph`\n\n{}\n![Flame graph, HTTP/1.1](server-flamegraph.svg)\n\n\
         ![Flame graph, HTTP/2](server-flamegraph-h2.svg)\n",
        TIME.as_secs(),
        table.as_str(),
    );
    report::write("server-profile.md", &text).expect("docs/benchmarks");
}

fn sample(server: &Server, cell: &Cell<'_>) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("perf.data");
    let mut perf = Command::new("perf")
        .args(["record", "--event", "cpu-clock", "--freq", "997", "--call-graph", "dwarf,16384", "--quiet"])
        .args(["--pid", &server.id().to_string(), "--output"])
        .arg(&data)
        .args(["--", "sleep", &TIME.as_secs().to_string()])
        .spawn()
        .expect("perf");
    cell.saturate(TIME + Duration::from_secs(1));
    perf.wait().expect("perf ends");
    let script = Command::new("perf").args(["script", "--input"]).arg(&data).stderr(Stdio::null()).output();
    let stacks = script.expect("perf").stdout;
    fs::remove_file(&data).expect("a file");
    stacks
}

/// Of each part the share of the samples, in percent.
fn shares(collapsed: &str) -> [f64; PARTS.len()] {
    let mut samples = [0.0; PARTS.len()];
    let mut all = 0.0;
    for (stack, count) in collapsed.lines().filter_map(|line| line.rsplit_once(' ')) {
        let count: f64 = count.parse().expect("a number of samples");
        all += count;
        if let Some(part) = stack.rsplit(';').find_map(part_of) {
            samples[part] += count;
        }
    }
    samples.map(|count| 100.0 * count / all)
}

fn part_of(function: &str) -> Option<usize> {
    // `<Type as Trait>::method`.
    let function = function.trim_start_matches(['<', '&']);
    PARTS.iter().position(|(_, beginnings)| beginnings.iter().any(|beginning| function.starts_with(beginning)))
}
