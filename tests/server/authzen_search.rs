//! The AuthZEN surface: searches, and the metadata.

use axum::{
    body::Body,
    http::{Request, header::HOST},
};
use bailiwick::{
    graph::facts::{Kind, Object},
    server::Config,
};
use serde_json::{Value, json};

use super::world;
use crate::support::{
    answer::Answer,
    facts::{applied, deleted, grant, group, group_grant, membership, nested_group, organization, resource, role},
    router::{DEFAULT_ENVIRONMENT, TestServer, config},
};

const SUBJECTS: &str = "/access/v1/search/subject";
const RESOURCES: &str = "/access/v1/search/resource";
const ACTIONS: &str = "/access/v1/search/action";
const METADATA: &str = "/.well-known/authzen-configuration";

fn who(action: &str, project: &str) -> Value {
    json!({"subject": {"type": "user"}, "action": {"name": action}, "resource": {"type": "project", "id": project}})
}

fn on_what(user: &str, action: &str) -> Value {
    json!({"subject": {"type": "user", "id": user}, "action": {"name": action}, "resource": {"type": "project"}})
}

fn what(user: &str, project: &str) -> Value {
    json!({"subject": {"type": "user", "id": user}, "resource": {"type": "project", "id": project}})
}

fn with(mut request: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    request.pointer_mut(parent).expect("the parent")[name] = value;
    request
}

async fn search(server: &TestServer, path: &str, request: &Value) -> Value {
    server.api.post(path, request).await.ok()
}

/// The ids or names of what was found.
fn ids(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results").iter();
    results.map(|result| result.get("id").or(result.get("name")).and_then(Value::as_str).expect("an id")).collect()
}

#[tokio::test]
async fn finds_what_evaluations_allow_through_groups_and_inheritance() {
    let server = TestServer::with(world());
    let in_acme = with(who("edit", "website"), "/resource/properties", json!({"organization": "acme"}));
    let users = search(&server, SUBJECTS, &in_acme).await;
    assert_eq!(users, json!({"results": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}]}));
    let memberships = with(who("project:edit", "app"), "/subject/type", json!("membership"));
    let memberships = search(&server, SUBJECTS, &memberships).await;
    assert_eq!(memberships, json!({"results": [{"type": "membership", "id": "bob-acme"}]}));

    let resources = search(&server, RESOURCES, &on_what("bob", "edit")).await;
    assert_eq!(resources, json!({"results": [{"type": "project", "id": "app"}, {"type": "project", "id": "website"}]}));
    let workspaces = with(on_what("bob", "view"), "/resource/type", json!("workspace"));
    assert_eq!(ids(&search(&server, RESOURCES, &workspaces).await), ["engineering"]);

    let actions = search(&server, ACTIONS, &what("bob", "app")).await;
    assert_eq!(actions, json!({"results": [{"name": "edit"}, {"name": "view"}, {"name": "workspace:view"}]}));
}

/// Every result, put into an evaluation, is allowed; and everything else is not.
#[tokio::test]
async fn agrees_with_evaluation() {
    let server = TestServer::with(world());
    let users = ["alice", "bob", "carol", "dave", "nobody"];
    let projects = ["website", "app", "orphan", "globex-website", "nothing"];
    for action in ["edit", "view", "project:edit", "delete"] {
        let mut found = Vec::new();
        for user in users {
            let answer = search(&server, RESOURCES, &on_what(user, action)).await;
            for resource in answer["results"].as_array().unwrap() {
                let question = with(on_what(user, action), "/resource", resource.clone());
                let decision = server.api.post("/access/v1/evaluation", &question).await.ok();
                assert_eq!(decision["decision"], true, "{question}");
                if resource.get("properties").is_none() {
                    found.push((user, resource["id"].as_str().unwrap().to_owned()));
                }
            }
        }
        for project in projects {
            let subjects = search(&server, SUBJECTS, &who(action, project)).await;
            for user in users {
                let question = with(who(action, project), "/subject/id", json!(user));
                let decision = server.api.post("/access/v1/evaluation", &question).await.ok()["decision"] == true;
                assert_eq!(ids(&subjects).contains(&user), decision, "{question}");
                // An object's name is an id too, but what is found has its external id.
                if project != "globex-website" {
                    assert_eq!(found.contains(&(user, project.to_owned())), decision, "{question}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_resource_that_is_ambiguous_is_found_with_its_organization() {
    let server = TestServer::with(world());
    let answer = search(&server, RESOURCES, &on_what("carol", "edit")).await;
    let website = json!({"type": "project", "id": "website", "properties": {"organization": "globex"}});
    assert_eq!(answer, json!({"results": [website]}));
    let in_acme = with(on_what("carol", "edit"), "/resource/properties", json!({"organization": "acme"}));
    assert_eq!(search(&server, RESOURCES, &in_acme).await, json!({"results": []}));

    let ambiguous = search(&server, ACTIONS, &what("carol", "website")).await;
    assert_eq!(ambiguous["results"], json!([]));
    assert_eq!(ambiguous["context"]["reason"]["code"], "ambiguous_resource");
    let settled = with(what("carol", "website"), "/resource/properties", json!({"organization": "globex"}));
    assert_eq!(ids(&search(&server, ACTIONS, &settled).await), ["edit", "view"]);
}

#[tokio::test]
async fn what_is_unknown_is_found_nowhere_and_is_no_error() {
    let server = TestServer::with(world());
    for (path, request) in [
        (SUBJECTS, who("edit", "unheard-of")),
        (SUBJECTS, who("unheard-of", "website")),
        (SUBJECTS, with(who("edit", "website"), "/subject/type", json!("spaceship"))),
        (SUBJECTS, with(who("edit", "website"), "/resource/type", json!("spaceship"))),
        (SUBJECTS, with(who("edit", "website"), "/resource/properties", json!({"organization": "unheard-of"}))),
        (RESOURCES, on_what("unheard-of", "edit")),
        (RESOURCES, on_what("alice", "unheard-of")),
        (RESOURCES, with(on_what("alice", "edit"), "/subject/type", json!("spaceship"))),
        (RESOURCES, with(on_what("alice", "edit"), "/resource/type", json!("spaceship"))),
        (ACTIONS, what("unheard-of", "app")),
        (ACTIONS, what("alice", "unheard-of")),
        (ACTIONS, with(what("alice", "website"), "/subject/type", json!("spaceship"))),
    ] {
        assert_eq!(search(&server, path, &request).await, json!({"results": []}), "{path} {request}");
        let paged = with(request, "/page", json!({"limit": 5}));
        let answer = search(&server, path, &paged).await;
        assert_eq!(answer, json!({"page": {"next_token": "", "count": 0}, "results": []}), "{path} {paged}");
    }
    let suspended = search(&server, ACTIONS, &what("dave", "website")).await;
    assert_eq!(suspended["results"], json!([]));
    assert_eq!(suspended["context"]["reason"]["code"], "suspended_membership");
    let detached = search(&server, SUBJECTS, &who("edit", "orphan")).await;
    assert_eq!(detached["context"]["reason"]["code"], "detached_resource");
}

#[tokio::test]
async fn the_id_of_what_is_searched_and_all_that_is_not_named_is_not_heeded() {
    let server = TestServer::with(world());
    let rest = json!({
        "context": {"time": "2026-11-21T12:00:00Z"}, "futureField": {"nested": [true]}, "action": {"name": "edit", "x": 1}
    });
    for (path, request, pointer) in [
        (SUBJECTS, who("edit", "app"), "/subject/id"),
        (RESOURCES, on_what("bob", "edit"), "/resource/id"),
        (ACTIONS, what("bob", "app"), "/action"),
    ] {
        let plain = search(&server, path, &request).await;
        assert!(!plain["results"].as_array().unwrap().is_empty());
        for value in [json!("someone-else"), json!(5), Value::Null] {
            if path != ACTIONS || !value.is_number() {
                let value = if path == ACTIONS { json!({"name": value}) } else { value };
                let named = with(request.clone(), pointer, value);
                assert_eq!(search(&server, path, &named).await, plain, "{named}");
            }
        }
        let mut full = request.clone();
        full.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        assert_eq!(search(&server, path, &full).await, plain, "{full}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_search_is_a_400_that_names_the_field() {
    let server = TestServer::with(world());
    let long = json!("x".repeat(1025));
    let everywhere = |request: Value| {
        [
            (with(request.clone(), "/subject", Value::Null), "subject"),
            (with(request.clone(), "/subject", json!("alice")), "subject"),
            (with(request.clone(), "/subject", json!({"id": "alice"})), "subject.type"),
            (with(request.clone(), "/subject/properties", json!([])), "subject.properties"),
            (with(request.clone(), "/resource", Value::Null), "resource"),
            (with(request.clone(), "/resource", json!({"id": "website"})), "resource.type"),
            (with(request.clone(), "/resource/type", long.clone()), "resource.type"),
            (
                with(request.clone(), "/resource/properties", json!({"organization": ""})),
                "resource.properties.organization",
            ),
            (with(request.clone(), "/context", json!("now")), "context"),
            (with(request.clone(), "/page", json!([])), "page"),
            (with(request.clone(), "/page", json!({"limit": -1})), "page.limit"),
            (with(request.clone(), "/page", json!({"limit": 1.5})), "page.limit"),
            (with(request.clone(), "/page", json!({"limit": "10"})), "page.limit"),
            (with(request.clone(), "/page", json!({"token": 1})), "page.token"),
            (with(request.clone(), "/page", json!({"token": "garbage"})), "page.token"),
            (with(request, "/page", json!({"properties": 1})), "page.properties"),
        ]
    };
    let resource_without_id = with(who("edit", "website"), "/resource", json!({"type": "project"}));
    let subject_without_id = |request| with(request, "/subject", json!({"type": "user"}));
    let special = [
        (SUBJECTS, resource_without_id, "resource.id"),
        (SUBJECTS, with(who("edit", "website"), "/action", Value::Null), "action"),
        (SUBJECTS, with(who("edit", "website"), "/action", json!({})), "action.name"),
        (RESOURCES, subject_without_id(on_what("alice", "edit")), "subject.id"),
        (RESOURCES, with(on_what("alice", "edit"), "/action/name", long.clone()), "action.name"),
        (ACTIONS, subject_without_id(what("alice", "website")), "subject.id"),
        (ACTIONS, with(what("alice", "website"), "/resource", json!({"type": "project"})), "resource.id"),
    ];
    let all = [
        (SUBJECTS, who("edit", "website")),
        (RESOURCES, on_what("alice", "edit")),
        (ACTIONS, what("alice", "website")),
    ]
    .into_iter()
    .flat_map(|(path, request)| everywhere(request).map(|(request, field)| (path, request, field)))
    .chain(special);
    for (path, request, field) in all {
        let answer = server.api.post(path, &request).await;
        let message = answer.error(400, "invalid_field");
        assert_eq!(answer.json()["field"], field, "{path} {request}: {message}");
    }
    for path in [SUBJECTS, RESOURCES, ACTIONS] {
        server.api.post_raw(path, "").await.error(400, "empty_body");
        server.api.post_raw(path, "{").await.error(400, "malformed_request");
        server.api.get(path).await.error(405, "method_not_allowed");
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// Many of everything: 25 users through nested groups, 25 projects, 25 permissions.
fn many() -> Vec<Object> {
    let number = |prefix: &str| (0..25).map(|i| format!("{prefix}-{i:02}")).collect::<Vec<_>>();
    let (members, permissions) = (number("m"), number("project:p"));
    let mut objects = vec![
        organization("acme"),
        resource("ws", "workspace", "acme"),
        role("lead", "workspace", &texts(&permissions)),
        group("inner", "acme", &texts(&members)),
        nested_group("outer", "acme", &[], &["inner"]),
        group_grant("outer", "lead", "ws"),
    ];
    objects.extend((0..25).map(|i| resource(&format!("project-{i:02}"), "project", "ws")));
    // In another order than their users.
    objects.extend((0..25).map(|i| membership(&format!("m-{i:02}"), "acme", &format!("user-{:02}", 24 - i))));
    objects
}

/// Everything there is to page through, and how many results it has.
fn searches() -> [(&'static str, Value); 4] {
    [
        (SUBJECTS, who("p-00", "project-00")),
        (SUBJECTS, with(who("p-00", "project-00"), "/subject/type", json!("membership"))),
        (RESOURCES, on_what("user-00", "p-00")),
        (ACTIONS, what("user-00", "project-00")),
    ]
}

/// The next page of a search; none: that was the last.
fn next(request: &Value, answer: &Value, limit: Option<usize>) -> Option<Value> {
    let token = answer["page"]["next_token"].as_str().expect("a token");
    let page = limit.map_or_else(|| json!({"token": token}), |limit| json!({"token": token, "limit": limit}));
    (!token.is_empty()).then(|| with(request.clone(), "/page", page))
}

#[tokio::test]
async fn the_pages_of_a_search_are_what_is_found() {
    let server = TestServer::with(many());
    for (path, request) in searches() {
        let whole = search(&server, path, &request).await;
        assert!(whole.get("page").is_none(), "all fits into one response: {whole}");
        let whole = whole["results"].as_array().unwrap();
        assert_eq!(whole.len(), 25, "{path}");
        for (limit, repeated) in [(1, true), (7, false), (24, true), (25, false), (1_000_000, true)] {
            let mut walked = Vec::new();
            let mut wanted = Some(with(request.clone(), "/page", json!({"limit": limit})));
            while let Some(page) = wanted {
                let answer = search(&server, path, &page).await;
                let results = answer["results"].as_array().unwrap();
                assert!(results.len() <= limit);
                assert_eq!(answer["page"]["count"], results.len());
                walked.extend(results.clone());
                // The standard's own example leaves the limit out.
                wanted = next(&request, &answer, repeated.then_some(limit));
                assert!(walked.len() < 25 || wanted.is_none(), "{path} does not end");
            }
            assert_eq!(&walked, whole, "{path} limit {limit}");
        }
    }
}

#[tokio::test]
async fn a_page_has_a_thousand_results_at_the_most() {
    let mut objects = many();
    objects.extend((0..1100).map(|i| resource(&format!("more-{i:04}"), "project", "ws")));
    let server = TestServer::with(objects);
    let request = on_what("user-00", "p-00");
    for first in [request.clone(), with(request.clone(), "/page", json!({"limit": 5000}))] {
        let answer = search(&server, RESOURCES, &first).await;
        assert_eq!((ids(&answer).len(), &answer["page"]["count"]), (1000, &json!(1000)));
        let rest = search(&server, RESOURCES, &next(&request, &answer, None).expect("a next page")).await;
        assert_eq!((ids(&rest).len(), &rest["page"]["next_token"]), (125, &json!("")));
    }
}

#[tokio::test]
async fn a_page_of_nothing_says_whether_there_is_anything() {
    let server = TestServer::with(many());
    for (path, request) in searches() {
        let answer = search(&server, path, &with(request.clone(), "/page", json!({"limit": 0}))).await;
        assert_eq!(answer["results"], json!([]), "{path}");
        assert_ne!(answer["page"]["next_token"], "", "{path}");
        let again = search(&server, path, &next(&request, &answer, None).expect("more")).await;
        assert_eq!(again, answer, "{path}");
    }
    let nobody = with(who("p-00", "unheard-of"), "/page", json!({"limit": 0}));
    assert_eq!(search(&server, SUBJECTS, &nobody).await["page"]["next_token"], "");
}

/// What is found all along is told once, whatever comes and goes between the pages.
#[tokio::test]
async fn pages_are_stable_under_writes() {
    for (path, request) in searches() {
        let server = TestServer::with(many());
        let before = search(&server, path, &request).await;
        // One that the first page has told, one that it has not, and new ones before and after.
        let gone = match path {
            RESOURCES => vec![deleted(Kind::Resource, "project-02"), deleted(Kind::Resource, "project-20")],
            SUBJECTS => vec![
                deleted(Kind::OrganizationMembership, "m-02"),
                deleted(Kind::OrganizationMembership, "m-20"),
                deleted(Kind::OrganizationMembership, "m-05"),
            ],
            _ => Vec::new(),
        };
        let kept = (0..25).filter(|i| ![2, 20].contains(i)).map(|i| format!("{i:02}"));
        let permissions = kept.chain(["00a", "19a"].map(str::to_owned));
        let permissions: Vec<String> = permissions.map(|number| format!("project:p-{number}")).collect();
        let come = applied([
            resource("project-00a", "project", "ws"),
            resource("project-19a", "project", "ws"),
            membership("m-00a", "acme", "user-00a"),
            membership("m-19a", "acme", "user-19a"),
            grant("m-00a", "lead", "ws"),
            grant("m-19a", "lead", "ws"),
            role("lead", "workspace", &texts(&permissions)),
        ]);
        let mut told = Vec::new();
        let mut wanted = Some(with(request.clone(), "/page", json!({"limit": 4})));
        let mut pages = 0;
        while let Some(page) = wanted {
            let answer = search(&server, path, &page).await;
            told.extend(ids(&answer).into_iter().map(str::to_owned));
            wanted = next(&request, &answer, None);
            pages += 1;
            if pages == 2 {
                server.environments.apply(DEFAULT_ENVIRONMENT, &gone);
                server.environments.apply(DEFAULT_ENVIRONMENT, &come);
            }
        }
        let after = search(&server, path, &request).await;
        assert_ne!(before, after, "{path}: the writes change what is found");
        let (before, after) = (ids(&before), ids(&after));
        for id in before.iter().filter(|id| after.contains(id)) {
            assert_eq!(told.iter().filter(|it| it == id).count(), 1, "{path}: {id} in {told:?}");
        }
        let mut unique = told.clone();
        unique.dedup();
        assert_eq!(unique, told, "{path}: something is told twice");
        assert!(told.iter().any(|id| id.ends_with("19a")), "{path}: what comes later on is found: {told:?}");
        assert!(!told.iter().any(|id| id.ends_with("00a")), "{path}: the pages do not go back: {told:?}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_query_alone() {
    let server = TestServer::with(many());
    for (path, request) in searches() {
        let first = search(&server, path, &with(request.clone(), "/page", json!({"limit": 4}))).await;
        let second = next(&request, &first, Some(4)).expect("a next page");
        let token = first["page"]["next_token"].as_str().unwrap();
        search(&server, path, &second).await;
        // White space and the order of members make no difference.
        let members = second.as_object().unwrap().iter().rev();
        let reordered: Vec<String> = members.map(|(name, value)| format!(" \"{name}\" : {value:#}")).collect();
        server.api.post_raw(path, format!("{{{}}}", reordered.join(","))).await.ok();

        let with_context = with(second.clone(), "/context", json!({"ip": "192.0.2.1"}));
        let mut others = vec![
            (path.to_owned(), with_context),
            (path.to_owned(), with(second.clone(), "/subject/properties", json!({"role": "admin"}))),
            (path.to_owned(), with(second.clone(), "/resource/type", json!("workspace"))),
            (path.to_owned(), with(second.clone(), "/subject/type", json!("spaceship"))),
            (path.to_owned(), with(second.clone(), "/page/properties", json!({"sort": "up"}))),
            (path.to_owned(), with(second.clone(), "/page/token", json!(&token[1..]))),
            (path.to_owned(), with(second.clone(), "/page/token", json!(format!("{token}!")))),
            (format!("/environments/other{path}"), second.clone()),
        ];
        if path != ACTIONS {
            others.push((path.to_owned(), with(second.clone(), "/action/name", json!("p-01"))));
        }
        for (path, request) in others {
            let answer = server.api.post(&path, &request).await;
            answer.error(400, "invalid_field");
            assert_eq!(answer.json()["field"], "page.token", "{path} {request}");
        }
        let answer = server.api.post(path, &with(second, "/page/limit", json!(5))).await;
        answer.error(400, "invalid_field");
        assert_eq!(answer.json()["field"], "page.limit", "{path}");
        // Where a client writes what it does not have as an empty text.
        let empty = with(request, "/page", json!({"token": "", "limit": 4}));
        assert_eq!(search(&server, path, &empty).await, first, "{path}");
    }
}

#[tokio::test]
async fn each_environment_is_searched_for_itself() {
    let server = TestServer::with(world());
    for (path, request) in
        [(SUBJECTS, who("edit", "app")), (RESOURCES, on_what("bob", "edit")), (ACTIONS, what("bob", "app"))]
    {
        let default = search(&server, path, &request).await;
        let named = search(&server, &format!("/environments/{DEFAULT_ENVIRONMENT}{path}"), &request).await;
        assert_eq!(named, default);
        let other = search(&server, &format!("/environments/other{path}"), &request).await;
        assert_eq!(other, json!({"results": []}));
        let mut identified = Request::post(path).header("content-type", "application/json");
        identified = identified.header("x-request-id", "bfe9eb29");
        let answer = server.api.send(identified.body(Body::from(request.to_string())).unwrap()).await;
        assert_eq!(answer.header("x-request-id"), "bfe9eb29");
    }
}

async fn metadata(server: &TestServer, path: &str, host: &[&str]) -> Answer {
    let request = host.iter().fold(Request::get(path), |request, host| request.header(HOST, *host));
    let request = request.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "https");
    server.api.send(request.header("forwarded", "host=evil.example").body(Body::empty()).unwrap()).await
}

fn endpoints(base: &str) -> Value {
    json!({
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
        "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
        "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
        "search_action_endpoint": format!("{base}/access/v1/search/action"),
    })
}

#[tokio::test]
async fn the_metadata_say_where_everything_is() {
    let public_url = Some("https://authz.example.com/".parse().unwrap());
    let served_environments = Some(["default", "prod"].map(str::to_owned).into());
    let server = TestServer::new(Config { public_url, served_environments, ..config() });
    for host in [&[][..], &["elsewhere.example"], &["not a host"]] {
        let answer = metadata(&server, METADATA, host).await;
        assert_eq!(answer.ok(), endpoints("https://authz.example.com"));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "max-age=3600");
    }
    let prod = metadata(&server, &format!("{METADATA}/environments/prod"), &[]).await;
    assert_eq!(prod.ok(), endpoints("https://authz.example.com/environments/prod"));
    metadata(&server, &format!("{METADATA}/environments/dev"), &[]).await.error(404, "environment_not_served");
    metadata(&server, &format!("{METADATA}/environments/No%20Name"), &[]).await.error(400, "invalid_field");
    metadata(&server, &format!("{METADATA}/environments/%ff"), &[]).await.error(400, "malformed_request");
    metadata(&server, &format!("{METADATA}/tenant1"), &[]).await.error(404, "no_such_route");
}

#[tokio::test]
async fn without_a_public_url_the_metadata_believe_the_host_and_no_proxy() {
    let server = TestServer::new(config());
    for host in ["127.0.0.1:8080", "authz.example.com", "[::1]:8080"] {
        let answer = metadata(&server, METADATA, &[host]).await;
        assert_eq!(answer.ok(), endpoints(&format!("http://{host}")));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for hosts in [&[][..], &[""], &["two hosts"], &["user@example.com"], &["a.example/x"], &["a.example", "b.example"]]
    {
        let answer = metadata(&server, METADATA, hosts).await;
        answer.error(400, "invalid_field");
        assert_eq!(answer.json()["field"], "host", "{hosts:?}");
    }
}
