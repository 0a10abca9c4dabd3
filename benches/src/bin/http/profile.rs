//! Where the processor time of our server goes, as a flame graph. `hack/bench flamegraph`.

use std::{
    fs,
    io::BufReader,
    process::{Command, Stdio},
    time::Duration,
};

use bailiwick_benches::report;
use inferno::{
    collapse::{Collapse as _, perf},
    flamegraph,
};

use super::{
    cells::{Cell, Surface, Version},
    server::Server,
};

const TIME: Duration = Duration::from_secs(10);

/// What the stacks are searched for.
const PARTS: [&str; 9] = [
    "entry_SYSCALL",
    "tokio::runtime",
    "hyper::",
    "h2::",
    "axum::",
    "server::frequent",
    "serde_json",
    "graph::check",
    "mi_",
];

/// Samples our server at saturation by native checks over HTTP/1.1 and HTTP/2, and draws them.
pub fn write(server: &Server, cells: &[Cell<'_>]) {
    for (version, name) in [(Version::Http1, "server-flamegraph"), (Version::Http2, "server-flamegraph-h2")] {
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
        print_shares(&String::from_utf8_lossy(&collapsed));
    }
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

/// Tells what share of the samples passes through what.
fn print_shares(collapsed: &str) {
    let count = |part: &str| {
        let samples = collapsed.lines().filter(|line| line.contains(part));
        samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
    };
    let all = count("");
    for part in PARTS {
        println!("{part}: {:.1} %", 100.0 * count(part) / all);
    }
}
