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

/// Of what the share is told, and how its frames are called.
const PARTS: [(&str, &[&str]); 9] = [
    ("the kernel", &["entry_SYSCALL"]),
    ("hyper and h2: reading and writing heads and bodies, streams", &["hyper::", "hyper_util::", "h2::"]),
    ("maps of headers", &["http::header"]),
    ("all of the program's own below that", &["server::frequent"]),
    ("JSON", &["serde_json", "serde_core"]),
    ("the graph, names looked up included", &["bailiwick::graph"]),
    ("metrics", &["prometheus_client", "server::metrics"]),
    ("the allocator", &["mi_"]),
    ("copying memory", &["__memmove", "__memcpy"]),
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
    let text = format!(
        "# Where the server's time goes\n\nOur server at saturation by single checks, as `hack/bench http` asks them, sampled by `perf` for {} \
         seconds. A share is that of the samples whose stack has such a frame, so the rows overlap: what JSON allocates is in \
         the allocator's row too.\n\n{machine}\n\n`hack/bench flamegraph`\n\n{}\n![Flame graph, HTTP/1.1](server-flamegraph.svg)\n\n\
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

/// Of each part the share of the samples that pass through it, in percent.
fn shares(collapsed: &str) -> [f64; PARTS.len()] {
    let count = |frames: &[&str]| {
        let samples = collapsed.lines().filter(|line| frames.iter().any(|frame| line.contains(frame)));
        samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
    };
    let all = count(&[""]);
    PARTS.map(|(_, frames)| 100.0 * count(frames) / all)
}
