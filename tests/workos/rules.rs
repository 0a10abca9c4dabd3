//! Every rule of `docs/rules.md` is cited by a test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::{body::Body, http::Request};
use regex::Regex;

use crate::support::{answer::Answer, manifests::ACME, workos::World};

const RULES: &str = include_str!("../../docs/rules.md");

/// The folders of the tests that promise what the rules say.
const TESTS: [&str; 4] = ["tests/workos", "tests/sdk", "tests/graph", "tests/server"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

/// The rules that a text cites: `rule 7`, `rules 7, 9 and 11`, `rules 7-9`, `rule_7_…`.
fn cited(text: &str) -> BTreeSet<u32> {
    let citation = Regex::new(r"(?i-u)\brules?[ _]([0-9]+(?:(?:, | and |-| to |_)[0-9]+)*)").unwrap();
    let range = Regex::new(r"([0-9]+)(?:(?:-| to )([0-9]+))?").unwrap();
    let mut cited = BTreeSet::new();
    for numbers in citation.captures_iter(text) {
        for numbers in range.captures_iter(&numbers[1]) {
            let first: u32 = numbers[1].parse().unwrap();
            let last = numbers.get(2).map_or(first, |last| last.as_str().parse().unwrap());
            cited.extend(first..=last);
        }
    }
    cited
}

#[test]
fn every_rule_is_cited_by_a_test() {
    let number = Regex::new(r"(?m)^([0-9]+)\. ").unwrap();
    let rules: Vec<u32> = number.captures_iter(RULES).map(|rule| rule[1].parse().unwrap()).collect();
    assert_eq!(rules, (1..=76).collect::<Vec<_>>(), "docs/rules.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What is no text is no test.
    let texts =
        TESTS.iter().flat_map(|folder| files(&root.join(folder))).filter_map(|file| fs::read_to_string(file).ok());
    let cited: BTreeSet<u32> = texts.flat_map(|text| cited(&text)).collect();
    let missing: Vec<_> = rules.iter().filter(|rule| !cited.contains(rule)).collect();
    assert!(missing.is_empty(), "no test cites these rules: {missing:?}");
}

#[test]
fn citations_are_understood() {
    assert_eq!(cited("rules 7-9, 11 and 13; rule 20."), BTreeSet::from([7, 8, 9, 11, 13, 20]));
    assert_eq!(cited("fn rule_33_is_gone() {} Rules 40 to 42"), BTreeSet::from([33, 40, 41, 42]));
    assert_eq!(cited("the ruler 5, a rule of 6"), BTreeSet::new());
}

/// Sends a request without a body and with one header.
async fn with_header(world: &World, request: &str, name: &str, value: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(path).header(name, value);
    world.client().send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn rule_71_whoever_calls_is_served_whatever_they_say_they_are() {
    let world = World::new(ACME);
    world.get("/organizations/acme").await.ok();
    for credential in ["Bearer sk_test_1", "Bearer ", "Basic eDp5", "nonsense"] {
        with_header(&world, "GET /organizations/acme", "authorization", credential).await.ok();
    }
}

#[tokio::test]
async fn rule_73_no_request_depends_on_a_version() {
    let world = World::new(ACME);
    let answer = world.get("/organizations/acme").await;
    assert_eq!((answer.header("etag"), answer.header("last-modified")), ("", ""), "{answer:?}");
    for (name, value) in [("if-none-match", "*"), ("if-modified-since", "Sat, 01 Jan 2050 00:00:00 GMT")] {
        with_header(&world, "GET /organizations/acme", name, value).await.ok();
    }
    let answer = with_header(&world, "DELETE /organizations/acme", "if-match", "\"another version\"").await;
    assert_eq!(answer.status, 202, "{answer:?}");
}

#[tokio::test]
async fn rule_75_nobodys_requests_are_counted() {
    let world = World::new(ACME);
    // The hosted service refuses the 51st deletion of an organization in a minute and the 1,001st read in ten seconds.
    for _ in 0..=50 {
        world.delete("/organizations/nowhere").await.error(404, "entity_not_found");
    }
    for _ in 0..=1_000 {
        world.get("/user_management/organization_memberships?user_id=nobody").await.ok();
    }
}
