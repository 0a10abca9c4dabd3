//! Organizations.

use axum::http::Method;
use serde_json::json;

use super::{
    expect::{coded, created, invalid, invalid_fields, is_id, not_found, refused, shows},
    requests::{column, group, membership, organization, text},
};
use crate::support::workos::World;

#[tokio::test]
async fn an_organization_is_created_read_changed_and_listed() {
    let world = World::new("");
    let body = json!({
        "name": "Acme Inc.",
        "external_id": "acme/1",
        "metadata": {"plan": "gold"},
        "domain_data": [{"domain": "Acme.example", "state": "verified"}],
        "allow_profiles_outside_organization": true,
    });
    let acme = organization(&world, body).await;
    is_id(&acme["id"], "org");
    is_id(&acme["domains"][0]["id"], "org_domain");
    let mut expected = json!({
        "object": "organization",
        "id": acme["id"],
        "name": "Acme Inc.",
        "domains": acme["domains"],
        "metadata": {"plan": "gold"},
        "external_id": "acme/1",
        "stripe_customer_id": null,
        "allow_profiles_outside_organization": false,
    });
    shows(&acme, &expected);
    shows(
        &acme["domains"][0],
        &json!({
            "object": "organization_domain",
            "id": acme["domains"][0]["id"],
            "organization_id": acme["id"],
            "domain": "acme.example",
            "state": "verified",
            "verification_strategy": "manual",
            "verification_token": null,
            "verification_prefix": null,
        }),
    );

    let path = format!("/organizations/{}", text(&acme, "id"));
    for path in [path.as_str(), "/organizations/acme-1", "/organizations/external_id/acme%2F1"] {
        assert_eq!(world.get(path).await.ok(), acme, "{path}");
        assert_eq!(world.get(&format!("/environments/default{path}")).await.ok(), acme, "{path}");
    }

    let change = json!({"name": "Acme", "metadata": {"plan": null, "region": "eu"}, "domain_data": []});
    let changed = world.put(&path, &change).await.ok();
    expected["name"] = json!("Acme");
    expected["metadata"] = json!({"region": "eu"});
    expected["domains"] = json!([]);
    shows(&changed, &expected);
    assert_eq!(world.get(&path).await.ok(), changed);
    assert_eq!(world.put(&path, &json!({})).await.ok(), changed, "what is absent does not change");
    assert_eq!(world.put(&path, &json!({"external_id": "acme/1"})).await.ok(), changed);

    let manifest = world.read("resource-acme-1.yaml");
    assert!(manifest.contains("displayName: Acme"), "{manifest}");
}

#[tokio::test]
async fn organizations_are_listed_by_domain_and_by_name() {
    let world = World::new("");
    organization(&world, json!({"name": "Acme", "domains": ["acme.example", "acme.test"]})).await;
    organization(&world, json!({"name": "Globex"})).await;
    organization(&world, json!({"name": "Acme", "domain_data": [{"domain": "globex.example", "state": "pending"}]}))
        .await;

    assert_eq!(column(&world.get("/organizations?order=asc").await.ok(), "/name"), ["Acme", "Globex", "Acme"]);
    let listed = world.get("/organizations?domains=other.example,ACME.test").await.ok();
    assert_eq!(column(&listed, "/name"), ["Acme"]);
    assert_eq!(listed["data"][0]["domains"][1]["domain"], "acme.test");
    assert_eq!(listed["data"][0]["domains"][1]["state"], "pending");
    assert_eq!(column(&world.get("/organizations?search=glob").await.ok(), "/name"), ["Globex"]);
    assert_eq!(column(&world.get("/organizations?search=glob&domains=acme.test").await.ok(), "/name"), [""; 0]);
    assert_eq!(column(&world.get("/environments/other/organizations").await.ok(), "/name"), [""; 0]);
}

#[tokio::test]
async fn names_of_organizations_are_readable_and_collide_with_nothing() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: x}, spec: {type: organization, externalId: initech}}",
    );
    organization(&world, json!({"name": "Acme, Inc."})).await;
    let file = "resource-acme-inc.yaml";
    assert!(world.files().contains(&file.to_owned()), "{:?}", world.files());
    let again = organization(&world, json!({"name": "Acme, Inc."})).await;
    assert_eq!(again["name"], "Acme, Inc.", "a name need not be unique");

    // Without an external id the name is one: it must not be somebody else's.
    organization(&world, json!({"name": "Initech"})).await;
    assert_eq!(world.get("/organizations/external_id/initech").await.ok()["name"], "x");
    let answer = world.post("/organizations", &json!({"name": "y", "external_id": "acme-inc"})).await;
    assert_eq!(
        answer.error(400, "external_id_already_used").len(),
        "The external ID 'acme-inc' is already used by organization 'org_01234567890123456789012345'.".len()
    );
}

#[tokio::test]
async fn what_cannot_be_an_organization_is_refused() {
    let world = World::new("");
    let acme = organization(&world, json!({"name": "Acme", "external_id": "acme:1"})).await;
    let path = format!("/organizations/{}", text(&acme, "id"));
    let used = coded(
        "external_id_already_used",
        &format!("The external ID 'acme:1' is already used by organization '{}'.", text(&acme, "id")),
    );
    refused(&world.post("/organizations", &json!({"name": "Other", "external_id": "acme:1"})).await, 400, &used);
    let other = organization(&world, json!({"name": "Other"})).await;
    let other_path = format!("/organizations/{}", text(&other, "id"));
    refused(&world.put(&other_path, &json!({"external_id": "acme:1"})).await, 400, &used);

    let immutable = "external_id cannot be changed or removed once the organization exists: leave it out, or create another \
                     organization with that external_id";
    refused(&world.put(&path, &json!({"external_id": "acme-2"})).await, 422, &invalid("external_id", immutable));
    refused(&world.put(&path, &json!({"external_id": null})).await, 422, &invalid("external_id", immutable));
    refused(&world.put(&other_path, &json!({"external_id": "acme-2"})).await, 422, &invalid("external_id", immutable));
    assert_eq!(world.put(&other_path, &json!({"external_id": null})).await.ok(), other);

    let long = "x".repeat(257);
    for (method, path) in [(Method::POST, "/organizations"), (Method::PUT, path.as_str())] {
        let send = async |body| world.send(method.clone(), path, Some(&body)).await;
        refused(&send(json!({"name": ""})).await, 422, &invalid("name", "name should not be empty"));
        let too_long = "name must be shorter than or equal to 256 characters";
        refused(&send(json!({"name": long})).await, 422, &invalid("name", too_long));
        refused(
            &send(json!({"name": "", "external_id": "café", "domain_data": [], "domains": []})).await,
            422,
            &invalid_fields(&[
                ("name", "name should not be empty"),
                ("external_id", "external_id must be 1 to 128 printable ASCII characters"),
                ("domains", "domains should not be given beside domain_data"),
            ]),
        );
        refused(
            &send(json!({"name": "n", "domains": ["not a domain"]})).await,
            422,
            &invalid("domains", "domains must hold domains, such as example.com"),
        );
        refused(&send(json!({"name": "n", "domain_data": [{"domain": "a.example", "state": "verified"}, {"domain": "A.example", "state": "pending"}]})).await, 422, &invalid("domain_data", "domain_data must not repeat 'a.example'"));
        for (metadata, problem) in [
            (json!([]), "metadata must be an object of strings."),
            (json!({"x".repeat(41): "y"}), "metadata: every key must have 1 to 40 characters."),
            (json!({"k": 1}), "metadata: the value of 'k' must be a string of 600 characters at the most, or null."),
            (
                json!({"k": "v".repeat(601)}),
                "metadata: the value of 'k' must be a string of 600 characters at the most, or null.",
            ),
            ((0..51).map(|key| (key.to_string(), json!("v"))).collect(), "metadata must have 50 keys at the most."),
        ] {
            let answer = send(json!({"name": "n", "metadata": metadata})).await;
            refused(&answer, 400, &coded("invalid_metadata", problem));
        }
    }
    let answer = world.client().post_raw("/organizations", "{").await;
    assert!(answer.error(400, "bad_request").starts_with("The body is not JSON"));
    refused(
        &world.post("/organizations", &json!([])).await,
        400,
        &coded("bad_request", "The body must be a JSON object."),
    );
}

#[tokio::test]
async fn rule_39_with_an_organization_goes_everything_in_it() {
    let world = World::new("");
    let acme = organization(&world, json!({"name": "Acme"})).await;
    let acme = text(&acme, "id");
    let globex = organization(&world, json!({"name": "Globex"})).await;
    let (alice, staff) = (membership(&world, acme, "alice").await, group(&world, acme, "Staff").await);
    let bob = membership(&world, text(&globex, "id"), "bob").await;

    let answer = world.delete(&format!("/organizations/{acme}")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (202, ""));
    for path in [
        format!("/organizations/{acme}"),
        format!("/user_management/organization_memberships/{}", text(&alice, "id")),
        format!("/organizations/{acme}/groups/{}", text(&staff, "id")),
    ] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
        assert_eq!(world.delete(&path).await.status, 404, "{path}");
    }
    let bob = format!("/user_management/organization_memberships/{}", text(&bob, "id"));
    assert_eq!(world.get(&bob).await.status, 200);
}

#[tokio::test]
async fn an_organization_that_is_unknown_is_not_found() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: lost}, spec: {type: project, parentRef: {name: nowhere}}}",
    );
    for id in ["org_01J00000000000000000000000", "acme", "lost", "%2E%2E"] {
        let name = id.replace("%2E", ".");
        for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({}))), (Method::DELETE, None)] {
            refused(
                &world.send(method, &format!("/organizations/{id}"), body.as_ref()).await,
                404,
                &not_found("Organization", &name),
            );
        }
        refused(&world.get(&format!("/organizations/external_id/{id}")).await, 404, &not_found("Organization", &name));
    }
}

#[tokio::test]
async fn the_first_organization_brings_the_default_role() {
    let world = World::new("");
    organization(&world, json!({"name": "Acme"})).await;
    let settings = world.get("/authorization/environment").await.ok();
    assert_eq!(settings["default_role_slug"], "member");
    let files = world.files();
    organization(&world, json!({"name": "Globex"})).await;
    assert_eq!(world.files().len(), files.len() + 1, "it is brought but once: {:?}", world.files());
}

#[tokio::test]
async fn nothing_of_a_refused_organization_is_written() {
    let world = World::new("");
    let before = world.files();
    world.post("/organizations", &json!({"name": ""})).await.error(422, "invalid_request_parameters");
    world.post("/organizations", &json!({"name": "n", "metadata": 1})).await.error(400, "invalid_metadata");
    assert_eq!(world.files(), before);
}

#[tokio::test]
async fn rule_74_every_response_has_an_identifier() {
    let world = World::new("");
    let acme = organization(&world, json!({"name": "Acme"})).await;
    let path = format!("/organizations/{}", text(&acme, "id"));
    let known = format!("/environments/default{path}");
    for (path, status) in
        [(path.as_str(), 200), (&known, 200), ("/organizations/none", 404), ("/authorization/no/such/route", 404)]
    {
        let answers = [world.get(path).await, world.get(path).await];
        let [one, other] = answers.each_ref().map(|answer| answer.header("x-request-id"));
        assert_eq!(answers[0].status, status);
        assert!(!one.is_empty() && one != other, "{path}: {one}");
        let request = axum::http::Request::get(path).header("X-Request-ID", "mine").body(axum::body::Body::empty());
        assert_eq!(world.client().send(request.unwrap()).await.header("x-request-id"), "mine");
    }
    let answer = world.send(Method::PATCH, &path, None).await;
    assert_eq!(answer.status, 405);
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn one_external_id_asked_for_by_many_at_once_is_given_once() {
    let world = World::new("");
    let body = json!({"name": "Acme", "external_id": "acme"});
    let answers = futures::future::join_all((0..8).map(|_| world.post("/organizations", &body))).await;
    let (given, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((given.len(), refused.len()), (1, 7));
    for answer in refused {
        answer.error(400, "external_id_already_used");
    }
    created(given[0]);
    assert_eq!(column(&world.get("/organizations").await.ok(), "/external_id"), ["acme"]);
}

#[tokio::test]
async fn an_external_id_goes_before_a_name_and_a_name_is_none() {
    let world = World::new("");
    // Both would be called a-b.
    let first = organization(&world, json!({"name": "First", "external_id": "a/b"})).await;
    refused(&world.get("/organizations/external_id/a-b").await, 404, &not_found("Organization", "a-b"));
    let second = organization(&world, json!({"name": "Second", "external_id": "a-b"})).await;
    let (first, second) = (text(&first, "id"), text(&second, "id"));
    for path in ["/organizations/external_id/a-b", "/organizations/a-b"] {
        assert_eq!(text(&world.get(path).await.ok(), "id"), second, "{path}");
    }
    for path in ["/organizations/external_id/a%2Fb".to_owned(), format!("/organizations/external_id/{first}")] {
        assert_eq!(text(&world.get(&path).await.ok(), "id"), first, "{path}");
    }
    // As resources.
    for external_id in ["a-b", second] {
        let path = format!("/authorization/organizations/{second}/resources/organization/{external_id}");
        assert_eq!(world.get(&path).await.ok()["organization_id"], second, "{path}");
    }
    let path = format!("/authorization/organizations/{second}/resources/organization/{first}");
    refused(&world.get(&path).await, 404, &not_found("Resource", first));
}

#[tokio::test]
async fn any_number_of_organizations_of_one_name_are_made_at_once() {
    let world = World::new("");
    let body = json!({"name": "Acme"});
    let answers = futures::future::join_all((0..40).map(|_| world.post("/organizations", &body))).await;
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|answer| text(&created(answer), "id").to_owned()).collect();
    assert_eq!(ids.len(), 40);
}
