//! The program that is measured, as a process.

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The checkout.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How long the program may take for anything.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long nothing must have been left to write until the program is taken to have written everything.
const SETTLING: Duration = Duration::from_secs(2);

/// A running `bailiwick run`, which is killed when this is dropped.
pub struct Program {
    child: Child,
    started: Instant,
    pub api: String,
    probes: String,
}

/// What a process has taken of the machine so far.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub wall: Duration,
    pub cpu: Duration,
    /// Resident now, and at most, in bytes.
    pub resident: f64,
    pub peak: f64,
}

impl Program {
    /// Starts it and waits until it listens, which is before it is ready.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join("bailiwick.log");
        let file = File::create(&log).expect("a log file");
        let listen = ["run", "--listen", "127.0.0.1:0", "--probe-listen", "127.0.0.1:0", "--log-format", "json"];
        let started = Instant::now();
        let child = Command::new(binary())
            .args(listen)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("the program");
        let mut program = Self { child, started, api: String::new(), probes: String::new() };
        program.wait(|program| {
            assert!(program.child.try_wait().expect("a child").is_none(), "it ended; see {}", log.display());
            let text = fs::read_to_string(&log).expect("the log");
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let Some(line) = lines.find(|line| line["probes"].is_string()) else { return false };
            line["api"].as_str().expect("an address").clone_into(&mut program.api);
            line["probes"].as_str().expect("an address").clone_into(&mut program.probes);
            true
        });
        program
    }

    /// Waits until it answers, and tells what that took.
    pub fn wait_until_ready(&mut self) -> Taken {
        self.wait(|program| get(&program.probes, "/readyz").starts_with("HTTP/1.1 200"));
        self.taken()
    }

    /// Waits until it leads and nothing has been left for it to write for a while: right after it was elected, it has not looked yet.
    pub fn wait_until_settled(&mut self) {
        let mut since = None;
        self.wait(|program| {
            sleep(SETTLING / 20);
            let metrics = get(&program.probes, "/metrics");
            let is = |series: &str, value: &str| metrics.lines().any(|line| line == format!("{series} {value}"));
            if !(is("bailiwick_lease_held", "1") && is("bailiwick_environments_behind", "0")) {
                since = None;
                return false;
            }
            since.get_or_insert_with(Instant::now).elapsed() >= SETTLING
        });
    }

    pub fn taken(&self) -> Taken {
        let process = PathBuf::from("/proc").join(self.child.id().to_string());
        let stat = fs::read_to_string(process.join("stat")).expect("its times");
        // The name of the program, in parentheses, may hold anything.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
        Taken {
            wall: self.started.elapsed(),
            // Linux tells them in hundredths of a second, whatever it counts in.
            cpu: Duration::from_millis(ticks * 10),
            resident: memory(&process, "VmRSS"),
            peak: memory(&process, "VmHWM"),
        }
    }

    fn wait(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "the program takes too long");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only where it has ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A figure of `/proc/<process>/status`, in bytes.
pub fn memory(process: &Path, field: &str) -> f64 {
    let status = fs::read_to_string(process.join("status")).expect("the status of a process");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
    let kibibytes = line.split_whitespace().nth(1).expect("a value");
    kibibytes.parse::<f64>().expect("a number") * 1024.0
}

/// The program of `BAILIWICK_BINARY`, or else the checkout's, built now.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = env::var_os("BAILIWICK_BINARY") {
            return binary.into();
        }
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
        let arguments = ["build", "--release", "--locked", "--bin", "bailiwick", "--manifest-path"];
        let built = Command::new("cargo")
            .args(arguments)
            .arg(Path::new(ROOT).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .status()
            .expect("cargo");
        assert!(built.success(), "the program cannot be built");
        target.join("release/bailiwick")
    })
}

/// The answer to a GET, head and body.
fn get(address: &str, path: &str) -> String {
    let mut answer = String::new();
    let ask = |answer: &mut String| {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        stream.read_to_string(answer)
    };
    ask(&mut answer).expect("an answer of the program");
    answer
}

/// Asks one question again and again, on one connection.
pub struct Asker {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Asker {
    /// Whether a user may do something on a resource.
    pub fn new(program: &Program, environment: &str, evaluation: &Value) -> Self {
        let stream = TcpStream::connect(&program.api).expect("the program listens");
        stream.set_nodelay(true).expect("an option of the socket");
        let body = evaluation.to_string();
        let request = format!(
            "POST /environments/{environment}/access/v1/evaluation HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            program.api,
            body.len(),
        );
        Self { stream: BufReader::new(stream), request }
    }

    pub fn ask(&mut self) -> bool {
        self.stream.get_mut().write_all(self.request.as_bytes()).expect("a connection");
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("an answer");
            let head = line.trim_end().to_ascii_lowercase();
            if let Some(value) = head.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if head.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        answer["decision"].as_bool().unwrap_or_else(|| panic!("no decision: {answer}"))
    }
}
