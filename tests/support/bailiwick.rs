//! The program itself, as a process.

use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    process::Command,
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{answer::Answer, http, process::Process, wait};

/// Whether a user may do something on a resource of an environment.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The id of the user.
    pub user: &'a str,
    /// The name of the action.
    pub action: &'a str,
    /// The type of the resource.
    pub resource_type: &'a str,
    /// The external id of the resource, or its name.
    pub resource: &'a str,
}

impl Question<'_> {
    /// The question in AuthZEN's words, which do not name the environment.
    pub fn evaluation(&self) -> Value {
        let Self { environment: _, user, action, resource_type, resource } = self;
        json!({
            "subject": {"type": "user", "id": user},
            "action": {"name": action},
            "resource": {"type": resource_type, "id": resource},
        })
    }
}

/// A command of the program, without the settings of the environment that the tests run in.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.args(arguments);
    for (name, _value) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("BAILIWICK_") || text.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running `bailiwick serve` or `bailiwick run`.
#[derive(Debug)]
pub struct Bailiwick {
    /// The process.
    pub process: Process,
    /// `address:port` of the API.
    pub api: String,
    /// `address:port` of the probes.
    pub probes: String,
    log: PathBuf,
    _folder: TempDir,
}

impl Bailiwick {
    /// Starts it on free ports and waits until it listens, which is before it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_command(command(arguments))
    }

    /// Starts this [command] on free ports and waits until it listens, which is before it is ready.
    pub fn start_command(mut command: Command) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        command.args(["--listen", "127.0.0.1:0", "--probe-listen", "127.0.0.1:0", "--log-format", "json"]);
        let file = File::create(&log).expect("a log file");
        let mut process = Process::start(&command, file.try_clone().expect("a second handle"), file);
        let listening = wait::until("the program listens", || {
            let text = fs::read_to_string(&log).expect("the log");
            if let Some(status) = process.ended() {
                panic!("the program ended with {status}: {text}");
            }
            let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["probes"].is_string()).ok_or(text)
        });
        let address = |field: &str| listening[field].as_str().expect("an address in the log").to_owned();
        Self { process, api: address("api"), probes: address("probes"), log, _folder: folder }
    }

    /// Starts it and waits until it is ready.
    pub fn start_ready(arguments: &[&str]) -> Self {
        let started = Self::start(arguments);
        started.wait_until_ready();
        started
    }

    /// Waits until it answers.
    pub fn wait_until_ready(&self) {
        wait::until("the program is ready", || {
            let answer = self.probe("/readyz");
            if answer.status == StatusCode::OK { Ok(()) } else { Err(answer.body) }
        });
    }

    /// Waits until it leads: the other replicas leave all writing to it.
    pub fn wait_until_leads(&self) {
        wait::until("the program leads", || match self.metric("bailiwick_lease_held") {
            Some(1.0) => Ok(()),
            _ => Err(self.log()),
        });
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log")
    }

    /// GET of the API.
    pub fn get(&self, path: &str) -> Answer {
        http::send(|client| client.get(format!("http://{}{path}", self.api))).expect("an answer of the API")
    }

    /// POST of JSON to the API.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        http::send(|client| client.post(format!("http://{}{path}", self.api)).json(body)).expect("an answer of the API")
    }

    /// GET of the probes' listener.
    pub fn probe(&self, path: &str) -> Answer {
        http::send(|client| client.get(format!("http://{}{path}", self.probes))).expect("an answer of the probes")
    }

    /// The answer to a question.
    #[track_caller]
    pub fn allows(&self, question: Question<'_>) -> bool {
        let path = format!("/environments/{}/access/v1/evaluation", question.environment);
        self.post(&path, &question.evaluation()).ok()["decision"].as_bool().expect("a decision")
    }

    /// Waits until the answer to a question is `expected`.
    #[track_caller]
    pub fn wait_until_allows(&self, expected: bool, question: Question<'_>) {
        wait::until(&format!("{question:?} is {expected}"), || {
            let answer = self.allows(question);
            if answer == expected { Ok(()) } else { Err(format!("it is {answer}; log: {}", self.log())) }
        });
    }

    /// The same where it may not be ready on the way.
    #[track_caller]
    pub fn wait_until_allows_where_ready(&self, expected: bool, question: Question<'_>) {
        let path = format!("/environments/{}/access/v1/evaluation", question.environment);
        wait::until(&format!("{question:?} is {expected}"), || {
            let answer = self.post(&path, &question.evaluation());
            let is_so = answer.status == StatusCode::OK && answer.json()["decision"] == expected;
            if is_so { Ok(()) } else { Err(format!("{answer:?}; log: {}", self.log())) }
        });
    }

    /// What it says of every object of an environment.
    pub fn objects(&self, environment: &str) -> Vec<Value> {
        let path = format!("/environments/{environment}/v1/objects?limit=1000");
        let (mut objects, mut page) = (Vec::new(), self.get(&path).ok());
        loop {
            objects.append(page["items"].as_array_mut().expect("items"));
            let Some(cursor) = page["nextCursor"].as_str() else { return objects };
            page = self.get(&format!("{path}&cursor={cursor}")).ok();
        }
    }

    /// The answers to checks, one by one, each with its reason.
    pub fn answers(&self, environment: &str, checks: &[Value]) -> Vec<Value> {
        let batches = checks.chunks(10_000).map(|checks| {
            let answer = self.post(&format!("/environments/{environment}/v1/checks"), &json!({"checks": checks})).ok();
            answer["results"].as_array().expect("results").clone()
        });
        batches.flatten().collect()
    }

    /// The value of a metric with exactly these labels, such as `bailiwick_objects{kind="Role"}`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.probe("/metrics").body;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))?;
        value.parse().ok()
    }
}
