//! The servers: processes of their own, on a processor of their own.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The processor of whichever server is asked.
const SERVERS: &str = "0";

/// The processor of who asks.
const CLIENT: &str = "1";

/// How long a server may take until it answers: it has the world to read.
const PATIENCE: Duration = Duration::from_mins(5);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a command that will listen on this address, and waits until `path` of `ready` is answered with 200.
    pub fn start(command: &Command, address: SocketAddr, ready: SocketAddr, path: &str) -> Self {
        // It does not outlive us, however we end.
        let mut pinned = Command::new("setpriv");
        pinned.args(["--pdeathsig", "KILL", "--", "taskset", "--cpu-list", SERVERS]);
        pinned.arg(command.get_program()).args(command.get_args());
        let child =
            pinned.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("setpriv and taskset of util-linux");
        let mut server = Self { child, address };
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(ready, path) {
            assert!(server.child.try_wait().expect("a child").is_none(), "{command:?} ended");
            assert!(Instant::now() < deadline, "{command:?} is not ready");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that it has used.
    pub fn processor_time(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a process");
        let times = threads.filter_map(|thread| {
            // A thread may have ended meanwhile.
            let statistics = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            statistics.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(times.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Leaves the processor of the servers to them.
pub fn step_aside() {
    let own = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", CLIENT, &own])
        .stdout(Stdio::null())
        .status();
    assert!(moved.expect("taskset of util-linux").success(), "two processors are needed");
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

fn is_ready(address: SocketAddr, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut answer = [0; 12];
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"HTTP/1.1 200"
}
