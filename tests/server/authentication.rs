//! Whom the API answers: every endpoint with every sort of credential.

mod reviews;

use std::{collections::BTreeSet, pin::pin};

use axum::{
    body::Body,
    http::{
        Request,
        header::{CONTENT_TYPE, HOST},
    },
};
use bailiwick::server::{Digest, Verb};
use futures::{FutureExt as _, stream};
use reqwest::Client as HttpClient;
use serde_json::Value;

use crate::{
    support::{
        answer::Answer,
        callers::{answering, bodiless, entry, with_secret},
        http,
        router::{Client, TestServer},
        serving::Serving,
        workos::World,
    },
    workos::endpoints,
};

const DOCUMENT: &str = include_str!("../../docs/authentication.md");

/// Those with one verb in the environment `default` each, by their secrets, which are the names of the verbs.
fn with_one_verb() -> Vec<String> {
    let of = |verb: Verb| {
        let name = verb.as_str();
        entry(&format!("{name}er"), name, &format!("{{environments: [default], verbs: [{name}]}}"))
    };
    Verb::ALL.into_iter().map(of).collect()
}

const ALL_VERBS: &str = "verbs: [check, search, read, write]";

fn world() -> World {
    let mut entries = with_one_verb();
    entries.push(entry("owner", "all", &format!("{{environments: ['*'], {ALL_VERBS}}}")));
    entries.push(entry("stranger-here", "elsewhere", &format!("{{environments: [elsewhere], {ALL_VERBS}}}")));
    let key = Digest::of(b"expired");
    let may = format!("[{{environments: ['*'], {ALL_VERBS}}}]");
    entries.push(format!("- {{name: former, key: '{key}', expires: 2020-01-01T00:00:00Z, may: {may}}}\n"));
    World::with_config(&[], answering(&entries, None))
}

/// A method and a path without parameters, in the environment `default`.
type Endpoint = (String, String);

/// Every endpoint that the program describes, at the root of the host and in the environment, and what that takes.
async fn endpoints_with_verbs(client: &Client) -> Vec<(Endpoint, Option<Verb>)> {
    let document = client.send(request("GET", "/openapi.json", Some("all"), "")).await.ok();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| {
            let verb = documented_verb(&path.replace("/environments/{namespace}", ""));
            ((method.to_uppercase(), path.replace("{namespace}", "default")), verb)
        })
    });
    let mut all: Vec<_> = described.collect();
    for ((method, path), _) in endpoints::told() {
        let verb = match (method.as_str(), path.rsplit('/').next().unwrap()) {
            ("GET", _) => Verb::Read,
            ("POST", "check" | "batch_check") => Verb::Check,
            ("POST", "explain") => Verb::Search,
            _ => Verb::Write,
        };
        let path = endpoints::nameless(&path);
        all.push(((method.clone(), path.clone()), Some(verb)));
        all.push(((method, format!("/environments/default{path}")), Some(verb)));
    }
    assert!(all.len() > 150, "{}", all.len());
    all
}

/// The verb in whose row of the document's table an endpoint stands; none: in that of the public ones.
fn documented_verb(path: &str) -> Option<Verb> {
    let row = |name: &str| DOCUMENT.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap();
    let is_in = |row: &str| row.contains(&format!("`{path}`"));
    let verb = Verb::ALL.into_iter().find(|verb| is_in(row(&format!("`{}`", verb.as_str()))));
    assert!(verb.is_some() || is_in(row("none")), "docs/authentication.md does not tell what {path} takes");
    verb
}

/// A request that is wrong but for its credential.
fn request(method: &str, path: &str, secret: Option<&str>, body: &'static str) -> Request<Body> {
    let request = with_secret(Request::builder().method(method).uri(path), secret);
    request.header(HOST, "x").header(CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
}

async fn ask(client: &Client, (method, path): &Endpoint, secret: Option<&str>) -> Answer {
    client.send(request(method, path, secret, "{")).await
}

/// Asserts that this tells a stranger nothing, and returns what it tells.
#[track_caller]
fn told_to_strangers(answer: &Answer) -> String {
    answer.error(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"bailiwick\"");
    assert_eq!(answer.header("allow"), "");
    answer.body.clone()
}

#[track_caller]
fn told_what_is_missing(answer: &Answer, caller: &str, verb: Verb, environment: &str) -> String {
    let message = answer.error(403, "not_permitted");
    let beginning = format!("`{caller}` may not `{}` in environment `{environment}`: ", verb.as_str());
    assert!(message.starts_with(&beginning), "{message}");
    message
}

#[tokio::test]
async fn every_endpoint_answers_those_who_may_and_nobody_else() {
    let world = world();
    let client = world.client();
    let mut told = BTreeSet::new();
    for (endpoint, verb) in endpoints_with_verbs(client).await {
        let Some(verb) = verb else {
            assert_eq!(ask(client, &endpoint, None).await.status, 200, "{endpoint:?}");
            continue;
        };
        for stranger in [None, Some("wrong"), Some("expired"), Some(""), Some("CHECK")] {
            told.insert(told_to_strangers(&ask(client, &endpoint, stranger).await));
        }
        for other in Verb::ALL {
            let answer = ask(client, &endpoint, Some(other.as_str())).await;
            if other == verb {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{endpoint:?} for {verb:?}: {answer:?}");
            } else {
                told_what_is_missing(&answer, &format!("{}er", other.as_str()), verb, "default");
            }
        }
        let answer = ask(client, &endpoint, Some("elsewhere")).await;
        told_what_is_missing(&answer, "stranger-here", verb, "default");
        let (method, path) = &endpoint;
        if path.contains("/environments/default") {
            // It has the verb there, but there is no such environment. To others that looks like one that there is.
            for (environment, caller) in [("elsewhere", "checker"), ("nowhere", "checker")] {
                let elsewhere = (method.clone(), path.replace("/default/", &format!("/{environment}/")));
                let answer = ask(client, &elsewhere, Some("check")).await;
                told_what_is_missing(&answer, caller, verb, environment);
                told.insert(told_to_strangers(&ask(client, &elsewhere, None).await));
            }
        }
        let answer = ask(client, &endpoint, Some("all")).await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{endpoint:?}: {answer:?}");
    }
    assert_eq!(told.len(), 1, "strangers are told several things: {told:?}");
}

#[tokio::test]
async fn strangers_do_not_learn_what_there_is() {
    let world = world();
    let client = world.client();
    let known = told_to_strangers(&ask(client, &("POST".to_owned(), "/access/v1/evaluation".to_owned()), None).await);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nothing/here"),
        ("GET", "/openapi.json"),
        ("GET", "/access/v1/evaluation"),
        ("TRACE", "/organizations"),
        ("GET", "/environments/d%65fault/v1/objects"),
        ("GET", "/environments/a/b/c"),
        ("POST", "/environments//v1/check"),
    ] {
        let endpoint = (method.to_owned(), path.to_owned());
        assert_eq!(told_to_strangers(&ask(client, &endpoint, None).await), known, "{method} {path}");
    }
    let endpoint = ("GET".to_owned(), "/nothing/here".to_owned());
    ask(client, &endpoint, Some("read")).await.error(404, "no_such_route");
    assert_eq!(ask(client, &("GET".to_owned(), "/openapi.json".to_owned()), Some("read")).await.status, 200);
}

#[tokio::test]
async fn strangers_do_not_take_the_place_of_others() {
    let mut config = answering(&with_one_verb(), None);
    config.limits.concurrent_requests = 1;
    let server = TestServer::new(config);
    let never = Body::from_stream(stream::pending::<Result<&str, std::io::Error>>());
    let request = Request::post("/access/v1/evaluation").body(never).unwrap();
    let mut stranger = pin!(server.api.send(request));
    assert!((&mut stranger).now_or_never().is_none(), "the body is waited for");
    server.api.send(bodiless("GET", "/environments/default/v1/objects", Some("search"))).await.ok();
    told_to_strangers(&stranger.await);
}

#[tokio::test]
async fn an_environment_in_another_spelling_is_for_those_who_may_ask_every_one() {
    let world = world();
    let spelled = ("GET".to_owned(), "/environments/d%65fault/v1/objects".to_owned());
    world.client().send(request("GET", &spelled.1, Some("all"), "")).await.ok();
    let message = ask(world.client(), &spelled, Some("search")).await.error(403, "not_permitted");
    assert!(!message.contains('%'), "{message}");
}

#[tokio::test]
async fn only_one_credential_of_the_right_scheme_counts() {
    let world = world();
    let ask = async |values: &[&str]| {
        let mut request = Request::get("/environments/default/v1/objects");
        for value in values {
            request = request.header("authorization", *value);
        }
        world.client().send(request.body(Body::empty()).unwrap()).await
    };
    for values in [&["Bearer search"][..], &["bearer search"], &["BEARER  search "]] {
        assert_eq!(ask(values).await.status, 200, "{values:?}");
    }
    let long = format!("Bearer {}", "x".repeat(20_000));
    for values in [
        &["search"][..],
        &["Basic search"],
        &["Bearer"],
        &["Bearer "],
        &["Bearersearch"],
        &["Bearer search", "Bearer search"],
        &["Bearer search", "Basic x"],
        &[&long],
    ] {
        told_to_strangers(&ask(values).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_frequent_questions_are_asked_for_credentials_as_well() {
    let serving = Serving::begin(answering(&with_one_verb(), None)).await;
    serving.apply(super::world());
    let client = http::client().build().unwrap();
    let question = super::question("alice", "edit", "website");
    let ask = async |path: &str, secret: Option<&str>| {
        let request = client.post(format!("http://{}{path}", serving.api)).json(&question);
        let request = secret
            .map_or_else(|| request.try_clone().unwrap(), |secret| request.try_clone().unwrap().bearer_auth(secret));
        let response = HttpClient::execute(&client, request.build().unwrap()).await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    for (path, status) in [
        ("/access/v1/evaluation", 200),
        ("/environments/default/access/v1/evaluation", 200),
        ("/environments/default/v1/check", 400),
        ("/environments/default/v1/checks", 400),
    ] {
        for stranger in [None, Some("wrong")] {
            let (status, body) = ask(path, stranger).await;
            assert_eq!((status, &body["code"]), (401, &Value::from("unauthenticated")), "{path}: {body}");
        }
        let (denied, body) = ask(path, Some("search")).await;
        assert_eq!((denied, &body["code"]), (403, &Value::from("not_permitted")), "{path}: {body}");
        let (answered, body) = ask(path, Some("check")).await;
        assert_eq!(answered, status, "{path}: {body}");
    }
}
