//! Every documented error of the endpoints of resources (rules 53-61), with its whole body.

use serde_json::{Value, json};

use super::{
    company,
    expect::{Case, invalid, not_found, provoke},
    resources::project,
};

const CREATE: &str = "POST /authorization/resources";

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn rules_53_to_60_every_error() {
    let world = company::world();
    let create = |changes: Value| {
        let mut body = project("new", "engineering");
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let case = |request, body, status, answer| Case { request, body, status, answer };
    let organizations = json!({
        "message": "The resource of an organization is created, changed and deleted with the organization: use /organizations.",
        "code": "bad_request",
    });
    let wrong = |sentences: &[(&str, &str)]| {
        let errors: Vec<Value> =
            sentences.iter().map(|(field, sentence)| json!({"field": field, "code": sentence})).collect();
        json!({"message": "Validation failed", "code": "invalid_request_parameters", "errors": errors})
    };
    let half = "parent_resource_type_slug should not be empty beside parent_resource_external_id";
    let other_half = "parent_resource_external_id should not be empty beside parent_resource_type_slug";
    let both =
        "parent_resource_id should not be given beside parent_resource_external_id and parent_resource_type_slug";
    let long = "x".repeat(200);
    provoke(&world, [
        // POST: 400
        case(CREATE, create(json!({"resource_type_slug": "organization"})), 400, organizations.clone()),
        case(CREATE, json!([]), 400, json!({"message": "The body must be a JSON object.", "code": "bad_request"})),
        // 404
        case(CREATE, create(json!({"organization_id": "nowhere"})), 404, not_found("Organization", "nowhere")),
        case(CREATE, create(json!({"resource_type_slug": "ship"})), 404, not_found("Resource type", "ship")),
        case(CREATE, create(json!({"parent_resource_id": "nowhere"})), 404, not_found("Resource", "nowhere")),
        // of another organization
        case(CREATE, create(json!({"parent_resource_id": "labs"})), 404, not_found("Resource", "labs")),
        case(
            CREATE,
            create(json!({
                "parent_resource_id": null, "parent_resource_type_slug": "workspace", "parent_resource_external_id": "labs",
            })),
            404,
            not_found("Resource", "labs"),
        ),
        // 409
        case(
            CREATE,
            create(json!({"external_id": "proj-1"})),
            409,
            json!({
                "message": "The organization has a resource of this type and external id already.",
                "code": "authorization_resource_external_id_conflict",
            }),
        ),
        // 422
        case(CREATE, json!({}), 422, wrong(&[
            ("organization_id", "organization_id should not be empty"),
            ("resource_type_slug", "resource_type_slug should not be empty"),
            ("external_id", "external_id should not be empty"),
            ("name", "name should not be empty"),
        ])),
        case(
            CREATE,
            create(json!({"external_id": long, "name": long, "description": long})),
            422,
            wrong(&[
                ("external_id", "external_id must be shorter than or equal to 128 characters"),
                ("name", "name must be shorter than or equal to 48 characters"),
                ("description", "description must be shorter than or equal to 150 characters"),
            ]),
        ),
        case(
            CREATE,
            create(json!({"external_id": "caf\u{e9}"})),
            422,
            invalid("external_id", "external_id must be printable ASCII characters"),
        ),
        case(CREATE, create(json!({"name": 7})), 422, invalid("name", "name cannot be used: invalid type: integer `7`, expected a string")),
        case(CREATE, create(json!({"parent_resource_type_slug": "workspace"})), 422, invalid("parent_resource_id", both)),
        case(CREATE, create(json!({"parent_resource_external_id": "ws-1", "parent_resource_id": null})), 422, invalid("parent_resource_type_slug", half)),
        case(CREATE, create(json!({"parent_resource_type_slug": "workspace", "parent_resource_id": null})), 422, invalid("parent_resource_external_id", other_half)),
        // Rule 55: a project does not lie below a project, nor below the organization.
        case(
            CREATE,
            create(json!({"parent_resource_id": "website"})),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not project"),
        ),
        case(
            CREATE,
            create(json!({"parent_resource_id": null})),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not organization"),
        ),
        // GET: 404
        case("GET /authorization/resources/nowhere", Value::Null, 404, not_found("Resource", "nowhere")),
        case(
            "GET /authorization/resources/authz_resource_01H000000000000000000000000",
            Value::Null,
            404,
            not_found("Resource", "authz_resource_01H000000000000000000000000"),
        ),
        case(
            "GET /authorization/organizations/nowhere/resources/project/proj-1",
            Value::Null,
            404,
            not_found("Organization", "nowhere"),
        ),
        case("GET /authorization/organizations/globex/resources/project/proj-1", Value::Null, 404, not_found("Resource", "proj-1")),
        case("GET /authorization/organizations/acme/resources/workspace/proj-1", Value::Null, 404, not_found("Resource", "proj-1")),
        // PATCH
        case("PATCH /authorization/resources/nowhere", json!({}), 404, not_found("Resource", "nowhere")),
        case("PATCH /authorization/organizations/acme/resources/project/none", json!({}), 404, not_found("Resource", "none")),
        case("PATCH /authorization/resources/acme", json!({"name": "A"}), 400, organizations.clone()),
        case("PATCH /authorization/organizations/acme/resources/organization/acme", json!({"name": "A"}), 400, organizations.clone()),
        case("PATCH /authorization/resources/website", json!({"parent_resource_id": "labs"}), 404, not_found("Resource", "labs")),
        case("PATCH /authorization/resources/website", json!({"name": null}), 422, invalid("name", "name should not be empty")),
        case(
            "PATCH /authorization/resources/website",
            json!({"parent_resource_id": null}),
            422,
            invalid("parent_resource_id", "parent_resource_id should not be null: every resource but an organization has a parent"),
        ),
        case("PATCH /authorization/resources/website", json!({"parent_resource_external_id": "ws-1"}), 422, invalid("parent_resource_type_slug", half)),
        case(
            "PATCH /authorization/resources/website",
            json!({"parent_resource_id": "acme"}),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not organization"),
        ),
        // DELETE
        case("DELETE /authorization/resources/nowhere", Value::Null, 404, not_found("Resource", "nowhere")),
        case("DELETE /authorization/resources/acme?cascade_delete=true", Value::Null, 400, organizations.clone()),
        case("DELETE /authorization/organizations/acme/resources/organization/acme", Value::Null, 400, organizations),
        case(
            "DELETE /authorization/resources/app?cascade_delete=yes",
            Value::Null,
            422,
            invalid("cascade_delete", "cascade_delete must be true or false"),
        ),
        // Lists
        case(
            "GET /authorization/resources?resource_external_id=x",
            Value::Null,
            400,
            json!({
                "message": "An external id needs an organization_id or a resource_type_slug beside it.",
                "code": "missing_organization_id_or_resource_type_slug",
            }),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&parent_resource_type_slug=workspace",
            Value::Null,
            400,
            json!({
                "message": "An external id needs an organization_id or a resource_type_slug beside it.",
                "code": "missing_organization_id_or_resource_type_slug",
            }),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&organization_id=acme",
            Value::Null,
            422,
            invalid("parent_resource_type_slug", "parent_resource_type_slug should not be empty beside parent_external_id"),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&parent_resource_type_slug=y&parent_resource_id=z",
            Value::Null,
            422,
            invalid("parent_resource_id", "parent_resource_id should not be given beside parent_external_id and parent_resource_type_slug"),
        ),
        case("GET /authorization/resources?organization_id=", Value::Null, 422, invalid("organization_id", "organization_id should not be empty")),
        case("GET /authorization/resources?limit=101", Value::Null, 422, invalid("limit", "limit must be a number from 1 to 100")),
        case("GET /authorization/resources?limit=0", Value::Null, 422, invalid("limit", "limit must be a number from 1 to 100")),
        case("GET /authorization/resources?order=up", Value::Null, 422, invalid("order", "order must be one of asc, desc, normal")),
        case("GET /authorization/resources?after=om_1", Value::Null, 422, invalid("after", "after must be the id of an item of this list, not 'om_1'")),
    ])
    .await;
    assert_eq!(world.files(), ["manifests.yaml"], "nothing was written");
}
