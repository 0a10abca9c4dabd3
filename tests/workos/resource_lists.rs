//! Lists of resources: rule 61, and pages: rules 68-70.

use std::sync::Arc;

use serde_json::json;

use super::{
    company,
    requests::{id, ids, walk},
    resources::{RESOURCES, as_resource, create, project},
};
use crate::support::workos::World;

#[tokio::test]
async fn rule_61_filters_narrow_each_other() {
    let world = company::world();
    let engineering = id(&world, &as_resource("engineering")).await;
    let globex = id(&world, &as_resource("globex")).await;
    let globex_as_organization = globex.replace("authz_resource_", "org_");
    for (query, expected) in [
        ("", vec!["acme", "globex", "engineering", "sales", "website", "app", "labs"]),
        ("organization_id=acme", vec!["acme", "engineering", "sales", "website", "app"]),
        ("organization_id=globex-7", vec!["globex", "labs"]),
        (&format!("organization_id={globex_as_organization}"), vec!["globex", "labs"]),
        ("resource_type_slug=workspace", vec!["engineering", "sales", "labs"]),
        ("resource_type_slug=organization", vec!["acme", "globex"]),
        ("resource_type_slug=workspace&organization_id=acme", vec!["engineering", "sales"]),
        ("resource_type_slug=workspace&resource_external_id=ws-1", vec!["engineering", "labs"]),
        ("resource_type_slug=workspace&resource_external_id=ws-1&organization_id=globex", vec!["labs"]),
        ("resource_external_id=ws-1&organization_id=globex", vec!["labs"]),
        (&format!("resource_type_slug=organization&resource_external_id={globex_as_organization}"), vec!["globex"]),
        ("resource_type_slug=organization&resource_external_id=globex-7", vec!["globex"]),
        (&format!("parent_resource_id={engineering}"), vec!["website", "app"]),
        (&format!("parent_resource_id={globex}"), vec!["labs"]),
        (&format!("parent_resource_id={engineering}&organization_id=globex"), vec![]),
        (&format!("parent_resource_id={engineering}&resource_type_slug=workspace"), vec![]),
        (
            &format!("parent_resource_id={engineering}&resource_type_slug=project&resource_external_id=proj-2"),
            vec!["app"],
        ),
        ("parent_resource_type_slug=workspace&parent_external_id=ws-1&organization_id=acme", vec!["website", "app"]),
        (
            "parent_resource_type_slug=workspace&parent_resource_external_id=ws-1&resource_type_slug=project",
            vec!["website", "app"],
        ),
        ("parent_resource_type_slug=workspace&parent_external_id=ws-1&organization_id=globex", vec![]),
        ("organization_id=nowhere", vec![]),
        ("resource_type_slug=nothing", vec![]),
        ("parent_resource_id=nowhere", vec![]),
    ] {
        let listed = world.get(&format!("{RESOURCES}?order=asc&limit=100&{query}")).await.ok();
        let mut wanted = Vec::new();
        for name in expected {
            wanted.push(id(&world, &as_resource(name)).await);
        }
        assert_eq!(ids(&listed), wanted, "{query}");
        assert_eq!(listed["list_metadata"], json!({"before": null, "after": null}), "{query}");
        assert_eq!(listed["object"], "list");
    }
}

#[tokio::test]
async fn rules_68_to_70_pages_lead_in_both_directions_whatever_is_listed() {
    let world = company::world();
    for number in 0..23 {
        create(&world, &project(&format!("p-{number}"), "engineering")).await;
    }
    // The whole environment is passed through, an organization walked through, the children of a parent known.
    for query in ["", "organization_id=acme&", "parent_resource_id=engineering&"] {
        let path = format!("{RESOURCES}?{query}");
        let all = ids(&world.get(&format!("{path}order=asc&limit=100")).await.ok());
        assert!(all.len() >= 25, "{all:?}");
        let newest_first: Vec<String> = all.iter().rev().cloned().collect();
        for limit in [1, 7, 10, 25, 100] {
            assert_eq!(walk(&world, &format!("{path}order=asc&limit={limit}"), "after").await, all, "{query}{limit}");
            assert_eq!(walk(&world, &format!("{path}limit={limit}"), "after").await, newest_first, "{query}{limit}");
            let normal = walk(&world, &format!("{path}order=normal&limit={limit}"), "before").await;
            assert_eq!(normal, newest_first, "`normal` leads to what is older by `before`: {query}{limit}");

            // And back, from the end.
            let path = format!("{path}order=asc&limit={limit}");
            let mut back = vec![all.last().unwrap().clone()];
            let mut cursor = all.last().cloned();
            while let Some(before) = cursor {
                let page = world.get(&format!("{path}&before={before}")).await.ok();
                back.splice(0..0, ids(&page));
                cursor = page["list_metadata"]["before"].as_str().map(ToOwned::to_owned);
            }
            assert_eq!(back, all, "{query}{limit}");
        }
        let between = world.get(&format!("{path}order=asc&limit=100&after={}&before={}", all[2], all[6])).await.ok();
        assert_eq!(ids(&between), all[3..6], "{query}");
        let nothing = world.get(&format!("{path}order=asc&after={}&before={}", all[6], all[2])).await.ok();
        assert_eq!(nothing["data"], json!([]), "{query}");
        assert_eq!(ids(&world.get(&path).await.ok()).len(), 10, "ten, where nothing is said");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_68_pages_are_stable_while_others_write() {
    let world = Arc::new(company::world());
    for number in 0..40 {
        create(&world, &project(&format!("old-{number:02}"), "engineering")).await;
    }
    let path = format!("{RESOURCES}?organization_id=acme&resource_type_slug=project");
    let before = walk(&world, &format!("{path}&limit=100"), "after").await;
    let goes = id(&world, &as_resource("old-38")).await;
    let writer = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for number in 0..20 {
                create(&world, &project(&format!("new-{number:02}"), "engineering")).await;
                let deleted = world.delete(&format!("{RESOURCES}/old-{:02}", 2 * number)).await;
                assert_eq!(deleted.status, 204, "{deleted:?}");
            }
        })
    };
    while !writer.is_finished() {
        let seen = walk(&world, &format!("{path}&limit=3"), "after").await;
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "nothing comes twice");
        for stays in (0..20).map(|number| 2 * number + 1) {
            let name = format!("{RESOURCES}/old-{stays:02}");
            assert!(seen.contains(&id(&world, &name).await), "{name} was there all the time");
        }
    }
    writer.await.unwrap();

    // A cursor of what was deleted leads on from where it stood.
    let after = world.get(&format!("{path}&limit=100&after={goes}")).await.ok();
    let place = before.iter().position(|id| *id == goes).unwrap();
    let mut expected = before[place + 1..].to_vec();
    let there = walk(&world, &format!("{path}&limit=100"), "after").await;
    expected.retain(|id| there.contains(id));
    assert_eq!(ids(&after), expected);
}

/// More than are walked through: pages are made as the environment is passed through.
#[tokio::test]
async fn rule_61_a_large_organization_is_listed_like_a_small_one() {
    let mut manifests = company::MANIFESTS.to_owned();
    for number in 0..1_100 {
        let time = format!("2026-02-01T{:02}:{:02}:00Z", number / 60, number % 60);
        let document = format!(
            "\n---\n{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {{name: n{number}, creationTimestamp: \"{time}\"}}, spec: {{type: project, parentRef: {{name: engineering}}}}}}"
        );
        manifests.push_str(&document);
    }
    let world = World::new(&manifests);
    let all = walk(&world, &format!("{RESOURCES}?organization_id=acme&limit=100"), "after").await;
    assert_eq!(all.len(), 5 + 1_100);
    let few = format!("{RESOURCES}?organization_id=acme&resource_type_slug=workspace&order=asc&limit=1");
    assert_eq!(
        walk(&world, &few, "after").await,
        [id(&world, &as_resource("engineering")).await, id(&world, &as_resource("sales")).await,]
    );
    let back = world.get(&format!("{few}&before={}", id(&world, &as_resource("sales")).await)).await.ok();
    assert_eq!(ids(&back), [id(&world, &as_resource("engineering")).await]);
    assert_eq!(back["list_metadata"], json!({"before": null, "after": ids(&back)[0]}));
}
