//! Pages of lists (rules 68 to 70).

use serde_json::{Value, json};

use super::{
    expect::{invalid, refused},
    requests::{column, group},
};
use crate::support::workos::World;

const ACME: &str =
    "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}";
const PATH: &str = "/organizations/acme/groups";

/// Groups of these names, the oldest first.
async fn world(names: &[&str]) -> (World, Vec<Value>) {
    let world = World::new(ACME);
    let mut groups = Vec::new();
    for name in names {
        groups.push(group(&world, "acme", name).await);
    }
    (world, groups)
}

async fn page(world: &World, query: &str) -> (Vec<String>, Value) {
    let page = world.get(&format!("{PATH}?{query}")).await.ok();
    assert_eq!(page["object"], "list");
    let fields: Vec<_> = page.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["data", "list_metadata", "object"]);
    (column(&page, "/name"), page["list_metadata"].clone())
}

fn id(group: &Value) -> &str {
    group["id"].as_str().unwrap()
}

#[tokio::test]
async fn rule_68_a_list_is_gone_through_in_both_directions() {
    let (world, groups) = world(&["a", "b", "c", "d", "e"]).await;
    let (names, metadata) = page(&world, "").await;
    assert_eq!((names.join(""), metadata), ("edcba".to_owned(), json!({"before": null, "after": null})));

    for (order, expected) in [("desc", "edcba"), ("asc", "abcde")] {
        let (mut forwards, mut query) = (String::new(), format!("order={order}&limit=2"));
        let mut last = loop {
            let (names, metadata) = page(&world, &query).await;
            forwards += &names.join("");
            let Some(after) = metadata["after"].as_str() else { break metadata["before"].clone() };
            query = format!("order={order}&limit=2&after={after}");
        };
        assert_eq!(forwards, expected);
        let mut backwards = String::new();
        while let Some(before) = last.as_str() {
            let (names, metadata) = page(&world, &format!("order={order}&limit=2&before={before}")).await;
            backwards = names.join("") + &backwards;
            last = metadata["before"].clone();
        }
        assert_eq!(backwards, expected[..4]);
    }

    let (names, metadata) = page(&world, "order=normal&limit=2").await;
    assert_eq!((names.join("").as_str(), &metadata), ("ed", &json!({"before": id(&groups[3]), "after": null})));
    let (names, metadata) = page(&world, &format!("order=normal&limit=2&before={}", id(&groups[3]))).await;
    assert_eq!(
        (names.join("").as_str(), &metadata),
        ("cb", &json!({"before": id(&groups[1]), "after": id(&groups[2])}))
    );
    let (names, _) = page(&world, &format!("order=normal&limit=2&after={}", id(&groups[2]))).await;
    assert_eq!(names.join(""), "ed");
}

#[tokio::test]
async fn rule_68_ten_come_where_nothing_is_said_and_a_hundred_at_the_most() {
    let names: Vec<String> = (0..12).map(|number| format!("g{number}")).collect();
    let (world, _) = world(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(page(&world, "").await.0.len(), 10);
    let (all, metadata) = page(&world, "limit=100").await;
    assert_eq!((all.len(), metadata), (12, json!({"before": null, "after": null})), "rule 70: nothing comes after");
}

#[tokio::test]
async fn whoever_goes_through_a_list_sees_what_stays_once_whatever_comes_and_goes() {
    let (world, groups) = world(&["a", "b", "c", "d", "e", "f"]).await;
    let (names, metadata) = page(&world, "limit=2").await;
    assert_eq!(names.join(""), "fe");
    // The cursor's own group goes, one that is still to come goes, and a new one comes.
    assert_eq!(metadata["after"], groups[4]["id"]);
    for gone in [&groups[4], &groups[2]] {
        assert_eq!(world.delete(&format!("{PATH}/{}", id(gone))).await.status, 204);
    }
    group(&world, "acme", "g").await;
    let (names, metadata) = page(&world, &format!("limit=2&after={}", id(&groups[4]))).await;
    assert_eq!((names.join("").as_str(), &metadata["before"]), ("db", &groups[3]["id"]));
    let (names, metadata) = page(&world, &format!("limit=2&after={}", id(&groups[1]))).await;
    assert_eq!((names.join("").as_str(), &metadata["after"]), ("a", &json!(null)));
    let (names, _) = page(&world, &format!("limit=2&before={}", id(&groups[4]))).await;
    assert_eq!(names.join(""), "gf");
}

#[tokio::test]
async fn what_people_wrote_is_paged_with_the_rest() {
    let manifests = ["one", "two", "three"].map(|name| {
        format!("{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, metadata: {{name: {name}}}, spec: {{organizationRef: {{name: acme}}}}}}")
    });
    let world = World::new(&[ACME.to_owned(), manifests.join("\n---\n")].join("\n---\n"));
    group(&world, "acme", "four").await;
    let mut seen = Vec::new();
    let mut query = "limit=1".to_owned();
    loop {
        let (names, metadata) = page(&world, &query).await;
        seen.extend(names);
        let Some(after) = metadata["after"].as_str() else { break };
        query = format!("limit=1&after={after}");
    }
    assert_eq!(seen, ["four", "two", "three", "one"], "those of one file are as old as it: their names decide");
}

#[tokio::test]
async fn rule_69_a_parameter_that_cannot_be_used_is_refused() {
    let (world, groups) = world(&["a"]).await;
    let limit = "limit must be a number from 1 to 100";
    for query in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit="] {
        refused(&world.get(&format!("{PATH}?{query}")).await, 422, &invalid("limit", limit));
    }
    let order = "order must be one of asc, desc, normal";
    refused(&world.get(&format!("{PATH}?order=newest")).await, 422, &invalid("order", order));
    for cursor in ["group_01J00000000000000000000000", "nonsense", "group_", &id(&groups[0]).replace("group_", "om_")] {
        for parameter in ["after", "before"] {
            let sentence = format!("{parameter} must be the id of an item of this list, not '{cursor}'");
            refused(&world.get(&format!("{PATH}?{parameter}={cursor}")).await, 422, &invalid(parameter, &sentence));
        }
    }
    let answer = world.get(&format!("{PATH}?limit=1&limit=2")).await;
    answer.error(422, "invalid_request_parameters");
}
