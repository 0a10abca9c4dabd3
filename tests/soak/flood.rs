//! Very many distinct bad requests: what the program keeps of them is bounded.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Instant,
};

use super::report::{report, seconds};
use crate::support::{bailiwick::Bailiwick, wait::PATIENCE};

/// How many requests are sent before their answers are read.
const PIPELINED: usize = 100;

struct Size {
    requests: usize,
    /// How many there are between two looks at the memory.
    step: usize,
    /// How much the memory may grow after the first step, in KiB.
    growth: usize,
}

#[test]
fn distinct_bad_requests_leave_nothing_behind() {
    scenario(&Size { requests: 40_000, step: 20_000, growth: 32 * 1024 });
}

#[test]
#[ignore = "takes minutes; `make soak` runs it"]
fn a_million_distinct_bad_requests_leave_nothing_behind() {
    scenario(&Size { requests: 1_000_000, step: 100_000, growth: 16 * 1024 });
}

fn scenario(size: &Size) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serve = Bailiwick::start_ready(&["serve", "--manifests", folder.path().to_str().expect("a path")]);
    let mut connection = Connection::open(&serve.api);
    report("memory of a server that knows nothing", format!("{} KiB", resident(&serve)));

    let (mut memory, mut metrics) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for number in (0..size.requests).step_by(PIPELINED) {
        connection.ask(number..number + PIPELINED);
        let sent = number + PIPELINED;
        if sent.is_multiple_of(size.step) {
            memory.push(resident(&serve));
            metrics.push(serve.probe("/metrics").body.lines().count());
            let (memory, metrics) = (memory.last().unwrap_or(&0), metrics.last().unwrap_or(&0));
            report(&format!("after {sent} bad requests"), format!("{memory} KiB, {metrics} lines of metrics"));
        }
    }
    report("all of them", seconds(begun.elapsed()));

    // Whatever is bounded by number is full after the first step.
    let (first, largest) = (memory[0], *memory.iter().max().expect("memory"));
    assert!(largest < first + size.growth, "it grows: {memory:?} KiB");
    assert!(metrics.iter().all(|lines| *lines == metrics[0]), "metrics grow with what callers say: {metrics:?}");
}

/// The resident memory, in KiB.
fn resident(serve: &Bailiwick) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", serve.process.id())).expect("the status of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A connection that is kept.
struct Connection {
    api: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(api: &str) -> Self {
        let stream = TcpStream::connect(api).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { api: api.to_owned(), stream: BufReader::new(stream) }
    }

    /// Asks with these numbers in names, and reads the answers.
    fn ask(&mut self, numbers: std::ops::Range<usize>) {
        let count = numbers.len();
        let requests = numbers.fold(String::new(), |mut requests, number| {
            write(&mut requests, &self.api, number);
            requests
        });
        self.stream.get_mut().write_all(requests.as_bytes()).expect("it takes requests");
        for _ in 0..count {
            self.read_answer();
        }
    }

    fn read_answer(&mut self) {
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).expect("a status");
        assert!(!line.starts_with("HTTP/1.1 5"), "{line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        std::io::copy(&mut self.stream.by_ref().take(length), &mut std::io::sink()).expect("a body");
    }
}

/// A request with names that no other has.
fn write(requests: &mut String, host: &str, number: usize) {
    let id = format!("{number:x}-{}", "x".repeat(number % 200));
    let ask = |page: &str| {
        format!(
            r#"{{"subject": {{"type": "user", "id": "{id}"}}, "action": {{"name": "{id}"}},
                "resource": {{"type": "{id}", "id": "{id}"}}, "page": {{"token": "{page}"}}}}"#
        )
    };
    let check = format!(r#"{{"user": "{id}", "permission": "{id}", "resource": {{"type": "{id}", "id": "{id}"}}}}"#);
    let (method, path, body) = match number % 10 {
        0 => ("POST", "/access/v1/evaluation".to_owned(), ask("")),
        1 => ("POST", "/access/v1/search/subject".to_owned(), ask("")),
        2 => ("POST", "/access/v1/search/resource".to_owned(), ask(&id)),
        3 => ("POST", format!("/environments/e{number:x}/v1/check"), check),
        4 => ("POST", "/environments/default/v1/explain".to_owned(), check),
        5 => ("GET", format!("/environments/default/v1/objects?cursor={id}"), String::new()),
        6 => ("GET", format!("/no/such/{id}"), String::new()),
        7 => ("GET", format!("/organizations/{id}"), String::new()),
        8 => ("POST", "/organizations".to_owned(), format!(r#"{{"name": 5, "{id}": 1}}"#)),
        _ => ("POST", "/access/v1/evaluation".to_owned(), format!(r#"{{"{id}": "#)),
    };
    let written = write!(
        requests,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nx-request-id: {id}\r\nidempotency-key: {number}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    written.expect("a text takes all");
}
