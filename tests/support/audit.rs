//! The audit log of the API server: who wrote what, and when.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use bailiwick::graph::facts::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::Deserialize;

/// A request that wrote, or tried to. Holds those that hack/control-plane/audit-policy.yaml asks for.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose request it was.
    pub user: String,
    /// The program, as it called itself.
    pub user_agent: String,
    /// The verb, as RBAC has it.
    pub verb: String,
    /// What was written.
    pub object: Object,
    /// The HTTP status of the answer.
    pub code: u16,
    /// When the request arrived.
    pub received: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
}

impl Entry {
    /// Whether it was carried out.
    pub fn succeeded(&self) -> bool {
        self.code < 300
    }

    /// Whether it wrote, or tried to write, an object of ours.
    pub fn is_ours(&self) -> bool {
        self.object.api_group == bailiwick::api::GROUP
    }
}

/// What a request wrote.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(default, rename_all = "camelCase")]
pub struct Object {
    /// The API group.
    pub api_group: String,
    /// The plural of the kind.
    pub resource: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// The namespace.
    pub namespace: String,
    /// The name; empty for a collection.
    pub name: String,
}

/// An event of the log, as far as it is of interest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    user: User,
    #[serde(default)]
    user_agent: String,
    verb: String,
    #[serde(default)]
    object_ref: Object,
    response_status: Status,
    request_received_timestamp: MicroTime,
    stage_timestamp: MicroTime,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

/// The entries of a log file; the line that is being written is left out.
pub fn read(path: &Path) -> Vec<Entry> {
    let mut lines = BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    let (mut entries, mut line) = (Vec::new(), String::new());
    while lines.read_line(&mut line).expect("a line of text") > 0 && line.ends_with('\n') {
        let Line { user, user_agent, verb, object_ref, response_status, request_received_timestamp, stage_timestamp } =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
        entries.push(Entry {
            user: user.username,
            user_agent,
            verb,
            object: object_ref,
            code: response_status.code,
            received: request_received_timestamp.0,
            answered: stage_timestamp.0,
        });
        line.clear();
    }
    entries
}
