//! What the library refuses is what the API server would refuse: each bound in a schema is enforced by
//! [`Validate`] as well, and manifests that the one accepts or refuses the other does too.

use bailiwick::api::{
    self, EnvironmentSpec, GroupRoleAssignmentSpec, GroupSpec, MembershipRoleAssignmentSpec,
    OrganizationMembershipSpec, ResourceSpec, ResourceTypeSpec, RoleSpec, Validate,
};
use regex::Regex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::manifests::{documents, files};

#[test]
fn the_bounds_of_the_schemas_are_enforced() {
    let mut tried = 0;
    for crd in api::crds() {
        let crd = serde_json::to_value(crd).unwrap();
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let (name, spec) = sample(kind);
        assert_eq!(validate(kind, name, &spec), Ok(()), "{kind}");
        tried += try_bounds(kind, name, &spec, schema, "");
    }
    assert!(tried > 100, "only {tried} bounds were tried");
}

#[test]
fn examples_are_accepted() {
    let mut seen = 0;
    for file in [files("examples/acme"), files("examples")].concat() {
        let path = file.display();
        for document in documents(&file) {
            assert_eq!(check(&document), Ok(()), "{path}");
            assert_eq!(document["apiVersion"], api::API_VERSION, "{path}");
            assert_eq!(document["metadata"].get("namespace"), None, "{path} belongs to a namespace of its own");
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} examples were found");
}

#[test]
fn what_the_api_server_refuses_is_refused() {
    let mut seen = 0;
    for file in files("tests/manifests/refused") {
        let path = file.display();
        let documents = documents(&file);
        match documents.as_slice() {
            // Types tolerate what they do not know; whoever reads a file reports it.
            [_] if file.ends_with("unknown-field.yaml") => {}
            [document] => assert!(check(document).is_err(), "{path} is accepted"),
            // The second document changes what must not change, which takes both to see.
            [before, after] => {
                assert_eq!(check(before), Ok(()), "{path}");
                assert_eq!(check(after), Ok(()), "{path}");
            }
            _ => panic!("{path} has {} documents", documents.len()),
        }
        seen += 1;
    }
    assert!(seen >= 15, "only {seen} manifests were found");
}

#[test]
fn problems_name_the_field_and_the_remedy() {
    let problem = |kind, name, spec| validate(kind, name, &spec).unwrap_err();
    for (actual, expected) in [
        (
            problem("Resource", "site", json!({ "type": "project" })),
            "spec.parentRef: every resource but an organization has a parent: name the resource above this one",
        ),
        (
            problem("Resource", "acme", json!({ "type": "organization", "parentRef": { "name": "x" } })),
            "spec.parentRef: an organization is the root of its tree: remove parentRef",
        ),
        (
            problem("Resource", "acme", json!({ "type": "organization", "externalId": "caf\u{e9}" })),
            "spec.externalId: cannot be `caf\u{e9}`: use 1 to 128 printable ASCII characters",
        ),
        (
            problem("Group", "team", json!({ "organizationRef": { "name": "acme" }, "members": ["bob", "", "bob"] })),
            "spec.members[1]: is empty: use 1 to 253 printable characters",
        ),
        (
            problem("Group", "team", json!({ "organizationRef": { "name": "acme" }, "members": ["bob", "bob"] })),
            "spec.members[1]: repeats `bob`: list it once",
        ),
        (
            problem("Role", "editor", json!({ "permissions": ["a".repeat(129)] })),
            "spec.permissions[0]: has 129 characters: use 1 to 128 ASCII letters, digits, `_`, `.`, `:`, `*`, `/` and `-`",
        ),
        (
            problem("ResourceType", "project", json!({ "permissions": [{ "slug": "a" }, { "slug": "a" }] })),
            "spec.permissions[1].slug: repeats `a`: list it once",
        ),
        (
            problem("Environment", "production", json!({})),
            "metadata.name: a namespace has one Environment: name it `default`",
        ),
        (
            problem("MembershipRoleAssignment", "a", json!({ "membershipRef": { "name": "bob" } })),
            "missing field `roleRef`",
        ),
    ] {
        assert_eq!(actual, expected);
    }
}

#[test]
fn memberships_and_permissions_may_be_what_other_systems_call_them() {
    for member in
        ["alice", "user:bob@example.com", "auth0|5f7c8ec7c33c6c004bbafe82", "Zo\u{eb} M\u{fc}ller", "\u{738b}\u{4f1f}"]
    {
        let spec = json!({ "organizationRef": { "name": "acme" }, "members": [member] });
        assert_eq!(validate("Group", "team", &spec), Ok(()));
    }
    let permissions =
        ["project:edit", "route:GET", "user:can_read_user", "*", "document.read", "repo/issues:write-all"];
    assert_eq!(validate("Role", "editor", &json!({ "permissions": permissions })), Ok(()));
    let members: Vec<_> = (0..20_000).map(|id| format!("om_{id}")).collect();
    let spec = json!({ "organizationRef": { "name": "acme" }, "members": members });
    assert_eq!(validate("Group", "everybody", &spec), Ok(()));
}

#[test]
fn defaults_are_those_of_the_schemas() {
    let role: RoleSpec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(role.resource_type, api::ORGANIZATION);
    let resource_type: ResourceTypeSpec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(resource_type.parents("project").collect::<Vec<_>>(), [api::ORGANIZATION]);
    assert_eq!(resource_type.parents(api::ORGANIZATION).count(), 0);

    let default = |crd: &Value, path: &str| {
        let path = path.replace('/', "/properties/");
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].pointer(&path).map(|schema| schema["default"].clone())
    };
    let crds: Vec<Value> = api::crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap()).collect();
    assert_eq!(default(&crds[1], "/spec/resourceType"), Some(json!(api::ORGANIZATION)));
    assert_eq!(default(&crds[5], "/spec/suspended"), Some(json!(false)));
    assert_eq!(default(&crds[7], "/spec/multipleRoles"), Some(json!(false)));
    assert_eq!(
        default(&crds[7], "/spec/undeclared"),
        Some(json!({ "memberships": "Allow", "resourceTypes": "Allow" }))
    );
}

/// Breaks each bound that the schema sets to a valid value, and those below it, and returns how many it tried.
fn try_bounds(kind: &str, name: &str, spec: &Value, schema: &Value, pointer: &str) -> usize {
    let value = spec.pointer(pointer).unwrap_or_else(|| panic!("the sample of {kind} lacks {pointer}"));
    let with = |value: Value| {
        let mut spec = spec.clone();
        *spec.pointer_mut(pointer).unwrap() = value;
        validate(kind, name, &spec)
    };
    let accepts = |value: Value, what: &str| assert_eq!(with(value), Ok(()), "{kind} {pointer}: {what}");
    let refuses = |value: Value, what: &str| assert!(with(value).is_err(), "{kind} {pointer}: {what} is accepted");
    let mut tried = 0;
    match (schema["type"].as_str().unwrap(), value) {
        ("string", Value::String(_)) if schema.get("enum").is_some() || schema.get("format").is_some() => {
            refuses(json!("neither"), "another word");
            tried += 1;
        }
        ("string", Value::String(text)) => {
            let max = usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap();
            let padded = |length: usize| json!(format!("{text}{}", "a".repeat(length - text.len())));
            accepts(padded(max), "the longest text");
            refuses(padded(max + 1), "too long a text");
            if schema["minLength"] != 0 {
                refuses(json!(""), "an empty text");
            }
            let pattern = Regex::new(schema["pattern"].as_str().unwrap()).unwrap();
            for odd in ["a\u{7}", "a b", "A", "a.b", "\u{e9}", "-", "a:b", "a@b", "a\n"] {
                let length = odd.chars().count() as u64;
                let fits = pattern.is_match(odd) && length >= schema["minLength"].as_u64().unwrap();
                assert_eq!(with(json!(odd)).is_ok(), fits, "{kind} {pointer}: {odd:?}");
                tried += 1;
            }
            tried += 3;
        }
        ("array", Value::Array(items)) => {
            let max = usize::try_from(schema["maxItems"].as_u64().unwrap()).unwrap();
            let [item, ..] = items.as_slice() else { panic!("the sample of {kind} has no item in {pointer}") };
            let many = |length: usize| json!((0..length).map(|index| renamed(item, index)).collect::<Vec<_>>());
            accepts(many(max), "the longest list");
            refuses(many(max + 1), "too long a list");
            let twice = with(json!([item, item]));
            assert_eq!(twice.is_ok(), schema["x-kubernetes-list-type"] == "atomic", "{kind} {pointer}: an item twice");
            tried += 3 + try_bounds(kind, name, spec, &schema["items"], &format!("{pointer}/0"));
        }
        ("object", Value::Object(_)) => {
            for (field, schema) in schema["properties"].as_object().unwrap() {
                tried += try_bounds(kind, name, spec, schema, &format!("{pointer}/{field}"));
            }
        }
        ("boolean", Value::Bool(_)) => {}
        (type_, value) => panic!("the sample of {kind} has {value} at {pointer} instead of {type_}"),
    }
    tried
}

/// Another item of a list, told from the others by a number where something identifies it.
fn renamed(item: &Value, number: usize) -> Value {
    let mut item = item.clone();
    if item.is_string() {
        return json!(format!("item-{number}"));
    }
    if let Some(key) = ["name", "slug"].into_iter().find(|key| item.get(key).is_some()) {
        item[key] = json!(format!("item-{number}"));
    }
    item
}

/// A name and a valid spec with every field of a kind.
fn sample(kind: &str) -> (&'static str, Value) {
    let reference = json!({ "name": "ref" });
    match kind {
        "Resource" => (
            "object",
            json!({ "type": "folder", "parentRef": reference, "externalId": "id", "displayName": "x", "description": "x" }),
        ),
        "Role" => (
            "object",
            json!({
                "slug": "slug", "resourceType": "folder", "permissions": ["read"], "organizationRef": reference,
                "displayName": "x", "description": "x",
            }),
        ),
        "Group" => (
            "object",
            json!({
                "organizationRef": reference, "members": ["alice"], "subgroups": ["sub"],
                "displayName": "x", "description": "x",
            }),
        ),
        "GroupRoleAssignment" => (
            "object",
            json!({
                "groupRef": reference, "roleRef": reference, "resourceRef": reference,
                "expiresAt": "2099-01-01T00:00:00Z",
                "condition": "context.mfa",
            }),
        ),
        "MembershipRoleAssignment" => (
            "object",
            json!({
                "membershipRef": reference, "roleRef": reference, "resourceRef": reference,
                "expiresAt": "2099-01-01T00:00:00Z",
                "condition": "context.mfa",
            }),
        ),
        "OrganizationMembership" => (
            "object",
            json!({
                "organizationRef": reference,
                "user": { "id": "alice", "email": "a@b", "firstName": "x", "lastName": "x" },
                "roleRefs": [reference], "suspended": true, "directoryGroups": ["group"], "ssoGroups": ["group"],
            }),
        ),
        "ResourceType" => (
            "object",
            json!({
                "parents": ["folder"], "displayName": "x",
                "permissions": [{ "slug": "read", "displayName": "x", "description": "x" }],
            }),
        ),
        "Environment" => (
            "default",
            json!({
                "multipleRoles": true, "defaultRoleRef": reference, "rolePriority": ["role"],
                "undeclared": { "memberships": "Deny", "resourceTypes": "Deny" },
                "identityProvider": { "roleMappings": [
                    { "source": "SSO", "group": "group", "roleRef": reference, "organizationRef": reference },
                ] },
            }),
        ),
        _ => panic!("there is no sample of {kind}"),
    }
}

/// Whether an object of a manifest is accepted, and if not, why.
fn check(document: &Value) -> Result<(), String> {
    validate(document["kind"].as_str().unwrap(), document["metadata"]["name"].as_str().unwrap(), &document["spec"])
}

fn validate(kind: &str, name: &str, spec: &Value) -> Result<(), String> {
    fn run<S: DeserializeOwned + Validate>(name: &str, spec: &Value) -> Result<(), String> {
        let spec: S = serde_json::from_value(spec.clone()).map_err(|error| error.to_string())?;
        spec.validate(name).map_err(|problem| problem.to_string())
    }
    match kind {
        "Resource" => run::<ResourceSpec>(name, spec),
        "Role" => run::<RoleSpec>(name, spec),
        "Group" => run::<GroupSpec>(name, spec),
        "GroupRoleAssignment" => run::<GroupRoleAssignmentSpec>(name, spec),
        "MembershipRoleAssignment" => run::<MembershipRoleAssignmentSpec>(name, spec),
        "OrganizationMembership" => run::<OrganizationMembershipSpec>(name, spec),
        "ResourceType" => run::<ResourceTypeSpec>(name, spec),
        "Environment" => run::<EnvironmentSpec>(name, spec),
        _ => panic!("there is no kind {kind}"),
    }
}
