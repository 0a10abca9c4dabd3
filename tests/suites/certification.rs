//! The AuthZEN certification scenario, levels Basic, Batch, Search and Discovery.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;

use super::neutral::Suite;
use crate::support::{answer::Answer, bailiwick::Bailiwick, http};

#[derive(Deserialize)]
struct Case {
    id: String,
    title: String,
    label: Option<String>,
    level: String,
    method: Option<String>,
    r#match: Option<String>,
    endpoint: String,
    request: Option<Value>,
    raw_body: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default = "once")]
    repeat: usize,
    status: u16,
    expect: Option<Value>,
    structure: Option<String>,
    #[serde(default)]
    expect_headers: BTreeMap<String, String>,
}

fn once() -> usize {
    1
}

impl Case {
    /// The `token` is what the case before it was handed out for the next page.
    fn send(&self, serve: &Bailiwick, token: &Value) -> Answer {
        if self.method.as_deref() == Some("GET") {
            return serve.get(&self.endpoint);
        }
        let body = self.raw_body.clone().unwrap_or_else(|| {
            let mut request = self.request.clone().expect("a request");
            if let Some(placeholder) = request.pointer_mut("/page/token") {
                *placeholder = token.clone();
            }
            request.to_string()
        });
        let content_type = self.content_type.as_deref().unwrap_or("application/json");
        http::send(|client| {
            let request =
                client.post(format!("http://{}{}", serve.api, self.endpoint)).header(CONTENT_TYPE, content_type);
            self.headers.iter().fold(request, |request, (name, value)| request.header(name, value)).body(body)
        })
        .expect("an answer")
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        let expect = |right: bool, what: &str| if right { Ok(()) } else { Err(format!("{what}: {answer:?}")) };
        expect(answer.status == self.status, "another status")?;
        for (name, value) in &self.expect_headers {
            expect(answer.header(name) == value, "another header")?;
        }
        if self.status == 200 {
            expect(answer.header("content-type") == "application/json", "another content type")?;
        }
        if let Some(expected) = &self.expect {
            let is_superset = self.r#match.as_deref().is_some_and(|it| it.starts_with("superset"));
            let has_all = if is_superset { has_results } else { contains };
            expect(has_all(&answer.json(), expected), "another body")?;
        }
        if self.status == 200 && self.endpoint.contains("/search/") {
            let body = answer.json();
            let page = body.get("page");
            expect(body["results"].is_array(), "no results")?;
            expect(page.is_none_or(|page| page["next_token"].is_string()), "no token")?;
            let is_paged = self.request.as_ref().is_some_and(|request| request.get("page").is_some());
            expect(page.is_some() || !is_paged, "no page")?;
        }
        if self.level == "discovery" {
            expect(describes_the_endpoints(&answer.json()), "other metadata")?;
        }
        if let Some(structure) = &self.structure {
            assert_eq!(
                structure, "evaluations: array of 2 objects with boolean decision",
                "a structure unknown to this test"
            );
            let body = answer.json();
            let evaluations = body["evaluations"].as_array().map(Vec::as_slice).unwrap_or_default();
            let decisions = evaluations.iter().filter(|evaluation| evaluation["decision"].is_boolean()).count();
            expect(evaluations.len() == 2 && decisions == 2, "another structure")?;
        }
        Ok(())
    }
}

/// Whether an answer has all results that are expected, and maybe more.
fn has_results(answer: &Value, expected: &Value) -> bool {
    let results = |body: &Value| body["results"].as_array().cloned().unwrap_or_default();
    let answer = results(answer);
    results(expected).iter().all(|expected| answer.iter().any(|result| contains(result, expected)))
}

const ADMINISTRATOR: &str = "!has(subject.properties.role) || subject.properties.role == 'admin'";

const PUBLIC_URL: &str = "https://pdp.example.com";

/// Whether an answer has all that is expected; objects may have more fields.
fn contains(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => {
            expected.iter().all(|(name, value)| answer.get(name).is_some_and(|field| contains(field, value)))
        }
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len() && answer.iter().zip(expected).all(|(a, e)| contains(a, e))
        }
        _ => answer == expected,
    }
}

/// Whether the metadata are as section c-6-5 wants them.
fn describes_the_endpoints(metadata: &Value) -> bool {
    let is_below_the_identifier = |(name, value): (&String, &Value)| {
        let is_url = value.as_str().is_some_and(|url| url.starts_with(PUBLIC_URL));
        name == "capabilities" || is_url
    };
    metadata["policy_decision_point"] == PUBLIC_URL
        && metadata["access_evaluation_endpoint"].is_string()
        && metadata.as_object().is_some_and(|metadata| metadata.iter().all(is_below_the_identifier))
}

#[test]
fn every_case_is_answered_as_expected() {
    let suite: Suite = super::read("authzen/neutral.json");
    let fixture = suite.cases.into_iter().find(|case| case.name.ends_with("::certification-core"));
    // What the levels with properties want besides: bob is an administrator, unless a question tells of another role, and
    // may write what is archived; and deletion is soft.
    let fixture = fixture
        .expect("the fixture")
        .with_role("archivist", "record", &["record:write"])
        .with_role("remover", "record", &["record:delete"])
        .assigning_if(ADMINISTRATOR, "user:bob", "archivist", "record:record-2")
        .assigning_if("action.properties.soft", "user:alice", "remover", "record:record-1");
    let folder = tempfile::tempdir().expect("a temporary folder");
    fixture.write(folder.path(), "default");
    let manifests = folder.path().to_str().expect("a path");
    let serve = Bailiwick::start_ready(&["serve", "--manifests", manifests, "--public-url", PUBLIC_URL]);

    let cases: Vec<Case> = super::read("authzen/certification/cases.json");
    let mut token = Value::Null;
    let mut wrong = BTreeMap::new();
    for case in &cases {
        for _ in 0..case.repeat {
            let answer = case.send(&serve, &token);
            if case.id == "c-4-5-1" {
                token = answer.json()["page"]["next_token"].clone();
                assert!(token.as_str().is_some_and(|token| !token.is_empty()), "one of two is told: {answer:?}");
            }
            if let Err(error) = case.check(&answer) {
                let label = case.label.as_deref().unwrap_or_default();
                wrong.insert(case.id.as_str(), format!("{} {label}: {error}", case.title));
            }
        }
    }
    assert_eq!(cases.len(), 56, "the suite has another number of cases than it had");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
