//! The lists of the native API, and their pages.

use std::collections::BTreeSet;

use bailiwick::graph::facts::Object;
use serde_json::{Value, json};

use super::world;
use crate::support::{
    facts::{grant, organization, resource, role},
    router::TestServer,
};

const LISTS: &str = "/environments/default/v1";

async fn list(server: &TestServer, query: &str) -> Value {
    server.api.get(&format!("{LISTS}/{query}")).await.ok()
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn permissions_of_a_membership_on_a_resource() {
    let server = TestServer::with(world());
    for query in [
        "permissions?membership=alice-acme&resource=website",
        "permissions?user=alice&resourceType=project&resourceId=website",
        "permissions?user=carol&resourceType=project&resourceId=website&organization=globex",
    ] {
        assert_eq!(list(&server, query).await, json!({"permissions": ["project:edit", "project:view"]}), "{query}");
    }
    assert_eq!(list(&server, "permissions?user=alice&resource=app").await, json!({"permissions": []}));
}

#[tokio::test]
async fn resources_of_a_membership() {
    let server = TestServer::with(world());
    let answer = list(&server, "resources?user=alice&permission=project:edit").await;
    let website = json!({
        "name": "website", "type": "project", "externalId": "website", "organization": "acme", "parent": "engineering"
    });
    assert_eq!(answer, json!({"items": [website], "nextCursor": null}));

    for (query, expected) in [
        ("user=bob&permission=project:edit", vec!["app", "engineering", "website"]),
        ("membership=bob-acme&permission=project:edit&type=project", vec!["app", "website"]),
        ("user=bob&permission=project:edit&parent=engineering", vec!["app", "website"]),
        ("user=bob&permission=project:edit&parentType=organization&parentId=acme", vec!["engineering"]),
        (
            "user=bob&permission=project:edit&parentType=workspace&parentId=engineering&organization=acme",
            vec!["app", "website"],
        ),
        ("user=bob&permission=unheard:of", vec![]),
    ] {
        assert_eq!(names(&list(&server, &format!("resources?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn memberships_of_a_resource() {
    let server = TestServer::with(world());
    for (query, expected) in [
        ("resource=website", vec!["alice-acme", "bob-acme"]),
        ("resource=website&assignment=all", vec!["alice-acme", "bob-acme"]),
        ("resource=website&assignment=direct", vec!["alice-acme"]),
        ("resourceType=project&resourceId=website&organization=globex", vec!["carol-globex"]),
    ] {
        let answer = list(&server, &format!("memberships?permission=project:edit&{query}")).await;
        assert_eq!(names(&answer), expected, "{query}");
    }
    let answer = list(&server, "memberships?permission=project:edit&resource=website&limit=1").await;
    assert_eq!(answer["items"][0], json!({"name": "alice-acme", "user": "alice", "organization": "acme"}));
}

#[tokio::test]
async fn assignments_of_a_membership_or_a_resource() {
    let server = TestServer::with(world());
    let of_alice = list(&server, "assignments?membership=alice-acme").await;
    assert_eq!(
        of_alice["items"],
        json!([{
            "source": {"kind": "MembershipRoleAssignment", "name": "alice-acme-editor-website"},
            "membership": "alice-acme",
            "role": "editor",
            "resource": "website",
            "expiresAt": null,
            "condition": null,
            "effective": true,
            "inert": []
        }])
    );
    let on_website = list(&server, "assignments?resource=website").await;
    let effective: Vec<_> = on_website["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["membership"].as_str().unwrap(), item["effective"].as_bool().unwrap()))
        .collect();
    assert_eq!(BTreeSet::from_iter(effective), BTreeSet::from([("alice-acme", true), ("dave-acme", false)]));
    let of_dave = list(&server, "assignments?membership=dave-acme").await;
    assert_eq!(of_dave["items"][0]["inert"][0]["code"], "Suspended");
}

#[tokio::test]
async fn objects_say_what_is_wrong_with_them() {
    let server = TestServer::with(world());
    let problems = list(&server, "objects?kind=Resource&problems=true").await;
    assert_eq!(names(&problems), ["orphan"]);
    assert_eq!(problems["items"][0]["effective"], false);
    assert_eq!(problems["items"][0]["reasons"][0]["code"], "ResourceNotFound");
    assert!(problems["items"][0]["reasons"][0]["message"].as_str().unwrap().contains("nowhere"));

    let all = list(&server, "objects").await;
    assert_eq!(all["items"].as_array().unwrap().len(), world().len());
    let message = server.api.get(&format!("{LISTS}/objects?kind=Secret")).await.error(400, "invalid_field");
    assert!(message.contains("`kind`") && message.contains("GroupRoleAssignment"), "{message}");
}

#[tokio::test]
async fn a_list_of_what_is_unknown_is_a_404_and_of_what_is_ambiguous_a_409() {
    let server = TestServer::with(world());
    for query in [
        "permissions?user=alice&resource=unheard-of",
        "resources?user=alice&permission=p&parent=unheard-of",
        "memberships?permission=p&resource=unheard-of",
        "assignments?resource=unheard-of",
    ] {
        server.api.get(&format!("{LISTS}/{query}")).await.error(404, "unknown_resource");
    }
    for query in ["assignments?membership=unheard-of", "resources?user=unheard-of&permission=p"] {
        server.api.get(&format!("{LISTS}/{query}")).await.error(404, "unknown_subject");
    }
    let ambiguous = format!("{LISTS}/permissions?user=carol&resourceType=project&resourceId=website");
    let message = server.api.get(&ambiguous).await.error(409, "ambiguous_resource");
    assert!(message.contains("organization"), "{message}");
}

#[tokio::test]
async fn a_list_is_empty_where_every_check_is_denied() {
    let server = TestServer::with(world());
    for query in ["permissions?user=dave&resource=website", "permissions?user=alice&resource=orphan"] {
        assert_eq!(list(&server, query).await, json!({"permissions": []}), "{query}");
    }
    for query in ["resources?user=dave&permission=project:edit", "memberships?permission=p&resource=orphan"] {
        assert_eq!(list(&server, query).await, json!({"items": [], "nextCursor": null}), "{query}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_a_400_that_names_the_parameter() {
    let server = TestServer::with(world());
    let long = "x".repeat(1025);
    for (query, mention) in [
        ("permissions?resource=website", "`membership`"),
        ("permissions?membership=a&user=b&resource=website", "`user`"),
        ("permissions?user=alice", "`resource`"),
        ("permissions?user=alice&resourceType=project", "`resourceId`"),
        ("permissions?user=alice&organization=acme", "`resourceType`"),
        ("permissions?user=alice&resource=website&organization=acme", "`organization`"),
        ("permissions?user=alice&resource=website&limit=5", "`limit`"),
        ("permissions?user=alice&user=bob&resource=website", "`user`"),
        (&format!("permissions?user={long}&resource=website"), "`user`"),
        ("resources?user=alice", "`permission`"),
        ("resources?user=alice&permission=", "`permission`"),
        (&format!("resources?user=alice&permission={long}"), "`permission`"),
        ("resources?user=alice&permission=p&parentType=project", "`parentId`"),
        ("resources?user=alice&permission=p&nonsense=1", "`nonsense`"),
        ("memberships?permission=p&resource=website&assignment=some", "assignment"),
        ("assignments", "`membership`"),
        ("assignments?membership=a&resource=b", "`membership`"),
        ("objects?problems=maybe", "problems"),
        ("objects?limit=0", "`limit`"),
        ("objects?limit=1001", "`limit`"),
        ("objects?limit=ten", "limit"),
    ] {
        let answer = server.api.get(&format!("{LISTS}/{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(mention), "{query}: {message}");
    }
}

/// An organization with many projects, and many who may edit each.
fn many() -> Vec<Object> {
    let mut objects = vec![organization("acme"), role("editor", "project", &["project:edit"])];
    for i in 0..25 {
        objects.push(resource(&format!("project-{i:02}"), "project", "acme"));
        objects.push(grant("alice", "editor", &format!("project-{i:02}")));
        objects.push(grant(&format!("user-{i:02}"), "editor", "project-00"));
    }
    objects
}

#[tokio::test]
async fn the_pages_of_a_list_are_the_list() {
    let server = TestServer::with(many());
    for query in [
        "resources?membership=alice&permission=project:edit",
        "memberships?permission=project:edit&resource=project-00",
        "assignments?membership=alice",
        "assignments?resource=project-00",
        "objects?",
        "objects?kind=Resource",
    ] {
        let whole = list(&server, &format!("{query}&limit=1000")).await;
        assert_eq!(whole["nextCursor"], Value::Null);
        let whole = whole["items"].as_array().unwrap();
        assert!(whole.len() >= 25, "{query}");
        for limit in [1, 7, whole.len() - 1, whole.len()] {
            let mut walked = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = list(&server, &format!("{query}&limit={limit}{cursor}")).await;
                let items = page["items"].as_array().unwrap();
                assert!(items.len() <= limit);
                walked.extend(items.clone());
                assert!(walked.len() <= whole.len(), "{query} limit {limit} does not end");
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(&walked, whole, "{query} limit {limit}");
        }
    }
}

#[tokio::test]
async fn a_page_has_a_hundred_items_unless_a_limit_says_otherwise() {
    let mut objects = many();
    objects.extend((0..200).map(|i| resource(&format!("more-{i:03}"), "project", "acme")));
    let server = TestServer::with(objects);
    assert_eq!(list(&server, "objects").await["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let server = TestServer::with(many());
    let first = list(&server, "objects?kind=Resource&limit=2").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    list(&server, &format!("objects?kind=Resource&limit=3&cursor={cursor}")).await;
    for query in [
        format!("objects?limit=2&cursor={cursor}"),
        format!("objects?kind=Role&cursor={cursor}"),
        format!("resources?membership=alice&permission=project:edit&cursor={cursor}"),
        "objects?kind=Resource&cursor=garbage".to_owned(),
        "objects?kind=Resource&cursor=".to_owned(),
    ] {
        server.api.get(&format!("{LISTS}/{query}")).await.error(400, "invalid_cursor");
    }
    let other = server.api.get(&format!("/environments/other/v1/objects?kind=Resource&cursor={cursor}")).await;
    other.error(400, "invalid_cursor");
}
