//! How long an engine takes to load a world, and how much memory it holds then: each in a process of its own, which is
//! ended when it takes too long or too much.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use bailiwick_benches::{
    clock::Stopwatch,
    org_tree::{Popularity, Traffic, World},
};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{engine, org_tree::sizes};

/// So long may an engine take to load, and so much address space may it take.
pub const TIME_LIMIT: Duration = Duration::from_mins(1);
pub const MEMORY_LIMIT: u64 = 4 << 30;

/// The word by which the program is told to be such a process.
pub const ARGUMENT: &str = "load";

/// Processor time and growth of resident memory.
#[derive(Clone, Copy)]
pub struct Load {
    pub seconds: f64,
    pub megabytes: f64,
}

/// Loads a world of that label into the engine of that label; none: it takes more than it may.
pub fn measure(engine: &str, size: &str) -> Option<Load> {
    let mut child = Command::new(env::current_exe().expect("this program is a file"))
        .args([ARGUMENT, engine, size])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program can be started");
    let lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    // The first line says that the world is made.
    let made = receiver.recv().ok();
    let figures = made.and_then(|_| receiver.recv_timeout(TIME_LIMIT).ok());
    // It may have ended already.
    let _ = child.kill();
    child.wait().expect("it was started");
    let (seconds, megabytes) = figures?.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    Some(Load { seconds: seconds.parse().ok()?, megabytes: megabytes.parse().ok()? })
}

/// What the process does.
pub fn run(engine: &str, size: &str) {
    setrlimit(Resource::As, Rlimit { current: Some(MEMORY_LIMIT), maximum: Some(MEMORY_LIMIT) })
        .expect("a lower limit");
    let size = sizes().into_iter().find(|known| known.label == size).expect("a size of the workload");
    let kind = engine::ALL.into_iter().find(|kind| kind.label == engine).expect("an engine");
    let world = World::new(size);
    let workload = world.workload(Traffic::Misses, Popularity::Uniform, 0);
    println!("made");
    let (before, stopwatch) = (resident(), Stopwatch::start());
    let engine = (kind.load)(&workload);
    let (cpu, _) = stopwatch.elapsed();
    println!("{} {}", cpu.as_secs_f64(), resident() - before);
    drop(engine);
}

/// Resident memory in megabytes.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes * 1024.0 / 1e6
}
