//! The core cases of the AuthZEN certification scenario, levels Basic and Batch.

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
    fn send(&self, serve: &Bailiwick) -> Answer {
        let body = self.raw_body.clone().unwrap_or_else(|| self.request.as_ref().expect("a request").to_string());
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
            expect(contains(&answer.json(), expected), "another body")?;
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

#[test]
fn core_cases_of_the_levels_basic_and_batch_are_answered_as_expected() {
    let suite: Suite = super::read("authzen/neutral.json");
    let fixture = suite.cases.iter().find(|case| case.name.ends_with("::certification-core")).expect("the fixture");
    let folder = tempfile::tempdir().expect("a temporary folder");
    fixture.write(folder.path(), "default");
    let serve = Bailiwick::start_ready(&["serve", "--manifests", folder.path().to_str().expect("a path")]);

    let cases: Vec<Case> = super::read("authzen/certification/cases.json");
    let wanted = |case: &&Case| case.level == "core" && (case.id.starts_with("c-2-") || case.id.starts_with("c-3-"));
    let mut run = 0;
    let mut wrong = Vec::new();
    for case in cases.iter().filter(wanted) {
        run += 1;
        for _ in 0..case.repeat {
            if let Err(error) = case.check(&case.send(&serve)) {
                wrong.push(format!(
                    "{} {} {}: {error}",
                    case.id,
                    case.title,
                    case.label.as_deref().unwrap_or_default()
                ));
            }
        }
    }
    assert!(run >= 26, "only {run} cases are of the levels Basic and Batch");
    assert!(wrong.is_empty(), "{} of {run} cases:\n{}", wrong.len(), wrong.join("\n"));
}
