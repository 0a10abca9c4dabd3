//! `docs/workos.md` tells of every endpoint, and of none that is not there.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, header::ALLOW},
};
use regex::Regex;

use super::errors::Documented;
use crate::support::{answer::Answer, router::Client, workos::World};

const GUIDE: &str = include_str!("../../docs/workos.md");

/// A method and a path.
pub type Endpoint = (String, String);

/// The endpoints of the guide's tables, each with its state.
pub fn told() -> Vec<(Endpoint, String)> {
    let rows = Regex::new(r"(?m)^\| ([A-Z, ]+) \| `(/[^`]+)` \| ([^|]+) \|").unwrap();
    let rows = rows.captures_iter(GUIDE).map(|row| row.extract::<3>().1);
    let told = rows.flat_map(|[methods, path, state]| {
        methods.split(", ").map(move |method| ((method.to_owned(), path.to_owned()), state.trim().to_owned()))
    });
    told.collect()
}

/// A path in which every parameter is named alike: names are for people.
pub fn nameless(path: &str) -> String {
    let parameter = Regex::new(r"\{\*?[a-z_]+\}").unwrap();
    parameter.replace_all(path, "x").into_owned()
}

async fn send(client: &Client, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
    client.send(request.body(Body::empty()).unwrap()).await
}

/// The endpoints that the router has, at the root of the host and below an environment.
async fn there(world: &World) -> BTreeSet<Endpoint> {
    // A router tells its paths by no other means, and of each path the methods by what it says to a wrong one.
    let router = format!("{:?}", world.client().0);
    let paths =
        Regex::new(r#""((?:/environments/\{namespace\})?/(?:authorization|organizations|user_management)[^"]*)""#);
    let paths: BTreeSet<_> = paths.unwrap().captures_iter(&router).map(|path| path[1].to_owned()).collect();
    let mut there = BTreeSet::new();
    for path in paths {
        let answer = send(world.client(), "TRACE", &nameless(&path)).await;
        if answer.status == 501 {
            // Users: whatever the method is.
            continue;
        }
        answer.error(405, "method_not_allowed");
        let methods = answer.header(ALLOW.as_str()).split(',').filter(|method| *method != "HEAD");
        there.extend(methods.map(|method| (method.to_owned(), nameless(&path))));
    }
    there
}

#[tokio::test]
async fn the_guide_has_every_endpoint_and_no_other() {
    let world = World::new("");
    let told: BTreeSet<Endpoint> = told()
        .into_iter()
        .filter(|(_, state)| state != "501")
        .map(|((method, path), _)| (method, nameless(&path)))
        .flat_map(|(method, path)| [(method.clone(), path.clone()), (method, format!("/environments/x{path}"))])
        .collect();
    let there = there(&world).await;
    let untold: Vec<_> = there.difference(&told).collect();
    assert!(untold.is_empty(), "docs/workos.md does not tell of {untold:?}");
    let missing: Vec<_> = told.difference(&there).collect();
    assert!(missing.is_empty(), "docs/workos.md tells of what is not there: {missing:?}");
}

#[tokio::test]
async fn what_is_not_served_answers_501() {
    let world = World::new("");
    let unserved: Vec<_> =
        told().into_iter().filter(|(_, state)| state == "501").map(|(endpoint, _)| endpoint).collect();
    assert!(!unserved.is_empty());
    for (method, path) in unserved {
        for prefix in ["", "/environments/default"] {
            let answer = send(world.client(), &method, &format!("{prefix}{}", nameless(&path))).await;
            answer.error(501, "users_not_kept_here");
        }
    }
}

#[test]
fn the_guide_has_every_endpoint_that_workos_documents() {
    let told: BTreeSet<String> =
        told().into_iter().map(|((method, path), _)| format!("{method} {}", nameless(&path))).collect();
    let documented = Documented::read().endpoints.into_keys().map(|endpoint| nameless(&endpoint));
    let missing: Vec<_> = documented.filter(|endpoint| !told.contains(endpoint)).collect();
    assert!(missing.is_empty(), "docs/workos.md does not tell of {missing:?}");
}
