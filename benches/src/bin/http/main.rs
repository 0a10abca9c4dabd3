//! What is answered over HTTP: how many questions a second, at which price, and how late at half of that. Beside us a bare axum
//! handler, which decides nothing, and Cerbos. `hack/bench http`.
//!
//! Every server is a process on one processor; who asks has the other. Rounds are interleaved, and every answer is compared with a
//! naive evaluation. This program is the servers as well: `http serve …` is `bailiwick serve …`, and `http floor ADDRESS` the
//! handler. `http-system-allocator`, which lies beside it, is `bailiwick` without its allocator.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{env, net::SocketAddr, path::Path, process::Command};

use bailiwick_benches::{
    clock,
    org_tree::{SIZES, World},
    report::machine,
};
use mimalloc::MiMalloc;

use cells::Cell;
use server::{Server, free_address};

mod cells;
mod cerbos;
mod client;
mod floor;
mod profile;
mod report;
mod server;
mod wire;
mod workload;

/// That of the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many questions are asked one by one, over and over.
const QUESTIONS: usize = 20_000;

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => return bailiwick::cli::main(),
        Some("floor") => floor::serve(arguments[2].parse().expect("an address")),
        what => {
            // Before one processor is left.
            let machine = machine();
            let world = World::new(if clock::is_quick() { SIZES[0] } else { SIZES[1] });
            let folder = tempfile::tempdir().expect("a folder");
            let questions = workload::questions(&world, QUESTIONS);
            let manifests = folder.path().join("manifests");
            std::fs::create_dir(&manifests).expect("a folder");
            workload::write_manifests(&world, &manifests);
            let ours = serve(program(), &manifests);
            server::step_aside();
            if what == Some("profile") {
                profile::write(&ours, &cells::ours(&world, &questions, &ours), &machine);
            } else {
                let floor = floor();
                let system_allocator = serve(beside("http-system-allocator"), &manifests);
                let cerbos = cerbos::start(&world, folder.path());
                let cells: Vec<Cell<'_>> = [
                    cells::floor(&world, &questions, &floor),
                    cells::ours(&world, &questions, &ours),
                    cells::ours_system_allocator(&world, &questions, &system_allocator),
                    cells::cerbos(&world, &questions, &cerbos),
                ]
                .into_iter()
                .flatten()
                .collect();
                report::write(&cells, &machine);
            }
        }
    }
    std::process::ExitCode::SUCCESS
}

fn program() -> Command {
    Command::new(env::current_exe().expect("this program"))
}

fn floor() -> Server {
    let address = free_address();
    let mut command = program();
    command.args(["floor", &address.to_string()]);
    Server::start(&command, address, address, "/readyz")
}

/// The program of that name that was built together with this one.
fn beside(name: &str) -> Command {
    Command::new(env::current_exe().expect("this program").with_file_name(name))
}

fn serve(mut program: Command, manifests: &Path) -> Server {
    let (api, probes): (SocketAddr, SocketAddr) = (free_address(), free_address());
    program.args(["serve", "--log", "warn", "--listen", &api.to_string(), "--probe-listen", &probes.to_string()]);
    program.arg("--manifests").arg(manifests);
    Server::start(&program, api, probes, "/readyz")
}
