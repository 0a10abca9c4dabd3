//! Every error that the WorkOS API documents, endpoint by endpoint: provoked and compared as a whole, or with the reason why it
//! cannot happen here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use axum::{
    body::Body,
    http::{Method, Request, header::CONTENT_TYPE},
};
use bailiwick::server::Config;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    answer::Answer,
    router::{DEFAULT_ENVIRONMENT, config},
    workos::World,
};

const WORLD: &str = include_str!("errors/world.yaml");

/// As many members as a group may have.
const FULL: usize = 50_000;

/// What the WorkOS API documents, and what of it cannot happen here.
#[derive(Deserialize)]
pub struct Documented {
    /// The statuses of errors by endpoint.
    pub endpoints: BTreeMap<String, BTreeSet<u16>>,
    impossible: Vec<Impossible>,
    codes: BTreeSet<String>,
    impossible_codes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Impossible {
    status: u16,
    of: Vec<String>,
    because: String,
}

/// A request, and what is answered to it.
#[derive(Debug, Deserialize)]
struct Case {
    request: String,
    body: Option<Value>,
    malformed: Option<String>,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    answer: Value,
}

impl Documented {
    /// What the file says.
    pub fn read() -> Self {
        serde_saphyr::from_str(include_str!("errors/documented.yaml")).unwrap()
    }

    /// The endpoint of a request, where it is one of these.
    fn endpoint_of(&self, request: &str) -> Option<&String> {
        let path = request.split('?').next().unwrap_or_default();
        let path = path.replacen("/environments/unserved", "", 1);
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |endpoint: &&String| {
            let pattern: Vec<&str> = endpoint.split('/').collect();
            let fits = |(one, other): (&&str, &&str)| one == other || one.starts_with('{');
            pattern.len() == segments.len() && pattern.iter().zip(&segments).all(fits)
        };
        // A segment that is said in words goes before one that may be anything.
        self.endpoints.keys().filter(fits).min_by_key(|endpoint| endpoint.matches('{').count())
    }
}

impl Impossible {
    fn is_about(&self, endpoint: &str, status: u16) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => endpoint.starts_with(start),
            None => pattern == endpoint,
        };
        assert!(!self.because.is_empty(), "no reason for {status}");
        self.status == status && self.of.iter().any(fits)
    }
}

impl Case {
    async fn send(&self, world: &World) -> Answer {
        let (method, path) = self.request.split_once(' ').unwrap();
        let request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
        let body = self.malformed.clone().or_else(|| self.body.as_ref().map(Value::to_string));
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body)),
            None => request.body(Body::empty()),
        };
        world.client().send(request.unwrap()).await
    }

    /// What is not as it should be.
    async fn difference(&self, world: &World) -> Option<String> {
        let answer = self.send(world).await;
        let body: Value = serde_json::from_str(&without_ids(&answer.body)).unwrap_or_default();
        let is_right =
            answer.status == self.status && body == self.answer && answer.header("content-type") == "application/json";
        let request = self.body.clone().unwrap_or_default();
        (!is_right).then(|| format!("{} {request}: {} {body}", self.request, answer.status))
    }
}

fn cases(yaml: &str) -> Vec<Case> {
    serde_saphyr::from_str(yaml).unwrap()
}

/// The text with what an id is made of left out.
pub fn without_ids(text: &str) -> String {
    Regex::new(r"(?-u:\b)([a-z_]+_)[0-9A-HJKMNP-TV-Z]{26}(?-u:\b)").unwrap().replace_all(text, "$1…").into_owned()
}

#[tokio::test]
async fn every_error_that_is_documented_is_answered_as_the_table_says() {
    let members: Vec<_> = (0..FULL).map(|number| format!("m{number}")).collect();
    let full = json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": "Group", "metadata": {"name": "full"},
        "spec": {"organizationRef": {"name": "acme"}, "members": members},
    });
    let served = Some([DEFAULT_ENVIRONMENT.to_owned()].into());
    let files = [("world.yaml", WORLD), ("full.json", &full.to_string())];
    let world = World::with_config(&files, Config { served_environments: served, ..config() });
    let before: Vec<_> = world.files().iter().map(|file| (file.clone(), world.read(file))).collect();
    let mut differences = String::new();
    for case in cases(include_str!("errors/provoked.yaml")) {
        if let Some(difference) = case.difference(&world).await {
            writeln!(differences, "{difference}").unwrap();
        }
    }
    assert!(differences.is_empty(), "answered otherwise:\n{differences}");
    let after: Vec<_> = world.files().iter().map(|file| (file.clone(), world.read(file))).collect();
    assert!(before == after, "a request that was refused has changed something");
}

/// 403 is the answer to every write where nothing may be written. For reads it never happens.
#[tokio::test]
async fn where_nothing_may_be_written_every_write_is_a_403() {
    let problem = "nothing may be written here: start with --allow-unauthenticated-writes";
    let world = World::read_only(WORLD, problem);
    let mut differences = String::new();
    for case in cases(include_str!("errors/writes.yaml")) {
        let case = Case { status: 403, answer: json!({"message": problem, "code": "read_only"}), ..case };
        if let Some(difference) = case.difference(&world).await {
            writeln!(differences, "{difference}").unwrap();
        }
    }
    assert!(differences.is_empty(), "answered otherwise:\n{differences}");
    // Also of what cannot be done anywhere.
    for (method, path) in [
        (Method::POST, "/organizations"),
        (Method::PUT, "/organizations/none"),
        (Method::PATCH, "/authorization/groups/none/role_assignments"),
        (Method::DELETE, "/environments/default/user_management/organization_memberships/none"),
    ] {
        assert_eq!(
            world.send(method, path, Some(&json!({"name": ""}))).await.error(403, "read_only"),
            problem,
            "{path}"
        );
    }
}

#[test]
fn every_error_that_is_documented_is_provoked_or_cannot_happen() {
    let documented = Documented::read();
    let mut provoked: BTreeSet<(String, u16)> = BTreeSet::new();
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for case in cases(include_str!("errors/provoked.yaml")) {
        let endpoint = documented.endpoint_of(&case.request).unwrap_or_else(|| panic!("{case:?} is of no endpoint"));
        provoked.insert((endpoint.clone(), case.status));
        codes.insert(case.answer["code"].as_str().unwrap_or_else(|| panic!("no code: {case:?}")).to_owned());
    }
    for case in cases(include_str!("errors/writes.yaml")) {
        provoked.extend(documented.endpoint_of(&case.request).map(|endpoint| (endpoint.clone(), 403)));
    }
    let mut missing = Vec::new();
    for (endpoint, statuses) in &documented.endpoints {
        for &status in statuses {
            let is_provoked = provoked.contains(&(endpoint.clone(), status));
            let is_impossible = documented.impossible.iter().any(|it| it.is_about(endpoint, status));
            assert!(!(is_provoked && is_impossible), "{endpoint} {status} cannot happen, and is provoked");
            if !is_provoked && !is_impossible {
                missing.push(format!("{endpoint} {status}"));
            }
        }
    }
    assert!(missing.is_empty(), "neither provoked nor said to be impossible:\n{}", missing.join("\n"));
    let unseen: Vec<_> = documented.codes.difference(&codes).collect();
    assert!(unseen.is_empty(), "these codes are never answered: {unseen:?}");
    let impossible: Vec<_> = documented.impossible_codes.keys().filter(|code| codes.contains(*code)).collect();
    assert!(impossible.is_empty(), "these codes cannot happen, and are answered: {impossible:?}");
}
