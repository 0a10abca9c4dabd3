//! The custom resource definitions: every schema keeps the house rules.

use bailiwick::api;
use serde_json::Value;

#[test]
fn kinds_are_named_and_ordered_as_documented() {
    let names: Vec<String> = definitions()
        .iter()
        .map(|crd| {
            let spec = &crd["spec"];
            assert_eq!(spec["group"], api::GROUP);
            assert_eq!(spec["scope"], "Namespaced");
            assert_eq!(spec["names"]["categories"], serde_json::json!(["authz"]));
            let [version] = spec["versions"].as_array().unwrap().as_slice() else { panic!("one version") };
            assert_eq!(version["name"], api::VERSION);
            assert_eq!(version["subresources"], serde_json::json!({ "status": {} }));
            format!("{} {}", text(&spec["names"]["kind"]), text(&spec["names"]["shortNames"][0]))
        })
        .collect();
    assert_eq!(
        names,
        [
            "Resource azres",
            "Role azrole",
            "Group azgrp",
            "GroupRoleAssignment gra",
            "MembershipRoleAssignment mra",
            "OrganizationMembership azom",
            "ResourceType azrt",
            "Environment azenv",
        ]
    );
    assert_eq!(api::API_VERSION, format!("{}/{}", api::GROUP, api::VERSION));
}

#[test]
fn references_are_selectable_and_in_the_list() {
    let mut seen = 0;
    for crd in definitions() {
        let version = &crd["spec"]["versions"][0];
        let paths = |list: &str| -> Vec<String> {
            let entries = version[list].as_array().into_iter().flatten();
            entries.map(|entry| text(&entry["jsonPath"]).to_owned()).collect()
        };
        let (selectable, columns) = (paths("selectableFields"), paths("additionalPrinterColumns"));
        let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
        for field in spec["properties"].as_object().unwrap().keys().filter(|field| field.ends_with("Ref")) {
            let path = format!(".spec.{field}.name");
            assert!(selectable.contains(&path), "{path} of {} is not selectable", crd["metadata"]["name"]);
            assert!(columns.contains(&path), "{path} of {} is in no column", crd["metadata"]["name"]);
            seen += 1;
        }
        let titles = version["additionalPrinterColumns"].as_array().unwrap().iter().map(|column| text(&column["name"]));
        assert_eq!(titles.rev().take(4).collect::<Vec<_>>(), ["Message", "Age", "Reason", "Ready"]);
    }
    assert!(seen > 0);
}

#[test]
fn schemas_are_bounded_and_described() {
    let mut problems = Vec::new();
    for crd in definitions() {
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        inspect(text(&crd["spec"]["names"]["kind"]), schema, &mut problems);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Collects what is wrong with a schema and those below it.
fn inspect(path: &str, schema: &Value, problems: &mut Vec<String>) {
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            problems.push(format!("{path}: {what}"));
        }
    };
    let has = |keyword: &str| schema.get(keyword).is_some();
    expect(has("description") || path.ends_with("[]"), "is not described");
    expect(!has("nullable"), "can be null");
    expect(!text(&schema["format"]).starts_with("uint"), "has a format that the API server does not know");
    match text(&schema["type"]) {
        "string" => expect(has("maxLength") || has("enum") || schema["format"] == "date-time", "is not bounded"),
        "array" => {
            expect(has("maxItems"), "is not bounded");
            expect(has("x-kubernetes-list-type"), "does not say how it is merged");
        }
        "object" => expect(has("properties"), "is not structured"),
        "integer" => expect(has("minimum"), "is not bounded"),
        "boolean" => {}
        other => expect(false, &format!("has the type `{other}`")),
    }
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        expect(!text(&rule["message"]).is_empty(), "has a rule without a message");
        expect(!text(&rule["reason"]).is_empty(), "has a rule without a reason");
        // A rule of a string is about that string; the name of an object is no field of its schema.
        let pathless = schema["type"] == "string" || !text(&rule["rule"]).contains(".spec.") && !path.contains('.');
        expect(pathless != rule.get("fieldPath").is_some(), "has a rule that does not name its field");
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        inspect(&format!("{path}.{name}"), property, problems);
    }
    if has("items") {
        inspect(&format!("{path}[]"), &schema["items"], problems);
    }
}

fn definitions() -> Vec<Value> {
    api::crds().into_iter().map(|crd| serde_json::to_value(crd).unwrap()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
