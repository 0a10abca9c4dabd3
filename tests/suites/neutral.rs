//! The decisions of the AuthZEN interoperability scenarios, in a shape that comes close to the model.
//!
//! Each case becomes an environment of its own: its resources hang below one organization, its subjects are
//! undeclared memberships.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    bailiwick::{Bailiwick, Question},
    http,
};

/// The suite.
#[derive(Deserialize)]
pub struct Suite {
    pub cases: Vec<Case>,
}

/// A small world and what holds in it. Resources and subjects are written `type:id`.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    resources: Vec<Resource>,
    roles: Vec<Role>,
    groups: Vec<Group>,
    group_role_assignments: Vec<GroupRoleAssignment>,
    membership_role_assignments: Vec<MembershipRoleAssignment>,
    checks: Option<Vec<Check>>,
    list_resources: Option<Vec<ListResources>>,
    list_subjects: Option<Vec<ListSubjects>>,
    list_permissions: Option<Vec<ListPermissions>>,
}

#[derive(Deserialize)]
struct Resource {
    r#type: String,
    id: String,
    parents: Vec<String>,
}

#[derive(Deserialize)]
struct Role {
    slug: String,
    resource_type: String,
    permissions: Vec<String>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    members: Vec<String>,
    groups: Vec<String>,
}

#[derive(Deserialize)]
struct GroupRoleAssignment {
    group: String,
    role: String,
    resource: String,
}

#[derive(Deserialize)]
struct MembershipRoleAssignment {
    member: String,
    role: String,
    resource: String,
    condition: Option<String>,
}

#[derive(Deserialize)]
struct Check {
    subject: String,
    resource: String,
    permission: String,
    expect: bool,
}

#[derive(Deserialize)]
struct ListResources {
    subject: String,
    r#type: String,
    permission: String,
    expect: BTreeSet<String>,
}

#[derive(Deserialize)]
struct ListSubjects {
    subject_type: String,
    resource: String,
    permission: String,
    expect: BTreeSet<String>,
}

#[derive(Deserialize)]
struct ListPermissions {
    subject: String,
    resource: String,
    expect: BTreeSet<String>,
}

/// The type and the id in `type:id`.
fn split(reference: &str) -> (&str, &str) {
    reference.split_once(':').unwrap_or_else(|| panic!("`{reference}` has no type"))
}

fn object(environment: &str, kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "authz.bailiwick.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": environment},
        "spec": spec,
    })
}

impl Case {
    /// The case with another role.
    #[must_use]
    pub fn with_role(mut self, slug: &str, resource_type: &str, permissions: &[&str]) -> Self {
        let permissions = permissions.iter().map(|&permission| permission.to_owned()).collect();
        self.roles.push(Role { slug: slug.to_owned(), resource_type: resource_type.to_owned(), permissions });
        self
    }

    /// The case with another assignment, which depends on a condition.
    #[must_use]
    pub fn assigning_if(mut self, condition: &str, member: &str, role: &str, resource: &str) -> Self {
        let [condition, member, role, resource] = [condition, member, role, resource].map(str::to_owned);
        let condition = Some(condition);
        self.membership_role_assignments.push(MembershipRoleAssignment { member, role, resource, condition });
        self
    }

    /// Writes the case's objects as a file of manifests. An object's name is its number, for ids are freer than names.
    pub fn write(&self, folder: &Path, environment: &str) {
        let number = |prefix: &str, position: usize| format!("{prefix}-{position}");
        let resources: BTreeMap<String, String> = self
            .resources
            .iter()
            .enumerate()
            .map(|(i, resource)| (format!("{}:{}", resource.r#type, resource.id), number("resource", i)))
            .collect();
        let roles: BTreeMap<&str, String> =
            self.roles.iter().enumerate().map(|(i, role)| (role.slug.as_str(), number("role", i))).collect();
        let groups: BTreeMap<&str, String> =
            self.groups.iter().enumerate().map(|(i, group)| (group.id.as_str(), number("group", i))).collect();
        let object = |kind: &str, name: &str, spec: Value| object(environment, kind, name, &spec);

        let mut objects = vec![object("Resource", "organization", json!({"type": "organization"}))];
        for resource in &self.resources {
            assert!(resource.parents.len() <= 1, "{}: several parents", self.name);
            let parent = resource.parents.first().map_or("organization", |parent| resources[parent].as_str());
            let name = &resources[&format!("{}:{}", resource.r#type, resource.id)];
            let spec = json!({"type": resource.r#type, "externalId": resource.id, "parentRef": {"name": parent}});
            objects.push(object("Resource", name, spec));
        }
        for role in &self.roles {
            let spec = json!({"slug": role.slug, "resourceType": role.resource_type, "permissions": role.permissions});
            objects.push(object("Role", &roles[role.slug.as_str()], spec));
        }
        for group in &self.groups {
            let members: Vec<&str> = group.members.iter().map(|member| split(member).1).collect();
            let subgroups: Vec<&str> = group.groups.iter().map(|id| groups[id.as_str()].as_str()).collect();
            let spec = json!({"organizationRef": {"name": "organization"}, "members": members, "subgroups": subgroups});
            objects.push(object("Group", &groups[group.id.as_str()], spec));
        }
        for (i, assignment) in self.group_role_assignments.iter().enumerate() {
            let spec = json!({
                "groupRef": {"name": groups[assignment.group.as_str()]},
                "roleRef": {"name": roles[assignment.role.as_str()]},
                "resourceRef": {"name": resources[&assignment.resource]},
            });
            objects.push(object("GroupRoleAssignment", &number("assignment", i), spec));
        }
        for (i, assignment) in self.membership_role_assignments.iter().enumerate() {
            let spec = json!({
                "membershipRef": {"name": split(&assignment.member).1},
                "roleRef": {"name": roles[assignment.role.as_str()]},
                "resourceRef": {"name": resources[&assignment.resource]},
                "condition": assignment.condition,
            });
            objects.push(object("MembershipRoleAssignment", &number("assignment", i), spec));
        }
        // JSON is YAML, and a file may hold several documents.
        let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
        fs::write(folder.join(format!("{environment}.yaml")), documents.join("\n---\n")).expect("a file of manifests");
    }

    /// Asks everything that the case expects and returns how much that was, and what was answered otherwise.
    fn ask(&self, serve: &Bailiwick, environment: &str) -> (usize, Vec<String>) {
        let mut asked = 0;
        let mut wrong = Vec::new();
        let mut compare = |question: String, right: bool, answer: String| {
            asked += 1;
            if !right {
                wrong.push(format!("{}: {question}: {answer}", self.name));
            }
        };
        for Check { subject, resource, permission, expect } in self.checks.iter().flatten() {
            let (resource_type, id) = split(resource);
            let user = split(subject).1;
            let question = Question { environment, user, action: permission, resource_type, resource: id };
            let answer = serve.allows(question);
            compare(format!("{subject} {permission} {resource}"), answer == *expect, answer.to_string());
        }
        for ListResources { subject, r#type, permission, expect } in self.list_resources.iter().flatten() {
            let parameters = [("user", split(subject).1), ("permission", permission), ("type", r#type)];
            let answer: BTreeSet<String> = list(serve, environment, "resources", &parameters)
                .iter()
                .map(|item| format!("{}:{}", item["type"].as_str().unwrap(), item["externalId"].as_str().unwrap()))
                .collect();
            let query = json!({
                "subject": {"type": "user", "id": split(subject).1},
                "action": {"name": permission},
                "resource": {"type": r#type},
            });
            let found: BTreeSet<String> = search(serve, environment, "resource", &query)
                .iter()
                .map(|result| format!("{}:{}", result["type"].as_str().unwrap(), result["id"].as_str().unwrap()))
                .collect();
            let right = answer == *expect && found == *expect;
            compare(format!("resources of {subject} with {permission}"), right, format!("{answer:?}, {found:?}"));
        }
        for ListSubjects { subject_type, resource, permission, expect } in self.list_subjects.iter().flatten() {
            let (resource_type, id) = split(resource);
            let parameters = [("permission", permission.as_str()), ("resourceType", resource_type), ("resourceId", id)];
            let answer: BTreeSet<String> = list(serve, environment, "memberships", &parameters)
                .iter()
                .map(|item| format!("{subject_type}:{}", item["name"].as_str().unwrap()))
                .collect();
            let query = json!({
                "subject": {"type": "user"},
                "action": {"name": permission},
                "resource": {"type": resource_type, "id": id},
            });
            let found: BTreeSet<String> = search(serve, environment, "subject", &query)
                .iter()
                .map(|result| format!("{}:{}", result["type"].as_str().unwrap(), result["id"].as_str().unwrap()))
                .collect();
            let right = answer == *expect && found == *expect;
            compare(format!("who has {permission} on {resource}"), right, format!("{answer:?}, {found:?}"));
        }
        for ListPermissions { subject, resource, expect } in self.list_permissions.iter().flatten() {
            let (resource_type, id) = split(resource);
            let parameters = [("user", split(subject).1), ("resourceType", resource_type), ("resourceId", id)];
            let answer = get(serve, environment, "permissions", &parameters);
            let answer: BTreeSet<String> = serde_json::from_value(answer["permissions"].clone()).expect("permissions");
            let query = json!({
                "subject": {"type": "user", "id": split(subject).1},
                "resource": {"type": resource_type, "id": id},
            });
            let found: BTreeSet<String> = search(serve, environment, "action", &query)
                .iter()
                .map(|result| format!("{resource_type}:{}", result["name"].as_str().unwrap()))
                .collect();
            let right = answer == *expect && found == *expect;
            compare(format!("permissions of {subject} on {resource}"), right, format!("{answer:?}, {found:?}"));
        }
        (asked, wrong)
    }
}

fn get(serve: &Bailiwick, environment: &str, list: &str, parameters: &[(&str, &str)]) -> Value {
    let url = format!("http://{}/environments/{environment}/v1/{list}", serve.api);
    let url = reqwest::Url::parse_with_params(&url, parameters).expect("a URL");
    http::send(|client| client.get(url)).expect("an answer").ok()
}

/// All items of a list, read in small pages.
fn list(serve: &Bailiwick, environment: &str, list: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut parameters = [parameters, &[("limit", "3")]].concat();
        if let Some(cursor) = &cursor {
            parameters.push(("cursor", cursor));
        }
        let page = get(serve, environment, list, &parameters);
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return items,
        }
    }
}

/// All results of a search with AuthZEN, read in small pages.
fn search(serve: &Bailiwick, environment: &str, what: &str, query: &Value) -> Vec<Value> {
    let path = format!("/environments/{environment}/access/v1/search/{what}");
    let mut results = Vec::new();
    let mut page = json!({"limit": 3});
    loop {
        let mut request = query.clone();
        request["page"] = page;
        let answer = serve.post(&path, &request).ok();
        results.extend(answer["results"].as_array().expect("results").iter().cloned());
        page = match answer["page"]["next_token"].as_str().expect("a token") {
            "" => return results,
            next => json!({"token": next}),
        };
    }
}

#[test]
fn every_decision_and_list_is_as_expected() {
    let suite: Suite = super::read("authzen/neutral.json");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let environment = |i: usize| format!("case-{i}");
    for (i, case) in suite.cases.iter().enumerate() {
        case.write(folder.path(), &environment(i));
    }
    let serve = Bailiwick::start_ready(&["serve", "--manifests", folder.path().to_str().expect("a path")]);
    let mut asked = 0;
    let mut wrong = Vec::new();
    for (i, case) in suite.cases.iter().enumerate() {
        let (more, otherwise) = case.ask(&serve, &environment(i));
        asked += more;
        wrong.extend(otherwise);
    }
    assert!(wrong.is_empty(), "{} of {asked} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(asked, 282, "the suite has another number of assertions than it had");
}
