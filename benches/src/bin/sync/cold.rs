//! How long the program takes to know a cluster, and how much memory.

use std::{env, io, path::Path, process::Command, thread::sleep, time::Duration};

use bailiwick::{
    graph::{
        Environments,
        facts::{Change, Kind},
    },
    source::cluster::WatchedObject,
};
use tokio::runtime::Runtime;

use crate::{
    program::{Program, memory},
    real::{ControlPlane, Role},
    recipe::{ENVIRONMENT, Recipe},
    scripted,
};

/// The argument that makes this program fill a graph and nothing else.
pub const GRAPH_ALONE: &str = "graph-alone";

/// How long a program is left alone until it is taken to be at rest.
const REST: Duration = Duration::from_secs(3);

/// How many changes are applied to the graph at once, which is what the program does.
const BATCH: usize = 500;

/// A start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// From the start of the process until it answers.
    pub ready: Duration,
    /// What it took of processors until then.
    pub cpu: Duration,
    /// What is resident at rest, and at most, in bytes.
    pub resident: f64,
    pub peak: f64,
}

/// Starts the program beside a scripted API server; without a recipe, one of an empty cluster.
pub fn scripted(runtime: &Runtime, recipe: Option<Recipe>) -> Start {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let address = runtime.block_on(scripted::serve(recipe));
    scripted::write_kubeconfig(address, &kubeconfig);
    start(folder.path(), &["--kubeconfig", &kubeconfig.to_string_lossy()])
}

/// Starts the program beside a real one, as one that does not lead.
pub fn real(plane: &ControlPlane) -> Start {
    let arguments = plane.arguments(Role::Follower);
    start(plane.folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn start(folder: &Path, arguments: &[&str]) -> Start {
    let mut program = Program::start(folder, arguments);
    let ready = program.wait_until_ready();
    sleep(REST);
    let rest = program.taken();
    Start { ready: ready.wall, cpu: ready.cpu, resident: rest.resident, peak: rest.peak }
}

/// How many bytes the graph of a recipe takes, in a process of its own.
pub fn measure_graph_alone(recipe: Recipe) -> f64 {
    let this = env::current_exe().expect("this program");
    let output = Command::new(this).arg(GRAPH_ALONE).arg(recipe.total().to_string()).output().expect("this program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

/// Fills a graph with a recipe, and prints how many bytes are resident more than before.
pub fn graph_alone(recipe: Recipe) -> io::Result<()> {
    let this = Path::new("/proc/self");
    let before = memory(this, "VmRSS");
    let environments = Environments::default();
    let mut changes = Vec::with_capacity(BATCH);
    for kind in Kind::ALL {
        for index in 0..recipe.count(kind) {
            let object: WatchedObject = serde_json::from_str(&recipe.object(kind, index))?;
            changes.push(Change::Apply(object.to_object(kind, object.name()).0));
            if changes.len() == BATCH {
                environments.apply(ENVIRONMENT, &changes);
                changes.clear();
            }
        }
    }
    environments.apply(ENVIRONMENT, &changes);
    drop(changes);
    println!("{}", memory(this, "VmRSS") - before);
    drop(environments);
    Ok(())
}
